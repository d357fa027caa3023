//! `expand-path@openssh.com`: REALPATH that knows `~` and `~user`; answered with NAME. scp of OpenSSH 9 fails on `~` without it.

use bytes::BytesMut;

use super::super::error::Malformed;
use super::super::reader::Reader;
use super::super::writer::put_string;
use super::table::{Extension, Row};

/// Name of the request and of the announcement.
pub const NAME: &[u8] = b"expand-path@openssh.com";

pub(super) const ROW: Row = Row {
    name: NAME,
    announcement: Some((NAME, b"1")),
    decode,
};

fn decode(reader: &mut Reader) -> Result<Extension, Malformed> {
    Ok(Extension::ExpandPath {
        path: reader.path()?,
    })
}

pub(super) fn encode(out: &mut BytesMut, path: &[u8]) {
    put_string(out, path);
}
