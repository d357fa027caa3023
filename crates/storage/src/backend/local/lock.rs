//! Locks on names, so that "look what is there, then replace or remove it" is one step for everybody in this process and
//! the file that vanished is the file that is reported.
//!
//! Each name is locked for itself and nothing else with it: a disk that hangs keeps its own names, and no others.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::fs::Stat;

use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// A name is held for a few calls of the kernel. Longer means that a disk hangs, and then others must not hang with it.
const WAIT: Duration = Duration::from_secs(20);

/// A directory and the hash of a name in it, or a file. That two names have one hash is next to impossible, and only makes
/// them wait for each other.
type Key = (u64, u64, u64);

/// Locks by directory and name, or by file.
#[derive(Debug, Default)]
pub(super) struct NameLocks {
    held: Mutex<Held>,
    released: Condvar,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Held {
    keys: HashSet<Key>,
    waiting: usize,
}

/// Proof that the names are locked.
pub(super) struct Locked<'a> {
    locks: &'a NameLocks,
    first: Key,
    second: Option<Key>,
}

impl NameLocks {
    /// Locks `name` in the directory that `dir` describes.
    pub(super) fn name(&self, dir: &Stat, name: &[u8]) -> StorageResult<Locked<'_>> {
        self.take(self.key(dir, name), None)
    }

    /// Locks two names, both at once or none.
    pub(super) fn two_names(
        &self,
        (dir, name): (&Stat, &[u8]),
        (other_dir, other_name): (&Stat, &[u8]),
    ) -> StorageResult<Locked<'_>> {
        let first = self.key(dir, name);
        let second = self.key(other_dir, other_name);
        self.take(first, (first != second).then_some(second))
    }

    /// Locks the contents of one file. Never taken together with a name.
    pub(super) fn file(&self, file: &Stat) -> StorageResult<Locked<'_>> {
        self.name(file, b"")
    }

    #[allow(
        clippy::unnecessary_cast,
        reason = "the widths of the fields differ between platforms"
    )]
    fn key(&self, dir: &Stat, name: &[u8]) -> Key {
        (
            dir.st_dev as u64,
            dir.st_ino as u64,
            self.hasher.hash_one(name),
        )
    }

    fn take(&self, first: Key, second: Option<Key>) -> StorageResult<Locked<'_>> {
        let end = Instant::now() + WAIT;
        let mut held = self.held.lock();
        while held.keys.contains(&first) || second.is_some_and(|key| held.keys.contains(&key)) {
            held.waiting += 1;
            let late = self.released.wait_until(&mut held, end).timed_out();
            held.waiting -= 1;
            if late {
                let context = "the name is in use";
                return Err(StorageError::new(StorageErrorKind::Unavailable, context));
            }
        }
        held.keys.insert(first);
        held.keys.extend(second);
        Ok(Locked {
            locks: self,
            first,
            second,
        })
    }
}

impl Drop for Locked<'_> {
    /// Deliberately: leaving the scope unlocks.
    fn drop(&mut self) {
        let mut held = self.locks.held.lock();
        held.keys.remove(&self.first);
        if let Some(second) = &self.second {
            held.keys.remove(second);
        }
        if held.waiting > 0 {
            self.locks.released.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Stat {
        rustix::fs::stat("/").unwrap()
    }

    #[test]
    fn a_name_that_is_held_for_ever_keeps_no_other_one() {
        let (locks, dir) = (NameLocks::default(), directory());
        let mut elsewhere = dir;
        elsewhere.st_dev += 1;
        let hangs = locks.name(&dir, b"hangs").unwrap();
        let start = Instant::now();
        // As many as would meet it if names shared their locks.
        for number in 0..10_000 {
            let name = format!("{number}");
            drop(locks.name(&dir, name.as_bytes()).unwrap());
            drop(locks.name(&elsewhere, name.as_bytes()).unwrap());
        }
        drop(locks.name(&elsewhere, b"hangs").unwrap());
        assert!(start.elapsed() < WAIT);
        drop(hangs);
        drop(locks.name(&dir, b"hangs").unwrap());
        assert!(locks.held.lock().keys.is_empty());
    }

    #[test]
    fn two_names_are_locked_together_in_any_order() {
        let (locks, dir) = (NameLocks::default(), directory());
        let counter = Mutex::new((0, 0));
        std::thread::scope(|scope| {
            for (one, other) in [(b"a", b"b"), (b"b", b"a"), (b"a", b"a"), (b"b", b"b")] {
                let (locks, dir, counter) = (&locks, &dir, &counter);
                scope.spawn(move || {
                    for _ in 0..2_000 {
                        let _locked = locks.two_names((dir, one), (dir, other)).unwrap();
                        let mut counter = counter.try_lock();
                        // The last two may be there at once.
                        if one != other {
                            counter.as_mut().unwrap().0 += 1;
                        }
                    }
                });
            }
        });
        assert_eq!(counter.lock().0, 4_000);
    }
}
