//! [`Caller`]: every call to a store goes through it. It ends calls that take too long, repeats those that may work in a moment,
//! and counts what metrics have names for.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};

use super::content::Content;
use super::store::{
    AppendRequest, Condition, CopyRequest, Limits, ListPage, ListRequest, NextPart, ObjectError,
    ObjectErrorKind, ObjectInfo, ObjectResult, ObjectStore, PartTag, PutOptions, UploadRef,
    Uploads, UploadsPage,
};
use crate::counters::{Calls, ObjectStoreCounters};
use crate::metadata::FileTime;

/// How long calls are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Times that a call is made.
    pub attempts: u32,
    /// What is waited before the second time; doubles, less a random part of it.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// One attempt of a call that moves no bytes.
    pub attempt: Duration,
    /// All attempts of it.
    pub whole: Duration,
    /// Added to both for each MiB that a call moves or copies.
    pub per_mib: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
            attempt: Duration::from_secs(15),
            // Reference 16.1.
            whole: Duration::from_secs(30),
            per_mib: Duration::from_secs(8),
        }
    }
}

/// A store, as everything but the store itself sees it. A clone is the same.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    store: Arc<dyn ObjectStore>,
    counters: Arc<ObjectStoreCounters>,
    patience: Patience,
}

impl Caller {
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        counters: Arc<ObjectStoreCounters>,
        patience: Patience,
    ) -> Self {
        Self {
            store,
            counters,
            patience,
        }
    }

    pub(super) fn identity(&self) -> &str {
        self.store.identity()
    }

    pub(super) fn limits(&self) -> &Limits {
        self.store.limits()
    }

    pub(super) fn uploads(&self) -> Uploads {
        self.store.uploads()
    }

    pub(super) fn appends(&self) -> bool {
        self.store.appends()
    }

    pub(super) fn replaces_in_place(&self) -> bool {
        self.store.replaces_in_place()
    }

    pub(super) fn counters(&self) -> &ObjectStoreCounters {
        &self.counters
    }

    pub(super) async fn check(&self) -> ObjectResult<()> {
        let checked = self.repeat(0, || self.store.check()).await;
        count(&self.counters.head_bucket, &checked);
        checked
    }

    /// `None` if there is no such key.
    pub(super) async fn head(&self, key: &str) -> ObjectResult<Option<ObjectInfo>> {
        match self.repeat(0, || self.store.head(key)).await {
            Ok(info) => Ok(Some(info)),
            Err(error) if error.kind() == ObjectErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn list(&self, request: &ListRequest) -> ObjectResult<ListPage> {
        let page = self.repeat(0, || self.store.list(request)).await;
        count(&self.counters.list_objects, &page);
        page
    }

    pub(super) async fn get(
        &self,
        key: &str,
        etag: &str,
        range: Range<u64>,
    ) -> ObjectResult<Content> {
        let len = range.end.saturating_sub(range.start);
        if len == 0 {
            // There is no way to ask for it.
            return Ok(Content::default());
        }
        let get = || async {
            let bytes = self.store.get(key, etag, range.clone()).await?;
            if bytes.len() as u64 == len {
                return Ok(bytes);
            }
            // A connection that broke in the middle, whoever did not notice it.
            let context = "the store sent another number of bytes than it was asked for";
            Err(ObjectError::new(ObjectErrorKind::Unavailable, context))
        };
        let bytes = self.repeat(len, get).await;
        if bytes.is_ok() {
            self.counters.downloads.bytes.add(len);
        }
        bytes
    }

    pub(super) async fn put(
        &self,
        key: &str,
        body: Bytes,
        options: &PutOptions,
    ) -> ObjectResult<()> {
        let len = body.len() as u64;
        let before = AtomicBool::new(false);
        let put = || async {
            let again = before.swap(true, Ordering::Relaxed);
            match self.store.put(key, body.clone(), options).await {
                // The attempt before may have made the object, and its answer got lost.
                Err(error)
                    if again
                        && options.condition == Condition::Absent
                        && error.kind() == ObjectErrorKind::Precondition
                        && self.is_there(key, &body).await? =>
                {
                    Ok(())
                }
                put => put,
            }
        };
        let put = self.repeat(len, put).await;
        if put.is_ok() {
            self.counters.uploads.bytes.add(len);
        }
        put
    }

    /// Whether an object has these bytes and no others.
    async fn is_there(&self, key: &str, body: &Bytes) -> ObjectResult<bool> {
        let info = match self.store.head(key).await {
            Err(error) if error.kind() == ObjectErrorKind::NotFound => return Ok(false),
            info => info?,
        };
        let len = body.len() as u64;
        if info.size != len || len == 0 {
            return Ok(info.size == len);
        }
        Ok(self.store.get(key, &info.etag, 0..len).await?.whole() == *body)
    }

    pub(super) async fn create_upload(
        &self,
        key: &str,
        options: &PutOptions,
    ) -> ObjectResult<UploadRef> {
        self.repeat(0, || self.store.create_upload(key, options))
            .await
    }

    pub(super) async fn put_part(
        &self,
        to: &UploadRef,
        number: u32,
        body: Bytes,
    ) -> ObjectResult<PartTag> {
        let len = body.len() as u64;
        let put = || self.store.put_part(to, number, body.clone());
        let put = self.repeat(len, put).await;
        if put.is_ok() {
            self.counters.uploads.bytes.add(len);
        }
        put
    }

    pub(super) async fn put_next(
        &self,
        to: &UploadRef,
        offset: u64,
        body: Bytes,
        last: bool,
    ) -> ObjectResult<()> {
        let len = body.len() as u64;
        let before = AtomicBool::new(false);
        let put = || async {
            let part = NextPart {
                offset,
                body: body.clone(),
                last,
                again: before.swap(true, Ordering::Relaxed),
            };
            self.store.put_next(to, &part).await
        };
        let put = self.repeat(len, put).await;
        if put.is_ok() {
            self.counters.uploads.bytes.add(len);
        }
        put
    }

    pub(super) async fn copy_part(
        &self,
        to: &UploadRef,
        number: u32,
        from: (&str, &str),
        range: Range<u64>,
    ) -> ObjectResult<PartTag> {
        let len = range.end.saturating_sub(range.start);
        let copy = || self.store.copy_part(to, number, from, range.clone());
        let copied = self.repeat(len / COPIES_ARE_FASTER, copy).await;
        count(&self.counters.copy_object, &copied);
        copied
    }

    pub(super) async fn complete_upload(
        &self,
        to: &UploadRef,
        parts: &[PartTag],
        condition: Condition,
    ) -> ObjectResult<()> {
        // A store may take minutes for many parts.
        let minutes = (parts.len() as u64).saturating_add(30);
        let complete = || self.store.complete_upload(to, parts, condition);
        self.repeat(minutes.saturating_mul(MIB), complete).await
    }

    /// That the upload is not there any more is what was wanted.
    pub(super) async fn abort_upload(&self, to: &UploadRef) -> ObjectResult<()> {
        match self.repeat(0, || self.store.abort_upload(to)).await {
            Err(error)
                if matches!(
                    error.kind(),
                    ObjectErrorKind::NoSuchUpload | ObjectErrorKind::NotFound
                ) =>
            {
                Ok(())
            }
            aborted => aborted,
        }
    }

    pub(super) async fn list_uploads(
        &self,
        prefix: &str,
        continuation: Option<&str>,
    ) -> ObjectResult<UploadsPage> {
        self.repeat(0, || self.store.list_uploads(prefix, continuation))
            .await
    }

    pub(super) async fn last_part(&self, to: &UploadRef) -> ObjectResult<Option<FileTime>> {
        self.repeat(0, || self.store.last_part(to)).await
    }

    pub(super) async fn copy(&self, request: &CopyRequest, len: u64) -> ObjectResult<()> {
        let copy = || self.store.copy(request);
        let copied = self.repeat(len / COPIES_ARE_FASTER, copy).await;
        count(&self.counters.copy_object, &copied);
        copied
    }

    /// `len` are the bytes that are there.
    pub(super) async fn append(&self, request: &AppendRequest, len: u64) -> ObjectResult<()> {
        let append = || self.store.append(request);
        let appended = self.repeat(len / COPIES_ARE_FASTER, append).await;
        count(&self.counters.copy_object, &appended);
        appended
    }

    pub(super) async fn delete(&self, key: &str) -> ObjectResult<()> {
        let deleted = match self.repeat(0, || self.store.delete(key)).await {
            Err(error) if error.kind() == ObjectErrorKind::NotFound => Ok(()),
            deleted => deleted,
        };
        count(&self.counters.delete_object, &deleted);
        deleted
    }

    /// Makes a call that moves `bytes` until it works, fails for good, or time is up.
    async fn repeat<T, F, Fut>(&self, bytes: u64, call: F) -> ObjectResult<T>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = ObjectResult<T>>,
    {
        let patience = &self.patience;
        let mib = u32::try_from(bytes.div_ceil(MIB)).unwrap_or(u32::MAX);
        let extra = patience.per_mib.saturating_mul(mib);
        let begun = Instant::now();
        let end = begun + patience.whole.saturating_add(extra).min(LONGEST);
        let mut pause = patience.first_pause;
        for attempt in 1_u32.. {
            let this = Instant::now() + patience.attempt.saturating_add(extra).min(LONGEST);
            let done = match timeout_at(this.min(end), call()).await {
                Ok(done) => done,
                Err(_) => Err(ObjectError::new(
                    ObjectErrorKind::TimedOut,
                    "the store gave no answer in time",
                )),
            };
            let error = match done {
                Ok(done) => return Ok(done),
                Err(error) if !error.kind().is_passing() => return Err(error),
                Err(error) => error,
            };
            let pausing = shaken(pause);
            if attempt >= patience.attempts || Instant::now() + pausing >= end {
                return Err(error);
            }
            sleep(pausing).await;
            pause = pause.saturating_mul(2).min(patience.longest_pause);
        }
        // The attempts have a last one.
        Err(ObjectError::new(
            ObjectErrorKind::TimedOut,
            "the attempts ended",
        ))
    }
}

const MIB: u64 = 1 << 20;
/// No call takes longer, whatever it moves.
const LONGEST: Duration = Duration::from_secs(6 * 3600);
/// A store copies within itself at least so many times as fast as bytes come over the net.
const COPIES_ARE_FASTER: u64 = 16;

/// Between half of it and all, so that those who failed together do not come back together.
fn shaken(pause: Duration) -> Duration {
    let mut random = [0_u8; 2];
    // Without random numbers it is all of it.
    let share = match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => u32::from(u16::from_be_bytes(random)),
        Err(_) => u32::from(u16::MAX),
    };
    let half = pause / 2;
    half.saturating_add(half.saturating_mul(share) / u32::from(u16::MAX))
}

fn count<T>(calls: &Calls, result: &ObjectResult<T>) {
    match result {
        Ok(_) => calls.ok.increment(),
        Err(_) => calls.failed.increment(),
    }
}
