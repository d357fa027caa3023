//! An open regular file: reading, writing, and what can be done without waiting.

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use rustix::fs::fstat;
use rustix::io::{Errno, ReadWriteFlags, pwritev, pwritev2, retry_on_intr};

use super::error::{fault, refused};
use super::filesystem::FileSystem;
use super::spare;
use crate::error::{StorageErrorKind, StorageResult};
use crate::storage::Chunk;

/// Bytes of one read, so that memory is taken for what is there and not for what was asked for.
const MAX_READ: usize = 1 << 20;
/// Pieces of one vectored write; the limit of the kernel (IOV_MAX).
const MAX_PIECES: usize = 1024;

/// An open regular file.
#[derive(Debug)]
pub(super) struct OpenFile {
    fd: OwnedFd,
    filesystem: FileSystem,
    /// The file system cannot answer from its cache only; found out by asking once.
    no_cached_reads: AtomicBool,
}

impl AsFd for OpenFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl OpenFile {
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self {
            filesystem: FileSystem::of(&fd),
            fd,
            no_cached_reads: AtomicBool::new(false),
        }
    }

    pub(super) fn filesystem(&self) -> FileSystem {
        self.filesystem
    }

    /// Whether every operation on this file is done without waiting for a disk.
    pub(super) fn is_in_memory(&self) -> bool {
        self.filesystem == FileSystem::Memory
    }

    /// Whether [`stat`](super::disk::stat_open) does not wait.
    pub(super) fn knows_attributes(&self) -> bool {
        self.filesystem.knows_attributes()
    }

    /// Reads until `len` bytes are there or the file ends.
    pub(super) fn read(&self, offset: u64, len: usize, buffer: &mut Vec<u8>) -> StorageResult<()> {
        check_range(offset, len as u64)?;
        let mut done = 0;
        while done < len {
            let at = offset + done as u64;
            match retry_on_intr(|| spare::read(self, at, (len - done).min(MAX_READ), buffer)) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(errno) => return Err(fault("read", errno)),
            }
        }
        Ok(())
    }

    /// Reads if everything can be had without waiting.
    pub(super) fn try_read(
        &self,
        offset: u64,
        len: usize,
        buffer: &mut Vec<u8>,
    ) -> Option<StorageResult<usize>> {
        if let Err(error) = check_range(offset, len as u64) {
            return Some(Err(error));
        }
        if len > MAX_READ {
            return None;
        }
        let start = buffer.len();
        let result = if self.is_in_memory() {
            retry_on_intr(|| spare::read(self, offset, len, buffer))
        } else if self.no_cached_reads.load(Ordering::Relaxed) {
            return None;
        } else {
            retry_on_intr(|| spare::read_cached(self, offset, len, buffer))
        };
        match result {
            Ok(read) if read == len || self.ends_at(offset.saturating_add(read as u64)) => {
                Some(Ok(read))
            }
            // A part is at hand, and the rest is on the disk.
            Ok(_) => {
                buffer.truncate(start);
                None
            }
            Err(Errno::AGAIN) => None,
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) if !self.is_in_memory() => {
                self.no_cached_reads.store(true, Ordering::Relaxed);
                None
            }
            Err(errno) => Some(Err(fault("read", errno))),
        }
    }

    /// Whether nothing comes at `offset` or after it.
    fn ends_at(&self, offset: u64) -> bool {
        fstat(self).is_ok_and(|stat| u64::try_from(stat.st_size).is_ok_and(|size| offset >= size))
    }

    /// Writes every chunk, in order; neighbours go to the kernel together.
    pub(super) fn write(&self, chunks: &[Chunk]) -> StorageResult<()> {
        let mut run: Vec<&Bytes> = Vec::new();
        let (mut start, mut end) = (0, 0);
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            check_range(chunk.offset, chunk.len())?;
            if chunk.offset != end || run.is_empty() {
                self.write_run(start, &run)?;
                run.clear();
                start = chunk.offset;
            }
            run.extend(chunk.pieces.iter().filter(|piece| !piece.is_empty()));
            end = chunk.end();
        }
        self.write_run(start, &run)
    }

    fn write_run(&self, mut offset: u64, pieces: &[&Bytes]) -> StorageResult<()> {
        write_all(pieces, |slices| {
            let written = pwritev(self, slices, offset)?;
            offset += written as u64;
            Ok(written)
        })
    }

    /// Writes every piece to the end of the file, in order.
    pub(super) fn append(&self, pieces: &[Bytes]) -> StorageResult<()> {
        let pieces: Vec<_> = pieces.iter().filter(|piece| !piece.is_empty()).collect();
        write_all(&pieces, |slices| self.write_at_end(slices))
    }

    /// The kernel finds the end and writes there in one step.
    fn write_at_end(&self, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
        match pwritev2(self, slices, 0, ReadWriteFlags::APPEND) {
            // Kernels before 4.16, and file systems that do not know the flag.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                let end = u64::try_from(fstat(self)?.st_size).unwrap_or(0);
                pwritev(self, slices, end)
            }
            result => result,
        }
    }
}

/// Writes the pieces, as many together as the kernel takes; `write` answers how many bytes at their start it wrote.
fn write_all(
    pieces: &[&Bytes],
    mut write: impl FnMut(&[IoSlice<'_>]) -> Result<usize, Errno>,
) -> StorageResult<()> {
    for batch in pieces.chunks(MAX_PIECES) {
        let mut slices: Vec<_> = batch.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            match retry_on_intr(|| write(rest)) {
                Ok(0) => {
                    return Err(refused(StorageErrorKind::Internal, "nothing was written"));
                }
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(errno) => return Err(fault("write", errno)),
            }
        }
    }
    Ok(())
}

/// The kernel counts in signed 64 bits.
pub(super) fn check_range(offset: u64, len: u64) -> StorageResult<()> {
    match offset.checked_add(len) {
        Some(end) if i64::try_from(end).is_ok() => Ok(()),
        Some(_) | None => Err(refused(
            StorageErrorKind::InvalidArgument,
            "the offset is out of range",
        )),
    }
}
