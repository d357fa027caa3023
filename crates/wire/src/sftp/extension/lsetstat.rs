//! `lsetstat@openssh.com`: SETSTAT on a symlink itself; answered with STATUS (OpenSSH PROTOCOL 4.7).

use bytes::BytesMut;

use super::super::attrs::Attrs;
use super::super::error::Malformed;
use super::super::reader::Reader;
use super::super::writer::put_string;
use super::table::{Extension, Row};

/// Name of the request and of the announcement.
pub const NAME: &[u8] = b"lsetstat@openssh.com";

pub(super) const ROW: Row = Row {
    name: NAME,
    announcement: Some((NAME, b"1")),
    decode,
};

fn decode(reader: &mut Reader) -> Result<Extension, Malformed> {
    Ok(Extension::Lsetstat {
        path: reader.path()?,
        attrs: Attrs::decode(reader)?,
    })
}

pub(super) fn encode(out: &mut BytesMut, path: &[u8], attrs: &Attrs) {
    put_string(out, path);
    attrs.encode(out);
}
