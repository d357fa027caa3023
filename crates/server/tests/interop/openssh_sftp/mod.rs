//! `sftp` of OpenSSH, with commands from stdin as scripts run it.

mod access;
mod changes;
mod listing;
mod transfers;

use super::support::{Run, Server};

/// Runs these commands; the first that fails ends it.
fn sftp(server: &Server, commands: &str) -> Run {
    sftp_with(server, &[], commands)
}

fn sftp_with(server: &Server, options: &[&str], commands: &str) -> Run {
    let run = server.openssh("sftp").args(options);
    run.args(["-b", "-", "server"]).input(commands)
}
