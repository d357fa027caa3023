//! S3 as others serve it: the conformance suite, and what shows only where bytes go through sockets.
//!
//! moto does nearly all of S3, `rclone serve s3` checks signatures and lacks much, the fake refuses what Amazon refuses. One of
//! each serves all tests, each of which has a bucket of its own.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

#[path = "s3/conformance.rs"]
mod conformance;
#[path = "s3/credentials.rs"]
mod credentials;
#[path = "s3/lacking.rs"]
mod lacking;
#[path = "s3/listing.rs"]
mod listing;
#[path = "s3/transfers.rs"]
mod transfers;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use sftpgo_model::StoragePath;
use sftpgo_storage::backend::object::{ObjectEngine, ObjectSettings, ObjectStorage};
use sftpgo_storage::backend::s3::{S3Backend, S3Credentials, S3Settings};
use sftpgo_storage::{
    Chunk, OpenExisting, Storage, Target, WriteHandle, WriteOptions, WriteVisibility,
};
use sftpgo_teststore::{Emulator, FakeS3, Keys, Settings, moto, rclone};
use tokio::runtime::{Builder, Runtime};

/// Whose signatures the fake accepts; the emulators have the same.
const KEYS: Keys = Keys {
    id: "test-access-key",
    secret: "not-a-secret",
};

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

/// A store that tests can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Store {
    Moto,
    Rclone,
    Fake,
}

/// All of them.
const STORES: [Store; 3] = [Store::Moto, Store::Rclone, Store::Fake];

impl Store {
    fn emulator(self) -> Option<Arc<Emulator>> {
        match self {
            Self::Moto => Some(moto()),
            Self::Rclone => Some(rclone()),
            Self::Fake => None,
        }
    }

    /// A bucket of its own, and what an account says to use it.
    async fn bucket(self) -> S3Settings {
        static BUCKETS: AtomicU32 = AtomicU32::new(0);
        let (address, bucket) = match self.emulator() {
            Some(emulator) => (emulator.address(), emulator.bucket().await),
            None => {
                let bucket = format!("bucket-{}", BUCKETS.fetch_add(1, Ordering::Relaxed));
                fake().make_bucket(&bucket);
                (fake().address(), bucket)
            }
        };
        settings(address, &bucket)
    }
}

fn settings(address: SocketAddr, bucket: &str) -> S3Settings {
    S3Settings {
        bucket: bucket.to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(format!("http://{address}")),
        force_path_style: true,
        credentials: S3Credentials::Key {
            id: KEYS.id.to_owned(),
            secret: KEYS.secret.to_owned().into(),
            session_token: None,
        },
        objects: ObjectSettings {
            prefix: "home/of one/".to_owned(),
            ..ObjectSettings::default()
        },
        ..S3Settings::default()
    }
}

async fn open(settings: &S3Settings) -> ObjectStorage {
    let backend = S3Backend::new(ObjectEngine::default(), Arc::default());
    backend.open(settings).await.unwrap()
}

/// The fake that the tests of this process share; it outlives their runtimes.
fn fake() -> &'static FakeS3 {
    static FAKE: OnceLock<FakeS3> = OnceLock::new();
    FAKE.get_or_init(|| {
        let settings = Settings {
            keys: Some(KEYS),
            ..Settings::default()
        };
        elsewhere(FakeS3::with(settings))
    })
}

/// Does `work` on a runtime that lives as long as the process, and waits for it; also where another runtime is entered.
fn elsewhere<T: Send>(work: impl Future<Output = T> + Send) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    });
    std::thread::scope(|scope| {
        let work = scope.spawn(|| runtime.block_on(work));
        work.join().unwrap()
    })
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

/// Writes as clients do: in packets.
async fn send(upload: &dyn WriteHandle, offset: usize, bytes: &[u8]) {
    let mut place = offset;
    for packet in bytes.chunks(32_768) {
        upload.write_at(vec![chunk(place, packet)]).await.unwrap();
        place += packet.len();
    }
}

async fn write(storage: &ObjectStorage, path: &str, bytes: &[u8]) {
    let upload = storage.open_write(&at(path), &OPTIONS).await.unwrap();
    send(upload.as_ref(), 0, bytes).await;
    upload.finish().await.unwrap();
}

async fn read(storage: &ObjectStorage, path: &str) -> Vec<u8> {
    let file = storage.open_read(&at(path)).await.unwrap();
    let mut content = Vec::new();
    loop {
        let len = content.len();
        content = file.read_at(len as u64, 261_120, content).await.unwrap();
        if content.len() == len {
            return content;
        }
    }
}

async fn names(storage: &ObjectStorage, path: &str) -> Vec<String> {
    let mut listing = storage.list(&at(path)).await.unwrap();
    let mut names = Vec::new();
    loop {
        let page = listing.next_page(1000).await.unwrap();
        if page.is_empty() {
            return names;
        }
        names.extend(
            page.into_iter()
                .map(|entry| String::from_utf8(entry.name).unwrap()),
        );
    }
}
