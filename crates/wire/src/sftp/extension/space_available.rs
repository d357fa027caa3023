//! `space-available`: space on a file system, which WinSCP shows (draft-ietf-secsh-filexfer-09 9.2).

use bytes::{BufMut, BytesMut};

use super::super::error::Malformed;
use super::super::payload::Payload;
use super::super::reader::Reader;
use super::super::reply::encode_extended;
use super::super::writer::put_string;
use super::table::{Extension, Row};

/// Name of the request and of the announcement.
pub const NAME: &[u8] = b"space-available";

pub(super) const ROW: Row = Row {
    name: NAME,
    announcement: Some((NAME, b"1")),
    decode,
};

fn decode(reader: &mut Reader) -> Result<Extension, Malformed> {
    Ok(Extension::SpaceAvailable {
        path: reader.path()?,
    })
}

pub(super) fn encode(out: &mut BytesMut, path: &[u8]) {
    put_string(out, path);
}

/// The answer. 0 means unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpaceAvailableReply {
    /// Bytes in all, used and free.
    pub bytes_on_device: u64,
    /// Free bytes.
    pub unused_bytes_on_device: u64,
    /// Bytes that this user may use in all: the quota.
    pub bytes_available_to_user: u64,
    /// Bytes that this user may still use.
    pub unused_bytes_available_to_user: u64,
    /// Unit of allocation.
    pub bytes_per_allocation_unit: u32,
}

impl SpaceAvailableReply {
    /// Appends the EXTENDED_REPLY packet.
    pub fn encode(&self, out: &mut BytesMut, id: u32) {
        encode_extended(out, id, |out| {
            out.put_u64(self.bytes_on_device);
            out.put_u64(self.unused_bytes_on_device);
            out.put_u64(self.bytes_available_to_user);
            out.put_u64(self.unused_bytes_available_to_user);
            out.put_u32(self.bytes_per_allocation_unit);
        });
    }

    /// Reads the body of an EXTENDED_REPLY.
    pub fn decode(body: Payload) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        Ok(Self {
            bytes_on_device: reader.u64()?,
            unused_bytes_on_device: reader.u64()?,
            bytes_available_to_user: reader.u64()?,
            unused_bytes_available_to_user: reader.u64()?,
            bytes_per_allocation_unit: reader.u32()?,
        })
    }
}
