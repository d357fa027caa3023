//! The way to the blocking pool: one hop for one operation, and so few at a time for each disk that one that hangs cannot take
//! every thread of the process, nor the places of the others.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// Operations at the same time on one disk. Whoever waits for a place is a caller with its own bound, so the queue is bounded too.
const OPERATIONS: usize = 64;
/// Walks over a whole tree at the same time; they have places of their own, because each may take minutes.
const SCANS: usize = 4;
/// How long an operation waits for a place.
const WAIT: Duration = Duration::from_secs(30);
/// How long a scan waits for a place.
const SCAN_WAIT: Duration = Duration::from_secs(600);

/// The pools of the disks in use, by device number.
#[derive(Debug, Default)]
pub(super) struct Pools(Mutex<HashMap<u64, Weak<Pool>>>);

impl Pools {
    /// The pool of a device; every storage on it shares one.
    pub(super) fn of(&self, device: u64) -> Arc<Pool> {
        let mut pools = self.0.lock();
        if let Some(pool) = pools.get(&device).and_then(Weak::upgrade) {
            return pool;
        }
        pools.retain(|_, pool| pool.strong_count() > 0);
        let pool = Arc::new(Pool::new());
        pools.insert(device, Arc::downgrade(&pool));
        pool
    }
}

/// The places of one disk.
#[derive(Debug)]
pub(super) struct Pool {
    operations: Arc<Semaphore>,
    scans: Arc<Semaphore>,
}

impl Pool {
    fn new() -> Self {
        Self {
            operations: Arc::new(Semaphore::new(OPERATIONS)),
            scans: Arc::new(Semaphore::new(SCANS)),
        }
    }

    /// Does `work` on a thread that may wait. When the caller stops waiting, `work` goes on to its end; its place is taken
    /// until then, and the disk keeps this pool.
    pub(super) async fn run<T, F>(self: &Arc<Self>, work: F) -> StorageResult<T>
    where
        F: FnOnce() -> StorageResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let place = match Arc::clone(&self.operations).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => wait(&self.operations, WAIT).await?,
        };
        hop(Arc::clone(self), place, work).await
    }

    /// The same for a walk over a whole tree.
    pub(super) async fn scan<T, F>(self: &Arc<Self>, work: F) -> StorageResult<T>
    where
        F: FnOnce() -> StorageResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let place = wait(&self.scans, SCAN_WAIT).await?;
        hop(Arc::clone(self), place, work).await
    }
}

async fn wait(places: &Arc<Semaphore>, limit: Duration) -> StorageResult<OwnedSemaphorePermit> {
    match tokio::time::timeout(limit, Arc::clone(places).acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        Ok(Err(_)) | Err(_) => Err(StorageError::new(
            StorageErrorKind::Unavailable,
            "the disk is too busy",
        )),
    }
}

async fn hop<T, F>(pool: Arc<Pool>, place: OwnedSemaphorePermit, work: F) -> StorageResult<T>
where
    F: FnOnce() -> StorageResult<T> + Send + 'static,
    T: Send + 'static,
{
    let task = tokio::task::spawn_blocking(move || {
        let result = work();
        drop((place, pool));
        result
    });
    match task.await {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(StorageError::with_source(
            StorageErrorKind::Internal,
            "a disk operation",
            error,
        )),
        Err(error) => Err(StorageError::with_source(
            StorageErrorKind::Unavailable,
            "shutting down",
            error,
        )),
    }
}
