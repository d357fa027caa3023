//! What the conformance suite does not see: the file, what is on the disk when, and disks that fail.

mod device;
mod failing;
mod files;
mod lasting;
mod size;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use redb::Builder;
use redb::backends::InMemoryBackend;
use tokio::time::{Instant, sleep};

use super::engine::{self, BoltProvider};
use crate::error::DataResult;
use crate::provider::DataProvider;

/// A provider whose file is in memory: quick, and gone when it closes.
pub(crate) async fn in_memory() -> Arc<dyn DataProvider> {
    let opened = engine::open("bolt database in memory".to_owned(), |faults| {
        let made = Builder::new().create_with_backend(InMemoryBackend::new());
        made.map_err(|error| faults.classify(error))
    });
    Arc::new(opened.await.unwrap().0)
}

/// A directory of its own with a database file in it, not yet made.
struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sftpgo.bolt");
        Self {
            _directory: directory,
            path,
        }
    }

    async fn open(&self) -> DataResult<BoltProvider> {
        let opened = super::open_file(&self.path, Duration::ZERO).await;
        opened.map(|(provider, _)| provider)
    }
}

/// Looks again and again, at most for a time that only a failure takes.
async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition().await {
        assert!(Instant::now() < deadline, "it did not come to pass");
        sleep(Duration::from_millis(5)).await;
    }
}
