//! `sftpgo user`: users in the data provider, without a running server, or on one that runs.

mod fields;
mod pairs;

use std::process::ExitCode;

use clap::{Args, Subcommand};

pub use fields::{DirectoryPermission, UserFields};
pub(in crate::cli) use fields::{key_lines, read_key_file};

use super::{OutputArgs, PasswordArgs, RemoteArgs, with};
use crate::app;

/// What to do with users.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a user; without other password flags the password is asked for
    Add(Box<ChangeArgs>),
    /// Change a user; what no flag names stays as it is
    Set(Box<ChangeArgs>),
    /// Print a user
    Show(ShowArgs),
    /// List all users
    List(ListArgs),
    /// Remove a user; its files stay
    Remove(RemoveArgs),
}

/// Arguments of `user add` and `user set`.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// Name of the user
    pub username: String,

    /// The password.
    #[command(flatten)]
    pub password: PasswordArgs,

    /// Everything else.
    #[command(flatten)]
    pub fields: UserFields,

    /// How to write it.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `user show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// Name of the user
    pub username: String,

    /// How to write it.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `user list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// How to write it.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `user remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// Name of the user
    pub username: String,
}

impl Command {
    fn remote(&self) -> &RemoteArgs {
        match self {
            Self::Add(args) | Self::Set(args) => &args.remote,
            Self::Show(args) => &args.remote,
            Self::List(args) => &args.remote,
            Self::Remove(args) => &args.remote,
        }
    }
}

pub(super) fn main(command: Command) -> ExitCode {
    with(command.remote().target(), |target| {
        app::manage_users(target, command)
    })
}
