//! `sftpgo quota`: counting files anew, on a running server.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{OutputArgs, RemoteArgs, with};
use crate::app;

/// What to do with quotas.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the quota scans that are under way
    Scans(ScansArgs),
    /// Count the files of a user anew
    Scan(ScanArgs),
}

/// Arguments of `quota scans`.
#[derive(Debug, Args)]
pub struct ScansArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// How to write it.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `quota scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// Name of the user
    pub username: String,

    /// Wait for the end of the scan, also of one that is under way already
    #[arg(long)]
    pub wait: bool,

    /// Seconds to wait
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 3600,
        requires = "wait"
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub timeout: u64,
}

pub(super) fn main(command: Command) -> ExitCode {
    let remote = match &command {
        Command::Scans(args) => &args.remote,
        Command::Scan(args) => &args.remote,
    };
    with(remote.server(), |server| app::manage_quota(server, command))
}
