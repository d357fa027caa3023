//! Load generator: drives any SFTP server and prints figures, one line of JSON per run.
//!
//! Every byte that is received is compared with what was sent; a run with any error prints no figures and ends with
//! status 1. It measures what a client sees; what the server spends is measured beside it, by `bench/run`.

mod channel;
mod command;
mod content;
mod download;
mod error;
mod histogram;
mod listing;
mod mixed;
mod report;
mod session;
mod small;
mod socket;
mod target;
mod upload;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match command::run(cli) {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("sftp-load: {error}");
            ExitCode::FAILURE
        }
    }
}
