//! Azure Blob Storage, as azurite plays it.
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

#[path = "azblob/credential.rs"]
mod credential;
#[path = "azblob/fault.rs"]
mod fault;
#[path = "azblob/file.rs"]
mod file;
#[path = "azblob/name.rs"]
mod name;
#[path = "azblob/page.rs"]
mod page;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sftpgo_model::StoragePath;
use sftpgo_storage::backend::azblob::{AzureBackend, AzureCredentials, AzureSettings};
use sftpgo_storage::backend::object::{
    Budget, ObjectEngine, ObjectSettings, ObjectStorage, Patience,
};
use sftpgo_storage::conformance::Fixture;
use sftpgo_storage::{
    Chunk, Entry, OpenExisting, Storage, StorageResult, Target, WriteHandle, WriteOptions,
    WriteVisibility,
};
use sftpgo_teststore::{Call, Dialect, Emulator, Proxy, Reply, azurite, encode_key};

const MIB: usize = 1 << 20;

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

/// A container of its own behind a proxy, with parts of a MiB.
struct Subject {
    azurite: Arc<Emulator>,
    container: String,
    proxy: Proxy,
    settings: AzureSettings,
    storage: ObjectStorage,
}

/// The settings of an account that has the key.
fn settings(azurite: &Emulator, container: &str, endpoint: String) -> AzureSettings {
    AzureSettings {
        container: container.to_owned(),
        account: azurite.keys().id.to_owned(),
        endpoint,
        credentials: AzureCredentials::Key(azurite.keys().secret.to_owned().into()),
        certificate_authorities: None,
        objects: ObjectSettings {
            part_size: MIB as u64,
            ..ObjectSettings::default()
        },
    }
}

/// Repeats soon, so that a test that makes calls fail ends soon.
fn engine() -> ObjectEngine {
    let patience = Patience {
        attempts: 4,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(5),
        ..Patience::default()
    };
    ObjectEngine::new(Budget::new(64 << 20), Budget::new(64 << 20), patience)
}

async fn open(settings: &AzureSettings) -> StorageResult<ObjectStorage> {
    let backend = AzureBackend::new(engine(), Arc::default());
    backend.open(settings).await
}

async fn subject() -> Subject {
    subject_with(|_| {}).await
}

async fn subject_with(change: impl FnOnce(&mut AzureSettings)) -> Subject {
    let azurite = azurite();
    let container = azurite.bucket().await;
    let proxy = Proxy::http(azurite.address(), Dialect::Azure).await;
    let endpoint = azurite.endpoint(proxy.address());
    let mut settings = settings(&azurite, &container, endpoint);
    change(&mut settings);
    let storage = open(&settings).await.unwrap();
    Subject {
        azurite,
        container,
        proxy,
        settings,
        storage,
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

/// Bytes that differ from their neighbours, and from those of another seed.
fn pattern(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 ^ seed).collect()
}

async fn folder(storage: &ObjectStorage, path: &str) {
    let made = storage.create_dir(&at(path), 0o755, (None, None)).await;
    made.unwrap();
}

async fn write(storage: &ObjectStorage, path: &str, bytes: &[u8]) -> StorageResult<()> {
    let upload = storage.open_write(&at(path), &OPTIONS).await?;
    fill(upload.as_ref(), 0, bytes).await?;
    upload.finish().await?;
    Ok(())
}

async fn fill(upload: &dyn WriteHandle, from: usize, bytes: &[u8]) -> StorageResult<()> {
    for (index, piece) in bytes.chunks(100_000).enumerate() {
        upload
            .write_at(vec![chunk(from + index * 100_000, piece)])
            .await?;
    }
    Ok(())
}

async fn read(storage: &ObjectStorage, path: &str) -> StorageResult<Vec<u8>> {
    let file = storage.open_read(&at(path)).await?;
    let mut got = Vec::new();
    loop {
        let before = got.len();
        got = file.read_at(before as u64, 200_000, got).await?;
        if got.len() == before {
            return Ok(got);
        }
    }
}

async fn list(storage: &ObjectStorage, path: &str) -> StorageResult<Vec<Entry>> {
    let mut listing = storage.list(&at(path)).await?;
    let mut entries = Vec::new();
    loop {
        let page = listing.next_page(100).await?;
        if page.is_empty() {
            return Ok(entries);
        }
        entries.extend(page);
    }
}

async fn names(storage: &ObjectStorage, path: &str) -> Vec<String> {
    let entries = list(storage, path).await.unwrap().into_iter();
    entries
        .map(|entry| String::from_utf8(entry.name).unwrap())
        .collect()
}

impl Subject {
    /// Asks the store about a blob, as another program would.
    async fn blob(&self, method: &'static str, key: &str, headers: &[(&str, &str)]) -> Reply {
        let root = self.azurite.endpoint(self.azurite.address());
        let (_, root) = root.rsplit_once('/').unwrap();
        let target = format!("/{root}/{}/{}", self.container, encode_key(key));
        let mut call = Call::new(method, target);
        for (name, value) in headers {
            call = call.header(name, *value);
        }
        self.azurite.call(call).await
    }

    /// An empty blob of another program.
    async fn other(&self, key: &str, headers: &[(&str, &str)]) {
        let mut all = vec![("x-ms-blob-type", "BlockBlob"), ("content-length", "0")];
        all.extend(headers);
        self.blob("PUT", key, &all).await.succeeded();
    }

    async fn content(&self, key: &str) -> Option<Bytes> {
        self.azurite.content(&self.container, key).await
    }
}

/// What a test begins outside of its own runtime, since the suite asks for a fixture without waiting for it.
fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(work)
    };
    std::thread::spawn(run).join().unwrap()
}

mod conformance {
    use super::*;

    fn fixture() -> Fixture {
        let backend = AzureBackend::new(ObjectEngine::default(), Arc::default());
        let storage = apart(async move {
            let azurite = azurite();
            let container = azurite.bucket().await;
            let endpoint = azurite.endpoint(azurite.address());
            let mut settings = settings(&azurite, &container, endpoint);
            settings.objects.prefix = "home/of one".to_owned();
            backend.open(&settings).await.unwrap()
        });
        Fixture {
            storage: Arc::new(storage),
            root_path: b"/".to_vec(),
            keep: Box::new(()),
        }
    }

    sftpgo_storage::conformance_suite!(fixture);
}
