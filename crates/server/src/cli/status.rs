//! `sftpgo status`: how a running server fares.

use std::process::ExitCode;

use super::{OutputArgs, RemoteArgs, with};
use crate::app;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn main(args: &Args) -> ExitCode {
    with(args.remote.server(), |server| {
        app::show_status(server, args.output.format())
    })
}
