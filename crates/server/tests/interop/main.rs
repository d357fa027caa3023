//! The real clients of the field against the real program: every test starts a server of its own and one client.
//!
//! The clients, and the Python of [`support::python`], are installed by `scripts/test`. A missing one fails its tests.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod support;

mod asyncssh;
mod browser;
mod curl;
mod durability;
mod git;
mod haproxy;
mod import;
mod lftp;
mod logins;
mod openssh_certificates;
mod openssh_scp;
mod openssh_scp_legacy;
mod openssh_sftp;
mod openssh_ssh;
mod packaging;
mod paramiko;
mod portable;
mod program_attacks;
mod program_life;
mod prometheus;
mod psftp;
mod rclone;
mod remote_terminal;
mod rest_clients;
mod rsync;
mod schemathesis;
mod scp_clients;
mod ssh_audit;
mod sshfs;
mod stores;
