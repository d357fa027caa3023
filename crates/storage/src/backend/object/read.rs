//! Downloads: several ranges ahead of whoever reads from the start to the end, and exactly what was asked for otherwise.

mod ahead;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;

use self::ahead::{Ahead, Piece};
use super::look::nothing_there;
use super::modified::modified_of;
use super::storage::Inner;
use super::store::{ObjectError, ObjectInfo, storage_kind};
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{Metadata, SetAttributes};
use crate::storage::ReadHandle;

/// An object open for reading: the version that was there when it was opened. Another version is never mixed with it.
#[derive(Debug)]
pub(super) struct ObjectRead {
    inner: Arc<Inner>,
    key: Arc<str>,
    info: ObjectInfo,
    ahead: Mutex<Ahead>,
    begun: AtomicBool,
    failed: AtomicBool,
}

impl ObjectRead {
    pub(super) fn new(inner: Arc<Inner>, key: String, info: ObjectInfo) -> Self {
        Self {
            inner,
            key: key.into(),
            info,
            ahead: Mutex::new(Ahead::default()),
            begun: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        }
    }

    /// The end of what can be read from `offset`.
    fn end(&self, offset: u64, len: usize) -> StorageResult<u64> {
        let end = offset.checked_add(len as u64);
        match end.filter(|end| i64::try_from(*end).is_ok()) {
            Some(end) => Ok(end.min(self.info.size)),
            None => Err(StorageError::new(
                StorageErrorKind::InvalidArgument,
                "an offset that no file has",
            )),
        }
    }

    /// What holds the bytes, asked for now if it must be; `None` if they are to be fetched by themselves.
    fn plan(&self, offset: u64, end: u64) -> Option<Vec<Arc<Piece>>> {
        self.ahead
            .lock()
            .plan(&self.inner, &self.key, &self.info, offset..end)
    }

    async fn fetch(&self, offset: u64, end: u64, buffer: &mut Vec<u8>) -> StorageResult<()> {
        let Some(pieces) = self.plan(offset, end) else {
            let get = self
                .inner
                .calls
                .get(&self.key, &self.info.etag, offset..end);
            let bytes = get.await?;
            bytes.copy(0..bytes.len(), buffer);
            return Ok(());
        };
        for piece in pieces {
            match piece.wait().await {
                Ok(bytes) => piece.copy(&bytes, offset..end, buffer),
                Err(error) => {
                    // Asked again, it is fetched again.
                    self.ahead.lock().forget();
                    return Err(shared(error));
                }
            }
        }
        Ok(())
    }
}

fn shared(error: Arc<ObjectError>) -> StorageError {
    StorageError::with_source(storage_kind(error.kind()), "reading an object", error)
}

#[async_trait]
impl ReadHandle for ObjectRead {
    /// Without an identity: nothing keeps the object while it is read.
    async fn stat(&self) -> StorageResult<Metadata> {
        Ok(self
            .inner
            .plain_file(self.info.size, modified_of(&self.info)))
    }

    fn try_read_at(
        &self,
        offset: u64,
        len: usize,
        buffer: &mut Vec<u8>,
    ) -> Option<StorageResult<usize>> {
        let end = match self.end(offset, len) {
            Ok(end) => end,
            Err(error) => return Some(Err(error)),
        };
        if offset >= end {
            return Some(Ok(0));
        }
        let ready = self.ahead.lock().ready(offset..end)?;
        self.begun.store(true, Ordering::Relaxed);
        // What is ahead of this is asked for as well.
        let _ = self.plan(offset, end);
        let before = buffer.len();
        for (piece, bytes) in ready {
            piece.copy(&bytes, offset..end, buffer);
        }
        Some(Ok(buffer.len().saturating_sub(before)))
    }

    async fn read_at(
        &self,
        offset: u64,
        len: usize,
        mut buffer: Vec<u8>,
    ) -> StorageResult<Vec<u8>> {
        let end = self.end(offset, len)?;
        if offset >= end {
            return Ok(buffer);
        }
        self.begun.store(true, Ordering::Relaxed);
        let fetched = self.fetch(offset, end, &mut buffer).await;
        if let Err(error) = fetched {
            self.failed.store(true, Ordering::Relaxed);
            return Err(error);
        }
        Ok(buffer)
    }

    async fn set_attributes(&self, changes: &SetAttributes) -> StorageResult<()> {
        changes.check()?;
        let Some((_, modified)) = changes.times else {
            return Ok(());
        };
        let Some(info) = self.inner.calls.head(&self.key).await? else {
            return Err(nothing_there());
        };
        self.inner.set_modified(&self.key, info, modified).await
    }
}

impl Drop for ObjectRead {
    /// Deliberately where the transfer is counted: nobody tells a reader that it has read enough.
    fn drop(&mut self) {
        let downloads = &self.inner.counters().downloads;
        if self.failed.load(Ordering::Relaxed) {
            downloads.failed.increment();
        } else if self.begun.load(Ordering::Relaxed) || self.info.size == 0 {
            downloads.completed.increment();
        }
    }
}
