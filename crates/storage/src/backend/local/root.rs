//! The root directory and the way from it to the place that a path names.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, statat};
use rustix::io::Errno;
use sftpgo_model::StoragePath;

use super::error::{Attempt, Interrupted, changed_or_failed, failed, fault, refused};
use super::filesystem::FileSystem;
use super::stat::kind;
use super::walk;
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::FileKind;
use crate::reserved::{check_there, is_reserved};
use crate::storage::{Links, Target};

/// Flags of a directory that is only a place to start from.
pub(super) const PLACE: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Below the root and without links: the path that is named is the real one.
const STRAIGHT: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_MAGICLINKS)
    .union(ResolveFlags::NO_SYMLINKS);

/// An open root directory.
#[derive(Debug)]
pub(super) struct Root {
    dir: Arc<OwnedFd>,
    /// The names of the root's own path, as the administrator wrote it and without links: an absolute link that starts with
    /// one of them stays inside.
    spellings: Vec<Vec<Vec<u8>>>,
    /// Whether the kernel resolves for us.
    openat2: bool,
    filesystem: FileSystem,
}

/// A name in a directory that is held open. The name itself is not pinned: act on it with `*at` calls that follow no link.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) dir: Arc<OwnedFd>,
    /// `.` for the root itself.
    pub(super) name: Vec<u8>,
    /// Where it really is, with every link resolved but one in the last place.
    pub(super) real: StoragePath,
}

/// A place and what is there; never a link if links were to be followed.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) place: Place,
    /// `None` if nothing is there.
    pub(super) stat: Option<Stat>,
}

impl Place {
    /// The root of the storage, which is nobody's entry.
    pub(super) fn root(dir: &Arc<OwnedFd>) -> Self {
        Self {
            dir: Arc::clone(dir),
            name: b".".to_vec(),
            real: StoragePath::root(),
        }
    }

    pub(super) fn is_root(&self) -> bool {
        self.real.is_root()
    }

    /// The object itself, without opening it: a device or a pipe notices nothing. A link is not followed.
    pub(super) fn pin(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(&self.dir, self.name.as_slice(), flags, Mode::empty())
    }

    /// What is at the name now; a link is not followed.
    pub(super) fn stat(&self) -> StorageResult<Option<Stat>> {
        match statat(&self.dir, self.name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(fault("stat", errno)),
        }
    }
}

impl Root {
    /// Opens `path`, which may lead through links: it is the administrator's.
    pub(super) fn open(path: &Path, openat2: bool) -> StorageResult<Self> {
        if !path.is_absolute() {
            return Err(refused(
                StorageErrorKind::InvalidPath,
                "the root is a relative path",
            ));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = openat(CWD, path, flags, Mode::empty())
            .map_err(|errno| fault("open the root directory", errno))?;
        let real = path
            .canonicalize()
            .map_err(|error| crate::StorageError::from_io("resolve the root directory", error))?;
        let spellings = [path, real.as_path()].map(|path| names(path.as_os_str().as_bytes()));
        Ok(Self {
            filesystem: FileSystem::of(&dir),
            dir: Arc::new(dir),
            spellings: spellings.into(),
            openat2,
        })
    }

    /// The attributes of what `path` names if the kernel has all of it at hand, without waiting; `None` sends the caller the
    /// long way, as does any link on the way.
    pub(super) fn stat_cached(
        &self,
        path: &StoragePath,
        links: Links,
    ) -> Option<StorageResult<Stat>> {
        let reserved = is_reserved(path.file_name());
        if !self.openat2 || !self.filesystem.knows_attributes() || reserved {
            return None;
        }
        // A mount below the root may be of another kind.
        let mut resolve = STRAIGHT | ResolveFlags::NO_XDEV;
        if self.filesystem != FileSystem::Memory {
            resolve |= ResolveFlags::CACHED;
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = if path.is_root() {
            b".".as_slice()
        } else {
            path.as_bytes()
        };
        let object = match openat2(&self.dir, path, flags, Mode::empty(), resolve) {
            Ok(object) => object,
            Err(Errno::NOENT) => return Some(Err(fault("stat", Errno::NOENT))),
            Err(_) => return None,
        };
        let stat = fstat(object).ok()?;
        (links == Links::NoFollow || kind(&stat) != FileKind::Symlink).then_some(Ok(stat))
    }

    /// Whether `path`, or the place where it would be made, lies in memory as a whole: no link and no other file system on
    /// the way, so that acting on it never waits.
    pub(super) fn is_in_memory(&self, path: &StoragePath) -> bool {
        if self.filesystem != FileSystem::Memory {
            return false;
        }
        match self.stat_cached(path, Links::NoFollow) {
            Some(Ok(stat)) => kind(&stat) != FileKind::Symlink,
            Some(Err(_)) => true,
            None => false,
        }
    }

    pub(super) fn dir(&self) -> &Arc<OwnedFd> {
        &self.dir
    }

    /// The names that remain of an absolute link within the root; `None` if it points elsewhere.
    pub(super) fn strip<'n>(&self, absolute: &'n [Vec<u8>]) -> Option<&'n [Vec<u8>]> {
        self.spellings
            .iter()
            .find_map(|spelling| absolute.strip_prefix(spelling.as_slice()))
    }

    /// The place that `target` names, for acting on the entry itself, be it a link or not.
    pub(super) fn entry(&self, target: &Target) -> Attempt<Place> {
        check_there(target.path.file_name())?;
        if let Some(place) = self.straight(&target.path)? {
            return Ok(place);
        }
        let found = walk::find(self, &target.path, Links::NoFollow)?;
        judge(target, &found.place)?;
        Ok(found.place)
    }

    /// The place that `target` names and what is there, with every link followed.
    pub(super) fn follow(&self, target: &Target) -> Attempt<Found> {
        check_there(target.path.file_name())?;
        if let Some(place) = self.straight(&target.path)? {
            let stat = place.stat()?;
            if stat
                .as_ref()
                .is_none_or(|stat| kind(stat) != FileKind::Symlink)
            {
                return Ok(Found { place, stat });
            }
        }
        let found = walk::find(self, &target.path, Links::Follow)?;
        check_there(&found.place.name)?;
        judge(target, &found.place)?;
        Ok(found)
    }

    /// [`Self::entry`] or [`Self::follow`]; `NotFound` if nothing is there.
    pub(super) fn existing(&self, target: &Target, links: Links) -> Attempt<(Place, Stat)> {
        let Found { place, stat } = match links {
            Links::Follow => self.follow(target)?,
            Links::NoFollow => {
                let place = self.entry(target)?;
                let stat = place.stat()?;
                Found { place, stat }
            }
        };
        match stat {
            Some(stat) => Ok((place, stat)),
            None => Err(refused(StorageErrorKind::NotFound, "nothing is there").into()),
        }
    }

    /// The common case: no link on the way, so the real path is the named one and no guard needs to be asked. `None` says
    /// that the path must be walked.
    fn straight(&self, path: &StoragePath) -> Attempt<Option<Place>> {
        if path.is_root() {
            return Ok(Some(Place::root(&self.dir)));
        }
        let parent = path.parent();
        let dir = if parent.is_root() {
            Arc::clone(&self.dir)
        } else if self.openat2 {
            match self.beneath(parent.as_bytes()) {
                Ok(dir) => Arc::new(dir),
                Err(Errno::LOOP) => return Ok(None),
                Err(Errno::AGAIN) => return Err(Interrupted::Changed),
                Err(errno) => return Err(failed("open the directory", errno)),
            }
        } else {
            return Ok(None);
        };
        Ok(Some(Place {
            dir,
            name: path.file_name().to_vec(),
            real: path.clone(),
        }))
    }

    /// Opens a directory by its real path; `Changed` if that is no longer one.
    pub(super) fn open_real(&self, names: &[Vec<u8>]) -> Attempt<Arc<OwnedFd>> {
        if names.is_empty() {
            return Ok(Arc::clone(&self.dir));
        }
        if self.openat2 {
            return match self.beneath(&names.join(&b'/')) {
                Ok(dir) => Ok(Arc::new(dir)),
                Err(Errno::AGAIN) => Err(Interrupted::Changed),
                Err(errno) => Err(changed_or_failed("open the directory", errno)),
            };
        }
        let mut dir = Arc::clone(&self.dir);
        for name in names {
            dir = Arc::new(step(&dir, name)?);
        }
        Ok(dir)
    }

    fn beneath(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        // Without O_NOFOLLOW a link in the last place is ELOOP like any other, and not ENOTDIR.
        let flags = PLACE.difference(OFlags::NOFOLLOW);
        openat2(&self.dir, path, flags, Mode::empty(), STRAIGHT)
    }
}

/// Opens the directory `name`, which was one a moment ago.
pub(super) fn step(dir: &OwnedFd, name: &[u8]) -> Attempt<OwnedFd> {
    openat(dir, name, PLACE, Mode::empty())
        .map_err(|errno| changed_or_failed("open the directory", errno))
}

/// The names of a path; empty ones and `.` go, `..` stays.
pub(super) fn names(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/')
        .filter(|name| !matches!(*name, b"" | b"."))
        .map(<[u8]>::to_vec)
        .collect()
}

/// Asks the guard if links led somewhere else than the path says.
fn judge(target: &Target, place: &Place) -> StorageResult<()> {
    let allowed =
        place.real == target.path || target.guard.as_ref().is_none_or(|guard| guard(&place.real));
    if allowed {
        Ok(())
    } else {
        Err(refused(
            StorageErrorKind::PermissionDenied,
            "a link leads to a closed place",
        ))
    }
}
