//! The SSH front end: transport seam and SFTP engine.
//!
//! Only `transport` names the SSH library; `sftp` and whatever else runs in channels sees bytes, logins and channels.

pub mod algorithms;
pub mod config;

mod command;
mod conduct;
mod connection;
mod door;
mod front_end;
mod hangup;
mod scp;
mod sftp;
mod started;
mod transport;

pub use front_end::{SshError, SshFrontEnd};
pub use transport::examine::{HostKeyFile, examine_host_key};
