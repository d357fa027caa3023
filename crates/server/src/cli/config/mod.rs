//! `sftpgo config`: what the settings are and whether they can be used.

mod check;
mod show;

use std::process::ExitCode;

use clap::{ArgMatches, Subcommand};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what is wrong with the settings; exit status 1 if the server would not start
    Check(check::Args),
    /// Print every setting and where its value comes from
    Show(show::Args),
}

pub(super) fn main(command: &Command, matches: &ArgMatches) -> ExitCode {
    match command {
        Command::Check(args) => check::main(args),
        Command::Show(args) => show::main(args, innermost(matches)),
    }
}

/// The matches of the last subcommand.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    let mut matches = matches;
    while let Some((_, inner)) = matches.subcommand() {
        matches = inner;
    }
    matches
}
