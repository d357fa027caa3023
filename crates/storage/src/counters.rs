//! What back ends count of themselves, read by the metrics page. Plain atomics: counting never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `amount`.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// The value now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of every object store that metrics have names for (reference 13).
///
/// All are there from the start: a missing series is not the same to a dashboard or an alert rule as 0.
#[derive(Debug, Default)]
pub struct StoreCounters {
    /// Amazon S3 and what speaks like it.
    pub s3: Arc<ObjectStoreCounters>,
    /// Google Cloud Storage.
    pub gcs: Arc<ObjectStoreCounters>,
    /// Azure Blob Storage.
    pub azblob: Arc<ObjectStoreCounters>,
}

/// What is counted of one object store.
#[derive(Debug, Default)]
pub struct ObjectStoreCounters {
    /// Objects that were written.
    pub uploads: ObjectTransfers,
    /// Objects that were read.
    pub downloads: ObjectTransfers,
    /// Calls that list objects.
    pub list_objects: Calls,
    /// Calls that copy an object.
    pub copy_object: Calls,
    /// Calls that remove an object.
    pub delete_object: Calls,
    /// Calls that ask whether a bucket is there.
    pub head_bucket: Calls,
    /// Keys that listings left out, because no path leads to them.
    pub skipped_keys: Counter,
}

/// Objects that went one way.
#[derive(Debug, Default)]
pub struct ObjectTransfers {
    /// Those that went well.
    pub completed: Counter,
    /// Those that did not.
    pub failed: Counter,
    /// Bytes of both.
    pub bytes: Counter,
}

/// Calls of one kind.
#[derive(Debug, Default)]
pub struct Calls {
    /// Those that went well.
    pub ok: Counter,
    /// Those that did not.
    pub failed: Counter,
}
