//! `check-file`: digests of a file, computed by the server (draft-ietf-secsh-filexfer-extensions-00 3). There are two
//! requests, by handle and by name, and one announcement, whose data lists the digests that the server knows.

use bytes::{BufMut, Bytes, BytesMut};

use super::super::bound::MAX_STRING;
use super::super::error::Malformed;
use super::super::payload::Payload;
use super::super::reader::Reader;
use super::super::reply::encode_extended;
use super::super::writer::put_string;
use super::table::{Extension, Row};

/// Name of the request by handle.
pub const HANDLE_NAME: &[u8] = b"check-file-handle";

/// Name of the request by path.
pub const PATH_NAME: &[u8] = b"check-file-name";

/// Name of the announcement for both.
pub const ANNOUNCED_NAME: &[u8] = b"check-file";

/// Digests that the row announces. Clients that know none of the newer ones ask for the older.
pub const ANNOUNCED_ALGORITHMS: &[u8] = b"md5,sha1,sha256,sha384,sha512";

pub(super) const HANDLE_ROW: Row = Row {
    name: HANDLE_NAME,
    announcement: Some((ANNOUNCED_NAME, ANNOUNCED_ALGORITHMS)),
    decode: |reader| {
        let target = CheckFileTarget::Handle(reader.handle()?);
        decode_rest(target, reader)
    },
};

pub(super) const NAME_ROW: Row = Row {
    name: PATH_NAME,
    announcement: None,
    decode: |reader| {
        let target = CheckFileTarget::Path(reader.path()?);
        decode_rest(target, reader)
    },
};

/// The file whose digest is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckFileTarget {
    /// An open file.
    Handle(Bytes),
    /// A path.
    Path(Bytes),
}

impl CheckFileTarget {
    pub(super) fn request_name(&self) -> &'static [u8] {
        match self {
            Self::Handle(_) => HANDLE_NAME,
            Self::Path(_) => PATH_NAME,
        }
    }
}

fn decode_rest(target: CheckFileTarget, reader: &mut Reader) -> Result<Extension, Malformed> {
    Ok(Extension::CheckFile {
        target,
        algorithms: reader.string(MAX_STRING)?,
        offset: reader.u64()?,
        len: reader.u64()?,
        block_size: reader.u32()?,
    })
}

pub(super) fn encode_target(out: &mut BytesMut, target: &CheckFileTarget, algorithms: &[u8]) {
    match target {
        CheckFileTarget::Handle(value) | CheckFileTarget::Path(value) => put_string(out, value),
    }
    put_string(out, algorithms);
}

pub(super) fn encode_range(out: &mut BytesMut, offset: u64, len: u64, block_size: u32) {
    out.put_u64(offset);
    out.put_u64(len);
    out.put_u32(block_size);
}

/// The answer.
///
/// Drafts differ: filexfer-09 puts the string "check-file" before the algorithm, filexfer-extensions-00 does not.
/// WinSCP skips one string and takes the rest for the digest, so the second is what is sent; both are understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFileReply {
    /// Name of the digest that was used.
    pub algorithm: Bytes,
    /// The digests of all blocks, one after the other.
    pub digests: Bytes,
}

impl CheckFileReply {
    /// Appends the EXTENDED_REPLY packet.
    pub fn encode(&self, out: &mut BytesMut, id: u32) {
        encode_extended(out, id, |out| {
            put_string(out, &self.algorithm);
            out.put_slice(&self.digests);
        });
    }

    /// Reads the body of an EXTENDED_REPLY.
    pub fn decode(body: Payload) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let mut algorithm = reader.string(MAX_STRING)?;
        if algorithm == ANNOUNCED_NAME {
            algorithm = reader.string(MAX_STRING)?;
        }
        Ok(Self {
            algorithm,
            digests: reader.into_rest().to_bytes(),
        })
    }
}
