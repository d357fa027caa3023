//! Locks on names, so that "look what is there, then replace or remove it" is one step for everybody in this process and
//! the file that vanished is the file that is reported.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rustix::fs::Stat;

use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// Names that share a lock only wait for each other, so a few hundred are plenty for the operations that run at once.
const SHARDS: usize = 256;
/// Each is held for a few calls of the kernel. Longer means that a disk hangs, and then others must not hang with it.
const WAIT: Duration = Duration::from_secs(20);

/// Locks by directory and name, or by file.
#[derive(Debug)]
pub(super) struct NameLocks {
    shards: Vec<Mutex<()>>,
    hasher: RandomState,
}

/// Proof that the names are locked.
pub(super) struct Locked<'a> {
    _first: MutexGuard<'a, ()>,
    _second: Option<MutexGuard<'a, ()>>,
}

impl NameLocks {
    pub(super) fn new() -> Self {
        let mut shards = Vec::new();
        shards.resize_with(SHARDS, Mutex::default);
        Self {
            shards,
            hasher: RandomState::new(),
        }
    }

    /// Locks `name` in the directory that `dir` describes.
    pub(super) fn name(&self, dir: &Stat, name: &[u8]) -> StorageResult<Locked<'_>> {
        Ok(Locked {
            _first: self.shard(self.index(dir, name))?,
            _second: None,
        })
    }

    /// Locks two names, in an order that is the same for everybody.
    pub(super) fn two_names(
        &self,
        (dir, name): (&Stat, &[u8]),
        (other_dir, other_name): (&Stat, &[u8]),
    ) -> StorageResult<Locked<'_>> {
        let one = self.index(dir, name);
        let other = self.index(other_dir, other_name);
        let first = self.shard(one.min(other))?;
        let second = if one == other {
            None
        } else {
            Some(self.shard(one.max(other))?)
        };
        Ok(Locked {
            _first: first,
            _second: second,
        })
    }

    /// Locks the contents of one file. Never taken together with a name.
    pub(super) fn file(&self, file: &Stat) -> StorageResult<Locked<'_>> {
        self.name(file, b"")
    }

    fn index(&self, dir: &Stat, name: &[u8]) -> usize {
        let hash = self.hasher.hash_one((dir.st_dev, dir.st_ino, name));
        usize::try_from(hash % SHARDS as u64).unwrap_or(0)
    }

    fn shard(&self, index: usize) -> StorageResult<MutexGuard<'_, ()>> {
        self.shards
            .get(index)
            .and_then(|shard| shard.try_lock_for(WAIT))
            .ok_or_else(|| StorageError::new(StorageErrorKind::Unavailable, "the name is in use"))
    }
}
