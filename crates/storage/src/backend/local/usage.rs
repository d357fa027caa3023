//! Counting every regular file below the root.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags, SeekFrom, Stat, fstat, openat, seek, statat};
use rustix::io::Errno;

use super::disk::Disk;
use super::error::{fault, refused};
use super::leftover;
use super::list::{open_dir, read_names};
use super::stat::{kind, same_file};
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::FileKind;
use crate::reserved::is_reserved;
use crate::storage::Usage;

/// Directories held open at once. Trees can be deeper than any process has descriptors, because a deep tree can be moved
/// into another; further up, a directory is closed and found again through `..`.
const MAX_OPEN: usize = 64;

/// Sets a flag when it is dropped: nobody waits for the result any more.
pub(super) struct StopOnDrop(pub(super) Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A directory on the way down.
struct Level {
    /// `None` while too many others are open.
    fd: Option<OwnedFd>,
    stat: Stat,
    /// Where to read on after it was closed.
    position: u64,
    /// Directories of the last bufferful of names, still to be visited.
    subdirectories: Vec<Vec<u8>>,
    ended: bool,
}

impl Disk {
    /// Walks the tree with memory for its depth only; entries that vanish meanwhile are left out.
    pub(super) fn usage(&self, stop: &AtomicBool) -> StorageResult<Usage> {
        let mut usage = Usage::default();
        let root = open_dir(self.root.dir(), b".").map_err(|e| fault("open the root", e))?;
        let mut levels = vec![level(root)?];
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(refused(
                    StorageErrorKind::Unavailable,
                    "the scan was given up",
                ));
            }
            let depth = levels.len();
            let Some(here) = levels.last_mut() else { break };
            let Some(fd) = &here.fd else {
                return Err(refused(
                    StorageErrorKind::Internal,
                    "a scanned directory is closed",
                ));
            };
            if let Some(name) = here.subdirectories.pop() {
                match open_dir(fd, &name) {
                    Ok(below) => {
                        let below = level(below)?;
                        close_far_above(&mut levels, depth);
                        levels.push(below);
                    }
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                    Err(errno) => return Err(fault("open a directory", errno)),
                }
            } else if !here.ended {
                here.ended = !count(fd, &mut here.subdirectories, &mut usage)?;
            } else {
                leave(&mut levels)?;
            }
        }
        Ok(usage)
    }
}

fn level(fd: OwnedFd) -> StorageResult<Level> {
    let stat = fstat(&fd).map_err(|errno| fault("stat a directory", errno))?;
    Ok(Level {
        fd: Some(fd),
        stat,
        position: 0,
        subdirectories: Vec::new(),
        ended: false,
    })
}

/// Counts the files of the next bufferful of names and notes its directories; `false` at the end.
fn count(
    fd: &OwnedFd,
    subdirectories: &mut Vec<Vec<u8>>,
    usage: &mut Usage,
) -> StorageResult<bool> {
    let mut result = Ok(());
    let more = read_names(fd, |name| {
        match statat(fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => match kind(&stat) {
                // What a running upload holds is counted by it.
                FileKind::File if is_reserved(name) && leftover::is_alive(fd, name) => {}
                FileKind::File => {
                    usage.files += 1;
                    usage.bytes = usage
                        .bytes
                        .saturating_add(u64::try_from(stat.st_size).unwrap_or(0));
                }
                FileKind::Directory => subdirectories.push(name.to_vec()),
                FileKind::Symlink | FileKind::Other => {}
            },
            Err(Errno::NOENT) => {}
            Err(errno) => result = Err(fault("stat an entry", errno)),
        }
    })?;
    result.map(|()| more)
}

fn close_far_above(levels: &mut [Level], depth: usize) {
    // The root is never closed: nothing leads back to it.
    let Some(far) = depth.checked_sub(MAX_OPEN).filter(|far| *far > 0) else {
        return;
    };
    if let Some(level) = levels.get_mut(far)
        && let Some(fd) = level.fd.take()
    {
        level.position = seek(fd, SeekFrom::Current(0)).unwrap_or(0);
    }
}

/// Goes up one level, and opens it again if it was closed.
fn leave(levels: &mut Vec<Level>) -> StorageResult<()> {
    let below = levels.pop().and_then(|level| level.fd);
    let Some(above) = levels.last_mut() else {
        return Ok(());
    };
    if above.fd.is_some() {
        return Ok(());
    }
    let again = below.and_then(|below| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(below, c"..", flags, Mode::empty()).ok()?;
        let stat = fstat(&fd).ok()?;
        // Moved meanwhile: `..` is another directory, perhaps one outside.
        if !same_file(&stat, &above.stat) {
            return None;
        }
        seek(&fd, SeekFrom::Start(above.position)).ok()?;
        Some(fd)
    });
    match again {
        Some(fd) => above.fd = Some(fd),
        None => {
            let context = "a directory was moved during the scan";
            return Err(refused(StorageErrorKind::Unavailable, context));
        }
    }
    Ok(())
}
