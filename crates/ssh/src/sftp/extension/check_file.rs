//! `check-file`: digests of a file or of its blocks, computed by the server (draft-ietf-secsh-filexfer-extensions-00 3).
//! WinSCP asks by name, others by handle.

use bytes::{Bytes, BytesMut};
use sftpgo_core::digest::{DigestAlgorithm, DigestFile};
use sftpgo_core::model::VirtualPath;
use sftpgo_core::transfer::Source;
use sftpgo_core::{OpError, OpErrorKind, OpResult, Session};
use sftpgo_wire::sftp::MAX_PACKET;
use sftpgo_wire::sftp::extension::CheckFileReply;

use crate::sftp::table::CheckFile;

/// The draft allows no smaller blocks.
const MIN_BLOCK: u32 = 256;
/// More than everything in the answer but the digests.
const HEADER: usize = 64;

/// A file whose digests are wanted.
pub(in crate::sftp) enum File<'a> {
    Open(&'a Session, Source<'a>),
    Named(DigestFile),
}

impl File<'_> {
    async fn size(&self) -> OpResult<u64> {
        match self {
            Self::Open(_, file) => Ok(file.stat().await?.size),
            Self::Named(file) => file.size().await,
        }
    }

    async fn range(
        &self,
        algorithm: DigestAlgorithm,
        offset: u64,
        len: u64,
    ) -> OpResult<(Vec<u8>, u64)> {
        match self {
            Self::Open(session, file) => {
                session.digest_of_open(*file, algorithm, offset, len).await
            }
            Self::Named(file) => file.range(algorithm, offset, len).await,
        }
    }
}

/// By name: who may not read the file gets the digest of the whole, as of hash commands, and of no part.
pub(in crate::sftp) async fn of_path(
    id: u32,
    session: &Session,
    path: &VirtualPath,
    check: &CheckFile,
) -> OpResult<Bytes> {
    let whole = check.offset == 0 && check.len == 0 && check.block_size == 0;
    let file = if whole {
        session.open_digest(path).await?
    } else {
        session.open_digest_of_parts(path).await?
    };
    reply(id, File::Named(file), check).await
}

/// The answer for a file that may be read.
pub(in crate::sftp) async fn reply(id: u32, file: File<'_>, check: &CheckFile) -> OpResult<Bytes> {
    let Some(algorithm) = check.algorithm else {
        let text = "Operation Unsupported: none of these digests is known";
        return Err(OpError::new(OpErrorKind::Unsupported, text));
    };
    if (1..MIN_BLOCK).contains(&check.block_size) {
        let text = "Invalid argument: blocks have 256 bytes at least";
        return Err(OpError::new(OpErrorKind::InvalidArgument, text));
    }
    let Some(there) = file.size().await?.checked_sub(check.offset) else {
        let text = "Invalid argument: the file ends before the offset";
        return Err(OpError::new(OpErrorKind::InvalidArgument, text));
    };
    let total = if check.len == 0 {
        there
    } else {
        check.len.min(there)
    };
    let (blocks, block) = match check.block_size {
        0 => (1, total),
        block => (total.div_ceil(u64::from(block)), u64::from(block)),
    };
    let room = (MAX_PACKET - HEADER) / algorithm.len();
    let Some(blocks) = usize::try_from(blocks).ok().filter(|count| *count <= room) else {
        let text = format!(
            "Invalid argument: an answer has room for {room} blocks: ask for larger ones, or for parts"
        );
        return Err(OpError::new(OpErrorKind::InvalidArgument, text));
    };
    let mut digests = BytesMut::with_capacity(blocks * algorithm.len());
    for number in 0..blocks as u64 {
        let done = number * block;
        let (digest, _) = file
            .range(algorithm, check.offset + done, block.min(total - done))
            .await?;
        digests.extend_from_slice(&digest);
    }
    let reply = CheckFileReply {
        algorithm: Bytes::from_static(algorithm.name().as_bytes()),
        digests: digests.freeze(),
    };
    let mut out = BytesMut::new();
    reply.encode(&mut out, id);
    Ok(out.freeze())
}
