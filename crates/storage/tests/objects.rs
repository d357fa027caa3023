//! What object stores have in common, on one in memory that fails when it is told to.
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

#[path = "objects/download.rs"]
mod download;
#[path = "objects/fault.rs"]
mod fault;
#[path = "objects/listing.rs"]
mod listing;
#[path = "objects/order.rs"]
mod order;
#[path = "objects/rename.rs"]
mod rename;
#[path = "objects/sweep.rs"]
mod sweep;
#[path = "objects/upload.rs"]
mod upload;

use std::sync::Arc;

use bytes::Bytes;
use sftpgo_model::StoragePath;
use sftpgo_storage::backend::object::fake::FakeStore;
use sftpgo_storage::backend::object::{
    Budget, ObjectEngine, ObjectSettings, ObjectStorage, Patience,
};
use sftpgo_storage::counters::ObjectStoreCounters;
use sftpgo_storage::{
    Chunk, Entry, OpenExisting, Storage, Target, WriteHandle, WriteOptions, WriteVisibility,
};

/// A storage and the store below it.
struct Subject {
    store: Arc<FakeStore>,
    storage: ObjectStorage,
    counters: Arc<ObjectStoreCounters>,
    uploads: Budget,
}

const OPTIONS: WriteOptions = WriteOptions {
    existing: OpenExisting::Truncate,
    create: true,
    visibility: WriteVisibility::OnFinish,
    mode: 0o644,
    owner: (None, None),
};
const CONTINUE: WriteOptions = WriteOptions {
    existing: OpenExisting::Keep,
    ..OPTIONS
};

/// With parts of ten bytes.
fn subject() -> Subject {
    with(FakeStore::default(), |_| {})
}

fn with(store: FakeStore, change: impl FnOnce(&mut ObjectSettings)) -> Subject {
    let mut settings = ObjectSettings {
        part_size: 10,
        ..ObjectSettings::default()
    };
    change(&mut settings);
    let store = Arc::new(store);
    let counters = Arc::<ObjectStoreCounters>::default();
    let uploads = Budget::new(8 << 20);
    let engine = ObjectEngine::new(uploads.clone(), Budget::new(64 << 20), Patience::default());
    let storage = ObjectStorage::new(store.clone(), settings, engine, Arc::clone(&counters));
    Subject {
        store,
        storage,
        counters,
        uploads,
    }
}

fn at(path: &str) -> Target {
    Target::unguarded(StoragePath::parse(path.as_bytes()).unwrap())
}

fn chunk(offset: usize, bytes: &[u8]) -> Chunk {
    Chunk {
        offset: offset as u64,
        pieces: vec![Bytes::copy_from_slice(bytes)],
    }
}

/// Bytes that differ from their neighbours.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

impl Subject {
    async fn open(&self, path: &str, options: &WriteOptions) -> Box<dyn WriteHandle> {
        self.storage.open_write(&at(path), options).await.unwrap()
    }

    async fn write(&self, path: &str, bytes: &[u8]) {
        let upload = self.open(path, &OPTIONS).await;
        upload.write_at(vec![chunk(0, bytes)]).await.unwrap();
        upload.finish().await.unwrap();
    }

    async fn list(&self, path: &str) -> Vec<Entry> {
        let mut listing = self.storage.list(&at(path)).await.unwrap();
        let mut entries = Vec::new();
        loop {
            let page = listing.next_page(100).await.unwrap();
            if page.is_empty() {
                return entries;
            }
            entries.extend(page);
        }
    }

    async fn names(&self, path: &str) -> Vec<String> {
        let entries = self.list(path).await.into_iter();
        entries
            .map(|entry| String::from_utf8(entry.name).unwrap())
            .collect()
    }

    /// Waits until nothing is left of uploads that nobody waits for.
    async fn settle(&self) {
        for _ in 0..1000 {
            if self.store.open_uploads() == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(self.store.open_uploads(), 0, "an upload was left behind");
    }
}
