//! Listing a directory page by page.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use rustix::fs::{AtFlags, Mode, OFlags, RawDir, openat, statat};
use rustix::io::Errno;

use super::attributes::apply_to_open;
use super::disk::{Disk, stat_open};
use super::error::{changed_or_failed, fault, refused, settle};
use super::leftover;
use super::pool::Pool;
use super::stat::{kind, metadata};
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::{Entry, FileKind, Metadata, SetAttributes};
use crate::reserved::is_reserved;
use crate::storage::{Links, Listing, Target};

/// Room for what one call of the kernel answers: some five hundred names, held until they are asked for.
const BUFFER: usize = 16 * 1024;

impl Disk {
    pub(super) fn list(&self, target: &Target) -> StorageResult<OpenDir> {
        settle(|| {
            let (place, stat) = self.root.existing(target, Links::Follow)?;
            if kind(&stat) != FileKind::Directory {
                return Err(refused(StorageErrorKind::NotADirectory, "list").into());
            }
            let fd = open_dir(&place.dir, &place.name)
                .map_err(|errno| changed_or_failed("open the directory", errno))?;
            Ok(OpenDir::new(fd))
        })
    }
}

/// Opens a directory for reading; a link is refused.
pub(super) fn open_dir(dir: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY
        | OFlags::DIRECTORY
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    openat(dir, name, flags, Mode::empty())
}

/// An open directory and the names that were read from it but not asked for yet.
#[derive(Debug)]
pub(super) struct OpenDir {
    fd: OwnedFd,
    names: VecDeque<Vec<u8>>,
    ended: bool,
}

impl OpenDir {
    fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            names: VecDeque::new(),
            ended: false,
        }
    }

    fn page(&mut self, limit: usize) -> StorageResult<Vec<Entry>> {
        let mut page = Vec::new();
        while page.len() < limit {
            let Some(name) = self.names.pop_front() else {
                if self.ended {
                    break;
                }
                self.ended = !read_names(&self.fd, |name| self.names.push_back(name.to_vec()))?;
                continue;
            };
            if is_reserved(&name) {
                leftover::sweep(&self.fd, &name, leftover::AGE);
                continue;
            }
            match statat(&self.fd, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => page.push(Entry {
                    name,
                    metadata: metadata(&stat),
                }),
                // Removed since it was named.
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(fault("stat an entry", errno)),
            }
        }
        Ok(page)
    }
}

/// Reads the next bufferful of names but `.` and `..`; `false` at the end.
pub(super) fn read_names(fd: &OwnedFd, mut each: impl FnMut(&[u8])) -> StorageResult<bool> {
    let mut buffer = Vec::with_capacity(BUFFER);
    let mut entries = RawDir::new(fd, buffer.spare_capacity_mut());
    let mut any = false;
    while let Some(entry) = entries.next() {
        any = true;
        match entry {
            Ok(entry) => match entry.file_name().to_bytes() {
                b"." | b".." => {}
                name => each(name),
            },
            // The directory itself was removed: it has no entries any more.
            Err(Errno::NOENT) => return Ok(false),
            Err(errno) => return Err(fault("read the directory", errno)),
        }
        if entries.is_buffer_empty() {
            break;
        }
    }
    Ok(any)
}

/// The asynchronous side of an open directory.
#[derive(Debug)]
pub(super) struct LocalListing {
    dir: Arc<Mutex<OpenDir>>,
    pool: Arc<Pool>,
}

impl LocalListing {
    pub(super) fn new(dir: OpenDir, pool: Arc<Pool>) -> Self {
        Self {
            dir: Arc::new(Mutex::new(dir)),
            pool,
        }
    }
}

#[async_trait]
impl Listing for LocalListing {
    async fn next_page(&mut self, limit: usize) -> StorageResult<Vec<Entry>> {
        // Locked without contention, unless an earlier call was given up and still runs.
        let dir = Arc::clone(&self.dir);
        self.pool.run(move || dir.lock().page(limit)).await
    }

    async fn stat(&mut self) -> StorageResult<Metadata> {
        let dir = Arc::clone(&self.dir);
        self.pool.run(move || stat_open(&dir.lock().fd)).await
    }

    async fn set_attributes(&mut self, changes: &SetAttributes) -> StorageResult<()> {
        let (dir, changes) = (Arc::clone(&self.dir), *changes);
        let change = move || apply_to_open(&dir.lock().fd, &changes);
        self.pool.run(change).await
    }
}
