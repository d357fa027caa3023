//! `home-directory`: the home of a user (draft-ietf-secsh-filexfer-extensions-00 5).

use sftpgo_core::model::VirtualPath;
use sftpgo_core::{OpError, OpErrorKind, OpResult, Session};

/// The home of the account that asks, whose name may be left out. No other account has a home in its view.
pub(in crate::sftp) fn run(session: &Session, username: &[u8]) -> OpResult<VirtualPath> {
    if username.is_empty() || username == session.username().as_bytes() {
        return Ok(VirtualPath::root());
    }
    let text = "No Such File: not the home of this account";
    Err(OpError::new(OpErrorKind::NotFound, text))
}
