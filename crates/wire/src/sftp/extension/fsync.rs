//! `fsync@openssh.com`: flushes an open file to stable storage; answered with STATUS (OpenSSH PROTOCOL 4.6).

use bytes::BytesMut;

use super::super::error::Malformed;
use super::super::reader::Reader;
use super::super::writer::put_string;
use super::table::{Extension, Row};

/// Name of the request and of the announcement.
pub const NAME: &[u8] = b"fsync@openssh.com";

pub(super) const ROW: Row = Row {
    name: NAME,
    announcement: Some((NAME, b"1")),
    decode,
};

fn decode(reader: &mut Reader) -> Result<Extension, Malformed> {
    Ok(Extension::Fsync {
        handle: reader.handle()?,
    })
}

pub(super) fn encode(out: &mut BytesMut, handle: &[u8]) {
    put_string(out, handle);
}
