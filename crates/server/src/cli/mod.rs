//! The command line: one file per command. A command reads its arguments, loads the settings and
//! calls [`crate::app`].

pub mod bans;
mod completions;
mod config;
pub mod connections;
mod dump;
pub mod import;
mod initprovider;
mod man;
mod options;
mod output;
mod password;
mod portable;
mod prompt;
pub mod quota;
mod remote;
mod restore;
mod serve;
mod status;
mod stores;
pub mod user;

use std::ffi::OsString;
use std::fmt::Display;
use std::future::Future;
use std::io::Write;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use options::{ConfigArgs, LogArgs};
pub use output::{Format, OutputArgs};
pub use password::{PasswordArgs, PasswordChoice, PasswordError};
pub use remote::RemoteArgs;
pub use stores::StoreFlags;

use crate::app::AppError;
use crate::config::LoadError;

/// Serves files over SFTP, SCP and SSH commands to virtual accounts.
#[derive(Debug, Parser)]
#[command(name = "sftpgo", disable_version_flag = true, max_term_width = 100)]
struct Cli {
    /// Print the version
    // `-v` means something else for `serve`, so this one is not global.
    #[arg(short = 'v', long)]
    version: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server in the foreground
    Serve(serve::Args),
    /// Create the schema of the configured data provider
    Initprovider(initprovider::Args),
    /// Check or show the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Manage users in the data provider, or on a running server
    #[command(subcommand)]
    User(user::Command),
    /// Write all users to a file, with their password hashes and secrets
    Dump(dump::Args),
    /// Add the users of a dump to the data provider, and update those that exist
    Restore(restore::Args),
    /// Add the users of another server to the data provider, and take its host keys along
    Import(Box<import::ImportArgs>),
    /// Share a directory or a bucket, without settings and accounts
    Portable(Box<portable::Args>),
    /// Show how a running server fares
    Status(status::Args),
    /// List and close connections of a running server
    #[command(subcommand)]
    Connections(connections::Command),
    /// Count files of users of a running server anew
    #[command(subcommand)]
    Quota(quota::Command),
    /// List and lift bans of a running server
    #[command(subcommand)]
    Bans(bans::Command),
    /// Print the script with which a shell completes commands and flags
    #[command(hide = true)]
    Completions(completions::Args),
    /// Write the manual pages
    #[command(hide = true)]
    Man(man::Args),
}

/// The command line as clap knows it, for help texts and completions.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program with these arguments, the first of which is its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| {
            let cli = Cli::from_arg_matches(&matches)?;
            Ok((cli, matches))
        });
    match parsed {
        Ok((cli, matches)) => run(cli, &matches),
        Err(error) => {
            // Nothing better can be done if the terminal is gone.
            let _ = error.print();
            // clap would say 2, scripts expect 1 (reference 1.5).
            if error.use_stderr() {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            }
        }
    }
}

fn run(cli: Cli, matches: &ArgMatches) -> ExitCode {
    if cli.version {
        return print(&format!("SFTPGo version: {}\n", crate::version::full()));
    }
    match cli.command {
        None => print(&command().render_help().to_string()),
        Some(Command::Serve(args)) => serve::main(args),
        Some(Command::Initprovider(args)) => initprovider::main(&args),
        Some(Command::Config(command)) => config::main(&command, matches),
        Some(Command::User(command)) => user::main(command),
        Some(Command::Dump(args)) => dump::main(&args),
        Some(Command::Import(args)) => import::main(*args),
        Some(Command::Portable(args)) => portable::main(*args),
        Some(Command::Restore(args)) => restore::main(&args),
        Some(Command::Status(args)) => status::main(&args),
        Some(Command::Connections(command)) => connections::main(command),
        Some(Command::Quota(command)) => quota::main(command),
        Some(Command::Bans(command)) => bans::main(command),
        Some(Command::Completions(args)) => completions::main(&args),
        Some(Command::Man(args)) => man::main(&args),
    }
}

/// Writes to stdout; a reader that went away is not an error worth a panic.
fn print(text: &str) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(problem: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "Error: {problem}");
}

fn warn(warning: &str) {
    let _ = writeln!(std::io::stderr(), "Warning: {warning}");
}

fn refuse(error: &LoadError) -> ExitCode {
    for problem in error.problems() {
        complain(problem);
    }
    ExitCode::FAILURE
}

/// Runs `work` to its end on a runtime of its own.
fn block_on<E>(work: impl Future<Output = Result<(), E>>) -> Result<(), Failed<E>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(Failed::Runtime)?;
    let result = runtime.block_on(work);
    // What still runs on blocking threads must not hold the exit for ever.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    result.map_err(Failed::Work)
}

#[derive(Debug, thiserror::Error)]
enum Failed<E> {
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    #[error("{0}")]
    Work(E),
}

/// Does `work` with the server or the data provider that the options name, if they do.
fn with<T, W>(named: Result<T, Vec<String>>, work: impl FnOnce(T) -> W) -> ExitCode
where
    W: Future<Output = Result<(), AppError>>,
{
    match named {
        Ok(named) => exit_code(block_on(work(named))),
        Err(problems) => {
            problems.iter().for_each(|problem| complain(problem));
            ExitCode::FAILURE
        }
    }
}

/// The exit status; an error goes to stderr.
fn exit_code<E: Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}
