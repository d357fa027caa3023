//! Opening regular files, and nothing but regular files.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{Advice, Mode, OFlags, Stat, fadvise, fstat, ftruncate, openat};
use rustix::io::Errno;

use super::attributes::dress_new;
use super::disk::Disk;
use super::error::{
    Attempt, Interrupted, changed_or_failed, failed, refused, settle, taken_or_failed,
};
use super::file::{OpenFile, check_range};
use super::root::{Found, Place};
use super::stat::{kind, metadata};
use super::temporary::{self, Pending};
use super::write::Upload;
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::{FileKind, Metadata};
use crate::reserved::check_new;
use crate::storage::{Links, OpenExisting, Target, WriteOptions, WriteVisibility};

/// Files from this size on are worth telling the kernel that they are read from front to back.
const READ_AHEAD_FROM: i64 = 256 * 1024;

impl Disk {
    pub(super) fn open_read(&self, target: &Target) -> StorageResult<OpenFile> {
        settle(|| {
            let (place, stat) = self.root.existing(target, Links::Follow)?;
            check_regular(&stat)?;
            let (file, stat) = open_regular(&place, OFlags::RDONLY)?;
            if stat.st_size >= READ_AHEAD_FROM {
                // Only a hint.
                let _ = fadvise(&file, 0, None, Advice::Sequential);
            }
            Ok(OpenFile::new(file))
        })
    }

    pub(super) fn truncate(&self, target: &Target, size: u64) -> StorageResult<Metadata> {
        check_range(size, 0)?;
        settle(|| {
            let (place, stat) = self.root.existing(target, Links::Follow)?;
            check_regular(&stat)?;
            let (file, stat) = open_regular(&place, OFlags::WRONLY)?;
            let _locked = self.locks.file(&stat)?;
            // Again, now that nobody else in this process cuts it.
            let stat = fstat(&file).map_err(|errno| failed("stat", errno))?;
            ftruncate(&file, size).map_err(|errno| failed("truncate", errno))?;
            Ok(metadata(&stat))
        })
    }

    pub(super) fn open_write(
        self: &Arc<Self>,
        target: &Target,
        options: &WriteOptions,
    ) -> StorageResult<Upload> {
        if options.create {
            check_new(&target.path)?;
        }
        settle(|| {
            let Found { place, stat } = if options.existing == OpenExisting::Refuse {
                // O_EXCL: a link is something that is there, wherever it leads (open(2)).
                let place = self.root.entry(target)?;
                let stat = place.stat()?;
                Found { place, stat }
            } else {
                self.root.follow(target)?
            };
            match stat {
                Some(stat) => self.open_existing(place, &stat, options),
                None if !options.create => {
                    Err(refused(StorageErrorKind::NotFound, "nothing is there").into())
                }
                None if options.visibility == WriteVisibility::InPlace => {
                    self.new_in_place(&place, options)
                }
                None => self.beside(place, None, options),
            }
        })
    }

    fn open_existing(
        self: &Arc<Self>,
        place: Place,
        stat: &Stat,
        options: &WriteOptions,
    ) -> Attempt<Upload> {
        if kind(stat) == FileKind::Directory {
            return Err(refused(StorageErrorKind::IsADirectory, "a directory is there").into());
        }
        match options.existing {
            OpenExisting::Refuse => {
                Err(refused(StorageErrorKind::AlreadyExists, "something is there").into())
            }
            OpenExisting::Truncate if options.visibility != WriteVisibility::InPlace => {
                check_regular(stat)?;
                self.beside(place, Some(stat), options)
            }
            OpenExisting::Truncate | OpenExisting::Keep => {
                check_regular(stat)?;
                self.existing_in_place(&place, options.existing == OpenExisting::Truncate)
            }
        }
    }

    fn existing_in_place(&self, place: &Place, cut: bool) -> Attempt<Upload> {
        let (file, stat) = match open_regular(place, OFlags::RDWR) {
            // A file that may be written but not read.
            Err(Interrupted::Failed(error))
                if error.kind() == StorageErrorKind::PermissionDenied =>
            {
                open_regular(place, OFlags::WRONLY)?
            }
            result => result?,
        };
        if stat.st_nlink == 0 {
            return Err(Interrupted::Changed);
        }
        let identity = self.inodes.enter(&stat);
        if !cut {
            let before = Some(metadata(&stat));
            return Ok(Upload::in_place(OpenFile::new(file), identity, before));
        }
        let _locked = self.locks.file(&stat)?;
        let stat = fstat(&file).map_err(|errno| failed("stat", errno))?;
        ftruncate(&file, 0).map_err(|errno| failed("truncate", errno))?;
        let before = Some(metadata(&stat));
        Ok(Upload::in_place(OpenFile::new(file), identity, before))
    }

    /// A temporary file beside the name. It looks like the file that it replaces (mode, and owner where the process may).
    fn beside(
        self: &Arc<Self>,
        place: Place,
        old: Option<&Stat>,
        options: &WriteOptions,
    ) -> Attempt<Upload> {
        let (mode, owner) = match old {
            Some(old) => (old.st_mode, (Some(old.st_uid), Some(old.st_gid))),
            None => (options.mode, options.owner),
        };
        let (name, fd) = temporary::create(&place.dir, &place.name, mode)?;
        let file = Arc::new(OpenFile::new(fd));
        let temporary = Place {
            dir: Arc::clone(&place.dir),
            name,
            real: place.real.clone(),
        };
        let pending = Pending {
            disk: Arc::clone(self),
            file: Arc::clone(&file),
            temporary,
            goal: place,
            replace: options.existing != OpenExisting::Refuse,
            keep_partial: options.visibility == WriteVisibility::OnFinishKeepPartial,
            armed: true,
        };
        let stat = fstat(&file).map_err(|errno| failed("stat", errno))?;
        let upload = Upload::pending(file, self.inodes.enter(&stat), old.map(metadata), pending);
        let owner = if old.is_some_and(|old| (old.st_uid, old.st_gid) == (stat.st_uid, stat.st_gid))
        {
            (None, None)
        } else {
            owner
        };
        dress_new(&upload.file, &stat, mode, owner)?;
        Ok(upload)
    }

    fn new_in_place(&self, place: &Place, options: &WriteOptions) -> Attempt<Upload> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(options.mode & 0o777);
        let file = match openat(&place.dir, &place.name, flags, mode) {
            Ok(file) => file,
            // Made by somebody else since we looked: look again.
            Err(errno) => return Err(taken_or_failed("make a file", errno)),
        };
        let stat = fstat(&file).map_err(|errno| failed("stat", errno))?;
        dress_new(&file, &stat, options.mode, options.owner)?;
        let identity = self.inodes.enter(&stat);
        Ok(Upload::in_place(OpenFile::new(file), identity, None))
    }
}

fn check_regular(stat: &Stat) -> StorageResult<()> {
    match kind(stat) {
        FileKind::File => Ok(()),
        FileKind::Directory => Err(refused(StorageErrorKind::IsADirectory, "open")),
        FileKind::Symlink | FileKind::Other => Err(refused(
            StorageErrorKind::PermissionDenied,
            "not a regular file",
        )),
    }
}

/// Opens what was a regular file a moment ago. Should a pipe or a device be there now, it is opened without waiting and closed
/// at once.
fn open_regular(place: &Place, access: OFlags) -> Attempt<(OwnedFd, Stat)> {
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file =
        openat(&place.dir, &place.name, flags, Mode::empty()).map_err(|errno| match errno {
            // A pipe nobody reads, a device nobody drives: not what was judged.
            Errno::NXIO | Errno::NODEV => Interrupted::Changed,
            _ => changed_or_failed("open", errno),
        })?;
    let stat = fstat(&file).map_err(|errno| failed("stat", errno))?;
    if kind(&stat) != FileKind::File {
        return Err(Interrupted::Changed);
    }
    Ok((file, stat))
}
