//! Closing a file and hearing what comes of it.
//!
//! File systems whose data is somewhere else tell of writes that failed when a descriptor is closed (close(2), NFS and FUSE).
//! What closes descriptors in Rust drops the answer. Unsafe, because a number that is closed twice may be somebody else's.
#![expect(unsafe_code, reason = "see above; one block, with its argument")]

use std::os::fd::{AsFd, IntoRawFd};

use rustix::fs::fdatasync;
use rustix::io::{Errno, fcntl_dupfd_cloexec, retry_on_intr, try_close};

use super::error::fault;
use super::file::OpenFile;
use super::filesystem::FileSystem;
use crate::error::StorageResult;

/// Waits until everything that was written has arrived, where it is known only then. The file stays open.
pub(super) fn settle_writes(file: &OpenFile) -> StorageResult<()> {
    match file.filesystem() {
        // A disk takes what the kernel took; what comes after that is for `fsync`.
        FileSystem::Memory | FileSystem::Disk => return Ok(()),
        FileSystem::Remote => fdatasync(file).map_err(|errno| fault("sync an upload", errno))?,
        FileSystem::Other => {}
    }
    retry_on_intr(|| close_copy(file)).map_err(|errno| fault("close an upload", errno))
}

/// Closes a second descriptor of the file: the file system does what it does at every close.
fn close_copy(file: impl AsFd) -> Result<(), Errno> {
    let copy = fcntl_dupfd_cloexec(file, 0)?.into_raw_fd();
    // SAFETY: the number was taken out of its owner just now, so nobody else uses or closes it; on Linux it is closed
    // whatever the answer is.
    unsafe { try_close(copy) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_stays_open_and_the_copy_does_not() {
        let file = tempfile::tempfile().unwrap();
        let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let before = open();
        for _ in 0..100 {
            close_copy(&file).unwrap();
        }
        // Other tests open and close files meanwhile.
        assert!(open() < before + 50);
        rustix::fs::fstat(&file).unwrap();
    }
}
