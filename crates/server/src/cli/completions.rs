//! `sftpgo completions SHELL`: the script with which a shell completes commands and flags.

use std::process::ExitCode;

use clap_complete::Shell;

use super::{command, print};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell that will read the script
    shell: Shell,
}

pub(super) fn main(args: &Args) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "sftpgo", &mut script);
    print(&String::from_utf8_lossy(&script))
}
