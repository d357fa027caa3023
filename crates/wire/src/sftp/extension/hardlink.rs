//! `hardlink@openssh.com`: makes a hard link; answered with STATUS (OpenSSH PROTOCOL 4.5).

use bytes::BytesMut;

use super::super::error::Malformed;
use super::super::reader::Reader;
use super::super::writer::put_string;
use super::table::{Extension, Row};

/// Name of the request and of the announcement.
pub const NAME: &[u8] = b"hardlink@openssh.com";

pub(super) const ROW: Row = Row {
    name: NAME,
    announcement: Some((NAME, b"1")),
    decode,
};

fn decode(reader: &mut Reader) -> Result<Extension, Malformed> {
    Ok(Extension::Hardlink {
        from: reader.path()?,
        to: reader.path()?,
    })
}

pub(super) fn encode(out: &mut BytesMut, from: &[u8], to: &[u8]) {
    put_string(out, from);
    put_string(out, to);
}
