//! Uploads: bytes go to the store in parts while they come, and become an object when the last one is there.
//!
//! Files smaller than one part are sent by one call. Nothing is written to a disk, and nothing is seen before the end.

mod assembly;
mod continued;
mod finish;
mod sender;
mod window;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;

use self::assembly::Assembly;
pub(super) use self::continued::is_rest;
use super::look::{Found, nothing_there};
use super::pin::UploadPin;
use super::storage::{Inner, is_a_directory, unsupported};
use super::store::Condition;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{FileId, FileTime, Metadata, SetAttributes};
use crate::reserved::check_new;
use crate::storage::{
    Chunk, Ended, Ending, Expected, OpenExisting, Pinned, Target, WriteHandle, WriteOptions,
};
use sftpgo_model::StoragePath;

/// An object that is being written.
#[derive(Debug)]
pub(super) struct ObjectWrite {
    inner: Arc<Inner>,
    path: StoragePath,
    key: String,
    /// What was at the key at the beginning.
    replaced: Option<Metadata>,
    /// What must hold of the key in the end.
    condition: Condition,
    /// Whether what was there goes on: written at its end.
    continues: bool,
    id: FileId,
    pin: Arc<UploadPin>,
    modified: Mutex<Option<FileTime>>,
    /// Waited for: whoever sends must let others wait until the store has taken something.
    assembly: tokio::sync::Mutex<Assembly>,
}

impl ObjectWrite {
    /// Makes nothing at the store yet.
    pub(super) async fn open(
        inner: Arc<Inner>,
        target: &Target,
        options: &WriteOptions,
    ) -> StorageResult<Self> {
        let path = &target.path;
        if options.create {
            check_new(path)?;
        }
        let found = inner.look(path).await?;
        let replaced = inner.metadata(path, &found)?;
        let base = match (found, options.existing) {
            (Found::Folder, _) => return Err(is_a_directory("open")),
            (Found::Nothing, _) if !options.create => return Err(nothing_there()),
            (Found::File(_), OpenExisting::Refuse) => {
                let context = "something is there";
                return Err(StorageError::new(StorageErrorKind::AlreadyExists, context));
            }
            (Found::File(info), OpenExisting::Keep) => Some(*info),
            (Found::Nothing, _) | (Found::File(_), OpenExisting::Truncate) => None,
        };
        let key = inner.keys.file(path)?;
        let (start, number) = inner.engine.number();
        let continued = replaced.filter(|_| base.is_some());
        let id = match continued.and_then(|old| old.id) {
            Some(id) => id,
            None => inner.identities.upload(&key, start, number),
        };
        // A file that has no name counts for nothing.
        let pin = continued.unwrap_or(Metadata {
            links: 0,
            id: Some(id),
            ..inner.plain_file(0, now())
        });
        let condition = match options.existing {
            OpenExisting::Refuse => Condition::Absent,
            OpenExisting::Keep | OpenExisting::Truncate => Condition::None,
        };
        let continues = base.is_some();
        let assembly = Assembly::new(Arc::clone(&inner), &key, condition, base);
        Ok(Self {
            path: path.clone(),
            condition,
            continues,
            id,
            pin: Arc::new(UploadPin::new(pin)),
            modified: Mutex::new(None),
            assembly: tokio::sync::Mutex::new(assembly),
            replaced,
            key,
            inner,
        })
    }
}

#[async_trait]
impl WriteHandle for ObjectWrite {
    async fn stat(&self) -> StorageResult<Metadata> {
        let size = self.assembly.lock().await.len();
        let modified = *self.modified.lock();
        Ok(Metadata {
            id: Some(self.id),
            ..self.inner.plain_file(size, modified.unwrap_or_else(now))
        })
    }

    fn replaced(&self) -> Option<&Metadata> {
        self.replaced.as_ref()
    }

    async fn write_at(&self, chunks: Vec<Chunk>) -> StorageResult<()> {
        self.assembly.lock().await.write(&chunks).await
    }

    fn try_write_at(&self, chunks: &[Chunk]) -> Option<StorageResult<()>> {
        self.assembly.try_lock().ok()?.try_write(chunks)
    }

    async fn read_at(&self, _offset: u64, _len: usize, _buffer: Vec<u8>) -> StorageResult<Vec<u8>> {
        Err(unsupported("an object cannot be read while it is written"))
    }

    async fn set_len(&self, size: u64) -> StorageResult<()> {
        self.assembly.lock().await.set_len(size)
    }

    /// The time of the last change is kept until the end, the rest accepted and left alone.
    async fn set_attributes(&self, changes: &SetAttributes) -> StorageResult<()> {
        changes.check()?;
        if let Some((_, modified)) = changes.times {
            *self.modified.lock() = Some(modified);
        }
        Ok(())
    }

    /// Parts are on stable storage when the store has taken them, and of no use before the end.
    async fn sync(&self) -> StorageResult<()> {
        Ok(())
    }

    fn pin(&self) -> Arc<dyn Pinned> {
        Arc::clone(&self.pin) as _
    }

    async fn pin_replaced(&self) -> StorageResult<Option<Box<dyn Pinned>>> {
        if self.continues {
            return Ok(None);
        }
        let found = self.inner.look_at(&self.path).await?;
        let Some(metadata) = self.inner.metadata(&self.path, &found)? else {
            return Ok(None);
        };
        Ok(Some(Box::new(self.inner.pins.keep(&self.key, metadata))))
    }

    async fn end(&mut self, how: Ending, expected: Expected) -> StorageResult<Ended> {
        match how {
            Ending::Finish => self.finish(expected).await,
            // Parts of a file are never seen, also where what has arrived is kept elsewhere: nobody could tell them from a
            // whole one.
            Ending::GiveUp | Ending::Discard => self.give_up().await,
        }
    }
}

/// The time of this machine, for what the store has given no time yet.
fn now() -> FileTime {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default();
    FileTime {
        seconds: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        nanos: now.subsec_nanos(),
    }
}

/// One chunk's pieces with the offset of each.
fn placed(chunk: &Chunk) -> impl Iterator<Item = (u64, &Bytes)> {
    let mut offset = chunk.offset;
    chunk.pieces.iter().map(move |piece| {
        let at = offset;
        offset = offset.saturating_add(piece.len() as u64);
        (at, piece)
    })
}
