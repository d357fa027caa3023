//! `users-groups-by-id@openssh.com`: names for the numbers in attributes (OpenSSH PROTOCOL 4.10).
//!
//! Accounts are not users of the system, so its names are not looked up: they would tell who else has accounts on it, and
//! looking may take long. Only the account that asks is named.

use bytes::{Bytes, BytesMut};
use sftpgo_core::Session;
use sftpgo_wire::sftp::extension::UsersGroupsReply;

/// A name for each number; an empty one makes clients show the number. The codec bounds how many there are, and a name is
/// given once, so that the answer is no larger than a few requests.
pub(in crate::sftp) fn reply(id: u32, session: &Session, uids: &[u32], gids: &[u32]) -> Bytes {
    let (uid, gid) = session.owner();
    let reply = UsersGroupsReply {
        users: names(session, uids, uid),
        groups: names(session, gids, gid),
    };
    let mut out = BytesMut::new();
    reply.encode(&mut out, id);
    out.freeze()
}

fn names(session: &Session, ids: &[u32], own: Option<u32>) -> Vec<Bytes> {
    let mut names = vec![Bytes::new(); ids.len()];
    let place = own.and_then(|own| ids.iter().position(|id| *id == own));
    if let Some(name) = place.and_then(|place| names.get_mut(place)) {
        *name = Bytes::copy_from_slice(session.username().as_bytes());
    }
    names
}
