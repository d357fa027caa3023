//! Temporary files whose upload is gone, because the server crashed: told apart from living ones, and removed.
//!
//! An upload holds a lock (flock(2)) on its temporary file for as long as it lives, which ends with its process whatever
//! happens. Whoever gets the lock has found a leftover. On file systems without such locks every file counts as alive.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, flock, fstat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::list::{open_dir, read_names};
use super::root::Place;
use super::stat::{kind, same_file};
use crate::metadata::FileKind;
use crate::reserved::is_reserved;

/// How long a leftover stays when a listing meets it: where locks are of one host only, another one may still write it.
pub(super) const AGE: Duration = Duration::from_secs(3600);
/// Names in a directory that is removed, looked at in one go.
const MAX_NAMES: usize = 10_000;

/// Marks a new temporary file as one whose upload lives; `false` if somebody took it for a leftover just now.
pub(super) fn claim(file: &OwnedFd) -> bool {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => fstat(file).is_ok_and(|stat| stat.st_nlink > 0),
        Err(errno) => errno != Errno::WOULDBLOCK,
    }
}

/// Whether the upload of a temporary file lives, as far as can be told.
pub(super) fn is_alive(dir: impl AsFd, name: &[u8]) -> bool {
    take(dir.as_fd(), name, Duration::ZERO).is_none()
}

/// Removes a temporary file whose upload is gone, if it was not changed for `age`. Failing to is nobody's error.
pub(super) fn sweep(dir: impl AsFd, name: &[u8], age: Duration) {
    let dir = dir.as_fd();
    if let Some(_locked) = take(dir, name, age) {
        let _ = unlinkat(dir, name, AtFlags::empty());
    }
}

/// Removes every leftover in a directory in which nothing else is; `false` if something else is.
pub(super) fn clear(place: &Place) -> bool {
    let Ok(dir) = open_dir(&place.dir, &place.name) else {
        return false;
    };
    let mut names = Vec::new();
    loop {
        let mut others = false;
        let more = read_names(&dir, |name| {
            others |= !is_reserved(name);
            names.push(name.to_vec());
        });
        match more {
            Ok(true) if !others && names.len() < MAX_NAMES => {}
            Ok(_) if !others => break,
            Ok(_) | Err(_) => return false,
        }
    }
    for name in &names {
        sweep(&dir, name, Duration::ZERO);
    }
    true
}

/// The file, locked, if it is a leftover.
fn take(dir: impl AsFd, name: &[u8], age: Duration) -> Option<OwnedFd> {
    let seen = statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    // With a second name it is somebody's.
    if kind(&seen) != FileKind::File || seen.st_nlink != 1 || !is_older(seen.st_ctime, age) {
        return None;
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let open = |access| openat(&dir, name, access | flags, Mode::empty());
    // Network file systems lock files only for those who may write them.
    let file = open(OFlags::RDWR).or_else(|_| open(OFlags::RDONLY)).ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    let now = fstat(&file).ok()?;
    (same_file(&now, &seen) && now.st_nlink == 1).then_some(file)
}

/// The time of the last change of anything, which no client can set.
fn is_older(changed: impl TryInto<u64>, age: Duration) -> bool {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let changed = changed.try_into().unwrap_or(0);
    now.as_secs() >= changed.saturating_add(age.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = ".sftpgo-upload.v0123456789abcdefghi.file";

    fn scene() -> (tempfile::TempDir, OwnedFd) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(NAME), "part").unwrap();
        let fd = std::fs::File::open(dir.path()).unwrap().into();
        (dir, fd)
    }

    #[test]
    fn a_leftover_goes_when_it_is_old_enough() {
        let (dir, fd) = scene();
        sweep(&fd, NAME.as_bytes(), AGE);
        assert!(dir.path().join(NAME).exists());
        assert!(is_older(0, AGE));
        sweep(&fd, NAME.as_bytes(), Duration::ZERO);
        assert!(!dir.path().join(NAME).exists());
    }

    #[test]
    fn what_lives_stays_until_its_process_lets_go() {
        let (dir, fd) = scene();
        let upload = std::fs::File::open(dir.path().join(NAME)).unwrap().into();
        assert!(claim(&upload) && is_alive(&fd, NAME.as_bytes()));
        sweep(&fd, NAME.as_bytes(), Duration::ZERO);
        assert!(dir.path().join(NAME).exists());
        drop(upload);
        assert!(!is_alive(&fd, NAME.as_bytes()));
        sweep(&fd, NAME.as_bytes(), Duration::ZERO);
        assert!(!dir.path().join(NAME).exists());
    }

    #[test]
    fn a_new_file_that_was_taken_for_a_leftover_is_not_used() {
        let (dir, fd) = scene();
        let upload = std::fs::File::open(dir.path().join(NAME)).unwrap().into();
        let sweeper = take(&fd, NAME.as_bytes(), Duration::ZERO).unwrap();
        assert!(!claim(&upload));
        std::fs::remove_file(dir.path().join(NAME)).unwrap();
        drop(sweeper);
        assert!(!claim(&upload), "it has no name any more");
    }

    #[test]
    fn what_has_a_second_name_or_is_no_file_is_no_leftover() {
        let (dir, fd) = scene();
        std::fs::hard_link(dir.path().join(NAME), dir.path().join("second")).unwrap();
        sweep(&fd, NAME.as_bytes(), Duration::ZERO);
        assert!(dir.path().join(NAME).exists());
        std::fs::remove_file(dir.path().join(NAME)).unwrap();
        std::os::unix::fs::symlink("second", dir.path().join(NAME)).unwrap();
        sweep(&fd, NAME.as_bytes(), Duration::ZERO);
        assert!(dir.path().join(NAME).symlink_metadata().is_ok());
    }
}
