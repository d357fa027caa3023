//! What operators and accounts say about object stores, and what all of them share in a process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::budget::Budget;
use super::call::Patience;
use super::sweep::Sweeper;
use super::tasks::Tasks;
use super::times::Times;
use crate::config::ObjectStoresSettings;

/// Bytes that came before their turn, of all uploads together; whoever sends more of them is refused.
const EARLY: u64 = 64 << 20;

/// How the files of one account are moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectSettings {
    /// All keys begin with this; empty, or ends with `/`.
    pub prefix: String,
    /// The storage class of new objects.
    pub storage_class: Option<String>,
    /// Bytes of a part of an upload.
    pub part_size: u64,
    /// Parts of one upload on their way at a time.
    pub upload_concurrency: usize,
    /// Bytes that one call reads ahead.
    pub read_size: u64,
    /// Calls that read ahead for one download at a time.
    pub read_concurrency: usize,
    /// Objects of a directory that are copied or removed at a time when it is renamed.
    pub rename_concurrency: usize,
}

impl Default for ObjectSettings {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            storage_class: None,
            part_size: 5 << 20,
            upload_concurrency: 4,
            read_size: 4 << 20,
            read_concurrency: 4,
            rename_concurrency: 16,
        }
    }
}

/// What the object stores of one process share. A clone is the same.
#[derive(Debug, Clone)]
pub struct ObjectEngine {
    pub(super) uploads: Budget,
    pub(super) reads: Budget,
    /// What came before its turn.
    pub(super) early: Budget,
    pub(super) patience: Patience,
    pub(super) tasks: Tasks,
    pub(super) sweeper: Sweeper,
    pub(super) times: Times,
    numbers: std::sync::Arc<Numbers>,
}

#[derive(Debug)]
struct Numbers {
    start: u64,
    next: AtomicU64,
}

impl Default for ObjectEngine {
    /// As the settings are by default, on the runtime of the caller.
    fn default() -> Self {
        Self::of(&ObjectStoresSettings::default())
    }
}

impl ObjectEngine {
    /// As the settings say, on the runtime of the caller.
    pub fn of(settings: &ObjectStoresSettings) -> Self {
        let uploads = Budget::new(settings.upload_memory);
        let reads = Budget::new(settings.download_memory);
        let mut engine = Self::new(uploads, reads, Patience::default());
        engine.sweeper = Sweeper::new(settings.abandoned_after);
        engine
    }

    /// With these budgets for uploads and for what is read ahead, on the runtime of the caller; unfinished uploads of others are
    /// left alone.
    pub fn new(uploads: Budget, reads: Budget, patience: Patience) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let start = now.unwrap_or(Duration::ZERO).as_nanos();
        Self {
            uploads,
            reads,
            early: Budget::new(EARLY),
            patience,
            tasks: Tasks::here(),
            sweeper: Sweeper::new(None),
            times: Times::default(),
            numbers: std::sync::Arc::new(Numbers {
                // The low half tells two starts apart.
                start: u64::try_from(start & u128::from(u64::MAX)).unwrap_or(0),
                next: AtomicU64::new(0),
            }),
        }
    }

    /// What no other upload has: of this process, and of all.
    pub(super) fn number(&self) -> (u64, u64) {
        let number = self.numbers.next.fetch_add(1, Ordering::Relaxed);
        (self.numbers.start, number)
    }
}
