//! A file that is open for writing.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use rustix::fs::{fdatasync, fsync, ftruncate};

use super::attributes::apply_to_open;
use super::disk::stat_open;
use super::error::fault;
use super::file::{OpenFile, check_range};
use super::identity::Identity;
use super::pool::Pool;
use super::read::read_on_pool;
use super::temporary::Pending;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{FileTime, Metadata, SetAttributes};
use crate::storage::{Chunk, Removed, WriteHandle};

/// The blocking side: an open file and the name it waits for, if it does not have it yet.
#[derive(Debug)]
pub(super) struct Upload {
    /// Before the file, so that it goes before the file is closed.
    identity: Identity,
    pub(super) file: Arc<OpenFile>,
    replaced: Option<Metadata>,
    pending: Option<Pending>,
}

impl Upload {
    pub(super) fn in_place(file: OpenFile, identity: Identity, replaced: Option<Metadata>) -> Self {
        Self {
            identity,
            file: Arc::new(file),
            replaced,
            pending: None,
        }
    }

    pub(super) fn pending(
        file: Arc<OpenFile>,
        identity: Identity,
        replaced: Option<Metadata>,
        pending: Pending,
    ) -> Self {
        Self {
            identity,
            file,
            replaced,
            pending: Some(pending),
        }
    }

    /// Files in place are as durable as the kernel makes them, like those of any other program; a client that wants more asks
    /// for `fsync`. A replacement is on disk before it takes the old file's place.
    fn finish(self, times: Option<(FileTime, FileTime)>) -> StorageResult<(Metadata, Removed)> {
        if self.pending.is_some() {
            fdatasync(&self.file).map_err(|errno| fault("sync an upload", errno))?;
        }
        // Writes that came after the client set the times have changed them.
        let changes = SetAttributes {
            times,
            ..SetAttributes::default()
        };
        apply_to_open(&*self.file, &changes)?;
        let Some(pending) = self.pending else {
            return Ok((stat_open(&*self.file)?, None));
        };
        let dir = Arc::clone(&pending.goal.dir);
        let published = pending.publish()?;
        Pending::sync_directory(&dir)?;
        Ok(published)
    }

    fn abort(self) -> StorageResult<Option<(Metadata, Removed)>> {
        match self.pending {
            Some(pending) => pending.give_up(),
            None => Ok(Some((stat_open(&*self.file)?, None))),
        }
    }
}

/// The asynchronous side.
#[derive(Debug)]
pub(super) struct LocalWrite {
    upload: Upload,
    /// The times the client asked for last.
    times: Mutex<Option<(FileTime, FileTime)>>,
    pool: Arc<Pool>,
    /// Whether the upload has ended. Held for reading by whatever changes the contents: a caller may stop waiting for a
    /// write, which then goes on by itself, and must not change a file whose size was already told.
    ended: Arc<RwLock<bool>>,
}

impl LocalWrite {
    pub(super) fn new(upload: Upload, pool: Arc<Pool>) -> Self {
        Self {
            upload,
            times: Mutex::new(None),
            pool,
            ended: Arc::default(),
        }
    }

    /// Runs a change of the contents, unless the upload ended before it got its turn.
    async fn change<F>(&self, work: F) -> StorageResult<()>
    where
        F: FnOnce(&OpenFile) -> StorageResult<()> + Send + 'static,
    {
        let ended = Arc::clone(&self.ended);
        self.run(move |file| {
            let ended = ended.read();
            if *ended {
                return Err(StorageError::new(
                    StorageErrorKind::Unavailable,
                    "the upload has ended",
                ));
            }
            work(file)
        })
        .await
    }

    async fn run<T, F>(&self, work: F) -> StorageResult<T>
    where
        F: FnOnce(&OpenFile) -> StorageResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let file = Arc::clone(&self.upload.file);
        self.pool.run(move || work(&file)).await
    }
}

#[async_trait]
impl WriteHandle for LocalWrite {
    async fn stat(&self) -> StorageResult<Metadata> {
        let metadata = if self.upload.file.knows_attributes() {
            stat_open(&*self.upload.file)?
        } else {
            self.run(|file| stat_open(file)).await?
        };
        Ok(self.upload.identity.name(metadata))
    }

    fn replaced(&self) -> Option<&Metadata> {
        self.upload.replaced.as_ref()
    }

    async fn write_at(&self, chunks: Vec<Chunk>) -> StorageResult<()> {
        self.change(move |file| file.write(&chunks)).await
    }

    fn try_write_at(&self, chunks: &[Chunk]) -> Option<StorageResult<()>> {
        let file = &self.upload.file;
        file.is_in_memory().then(|| file.write(chunks))
    }

    async fn read_at(&self, offset: u64, len: usize, buffer: Vec<u8>) -> StorageResult<Vec<u8>> {
        read_on_pool(&self.pool, &self.upload.file, offset, len, buffer).await
    }

    async fn set_len(&self, size: u64) -> StorageResult<()> {
        check_range(size, 0)?;
        self.change(move |file| ftruncate(file, size).map_err(|errno| fault("truncate", errno)))
            .await
    }

    async fn set_attributes(&self, changes: &SetAttributes) -> StorageResult<()> {
        let changes = *changes;
        self.run(move |file| apply_to_open(file, &changes)).await?;
        if changes.times.is_some() {
            *self.times.lock() = changes.times;
        }
        Ok(())
    }

    async fn sync(&self) -> StorageResult<()> {
        self.run(|file| fsync(file).map_err(|errno| fault("sync", errno)))
            .await
    }

    async fn finish(self: Box<Self>) -> StorageResult<(Metadata, Removed)> {
        let Self {
            upload,
            times,
            pool,
            ended,
        } = *self;
        let times = times.into_inner();
        // Nothing is left to be done but to look.
        if upload.pending.is_none()
            && times.is_none()
            && upload.file.knows_attributes()
            && end_now(&ended)
        {
            return upload.finish(None);
        }
        pool.run(move || {
            *ended.write() = true;
            upload.finish(times)
        })
        .await
    }

    async fn abort(self: Box<Self>) -> StorageResult<Option<(Metadata, Removed)>> {
        let Self {
            upload,
            times: _,
            pool,
            ended,
        } = *self;
        pool.run(move || {
            *ended.write() = true;
            upload.abort()
        })
        .await
    }
}

/// Ends the upload if nothing changes its contents just now; does not wait.
fn end_now(ended: &RwLock<bool>) -> bool {
    ended.try_write().map(|mut ended| *ended = true).is_some()
}
