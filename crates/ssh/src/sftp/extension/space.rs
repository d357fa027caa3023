//! `statvfs@openssh.com` and `fstatvfs@openssh.com` (OpenSSH PROTOCOL 4.4).

use bytes::{Bytes, BytesMut};
use sftpgo_core::Space;
use sftpgo_wire::sftp::extension::StatvfsReply;

/// The answer. Both unit fields hold the unit of the counts, because WinSCP multiplies by the first and others by the second.
pub(in crate::sftp) fn reply(id: u32, space: &Space) -> Bytes {
    let unit = if space.fragment_size == 0 {
        space.block_size
    } else {
        space.fragment_size
    };
    let mut flag = StatvfsReply::NO_SET_UID;
    if space.read_only {
        flag |= StatvfsReply::READ_ONLY;
    }
    let mut out = BytesMut::new();
    StatvfsReply {
        bsize: unit,
        frsize: unit,
        blocks: space.blocks,
        bfree: space.blocks_free,
        bavail: space.blocks_available,
        files: space.files,
        ffree: space.files_free,
        favail: space.files_available,
        fsid: 0,
        flag,
        namemax: space.name_max,
    }
    .encode(&mut out, id);
    out.freeze()
}
