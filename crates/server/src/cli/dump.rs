//! `sftpgo dump`: writes all users to a file.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{ConfigArgs, block_on, exit_code, refuse, warn};
use crate::app;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,

    /// File to write, readable by its owner only; `-` writes to stdout
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Write each value on a line of its own
    #[arg(long)]
    indent: bool,
}

pub(super) fn main(args: &Args) -> ExitCode {
    match args.config.load().and_then(|loaded| loaded.settings()) {
        Ok((settings, warnings)) => {
            warnings.iter().for_each(|warning| warn(warning));
            exit_code(block_on(app::dump_users(
                &settings,
                &args.file,
                args.indent,
            )))
        }
        Err(error) => refuse(&error),
    }
}
