//! Copies between two open files, within the server. Both pace, count and log them like bytes of a client.

use bytes::Bytes;
use sftpgo_storage::{Chunk, Metadata};

use super::{Download, Upload};
use crate::digest::Readable;
use crate::error::{OpError, OpErrorKind, OpResult};

/// What a copy holds in memory.
const STEP: usize = 256 * 1024;

/// An open file whose bytes can be read.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Open for reading.
    Download(&'a Download),
    /// Open for writing and for reading back.
    Upload(&'a Upload),
}

impl<'a> Source<'a> {
    pub(crate) fn readable(self) -> OpResult<Readable<'a>> {
        match self {
            Self::Download(file) => Ok(Readable::Reading(&*file.handle)),
            Self::Upload(file) => file.readable(),
        }
    }

    /// Attributes of the file.
    pub async fn stat(self) -> OpResult<Metadata> {
        match self {
            Self::Download(file) => file.stat().await,
            Self::Upload(file) => file.stat().await,
        }
    }

    async fn read_at(self, offset: u64, len: usize) -> OpResult<Vec<u8>> {
        let buffer = Vec::with_capacity(len);
        match self {
            Self::Download(file) => file.read_at(offset, len, buffer).await,
            Self::Upload(file) => file.read_at(offset, len, buffer).await,
        }
    }
}

/// What to copy, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyRange {
    /// Where to begin to read.
    pub from: u64,
    /// How many bytes; `None` is all up to the end, as it is when the copy begins.
    pub len: Option<u64>,
    /// Where to begin to write; of no account for an upload that appends.
    pub to: u64,
}

/// Copies and returns how many bytes there were: fewer than asked for at the end of the source. Dropping it ends it between
/// two writes.
///
/// # Errors
/// `AlreadyExists` if both are one file, by whatever names they were opened: the copy could meet its own bytes and never end.
/// Otherwise what reading and writing say; a copy that fails after its first write has failed the upload, as a write does.
pub async fn copy(source: Source<'_>, target: &Upload, range: CopyRange) -> OpResult<u64> {
    let found = source.stat().await?;
    if target.writes_to(found.id).await? {
        let text = "Failure: a file cannot be copied onto itself";
        return Err(OpError::new(OpErrorKind::AlreadyExists, text));
    }
    let there = found.size.saturating_sub(range.from);
    let total = range.len.map_or(there, |len| len.min(there));
    let end = range.to.checked_add(total);
    if end.is_none_or(|end| i64::try_from(end).is_err()) {
        return Err(OpErrorKind::InvalidArgument.into());
    }
    let mut done = 0_u64;
    while done < total {
        let step = usize::try_from(total - done).unwrap_or(STEP).min(STEP);
        let bytes = match source.read_at(range.from.saturating_add(done), step).await {
            Ok(bytes) => bytes,
            Err(error) => {
                if done > 0 {
                    target.fail();
                }
                return Err(error);
            }
        };
        if bytes.is_empty() {
            // Cut since the copy began.
            break;
        }
        let len = bytes.len() as u64;
        let chunk = Chunk {
            offset: range.to.saturating_add(done),
            pieces: vec![Bytes::from(bytes)],
        };
        target.write_at(vec![chunk]).await?;
        done += len;
        // Where nothing waits for a disk, the copy still has to let others of its thread have their turn.
        tokio::task::yield_now().await;
    }
    Ok(done)
}
