//! Parts on their way: a few at a time, or one after the other where the store takes them in order; repeated by the [`Caller`](super::super::call::Caller) where the store fails.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::{JoinError, JoinSet};

use super::super::copy::{Begun, Source};
use super::super::storage::Inner;
use super::super::store::{Condition, ObjectResult, PartTag, Uploads};
use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// A multipart upload. Dropped before it is complete, it is given up.
pub(super) struct Sender {
    inner: Arc<Inner>,
    /// Its tasks end with it: before the upload itself is given up.
    sending: JoinSet<ObjectResult<PartTag>>,
    parts: Vec<PartTag>,
    /// Of the next part.
    number: u32,
    /// Where the next part begins.
    offset: u64,
    /// The last part, where the store takes it with the end.
    last: Bytes,
    begun: Begun,
}

impl fmt::Debug for Sender {
    /// What clients write is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("begun", &self.begun)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Sender {
    pub(super) fn new(inner: Arc<Inner>, begun: Begun) -> Self {
        Self {
            inner,
            begun,
            sending: JoinSet::new(),
            parts: Vec::new(),
            number: 1,
            offset: 0,
            last: Bytes::new(),
        }
    }

    /// The number of the next part.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Sends a part, when few enough others are on their way.
    pub(super) async fn send(&mut self, part: Bytes) -> StorageResult<()> {
        if self.number > self.inner.calls.limits().max_parts {
            let context = "the file has too many parts: raise `upload_part_size` of the account";
            return Err(StorageError::new(StorageErrorKind::StorageFull, context));
        }
        let most = match self.inner.calls.uploads() {
            Uploads::InParts => self.inner.settings.upload_concurrency.max(1),
            Uploads::InOrder => 1,
        };
        while self.sending.len() >= most {
            self.next().await?;
        }
        while let Some(sent) = self.sending.try_join_next() {
            self.parts.push(taken(sent)?);
        }
        let (calls, to) = (self.inner.calls.clone(), self.begun.to.clone());
        let (number, offset) = (self.number, self.offset);
        self.number = self.number.saturating_add(1);
        self.offset = self.offset.saturating_add(part.len() as u64);
        let send = async move {
            match calls.uploads() {
                Uploads::InParts => calls.put_part(&to, number, part).await,
                Uploads::InOrder => {
                    let etag = String::new();
                    let sent = calls.put_next(&to, offset, part, false).await;
                    sent.map(|()| PartTag { number, etag })
                }
            }
        };
        self.inner.engine.tasks.spawn_in(&mut self.sending, send);
        Ok(())
    }

    /// Sends the last part, or keeps it for the end.
    pub(super) async fn send_last(&mut self, part: Bytes) -> StorageResult<()> {
        match self.inner.calls.uploads() {
            Uploads::InParts => self.send(part).await,
            Uploads::InOrder => {
                self.last = part;
                Ok(())
            }
        }
    }

    /// Makes the first parts of an object that is there.
    pub(super) async fn copy(&mut self, source: &Source) -> StorageResult<()> {
        let parts = self
            .inner
            .copy_parts(&self.begun.to, self.number, source)
            .await?;
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        self.number = self.number.saturating_add(count);
        self.parts.extend(parts);
        Ok(())
    }

    async fn next(&mut self) -> StorageResult<bool> {
        let Some(sent) = self.sending.join_next().await else {
            return Ok(false);
        };
        self.parts.push(taken(sent)?);
        Ok(true)
    }

    /// Waits until the store has every part.
    pub(super) async fn wait(&mut self) -> StorageResult<()> {
        while self.next().await? {}
        self.parts.sort_by_key(|part| part.number);
        Ok(())
    }

    /// Makes the object of the parts, which were waited for.
    pub(super) async fn complete(&self, condition: Condition) -> ObjectResult<()> {
        let (calls, to) = (&self.inner.calls, &self.begun.to);
        match calls.uploads() {
            Uploads::InParts => calls.complete_upload(to, &self.parts, condition).await,
            // It was begun with the condition.
            Uploads::InOrder => {
                let (calls, to) = (calls.clone(), to.clone());
                let (offset, last) = (self.offset, self.last.clone());
                let put = async move { calls.put_next(&to, offset, last, true).await };
                self.inner.engine.tasks.run(put).await
            }
        }
    }

    /// The object is there.
    pub(super) fn done(self) {
        self.begun.done();
    }

    /// Gives it up, and waits for that: a part that came later would stay.
    pub(super) async fn abort(mut self) {
        self.sending.shutdown().await;
        // What fails is tried once more when the upload is dropped; what is left then is the store's to remove.
        let _ = self.begun.abort().await;
    }
}

fn taken(sent: Result<ObjectResult<PartTag>, JoinError>) -> StorageResult<PartTag> {
    match sent {
        Ok(sent) => Ok(sent?),
        Err(error) => Err(not_sent(error)),
    }
}

/// The task that sends something is gone.
fn not_sent(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StorageError {
    StorageError::with_source(StorageErrorKind::Unavailable, "a part was not sent", why)
}
