//! Copies within the store: no byte of them comes here.

use futures_util::stream::{StreamExt as _, TryStreamExt as _};

use super::storage::Inner;
use super::store::{
    Attributes, Condition, CopyRequest, ObjectError, ObjectErrorKind, ObjectInfo, ObjectResult,
    PartTag, PutOptions, UploadRef,
};
use crate::error::StorageResult;

/// Bytes of a part that is copied; stores take up to 5 GiB.
const COPY_PART: u64 = 1 << 30;
/// Parts of one object that are copied at a time.
const PARTS_AT_A_TIME: usize = 8;

/// An object to be copied, as it was found.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) etag: String,
    pub(super) storage_class: Option<String>,
}

impl Source {
    pub(super) fn new(key: &str, info: &ObjectInfo) -> Self {
        Self {
            key: key.to_owned(),
            size: info.size,
            etag: info.etag.clone(),
            storage_class: info.attributes.storage_class.clone(),
        }
    }
}

impl Inner {
    /// Copies an object with what is kept with it, its storage class too.
    pub(super) async fn copy_object(&self, source: &Source, to: &str) -> ObjectResult<()> {
        if source.size <= self.calls.limits().max_copy {
            let request = CopyRequest {
                from: source.key.clone(),
                etag: Some(source.etag.clone()),
                to: to.to_owned(),
                attributes: Attributes {
                    storage_class: source.storage_class.clone(),
                    ..Attributes::default()
                },
                replace: false,
            };
            return self.calls.copy(&request, source.size).await;
        }
        // Parts bring bytes and nothing else.
        let info = self.calls.head(&source.key).await?;
        let info = info.filter(|info| info.etag == source.etag);
        let Some(info) = info else {
            let context = "the object was changed while it was copied";
            return Err(ObjectError::new(ObjectErrorKind::Precondition, context));
        };
        self.copy_in_parts(source, to, info.attributes).await
    }

    /// Gives an object other attributes, which makes it a new one with the same bytes.
    pub(super) async fn replace_attributes(
        &self,
        source: &Source,
        attributes: Attributes,
    ) -> StorageResult<()> {
        if self.calls.replaces_in_place() || source.size <= self.calls.limits().max_copy {
            let request = CopyRequest {
                from: source.key.clone(),
                etag: Some(source.etag.clone()),
                to: source.key.clone(),
                attributes,
                replace: true,
            };
            return Ok(self.calls.copy(&request, source.size).await?);
        }
        Ok(self.copy_in_parts(source, &source.key, attributes).await?)
    }

    async fn copy_in_parts(
        &self,
        source: &Source,
        to: &str,
        attributes: Attributes,
    ) -> ObjectResult<()> {
        let options = PutOptions {
            attributes,
            condition: Condition::None,
        };
        let begun = self.calls.create_upload(to, &options).await?;
        let upload = Begun::new(self, begun);
        let parts = self.copy_parts(&upload.to, 1, source).await?;
        let complete = self
            .calls
            .complete_upload(&upload.to, &parts, Condition::None);
        complete.await?;
        upload.done();
        Ok(())
    }

    /// Makes parts, from `first` on, of a whole object.
    pub(super) async fn copy_parts(
        &self,
        to: &UploadRef,
        first: u32,
        source: &Source,
    ) -> ObjectResult<Vec<PartTag>> {
        let limits = self.calls.limits();
        let ranges = part_ranges(source.size, limits.max_parts, limits.min_part);
        let from = (source.key.as_str(), source.etag.as_str());
        let copies: Vec<_> = ranges
            .into_iter()
            .zip(first..)
            .map(|(range, number)| self.calls.copy_part(to, number, from, range))
            .collect();
        futures_util::stream::iter(copies)
            .buffered(PARTS_AT_A_TIME)
            .try_collect()
            .await
    }
}

/// Ranges that make up `size` bytes: as few as can be, and none smaller than `min` but a single one.
fn part_ranges(size: u64, max_parts: u32, min: u64) -> Vec<std::ops::Range<u64>> {
    let len = COPY_PART.max(size.div_ceil(u64::from(max_parts).max(1)));
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < size {
        let rest = size.saturating_sub(start);
        // What would be left is too small for a part that others follow.
        let end = if rest.saturating_sub(len) < min {
            size
        } else {
            start.saturating_add(len)
        };
        ranges.push(start..end);
        start = end;
    }
    ranges
}

/// A multipart upload that is given up unless it was completed.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) to: UploadRef,
    calls: super::call::Caller,
    tasks: super::tasks::Tasks,
    sweeper: super::sweep::Sweeper,
    done: bool,
}

impl Begun {
    pub(super) fn new(inner: &Inner, to: UploadRef) -> Self {
        inner.engine.sweeper.began(&to.id);
        Self {
            to,
            calls: inner.calls.clone(),
            tasks: inner.engine.tasks.clone(),
            sweeper: inner.engine.sweeper.clone(),
            done: false,
        }
    }

    /// Completed, or given up by the caller.
    pub(super) fn done(mut self) {
        self.done = true;
    }

    /// Gives it up.
    pub(super) async fn abort(self) -> ObjectResult<()> {
        let aborted = self.calls.abort_upload(&self.to).await;
        if aborted.is_ok() {
            self.done();
        }
        aborted
    }
}

impl Drop for Begun {
    /// Parts that nobody completes are paid for until somebody finds them.
    fn drop(&mut self) {
        self.sweeper.ended(&self.to.id);
        if self.done {
            return;
        }
        let (calls, to) = (self.calls.clone(), self.to.clone());
        // Nobody is left to be told, and without a runtime the process is at its end.
        drop(
            self.tasks
                .spawn(async move { calls.abort_upload(&to).await }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_an_object_and_none_is_too_small() {
        let gib = 1_u64 << 30;
        let min = 5 << 20;
        for size in [1, min, gib, gib + 1, gib + min, 5 * gib + 1, 5120 * gib] {
            let ranges = part_ranges(size, 10_000, min);
            let mut at = 0;
            for range in &ranges {
                assert_eq!(range.start, at);
                at = range.end;
                assert!(ranges.len() == 1 || range.end - range.start >= min);
                assert!(range.end - range.start <= 5 * gib);
            }
            assert_eq!(at, size);
            assert!(ranges.len() <= 10_000);
        }
    }
}
