//! `sftpgo dump`: writes all users to a file.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{RemoteArgs, with};
use crate::app;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    remote: RemoteArgs,

    /// File to write, readable by its owner only; `-` writes to stdout. With `--url`, a file below
    /// httpd.backups_path of the server
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Write each value on a line of its own
    #[arg(long)]
    indent: bool,
}

pub(super) fn main(args: &Args) -> ExitCode {
    with(args.remote.target(), |target| {
        app::dump_users(target, &args.file, args.indent)
    })
}
