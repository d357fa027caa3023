//! Uploads that become visible in one step: a temporary file beside the final name, renamed over it at the end.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::disk::Disk;
use super::error::{Attempt, changed_or_failed, failed, fault, refused, settle, taken_or_failed};
use super::file::OpenFile;
use super::names::{pinned, rename_into_gap};
use super::root::Place;
use super::stat::{kind, metadata, same_file};
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::{FileKind, Metadata};
use crate::storage::Removed;

/// What every temporary name starts with; the reference's, so that its users' clean-up jobs keep working.
const PREFIX: &[u8] = b".sftpgo-upload.";
const ID_LEN: usize = 20;
const BASE32HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
const MAX_NAME: usize = 255;

/// `.sftpgo-upload.<20 random characters>.<name>`, the name cut so that all fits.
pub(super) fn temporary_name(name: &[u8]) -> StorageResult<Vec<u8>> {
    let mut random = [0; ID_LEN];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| refused(StorageErrorKind::Internal, "no random numbers"))?;
    let mut temporary = PREFIX.to_vec();
    temporary.extend(
        random
            .iter()
            .filter_map(|byte| BASE32HEX.get(usize::from(byte & 31))),
    );
    temporary.push(b'.');
    let mut room = MAX_NAME.saturating_sub(temporary.len()).min(name.len());
    // Not within a character: some file systems refuse names that are not UTF-8.
    while room < name.len() && name.get(room).is_some_and(|byte| byte & 0xc0 == 0x80) {
        room = room.saturating_sub(1);
    }
    temporary.extend(name.iter().take(room));
    Ok(temporary)
}

/// Makes a new file under a temporary name for `name` in `dir`.
pub(super) fn create(dir: &OwnedFd, name: &[u8], mode: u32) -> Attempt<(Vec<u8>, OwnedFd)> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let temporary = temporary_name(name)?;
    let file = openat(dir, &temporary, flags, Mode::from_raw_mode(mode & 0o777));
    // EEXIST asks for another name.
    file.map(|file| (temporary, file))
        .map_err(|errno| taken_or_failed("make a temporary file", errno))
}

/// A temporary file that waits for its name. Dropping it, deliberately, does what giving up the upload does.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) disk: Arc<Disk>,
    pub(super) file: Arc<OpenFile>,
    pub(super) temporary: Place,
    pub(super) goal: Place,
    /// Whether a file that is at the name in the end is replaced.
    pub(super) replace: bool,
    /// Whether what has arrived is put under the name even if the upload failed.
    pub(super) keep_partial: bool,
    /// Whether something is still to be done.
    pub(super) armed: bool,
}

impl Pending {
    /// Puts the file under its name and tells what is there now, and what was. On failure the temporary file is gone.
    pub(super) fn publish(mut self) -> StorageResult<(Metadata, Removed)> {
        self.keep_partial = false;
        let published = settle(|| self.rename())?;
        self.armed = false;
        Ok(published)
    }

    /// Gives the upload up: `Some` if what has arrived was put under the name.
    pub(super) fn give_up(mut self) -> StorageResult<Option<(Metadata, Removed)>> {
        if self.keeps()? {
            return self.publish().map(Some);
        }
        self.armed = false;
        self.remove();
        Ok(None)
    }

    /// Makes the rename last over a crash.
    pub(super) fn sync_directory(dir: &OwnedFd) -> StorageResult<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let result = openat(dir, c".", flags, Mode::empty()).and_then(fsync);
        match result {
            // No right to read the directory, or a file system that cannot: then there is nothing to be done.
            Ok(()) | Err(Errno::ACCESS | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOENT) => Ok(()),
            Err(errno) => Err(fault("sync the directory", errno)),
        }
    }

    /// An old file is not replaced by nothing: without a byte there is nothing to resume.
    fn keeps(&self) -> StorageResult<bool> {
        if !self.keep_partial {
            return Ok(false);
        }
        let stat = fstat(&self.file).map_err(|errno| fault("stat an upload", errno))?;
        Ok(stat.st_size > 0 || self.goal.stat()?.is_none())
    }

    /// Attributes are those of the moment, taken under the lock: whoever removes the file right after reports these.
    fn rename(&self) -> Attempt<(Metadata, Removed)> {
        let _locked = self.disk.lock(&self.goal)?;
        let ours = fstat(&self.file).map_err(|errno| failed("stat an upload", errno))?;
        if !self
            .temporary
            .stat()?
            .is_some_and(|stat| same_file(&stat, &ours))
        {
            return Err(refused(StorageErrorKind::NotFound, "the upload was removed").into());
        }
        let Some(there) = self.goal.stat()? else {
            rename_into_gap(&self.temporary, &self.goal)?;
            return Ok((metadata(&ours), None));
        };
        if kind(&there) == FileKind::Directory {
            return Err(refused(StorageErrorKind::IsADirectory, "a directory is there").into());
        }
        if !self.replace {
            return Err(refused(StorageErrorKind::AlreadyExists, "a file is there").into());
        }
        let _pinned = pinned(&self.goal, &there)?;
        if same_file(&there, &ours) {
            // Somebody linked the temporary name to the final one; rename(2) would leave both.
            self.remove();
        } else {
            let (from, to) = (&self.temporary, &self.goal);
            renameat(&from.dir, &from.name, &to.dir, &to.name)
                .map_err(|errno| changed_or_failed("rename an upload", errno))?;
        }
        Ok((metadata(&ours), Some(self.disk.inodes.describe(&there))))
    }

    fn remove(&self) {
        // Already gone, or a disk that fails: nothing is left to be done.
        let _ = unlinkat(&self.temporary.dir, &self.temporary.name, AtFlags::empty());
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        self.armed = false;
        let kept = self.keeps().unwrap_or(false) && settle(|| self.rename()).is_ok();
        if !kept {
            self.remove();
        }
    }
}
