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
use super::filesystem::FileSystem;
use super::leftover;
use super::lock::Locked;
use super::root::Place;
use super::stat::{id, kind, metadata, same_file};
use super::temporary::aside_name;
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::{FileKind, Metadata};
use crate::reserved::check_new;
use crate::storage::{Expected, Removed, RenameMode, Target};

impl Disk {
    pub(super) fn create_dir(
        &self,
        target: &Target,
        mode: u32,
        owner: (Option<u32>, Option<u32>),
    ) -> StorageResult<()> {
        check_new(&target.path)?;
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
            check_expected(target.expected, Some(&stat))?;
            unlinkat(&place.dir, place.name.as_slice(), AtFlags::empty())
                .map_err(|errno| changed_or_failed("remove a file", errno))?;
            Ok(metadata(&stat))
        })
    }

    pub(super) fn remove_dir(&self, target: &Target) -> StorageResult<()> {
        settle(|| {
            let place = self.root.entry(target)?;
            not_root(&place)?;
            let remove = || unlinkat(&place.dir, place.name.as_slice(), AtFlags::REMOVEDIR);
            let result = match remove() {
                // What nobody sees must not keep it.
                Err(Errno::EXIST | Errno::NOTEMPTY) if leftover::clear(&place) => remove(),
                result => result,
            };
            match result {
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
        check_new(&to.path)?;
        settle(|| {
            let source = self.root.entry(from)?;
            let goal = self.root.entry(to)?;
            not_root(&source)?;
            not_root(&goal)?;
            let source_dir = directory_of(&source)?;
            let goal_dir = directory_of(&goal)?;
            check_waits_alike(&source, &source_dir, &goal, &goal_dir)?;
            let _locked = self
                .locks
                .two_names((&source_dir, &source.name), (&goal_dir, &goal.name))?;
            let moving = present(&source)?;
            let Some(there) = goal.stat()? else {
                check_expected(to.expected, None)?;
                rename_into_gap(&source, &goal)?;
                return Ok(None);
            };
            if mode == RenameMode::NoReplace {
                return Err(refused(StorageErrorKind::AlreadyExists, "rename").into());
            }
            check_expected(to.expected, Some(&there))?;
            if same_file(&moving, &there) {
                let same_name = same_file(&source_dir, &goal_dir) && source.name == goal.name;
                return if same_name {
                    Ok(None)
                } else {
                    join_names(&source, &goal, &there)
                };
            }
            check_kinds(&moving, &there)?;
            match renameat(&source.dir, &source.name, &goal.dir, &goal.name) {
                Ok(()) => Ok(Some(metadata(&there))),
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
        check_new(&link.path)?;
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
        check_new(&to.path)?;
        settle(|| {
            let source = self.root.entry(from)?;
            let goal = self.root.entry(to)?;
            let stat = present(&source)?;
            if kind(&stat) == FileKind::Directory {
                return Err(refused(StorageErrorKind::IsADirectory, "make a hard link").into());
            }
            let (source_dir, goal_dir) = (directory_of(&source)?, directory_of(&goal)?);
            check_waits_alike(&source, &source_dir, &goal, &goal_dir)?;
            let _locked = self
                .locks
                .two_names((&source_dir, &source.name), (&goal_dir, &goal.name))?;
            let stat = present(&source).and_then(|now| match same_file(&now, &stat) {
                true => Ok(now),
                false => Err(Interrupted::Changed),
            })?;
            check_expected(from.expected, Some(&stat))?;
            let flags = AtFlags::empty();
            match linkat(&source.dir, &source.name, &goal.dir, &goal.name, flags) {
                Ok(()) => Ok(metadata(&goal.stat()?.unwrap_or(stat))),
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

/// `Raced` if something else is there than was expected. Names that are locked stay what they are in this process; what
/// others do between the look and the act is theirs.
pub(super) fn check_expected(expected: Expected, there: Option<&Stat>) -> StorageResult<()> {
    if expected.admits(there.map(id)) {
        return Ok(());
    }
    Err(refused(
        StorageErrorKind::Raced,
        "something else is there now",
    ))
}

/// Refuses what the kernel would, before any name is locked: names in memory are locked by threads that must not wait, so
/// nobody may hold one while a disk is asked.
fn check_waits_alike(
    source: &Place,
    source_dir: &Stat,
    goal: &Place,
    goal_dir: &Stat,
) -> StorageResult<()> {
    let in_memory = |place: &Place| FileSystem::of(&place.dir) == FileSystem::Memory;
    if source_dir.st_dev != goal_dir.st_dev && in_memory(source) != in_memory(goal) {
        return Err(fault("move to another file system", Errno::XDEV));
    }
    Ok(())
}

/// Keeps the file that `stat` describes, so that its inode is nobody else's.
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
    let aside = aside_name(&source.name)?;
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
