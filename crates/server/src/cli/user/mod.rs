//! `sftpgo user`: users in the data provider, without a running server.

mod fields;

use std::process::ExitCode;

use clap::{Args, Subcommand};

pub use fields::{DirectoryPermission, UserFields};
pub(in crate::cli) use fields::{key_lines, read_key_file};

use super::{ConfigArgs, PasswordArgs, block_on, exit_code, refuse, warn};
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
    /// Where the settings are.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Name of the user
    pub username: String,

    /// The password.
    #[command(flatten)]
    pub password: PasswordArgs,

    /// Everything else.
    #[command(flatten)]
    pub fields: UserFields,
}

/// Arguments of `user show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Where the settings are.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Name of the user
    pub username: String,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `user list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Where the settings are.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `user remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Where the settings are.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Name of the user
    pub username: String,
}

impl Command {
    fn config(&self) -> &ConfigArgs {
        match self {
            Self::Add(args) | Self::Set(args) => &args.config,
            Self::Show(args) => &args.config,
            Self::List(args) => &args.config,
            Self::Remove(args) => &args.config,
        }
    }
}

pub(super) fn main(command: Command) -> ExitCode {
    match command.config().load().and_then(|loaded| loaded.settings()) {
        Ok((settings, warnings)) => {
            warnings.iter().for_each(|warning| warn(warning));
            exit_code(block_on(app::manage_users(&settings, command)))
        }
        Err(error) => refuse(&error),
    }
}
