//! A file that is open for writing.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use rustix::fs::{fdatasync, fsync, ftruncate};

use super::attributes::apply_to_open;
use super::close::settle_writes;
use super::disk::stat_open;
use super::error::fault;
use super::file::{OpenFile, check_range};
use super::identity::Identity;
use super::pin::{LocalPin, pin, pin_place, stat_on_pool};
use super::pool::Pool;
use super::read::read_on_pool;
use super::temporary::Pending;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{FileTime, Metadata, SetAttributes};
use crate::storage::{Chunk, Ended, Ending, Expected, FileEnd, Pinned, WriteHandle};

/// An open file and the name it waits for, if it does not have it yet.
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
}

/// The blocking side of the end. Files in place are as durable as the kernel makes them, like those of any other program; a
/// client that wants more asks for `fsync`. A replacement is on disk before it takes the old file's place.
fn finish(
    file: &OpenFile,
    pending: Option<&mut Pending>,
    times: Option<(FileTime, FileTime)>,
    expected: Expected,
) -> StorageResult<Ended> {
    if pending.is_some() {
        fdatasync(file).map_err(|errno| fault("sync an upload", errno))?;
    }
    // An upload that is told to be whole is.
    settle_writes(file)?;
    // Writes that came after the client set the times have changed them.
    let changes = SetAttributes {
        times,
        ..SetAttributes::default()
    };
    apply_to_open(file, &changes)?;
    let Some(pending) = pending else {
        return Ok(Some((stat_open(file)?, None)));
    };
    let published = pending.publish(expected)?;
    Pending::sync_directory(&pending.goal.dir)?;
    Ok(Some(published))
}

fn give_up(
    file: &OpenFile,
    pending: Option<&mut Pending>,
    expected: Expected,
) -> StorageResult<Ended> {
    match pending {
        Some(pending) => pending.give_up(expected),
        None => Ok(Some((stat_open(file)?, None))),
    }
}

fn discard(file: &OpenFile, pending: Option<&mut Pending>) -> StorageResult<Ended> {
    match pending {
        Some(pending) => {
            pending.discard();
            Ok(None)
        }
        None => Ok(Some((stat_open(file)?, None))),
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
        stat_on_pool(&self.pool, &self.upload.file).await
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

    async fn lock_end(&self) -> StorageResult<FileEnd> {
        let size = async { Ok(self.stat().await?.size) };
        FileEnd::take(self.upload.identity.appending(), size).await
    }

    async fn append(&self, end: FileEnd, pieces: Vec<Bytes>) -> StorageResult<()> {
        let file = &self.upload.file;
        if file.is_in_memory() {
            return file.append(&pieces);
        }
        self.change(move |file| {
            // The turn ends with the write, also if nobody waits for it any more.
            let _turn = end;
            file.append(&pieces)
        })
        .await
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

    fn pin(&self) -> Arc<dyn Pinned> {
        Arc::new(LocalPin {
            file: Arc::clone(&self.upload.file),
            pool: Arc::clone(&self.pool),
        })
    }

    async fn pin_replaced(&self) -> StorageResult<Option<Box<dyn Pinned>>> {
        let Some(pending) = &self.upload.pending else {
            return Ok(None);
        };
        let goal = pending.goal.clone();
        let object = if self.upload.file.is_in_memory() {
            pin_place(&goal)?
        } else {
            self.pool.run(move || pin_place(&goal)).await?
        };
        Ok(object.map(|object| pin(object, &self.pool)))
    }

    async fn end(&mut self, how: Ending, expected: Expected) -> StorageResult<Ended> {
        let times = *self.times.lock();
        let file = Arc::clone(&self.upload.file);
        let ended = Arc::clone(&self.ended);
        // Nothing is left to be done but to look.
        if self.upload.pending.is_none()
            && (times.is_none() || how != Ending::Finish)
            && file.knows_attributes()
            && end_now(&ended)
        {
            return give_up(&file, None, expected);
        }
        let mut pending = self.upload.pending.take();
        let (pending, result) = self
            .pool
            .run(move || {
                *ended.write() = true;
                let waiting = pending.as_mut();
                let result = match how {
                    Ending::Finish => finish(&file, waiting, times, expected),
                    Ending::GiveUp => give_up(&file, waiting, expected),
                    Ending::Discard => discard(&file, waiting),
                };
                Ok((pending, result))
            })
            .await?;
        if result
            .as_ref()
            .is_err_and(|error| error.kind() == StorageErrorKind::Raced)
        {
            self.upload.pending = pending;
        }
        result
    }
}

/// Ends the upload if nothing changes its contents just now; does not wait.
fn end_now(ended: &RwLock<bool>) -> bool {
    ended.try_write().map(|mut ended| *ended = true).is_some()
}
