//! `copy-data`: copies between two open handles without a trip through the client; answered with STATUS
//! (draft-ietf-secsh-filexfer-extensions-00 7).

use bytes::{BufMut, BytesMut};

use super::super::error::Malformed;
use super::super::reader::Reader;
use super::super::writer::put_string;
use super::table::{Extension, Row};

/// Name of the request and of the announcement.
pub const NAME: &[u8] = b"copy-data";

pub(super) const ROW: Row = Row {
    name: NAME,
    announcement: Some((NAME, b"1")),
    decode,
};

fn decode(reader: &mut Reader) -> Result<Extension, Malformed> {
    Ok(Extension::CopyData {
        read_handle: reader.handle()?,
        read_offset: reader.u64()?,
        len: reader.u64()?,
        write_handle: reader.handle()?,
        write_offset: reader.u64()?,
    })
}

pub(super) fn encode_source(out: &mut BytesMut, handle: &[u8], offset: u64, len: u64) {
    put_string(out, handle);
    out.put_u64(offset);
    out.put_u64(len);
}

pub(super) fn encode_target(out: &mut BytesMut, handle: &[u8], offset: u64) {
    put_string(out, handle);
    out.put_u64(offset);
}
