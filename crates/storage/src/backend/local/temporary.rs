//! Uploads that become visible in one step: a temporary file beside the final name, renamed over it at the end.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::disk::Disk;
use super::error::{
    Attempt, Interrupted, changed_or_failed, failed, fault, refused, settle, taken_or_failed,
};
use super::file::OpenFile;
use super::leftover;
use super::names::{check_expected, rename_into_gap};
use super::root::Place;
use super::stat::{kind, metadata, same_file};
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::{FileKind, Metadata};
use crate::reserved::{BASE32HEX, ID_LEN, MARK, PREFIX};
use crate::storage::{Ended, Expected, Removed};

const MAX_NAME: usize = 255;

/// A reserved name for an upload to `name`: only its handle reaches the file.
fn upload_name(name: &[u8]) -> StorageResult<Vec<u8>> {
    random_name(MARK, name)
}

/// A name that is free, for a moment. It is no reserved one: what a crash leaves there is a file like any other.
pub(super) fn aside_name(name: &[u8]) -> StorageResult<Vec<u8>> {
    random_name(b'0', name)
}

/// `.sftpgo-upload.<20 characters, random but for the first>.<name>`, the name cut so that all fits.
fn random_name(first: u8, name: &[u8]) -> StorageResult<Vec<u8>> {
    let mut random = [0; ID_LEN - 1];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| refused(StorageErrorKind::Internal, "no random numbers"))?;
    let mut temporary = PREFIX.to_vec();
    temporary.push(first);
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
    let temporary = upload_name(name)?;
    let file = openat(dir, &temporary, flags, Mode::from_raw_mode(mode & 0o777));
    // EEXIST asks for another name.
    let file = file.map_err(|errno| taken_or_failed("make a temporary file", errno))?;
    if leftover::claim(&file) {
        return Ok((temporary, file));
    }
    // Already gone, most likely.
    let _ = unlinkat(dir, &temporary, AtFlags::empty());
    Err(Interrupted::Changed)
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
    /// Puts the file under its name and tells what is there now, and what was. On failure the temporary file goes with
    /// this, except after `Raced`: then it can be tried again.
    pub(super) fn publish(&mut self, expected: Expected) -> StorageResult<(Metadata, Removed)> {
        let published = settle(|| self.rename(expected));
        let again = published
            .as_ref()
            .is_err_and(|error| error.kind() == StorageErrorKind::Raced);
        if !again {
            self.keep_partial = false;
        }
        let published = published?;
        self.armed = false;
        Ok(published)
    }

    /// Gives the upload up: `Some` if what has arrived was put under the name.
    pub(super) fn give_up(&mut self, expected: Expected) -> StorageResult<Ended> {
        if self.keeps()? {
            return self.publish(expected).map(Some);
        }
        self.discard();
        Ok(None)
    }

    /// Removes what has arrived.
    pub(super) fn discard(&mut self) {
        self.armed = false;
        self.remove();
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
    fn rename(&self, expected: Expected) -> Attempt<(Metadata, Removed)> {
        let _locked = self.disk.lock(&self.goal)?;
        let ours = fstat(&self.file).map_err(|errno| failed("stat an upload", errno))?;
        if !self
            .temporary
            .stat()?
            .is_some_and(|stat| same_file(&stat, &ours))
        {
            return Err(refused(StorageErrorKind::NotFound, "the upload was removed").into());
        }
        let there = self.goal.stat()?;
        check_expected(expected, there.as_ref())?;
        let Some(there) = there else {
            rename_into_gap(&self.temporary, &self.goal)?;
            return Ok((metadata(&ours), None));
        };
        if kind(&there) == FileKind::Directory {
            return Err(refused(StorageErrorKind::IsADirectory, "a directory is there").into());
        }
        if !self.replace {
            return Err(refused(StorageErrorKind::AlreadyExists, "a file is there").into());
        }
        if same_file(&there, &ours) {
            // Somebody linked the temporary name to the final one; rename(2) would leave both.
            self.remove();
        } else {
            let (from, to) = (&self.temporary, &self.goal);
            renameat(&from.dir, &from.name, &to.dir, &to.name)
                .map_err(|errno| changed_or_failed("rename an upload", errno))?;
        }
        Ok((metadata(&ours), Some(metadata(&there))))
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
        let kept =
            self.keeps().unwrap_or(false) && settle(|| self.rename(Expected::Anything)).is_ok();
        if !kept {
            self.remove();
        }
    }
}
