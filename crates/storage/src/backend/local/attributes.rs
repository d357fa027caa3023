//! Changing owner, mode and times, of open files and of names.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{
    AtFlags, CWD, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, chmodat, chownat, fchmod,
    fchown, fstat, futimens, openat, utimensat,
};
use rustix::io::Errno;

use super::disk::Disk;
use super::error::{Interrupted, changed_or_failed, failed, fault, refused, settle};
use super::root::Place;
use super::stat::{kind, same_file};
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::{FileKind, FileTime, SetAttributes};
use crate::storage::{Links, Target};

impl Disk {
    pub(super) fn set_attributes(
        &self,
        target: &Target,
        changes: &SetAttributes,
        links: Links,
    ) -> StorageResult<()> {
        changes.check()?;
        settle(|| {
            let (place, _) = self.root.existing(target, links)?;
            let object = place
                .pin()
                .map_err(|errno| changed_or_failed("open", errno))?;
            let stat = fstat(&object).map_err(|errno| failed("stat", errno))?;
            if links == Links::Follow && kind(&stat) == FileKind::Symlink {
                return Err(Interrupted::Changed);
            }
            Ok(apply_to_pinned(&place, &object, &stat, changes)?)
        })
    }
}

/// Changes an object that is pinned but not open, so that devices and unreadable files can be changed too.
fn apply_to_pinned(
    place: &Place,
    object: &OwnedFd,
    stat: &Stat,
    changes: &SetAttributes,
) -> StorageResult<()> {
    if let Some((uid, gid)) = changes.owner {
        let (uid, gid) = owner_ids(uid, gid);
        chownat(object, c"", uid, gid, AtFlags::EMPTY_PATH).map_err(|e| fault("chown", e))?;
    }
    if let Some(bits) = changes.mode {
        if kind(stat) == FileKind::Symlink {
            let context = "a link has no mode of its own";
            return Err(refused(StorageErrorKind::Unsupported, context));
        }
        chmod_pinned(place, object, stat, new_mode(stat, bits))?;
    }
    if let Some((accessed, modified)) = changes.times {
        let times = timestamps(accessed, modified);
        match utimensat(object, c"", &times, AtFlags::EMPTY_PATH) {
            // Kernels before 5.8 want a name. A link that was put there meanwhile is touched itself, which harms nobody.
            Err(Errno::INVAL | Errno::NOENT) => {
                let name = place.name.as_slice();
                utimensat(&place.dir, name, &times, AtFlags::SYMLINK_NOFOLLOW)
            }
            result => result,
        }
        .map_err(|errno| fault("set times", errno))?;
    }
    Ok(())
}

/// `fchmod` refuses descriptors that only pin, so the way leads through `/proc`, or a second opening where `/proc` is missing.
fn chmod_pinned(place: &Place, object: &OwnedFd, stat: &Stat, mode: Mode) -> StorageResult<()> {
    let path = format!("/proc/self/fd/{}", object.as_raw_fd());
    match chmodat(CWD, path, mode, AtFlags::empty()) {
        Err(Errno::NOENT) => {}
        result => return result.map_err(|errno| fault("chmod", errno)),
    }
    if !matches!(kind(stat), FileKind::File | FileKind::Directory) {
        return Err(refused(
            StorageErrorKind::Unsupported,
            "chmod needs /proc for a device",
        ));
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = openat(&place.dir, place.name.as_slice(), flags, Mode::empty())
        .map_err(|errno| fault("chmod", errno))?;
    let now = fstat(&open).map_err(|errno| fault("chmod", errno))?;
    if !same_file(&now, stat) {
        return Err(refused(StorageErrorKind::NotFound, "the file was replaced"));
    }
    fchmod(&open, mode).map_err(|errno| fault("chmod", errno))
}

/// Changes an open file.
pub(super) fn apply_to_open(file: impl AsFd, changes: &SetAttributes) -> StorageResult<()> {
    changes.check()?;
    if let Some((uid, gid)) = changes.owner {
        let (uid, gid) = owner_ids(uid, gid);
        fchown(&file, uid, gid).map_err(|errno| fault("chown", errno))?;
    }
    if let Some(bits) = changes.mode {
        let stat = fstat(&file).map_err(|errno| fault("chmod", errno))?;
        fchmod(&file, new_mode(&stat, bits)).map_err(|errno| fault("chmod", errno))?;
    }
    if let Some((accessed, modified)) = changes.times {
        futimens(&file, &timestamps(accessed, modified)).map_err(|e| fault("set times", e))?;
    }
    Ok(())
}

/// Gives a new object exactly these bits, whatever the umask of the process, and this owner if the process may.
pub(super) fn dress_new(
    file: impl AsFd,
    stat: &Stat,
    mode: u32,
    (uid, gid): (Option<u32>, Option<u32>),
) -> StorageResult<()> {
    if uid.is_some() || gid.is_some() {
        // Needs privileges; without them the file stays ours.
        let (uid, gid) = owner_ids(uid, gid);
        let _ = fchown(&file, uid, gid);
    }
    if (stat.st_mode ^ mode) & 0o777 != 0 {
        fchmod(&file, new_mode(stat, mode)).map_err(|errno| fault("chmod", errno))?;
    }
    Ok(())
}

/// The low nine bits of `bits`. A directory keeps the setgid and sticky bits that its administrator gave it; a file loses
/// them, as with chmod(2).
fn new_mode(stat: &Stat, bits: u32) -> Mode {
    let kept = if kind(stat) == FileKind::Directory {
        stat.st_mode & 0o7000
    } else {
        0
    };
    Mode::from_raw_mode(bits & 0o777 | kept)
}

/// The highest number means "leave it" to the kernel and is no owner to rustix.
fn owner_ids(uid: Option<u32>, gid: Option<u32>) -> (Option<Uid>, Option<Gid>) {
    let uid = uid.filter(|uid| *uid != u32::MAX).map(Uid::from_raw);
    let gid = gid.filter(|gid| *gid != u32::MAX).map(Gid::from_raw);
    (uid, gid)
}

fn timestamps(accessed: FileTime, modified: FileTime) -> Timestamps {
    let spec = |time: FileTime| Timespec {
        tv_sec: time.seconds,
        tv_nsec: time.nanos.into(),
    };
    Timestamps {
        last_access: spec(accessed),
        last_modification: spec(modified),
    }
}
