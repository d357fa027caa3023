//! `sftpgo connections`: who is connected to a running server.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{OutputArgs, RemoteArgs, with};
use crate::app;

/// What to do with connections.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the open sessions and their transfers
    List(ListArgs),
    /// Close a connection with all its sessions
    Close(CloseArgs),
}

/// Arguments of `connections list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// How to write it.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `connections close`.
#[derive(Debug, Args)]
pub struct CloseArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// The id, which `sftpgo connections list` shows
    pub id: String,
}

pub(super) fn main(command: Command) -> ExitCode {
    let remote = match &command {
        Command::List(args) => &args.remote,
        Command::Close(args) => &args.remote,
    };
    with(remote.server(), |server| {
        app::manage_connections(server, command)
    })
}
