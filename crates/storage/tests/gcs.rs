//! Google Cloud Storage: on an emulator that others wrote, and on a fake of ours for what that lacks.
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

#[path = "gcs/conformance.rs"]
mod conformance;
#[path = "gcs/fault.rs"]
mod fault;
#[path = "gcs/listing.rs"]
mod listing;
#[path = "gcs/transfer.rs"]
mod transfer;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sftpgo_model::StoragePath;
use sftpgo_storage::backend::gcs::{GcsBackend, GcsCredentials, GcsSettings};
use sftpgo_storage::backend::object::{
    Budget, ObjectEngine, ObjectSettings, ObjectStorage, Patience,
};
use sftpgo_storage::{
    Chunk, OpenExisting, Storage as _, StorageResult, Target, WriteHandle, WriteOptions,
    WriteVisibility,
};
use sftpgo_teststore::{FakeGcs, Pattern};
use tokio::runtime::Runtime;

const BUCKET: &str = "bucket";
const KIB: u64 = 1 << 10;
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

/// Runs a future to its end where no test waits for it, on a runtime that outlives all of them.
fn elsewhere<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    });
    std::thread::spawn(move || runtime.block_on(future))
        .join()
        .unwrap()
}

/// Everything below a prefix of its own, at a store that asks nobody who they are.
async fn open(
    store: SocketAddr,
    bucket: &str,
    engine: ObjectEngine,
    change: impl FnOnce(&mut GcsSettings),
) -> ObjectStorage {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut settings = GcsSettings {
        bucket: bucket.to_owned(),
        endpoint: Some(format!("http://{store}")),
        credentials: GcsCredentials::Anonymous,
        objects: ObjectSettings {
            prefix: format!("home/{number}/"),
            ..ObjectSettings::default()
        },
        ..GcsSettings::default()
    };
    change(&mut settings);
    let backend = GcsBackend::new(engine, Arc::default());
    backend.open(&settings).await.unwrap()
}

async fn fake() -> FakeGcs {
    let fake = FakeGcs::start(None).await;
    fake.make_bucket(BUCKET);
    fake
}

/// With parts of 256 KiB, without a prefix, and with little patience, through whatever stands before the store.
async fn hasty(store: SocketAddr) -> ObjectStorage {
    let patience = Patience {
        attempts: 4,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(4),
        ..Patience::default()
    };
    let engine = ObjectEngine::new(Budget::new(64 << 20), Budget::new(64 << 20), patience);
    open(store, BUCKET, engine, |settings| {
        settings.objects.prefix.clear();
        settings.objects.part_size = 1;
    })
    .await
}

fn at(path: &str) -> Target {
    Target::unguarded(StoragePath::parse(path.as_bytes()).unwrap())
}

/// Sends the pattern from one place to another.
async fn send(upload: &dyn WriteHandle, from: u64, to: u64) -> StorageResult<()> {
    let mut offset = from;
    for piece in Pattern::pieces(from, to - from) {
        let len = piece.len() as u64;
        let pieces = vec![piece];
        upload.write_at(vec![Chunk { offset, pieces }]).await?;
        offset += len;
    }
    Ok(())
}

/// Makes a file of the pattern, or goes on with one.
async fn write(
    storage: &ObjectStorage,
    path: &str,
    options: &WriteOptions,
    from: u64,
    to: u64,
) -> StorageResult<()> {
    let upload = storage.open_write(&at(path), options).await?;
    send(&*upload, from, to).await?;
    upload.finish().await?;
    Ok(())
}

/// Reads a file from its start to its end.
async fn read(storage: &ObjectStorage, path: &str) -> StorageResult<Vec<u8>> {
    let file = storage.open_read(&at(path)).await?;
    let mut bytes = Vec::new();
    loop {
        let before = bytes.len();
        bytes = file.read_at(before as u64, 200_000, bytes).await?;
        if bytes.len() == before {
            return Ok(bytes);
        }
    }
}
