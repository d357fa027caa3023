//! `statvfs@openssh.com` and `fstatvfs@openssh.com`: size and space of a file system, which `df` and sshfs ask for
//! (OpenSSH PROTOCOL 4.4).

use bytes::{BufMut, BytesMut};

use super::super::error::Malformed;
use super::super::payload::Payload;
use super::super::reader::Reader;
use super::super::reply::encode_extended;
use super::super::writer::put_string;
use super::table::{Extension, Row};

/// Name of the request by path.
pub const NAME: &[u8] = b"statvfs@openssh.com";

/// Name of the request by handle.
pub const HANDLE_NAME: &[u8] = b"fstatvfs@openssh.com";

/// Version 1 had another reply; sshfs and WinSCP take nothing but 2.
const VERSION: &[u8] = b"2";

pub(super) const ROW: Row = Row {
    name: NAME,
    announcement: Some((NAME, VERSION)),
    decode: |reader| {
        Ok(Extension::Statvfs {
            path: reader.path()?,
        })
    },
};

pub(super) const HANDLE_ROW: Row = Row {
    name: HANDLE_NAME,
    announcement: Some((HANDLE_NAME, VERSION)),
    decode: |reader| {
        Ok(Extension::Fstatvfs {
            handle: reader.handle()?,
        })
    },
};

pub(super) fn encode(out: &mut BytesMut, path_or_handle: &[u8]) {
    put_string(out, path_or_handle);
}

/// The answer: the fields of POSIX `struct statvfs`, in their order.
///
/// POSIX counts blocks in units of `frsize`, but WinSCP multiplies them by `bsize`: send the same value in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatvfsReply {
    /// Preferred block size, in bytes.
    pub bsize: u64,
    /// Unit of the block counts below, in bytes.
    pub frsize: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Free blocks.
    pub bfree: u64,
    /// Free blocks that this user may use.
    pub bavail: u64,
    /// File entries in all.
    pub files: u64,
    /// Free file entries.
    pub ffree: u64,
    /// Free file entries that this user may use.
    pub favail: u64,
    /// File system id.
    pub fsid: u64,
    /// [`READ_ONLY`](Self::READ_ONLY) and [`NO_SET_UID`](Self::NO_SET_UID).
    pub flag: u64,
    /// Longest file name, in bytes.
    pub namemax: u64,
}

impl StatvfsReply {
    /// Flag: the file system cannot be written.
    pub const READ_ONLY: u64 = 1;
    /// Flag: set-user-id bits have no effect.
    pub const NO_SET_UID: u64 = 2;

    /// Appends the EXTENDED_REPLY packet.
    pub fn encode(&self, out: &mut BytesMut, id: u32) {
        encode_extended(out, id, |out| {
            for value in self.to_array() {
                out.put_u64(value);
            }
        });
    }

    /// Reads the body of an EXTENDED_REPLY.
    pub fn decode(body: Payload) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        Ok(Self {
            bsize: reader.u64()?,
            frsize: reader.u64()?,
            blocks: reader.u64()?,
            bfree: reader.u64()?,
            bavail: reader.u64()?,
            files: reader.u64()?,
            ffree: reader.u64()?,
            favail: reader.u64()?,
            fsid: reader.u64()?,
            flag: reader.u64()?,
            namemax: reader.u64()?,
        })
    }

    fn to_array(self) -> [u64; 11] {
        [
            self.bsize,
            self.frsize,
            self.blocks,
            self.bfree,
            self.bavail,
            self.files,
            self.ffree,
            self.favail,
            self.fsid,
            self.flag,
            self.namemax,
        ]
    }
}
