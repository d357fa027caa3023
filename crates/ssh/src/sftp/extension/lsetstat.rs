//! `lsetstat@openssh.com`: SETSTAT on a symbolic link itself (OpenSSH PROTOCOL 4.7).

use sftpgo_core::model::VirtualPath;
use sftpgo_core::{OpErrorKind, OpResult, Session};
use sftpgo_wire::sftp::Attrs;

use crate::sftp::attributes;

/// A link has no size to set, and OpenSSH refuses it for everything else as well.
pub(in crate::sftp) async fn run(
    session: &Session,
    path: &VirtualPath,
    attrs: &Attrs,
) -> OpResult<()> {
    if attrs.size.is_some() {
        return Err(OpErrorKind::InvalidArgument.into());
    }
    let changes = attributes::from_wire(attrs);
    session.set_attributes(path, None, &changes, false).await
}
