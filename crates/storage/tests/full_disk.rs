//! A disk that is full fails the upload and leaves the old file. One test, because the limit is that of the whole process.
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

use std::sync::Arc;

use bytes::Bytes;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sftpgo_model::StoragePath;
use sftpgo_storage::backend::local::LocalBackend;
use sftpgo_storage::backend::memory::MemoryStorage;
use sftpgo_storage::{
    Chunk, OpenExisting, Storage, StorageErrorKind, Target, WriteHandle, WriteOptions,
    WriteVisibility,
};
use tokio::signal::unix::{SignalKind, signal};

const LIMIT: u64 = 64 * 1024;

fn file() -> Target {
    Target::unguarded(StoragePath::parse(b"file").unwrap())
}

async fn open(storage: &dyn Storage, visibility: WriteVisibility) -> Box<dyn WriteHandle> {
    let existing = OpenExisting::Truncate;
    let options = WriteOptions {
        existing,
        create: true,
        visibility,
        mode: 0o600,
        owner: (None, None),
    };
    storage.open_write(&file(), &options).await.unwrap()
}

fn kilobytes(count: usize) -> Vec<Chunk> {
    vec![Chunk {
        offset: 0,
        pieces: vec![Bytes::from(vec![b'x'; 1024]); count],
    }]
}

async fn a_full_storage_keeps_the_old_file(storage: Arc<dyn Storage>) {
    let upload = open(&*storage, WriteVisibility::InPlace).await;
    upload.write_at(kilobytes(8)).await.unwrap();
    upload.finish().await.unwrap();

    let upload = open(&*storage, WriteVisibility::OnFinish).await;
    let full = StorageErrorKind::StorageFull;
    assert_eq!(
        upload.write_at(kilobytes(80)).await.unwrap_err().kind(),
        full
    );
    assert_eq!(upload.set_len(1 << 40).await.unwrap_err().kind(), full);
    assert_eq!(upload.abort().await.unwrap(), None);
    assert_eq!(
        storage.truncate(&file(), 1 << 40).await.unwrap_err().kind(),
        full
    );

    let kept = storage.open_read(&file()).await.unwrap();
    assert_eq!(
        kept.read_at(0, 1 << 20, Vec::new()).await.unwrap(),
        vec![b'x'; 8 * 1024]
    );
    let usage = storage.usage().await.unwrap();
    assert_eq!((usage.files, usage.bytes), (1, 8 * 1024));

    let upload = open(&*storage, WriteVisibility::InPlace).await;
    assert_eq!(
        upload.write_at(kilobytes(80)).await.unwrap_err().kind(),
        full
    );
    upload.set_len(0).await.unwrap();
    upload.write_at(kilobytes(8)).await.unwrap();
    upload.finish().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_or_memory_keeps_the_old_file() {
    a_full_storage_keeps_the_old_file(Arc::new(MemoryStorage::new(LIMIT))).await;

    // The largest file that this process may write stands in for a small disk. The kernel signals (SIGXFSZ) besides.
    let _ignored = signal(SignalKind::from_raw(25)).unwrap();
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(
        Resource::Fsize,
        Rlimit {
            current: Some(LIMIT),
            maximum,
        },
    )
    .unwrap();
    let root = tempfile::tempdir().unwrap();
    a_full_storage_keeps_the_old_file(Arc::new(LocalBackend::new().open(root.path()).unwrap()))
        .await;
}
