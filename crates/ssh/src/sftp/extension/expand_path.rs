//! `expand-path@openssh.com`: REALPATH that knows `~` (OpenSSH PROTOCOL 4.9). Every account's home is its root, and of other
//! accounts nothing is told.

use sftpgo_core::model::VirtualPath;
use sftpgo_core::{OpResult, Session};

use super::home_directory;

pub(in crate::sftp) fn run(session: &Session, path: &[u8]) -> OpResult<VirtualPath> {
    let Some(rest) = path.strip_prefix(b"~") else {
        return Ok(VirtualPath::parse(path)?);
    };
    let end = rest.iter().position(|byte| *byte == b'/');
    let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
    Ok(home_directory::run(session, name)?.resolve(rest)?)
}
