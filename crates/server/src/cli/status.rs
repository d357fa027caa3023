//! `sftpgo status`: how a running server fares.

use std::process::ExitCode;

use super::{ConfigArgs, OutputArgs, RemoteArgs, with};
use crate::app;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn main(args: &Args) -> ExitCode {
    with(args.remote.server(&args.config), |server| {
        app::show_status(server, args.output.format())
    })
}
