//! `home-directory`: the home of a user; answered with NAME (draft-ietf-secsh-filexfer-extensions-00 5).

use bytes::BytesMut;

use super::super::error::Malformed;
use super::super::reader::Reader;
use super::super::writer::put_string;
use super::table::{Extension, Row};

/// Name of the request and of the announcement.
pub const NAME: &[u8] = b"home-directory";

pub(super) const ROW: Row = Row {
    name: NAME,
    announcement: Some((NAME, b"1")),
    decode,
};

fn decode(reader: &mut Reader) -> Result<Extension, Malformed> {
    Ok(Extension::HomeDirectory {
        username: reader.path()?,
    })
}

pub(super) fn encode(out: &mut BytesMut, username: &[u8]) {
    put_string(out, username);
}
