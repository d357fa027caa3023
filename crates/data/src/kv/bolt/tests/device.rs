//! A disk that counts, and fails when it is told to.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{Builder, StorageBackend};

use crate::error::DataResult;
use crate::kv::bolt::engine::{self, BoltProvider};

/// What was asked of the disk, and what it does.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) fails: AtomicBool,
    pub(super) syncs: AtomicU64,
    pub(super) bytes_read: AtomicU64,
}

impl Disk {
    /// Opens a file on this disk.
    pub(super) async fn open(self: &Arc<Self>, path: &Path) -> DataResult<BoltProvider> {
        let (disk, path) = (Arc::clone(self), path.to_owned());
        let opened = engine::open("bolt database on a test disk".to_owned(), move |faults| {
            let device = Device::new(&path, &disk);
            let mut builder = Builder::new();
            let made = builder
                .set_cache_size(4 * 1024 * 1024)
                .create_with_backend(device);
            made.map_err(|error| faults.classify(error))
        });
        opened.await.map(|(provider, _)| provider)
    }

    fn check(&self) -> io::Result<()> {
        if self.fails.load(Ordering::Relaxed) {
            Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "the disk is full",
            ))
        } else {
            Ok(())
        }
    }
}

#[derive(Debug)]
struct Device {
    file: FileBackend,
    disk: Arc<Disk>,
}

impl Device {
    fn new(path: &Path, disk: &Arc<Disk>) -> Self {
        let path: PathBuf = path.to_owned();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).unwrap();
        Self {
            file: FileBackend::new(file).unwrap(),
            disk: Arc::clone(disk),
        }
    }
}

impl StorageBackend for Device {
    fn len(&self) -> io::Result<u64> {
        self.disk.check()?;
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.check()?;
        let read = u64::try_from(out.len()).unwrap();
        self.disk.bytes_read.fetch_add(read, Ordering::Relaxed);
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.check()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.check()?;
        self.disk.syncs.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.check()?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}
