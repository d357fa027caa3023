//! `limits@openssh.com`: how large packets, reads and writes may be (OpenSSH PROTOCOL 4.8). A server that answers it
//! gets 255 KiB reads and writes from OpenSSH's clients in place of 32 KiB ones.

use bytes::{BufMut, BytesMut};

use super::super::bound::{MAX_PACKET, MAX_READ_WRITE};
use super::super::error::Malformed;
use super::super::payload::Payload;
use super::super::reader::Reader;
use super::super::reply::encode_extended;
use super::table::{Extension, Row};

/// Name of the request and of the announcement.
pub const NAME: &[u8] = b"limits@openssh.com";

pub(super) const ROW: Row = Row {
    name: NAME,
    announcement: Some((NAME, b"1")),
    decode,
};

fn decode(_: &mut Reader) -> Result<Extension, Malformed> {
    Ok(Extension::Limits)
}

/// The answer. 0 in any field means that the server tells no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitsReply {
    /// Longest packet, as in [`MAX_PACKET`].
    pub max_packet_length: u64,
    /// Longest READ.
    pub max_read_length: u64,
    /// Longest WRITE.
    pub max_write_length: u64,
    /// Most open handles. OpenSSH 8.5 to 9.x took it for the number of requests in flight: never send 1.
    pub max_open_handles: u64,
}

impl LimitsReply {
    /// What this codec's bounds allow.
    pub fn of_codec(max_open_handles: u64) -> Self {
        Self {
            max_packet_length: MAX_PACKET as u64,
            max_read_length: MAX_READ_WRITE as u64,
            max_write_length: MAX_READ_WRITE as u64,
            max_open_handles,
        }
    }

    /// Appends the EXTENDED_REPLY packet.
    pub fn encode(&self, out: &mut BytesMut, id: u32) {
        encode_extended(out, id, |out| {
            out.put_u64(self.max_packet_length);
            out.put_u64(self.max_read_length);
            out.put_u64(self.max_write_length);
            out.put_u64(self.max_open_handles);
        });
    }

    /// Reads the body of an EXTENDED_REPLY.
    pub fn decode(body: Payload) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        Ok(Self {
            max_packet_length: reader.u64()?,
            max_read_length: reader.u64()?,
            max_write_length: reader.u64()?,
            max_open_handles: reader.u64()?,
        })
    }
}
