//! What operations report as added and removed sums up to what is there, whoever races whom.
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sftpgo_model::StoragePath;
use sftpgo_storage::backend::local::LocalBackend;
use sftpgo_storage::backend::memory::MemoryStorage;
use sftpgo_storage::{
    Chunk, Metadata, OpenExisting, RenameMode, Storage, StorageResult, Target, WriteOptions,
    WriteVisibility,
};

const WORKERS: u64 = 6;
const ROUNDS: usize = 300;

/// Few names in two directories, so that the workers meet.
fn some_path(random: &mut StdRng) -> Target {
    let dir = if random.random_bool(0.5) { "" } else { "dir/" };
    let path = format!("{dir}{}", random.random_range(0..4));
    Target::unguarded(StoragePath::parse(path.as_bytes()).unwrap())
}

#[derive(Default)]
struct Sum {
    files: AtomicI64,
    bytes: AtomicI64,
}

impl Sum {
    fn add(&self, metadata: &Metadata) {
        if metadata.is_file() {
            self.files.fetch_add(1, Ordering::Relaxed);
            self.bytes
                .fetch_add(metadata.size as i64, Ordering::Relaxed);
        }
    }

    fn remove(&self, metadata: &Metadata) {
        if metadata.is_file() {
            self.files.fetch_sub(1, Ordering::Relaxed);
            self.bytes
                .fetch_sub(metadata.size as i64, Ordering::Relaxed);
        }
    }
}

async fn upload(storage: &dyn Storage, sum: &Sum, random: &mut StdRng) -> StorageResult<()> {
    use WriteVisibility::{InPlace, OnFinish, OnFinishKeepPartial};
    // What is written in place can be removed before its size is known; `core` settles that. Without bytes there is no doubt.
    let in_place = random.random_bool(0.2);
    let visibility = match random.random_range(0..2) {
        _ if in_place => InPlace,
        0 => OnFinish,
        _ => OnFinishKeepPartial,
    };
    let existing = if in_place || random.random_bool(0.1) {
        OpenExisting::Refuse
    } else {
        OpenExisting::Truncate
    };
    let options = WriteOptions {
        existing,
        create: true,
        visibility,
        mode: 0o644,
        owner: (None, None),
    };
    let handle = storage.open_write(&some_path(random), &options).await?;
    if in_place {
        let metadata = handle.finish().await?.0;
        assert_eq!(metadata.size, 0);
        sum.add(&metadata);
        return Ok(());
    }
    let bytes = Bytes::from(vec![b'x'; random.random_range(1..100)]);
    handle
        .write_at(vec![Chunk {
            offset: 0,
            pieces: vec![bytes],
        }])
        .await?;
    let finished = if random.random_bool(0.7) {
        Some(handle.finish().await?)
    } else {
        handle.abort().await?
    };
    if let Some((metadata, removed)) = finished {
        sum.add(&metadata);
        removed.iter().for_each(|removed| sum.remove(removed));
    }
    Ok(())
}

async fn step(storage: &dyn Storage, sum: &Sum, random: &mut StdRng) -> StorageResult<()> {
    match random.random_range(0..10) {
        0..4 => upload(storage, sum, random).await?,
        4..6 => sum.remove(&storage.remove_file(&some_path(random)).await?),
        6 => sum.add(
            &storage
                .hard_link(&some_path(random), &some_path(random))
                .await?,
        ),
        n => {
            let mode = if n == 7 {
                RenameMode::NoReplace
            } else {
                RenameMode::Replace
            };
            let removed = storage
                .rename(&some_path(random), &some_path(random), mode)
                .await?;
            removed.iter().for_each(|removed| sum.remove(removed));
        }
    }
    Ok(())
}

async fn sums_agree(storage: Arc<dyn Storage>) {
    let dir = Target::unguarded(StoragePath::parse(b"dir").unwrap());
    storage.create_dir(&dir, 0o755, (None, None)).await.unwrap();
    let sum = Arc::new(Sum::default());
    let workers: Vec<_> = (0..WORKERS)
        .map(|seed| {
            let (storage, sum) = (Arc::clone(&storage), Arc::clone(&sum));
            tokio::spawn(async move {
                let mut random = StdRng::seed_from_u64(seed);
                for _ in 0..ROUNDS {
                    // Losing a race is an answer as good as any other.
                    let _ = step(&*storage, &sum, &mut random).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let usage = storage.usage().await.unwrap();
    let counted = (
        sum.files.load(Ordering::Relaxed),
        sum.bytes.load(Ordering::Relaxed),
    );
    assert_eq!(counted, (usage.files as i64, usage.bytes as i64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sums_agree_on_local_disks() {
    let root = tempfile::tempdir().unwrap();
    sums_agree(Arc::new(LocalBackend::new().open(root.path()).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sums_agree_on_local_disks_without_openat2() {
    let root = tempfile::tempdir().unwrap();
    sums_agree(Arc::new(
        LocalBackend::with_component_walker()
            .open(root.path())
            .unwrap(),
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sums_agree_in_memory() {
    sums_agree(Arc::new(MemoryStorage::new(1 << 20))).await;
}
