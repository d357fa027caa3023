//! Operations on names: make, remove, rename, link.

use std::os::fd::OwnedFd;

use rustix::fs::{
    AtFlags, Mode, OFlags, RenameFlags, Stat, fstat, linkat, mkdirat, openat, readlinkat, renameat,
    renameat_with, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::attributes::dress_new;
use super::disk::Disk;
use super::error::{Attempt, Interrupted, changed_or_failed, failed, fault, refused, settle};
use super::lock::Locked;
use super::root::Place;
use super::stat::{kind, metadata, same_file};
use super::temporary::temporary_name;
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::{FileKind, Metadata};
use crate::storage::{Removed, RenameMode, Target};

impl Disk {
    pub(super) fn create_dir(
        &self,
        target: &Target,
        mode: u32,
        owner: (Option<u32>, Option<u32>),
    ) -> StorageResult<()> {
        settle(|| {
            let place = self.root.entry(target)?;
            let name = place.name.as_slice();
            match mkdirat(&place.dir, name, Mode::from_raw_mode(mode & 0o777)) {
                Ok(()) => {}
                Err(errno) => return Err(failed("make a directory", errno)),
            }
            // Whoever swaps or removes it before it is dressed gets what was left there; nothing is followed.
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            if let Ok(made) = openat(&place.dir, name, flags, Mode::empty()) {
                let stat = fstat(&made).map_err(|errno| failed("stat", errno))?;
                dress_new(&made, &stat, mode, owner)?;
            }
            Ok(())
        })
    }

    pub(super) fn remove_file(&self, target: &Target) -> StorageResult<Metadata> {
        settle(|| {
            let place = self.root.entry(target)?;
            let _locked = self.lock(&place)?;
            let stat = present(&place)?;
            if kind(&stat) == FileKind::Directory {
                return Err(refused(StorageErrorKind::IsADirectory, "remove a file").into());
            }
            let pinned = pinned(&place, &stat)?;
            unlinkat(&place.dir, place.name.as_slice(), AtFlags::empty())
                .map_err(|errno| changed_or_failed("remove a file", errno))?;
            // After the removal: who opens the file from now on sees that it has no name.
            let removed = self.inodes.describe(&stat);
            drop(pinned);
            Ok(removed)
        })
    }

    pub(super) fn remove_dir(&self, target: &Target) -> StorageResult<()> {
        settle(|| {
            let place = self.root.entry(target)?;
            not_root(&place)?;
            match unlinkat(&place.dir, place.name.as_slice(), AtFlags::REMOVEDIR) {
                // Some file systems say EEXIST for "not empty" (rmdir(2)).
                Err(Errno::EXIST) => Err(failed("remove a directory", Errno::NOTEMPTY)),
                result => result.map_err(|errno| failed("remove a directory", errno)),
            }
        })
    }

    pub(super) fn rename(
        &self,
        from: &Target,
        to: &Target,
        mode: RenameMode,
    ) -> StorageResult<Removed> {
        settle(|| {
            let source = self.root.entry(from)?;
            let goal = self.root.entry(to)?;
            not_root(&source)?;
            not_root(&goal)?;
            let source_dir = directory_of(&source)?;
            let goal_dir = directory_of(&goal)?;
            let _locked = self
                .locks
                .two_names((&source_dir, &source.name), (&goal_dir, &goal.name))?;
            let moving = present(&source)?;
            let Some(there) = goal.stat()? else {
                rename_into_gap(&source, &goal)?;
                return Ok(None);
            };
            if mode == RenameMode::NoReplace {
                return Err(refused(StorageErrorKind::AlreadyExists, "rename").into());
            }
            if same_file(&moving, &there) {
                let same_name = same_file(&source_dir, &goal_dir) && source.name == goal.name;
                return if same_name {
                    Ok(None)
                } else {
                    let joined = join_names(&source, &goal, &there)?;
                    Ok(joined.map(|_| self.inodes.describe(&there)))
                };
            }
            check_kinds(&moving, &there)?;
            let _pinned = pinned(&goal, &there)?;
            match renameat(&source.dir, &source.name, &goal.dir, &goal.name) {
                Ok(()) => Ok(Some(self.inodes.describe(&there))),
                Err(Errno::EXIST | Errno::NOTEMPTY) => Err(failed("rename", Errno::NOTEMPTY)),
                Err(errno) => Err(changed_or_failed("rename", errno)),
            }
        })
    }

    pub(super) fn symlink(&self, text: &[u8], link: &Target) -> StorageResult<()> {
        if text.is_empty() || text.contains(&0) {
            return Err(refused(
                StorageErrorKind::InvalidArgument,
                "the text of a link",
            ));
        }
        settle(|| {
            let place = self.root.entry(link)?;
            symlinkat(text, &place.dir, place.name.as_slice())
                .map_err(|errno| failed("make a symbolic link", errno))
        })
    }

    pub(super) fn read_link(&self, target: &Target) -> StorageResult<Vec<u8>> {
        settle(|| {
            let place = self.root.entry(target)?;
            let text = readlinkat(&place.dir, place.name.as_slice(), Vec::new())
                .map_err(|errno| failed("read a link", errno))?;
            Ok(text.into_bytes())
        })
    }

    pub(super) fn hard_link(&self, from: &Target, to: &Target) -> StorageResult<Metadata> {
        settle(|| {
            let source = self.root.entry(from)?;
            let goal = self.root.entry(to)?;
            let stat = present(&source)?;
            if kind(&stat) == FileKind::Directory {
                return Err(refused(StorageErrorKind::IsADirectory, "make a hard link").into());
            }
            let _locked = self.lock(&goal)?;
            let _pinned = pinned(&source, &stat)?;
            let flags = AtFlags::empty();
            match linkat(&source.dir, &source.name, &goal.dir, &goal.name, flags) {
                // After the link: an upload that opens the file from now on knows of the name.
                Ok(()) => Ok(self.inodes.describe(&goal.stat()?.unwrap_or(stat))),
                Err(Errno::EXIST) => Err(failed("make a hard link", Errno::EXIST)),
                Err(Errno::NOENT) => Err(Interrupted::Changed),
                Err(errno) => Err(failed("make a hard link", errno)),
            }
        })
    }

    /// Nobody else in this process replaces or removes the name until this is dropped.
    pub(super) fn lock(&self, place: &Place) -> StorageResult<Locked<'_>> {
        self.locks.name(&directory_of(place)?, &place.name)
    }
}

fn directory_of(place: &Place) -> StorageResult<Stat> {
    fstat(&place.dir).map_err(|errno| fault("stat the directory", errno))
}

/// Keeps the file that `stat` describes, so that its inode is nobody else's until the caller has told whose it was.
pub(super) fn pinned(place: &Place, stat: &Stat) -> Attempt<OwnedFd> {
    let object = place
        .pin()
        .map_err(|errno| changed_or_failed("open", errno))?;
    let now = fstat(&object).map_err(|errno| failed("stat", errno))?;
    if same_file(&now, stat) {
        Ok(object)
    } else {
        Err(Interrupted::Changed)
    }
}

fn present(place: &Place) -> Attempt<Stat> {
    let stat = place.stat()?;
    stat.ok_or_else(|| refused(StorageErrorKind::NotFound, "nothing is there").into())
}

fn not_root(place: &Place) -> StorageResult<()> {
    if place.is_root() {
        return Err(refused(
            StorageErrorKind::PermissionDenied,
            "the root stays where it is",
        ));
    }
    Ok(())
}

/// A file never replaces a directory, nor the other way round.
fn check_kinds(moving: &Stat, there: &Stat) -> StorageResult<()> {
    let is_dir = |stat| kind(stat) == FileKind::Directory;
    match (is_dir(moving), is_dir(there)) {
        (false, true) => Err(refused(
            StorageErrorKind::IsADirectory,
            "a directory is there",
        )),
        (true, false) => Err(refused(StorageErrorKind::NotADirectory, "a file is there")),
        (true, true) | (false, false) => Ok(()),
    }
}

/// Renames to a name where nothing was a moment ago; `Changed` if something is there now. The name is locked, but files are
/// made without that lock.
pub(super) fn rename_into_gap(source: &Place, goal: &Place) -> Attempt<()> {
    let flags = RenameFlags::NOREPLACE;
    let result = renameat_with(&source.dir, &source.name, &goal.dir, &goal.name, flags);
    let result = match result {
        // The file system does not know the flag (NFS, older FUSE). EINVAL also means "into itself", and will again.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            renameat(&source.dir, &source.name, &goal.dir, &goal.name)
        }
        result => result,
    };
    result.map_err(|errno| changed_or_failed("rename", errno))
}

/// Renames a file over another name of the same file. rename(2) does nothing then and both names stay; whoever renames
/// expects the old one to go, so it goes, and the count of names is one less.
fn join_names(source: &Place, goal: &Place, there: &Stat) -> Attempt<Removed> {
    if there.st_nlink <= 1 {
        // One name in two spellings (a file system that ignores case): the kernel changes the spelling.
        renameat(&source.dir, &source.name, &goal.dir, &goal.name)
            .map_err(|errno| changed_or_failed("rename", errno))?;
        return Ok(None);
    }
    // Step aside first: if the two are spellings of one name, the goal goes with it and is put back under its new spelling.
    let aside = temporary_name(&source.name)?;
    renameat(&source.dir, &source.name, &source.dir, &aside)
        .map_err(|errno| changed_or_failed("rename", errno))?;
    if goal.stat()?.is_some_and(|now| same_file(&now, there)) {
        if let Err(errno) = unlinkat(&source.dir, &aside, AtFlags::empty()) {
            let _ = renameat(&source.dir, &aside, &source.dir, &source.name);
            return Err(failed("rename", errno));
        }
        return Ok(Some(metadata(there)));
    }
    renameat(&source.dir, &aside, &goal.dir, &goal.name).map_err(|e| failed("rename", e))?;
    Ok(None)
}
