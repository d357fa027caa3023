//! `sftpgo bans`: addresses that the defender of a running server keeps out.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{OutputArgs, RemoteArgs, with};
use crate::app;

/// What to do with bans.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the banned addresses
    List(ListArgs),
    /// Lift the ban of an address, and forget its points
    Remove(RemoveArgs),
}

/// Arguments of `bans list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// How to write it.
    #[command(flatten)]
    pub output: OutputArgs,

    /// Also list addresses that are not banned but have points
    #[arg(long)]
    pub all: bool,
}

/// Arguments of `bans remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// The address; one of IPv6 stands for its network of 64 bits
    pub address: String,
}

pub(super) fn main(command: Command) -> ExitCode {
    let remote = match &command {
        Command::List(args) => &args.remote,
        Command::Remove(args) => &args.remote,
    };
    with(remote.server(), |server| app::manage_bans(server, command))
}
