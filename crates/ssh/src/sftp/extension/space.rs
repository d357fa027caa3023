//! `statvfs@openssh.com` and `fstatvfs@openssh.com` (OpenSSH PROTOCOL 4.4), and `space-available`
//! (draft-ietf-secsh-filexfer-09 9.2), which says the same in bytes.

use bytes::{Bytes, BytesMut};
use sftpgo_core::Space;
use sftpgo_wire::sftp::extension::{SpaceAvailableReply, StatvfsReply};

/// The answer. Both unit fields hold the unit of the counts, because WinSCP multiplies by the first and others by the second.
pub(in crate::sftp) fn reply(id: u32, space: &Space) -> Bytes {
    let unit = unit(space);
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

/// The answer to `space-available`. What the quota leaves is all that there is for the account, and for nobody else.
pub(in crate::sftp) fn available_reply(id: u32, space: &Space) -> Bytes {
    let unit = unit(space);
    let bytes = |blocks: u64| blocks.saturating_mul(unit);
    let mut out = BytesMut::new();
    SpaceAvailableReply {
        bytes_on_device: bytes(space.blocks),
        unused_bytes_on_device: bytes(space.blocks_free),
        bytes_available_to_user: bytes(space.blocks),
        unused_bytes_available_to_user: bytes(space.blocks_available),
        bytes_per_allocation_unit: u32::try_from(unit).unwrap_or(0),
    }
    .encode(&mut out, id);
    out.freeze()
}

/// The unit of the counts, in bytes.
fn unit(space: &Space) -> u64 {
    if space.fragment_size == 0 {
        space.block_size
    } else {
        space.fragment_size
    }
}
