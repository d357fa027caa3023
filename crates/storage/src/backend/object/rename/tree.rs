//! Renames of directories: everything is copied, then what was copied is compared and removed, page by page.
//!
//! Only what has an equal copy is removed, so nothing is lost wherever this ends. A *journal*, an object in the new directory
//! that listings leave out, names the old one until all is done: a directory that is half there is not taken for somebody
//! else's when the rename is asked for again.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::future::Future;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use sftpgo_model::StoragePath;

use super::super::copy::Source;
use super::super::list::PAGE;
use super::super::storage::Inner;
use super::super::store::{ListRequest, Listed, ObjectErrorKind, ObjectResult, PutOptions};
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::reserved::is_reserved;

/// The name of the journal; one of [`reserved`](crate::reserved).
const JOURNAL: &str = ".sftpgo-upload.v0000000000000000000.rename";
/// The longest key, as the text of a journal.
const JOURNAL_MAX: u64 = 4096;
/// Times that everything is looked through: files may come while it is done.
const ROUNDS: usize = 4;

impl Inner {
    /// Whether the directory at `to` is what a rename of `from` had begun to make.
    pub(super) async fn is_resumed(
        &self,
        from: &StoragePath,
        to: &StoragePath,
    ) -> StorageResult<bool> {
        let journal = format!("{}{JOURNAL}", self.keys.folder(to)?);
        let Some(info) = self.calls.head(&journal).await? else {
            return Ok(false);
        };
        if info.size > JOURNAL_MAX {
            return Ok(false);
        }
        let text = self.calls.get(&journal, &info.etag, 0..info.size).await?;
        Ok(text.whole() == self.keys.folder(from)?.as_bytes())
    }

    pub(super) async fn rename_folder(
        &self,
        from: &StoragePath,
        to: &StoragePath,
    ) -> StorageResult<()> {
        if to.is_within(from) {
            let context = "a directory cannot go into itself";
            return Err(StorageError::new(
                StorageErrorKind::InvalidArgument,
                context,
            ));
        }
        let (old, new) = (self.keys.folder(from)?, self.keys.folder(to)?);
        if self.only_own_keys(&new).await?.is_none() && !self.is_resumed(from, to).await? {
            let context = "the directory has entries";
            return Err(StorageError::new(
                StorageErrorKind::DirectoryNotEmpty,
                context,
            ));
        }
        // The old directory never lies in the new one, which would not be empty then.
        let journal = format!("{new}{JOURNAL}");
        let text = Bytes::from(old.clone().into_bytes());
        self.calls
            .put(&journal, text, &PutOptions::default())
            .await?;
        self.copy_tree(&old, &new).await?;
        for _ in 0..ROUNDS {
            if self.remove_copied(&old, &new).await? {
                return Ok(self.calls.delete(&journal).await?);
            }
        }
        let context = "files keep coming to the directory that is renamed; ask again";
        Err(StorageError::new(StorageErrorKind::Unavailable, context))
    }

    /// Copies everything that has no equal copy yet.
    async fn copy_tree(&self, old: &str, new: &str) -> StorageResult<()> {
        let (mut originals, mut copies) = (Pages::new(old), Pages::new(new));
        while let Some(page) = originals.next(self).await? {
            let missing = self.split(&page, old, &mut copies, new).await?.1;
            self.copy_all(&missing, old, new).await?;
        }
        Ok(())
    }

    /// Removes everything that has an equal copy, and copies the rest; whether nothing was left.
    async fn remove_copied(&self, old: &str, new: &str) -> StorageResult<bool> {
        let (mut originals, mut copies) = (Pages::new(old), Pages::new(new));
        let mut complete = true;
        while let Some(page) = originals.next(self).await? {
            let (done, missing) = self.split(&page, old, &mut copies, new).await?;
            complete &= missing.is_empty();
            self.copy_all(&missing, old, new).await?;
            self.remove_all(&done).await?;
        }
        Ok(complete)
    }

    /// Splits a page of the old directory into what can be removed and what must be copied. Both directories are in the order
    /// of their names, so `copies` is read along.
    async fn split<'a>(
        &self,
        page: &'a [Listed],
        old: &str,
        copies: &mut Pages,
        new: &str,
    ) -> StorageResult<(Vec<&'a Listed>, Vec<&'a Listed>)> {
        let (mut done, mut missing) = (Vec::new(), Vec::new());
        for object in page {
            let name = relative(&object.key, old);
            // What an earlier rename left behind.
            let own = is_reserved(name.as_bytes());
            if own || copies.has(self, name, new, object).await? {
                done.push(object);
            } else {
                missing.push(object);
            }
        }
        Ok((done, missing))
    }

    async fn copy_all(&self, objects: &[&Listed], old: &str, new: &str) -> StorageResult<()> {
        let tasks: Vec<_> = objects
            .iter()
            .map(|object| async move {
                let source = Source {
                    key: object.key.clone(),
                    size: object.size,
                    etag: object.etag.clone(),
                    storage_class: object.storage_class.clone(),
                };
                let to = format!("{new}{}", relative(&object.key, old));
                let copied = self.copy_object(&source, &to).await;
                self.pins.ended(&to);
                match copied {
                    // Gone or replaced meanwhile: the next look finds out.
                    Err(error)
                        if matches!(
                            error.kind(),
                            ObjectErrorKind::NotFound | ObjectErrorKind::Precondition
                        ) =>
                    {
                        Ok(())
                    }
                    copied => copied,
                }
            })
            .collect();
        Ok(self.some_at_a_time(tasks).await?)
    }

    async fn remove_all(&self, objects: &[&Listed]) -> StorageResult<()> {
        let tasks: Vec<_> = objects
            .iter()
            .map(|object| async move {
                let deleted = self.calls.delete(&object.key).await;
                self.pins.ended(&object.key);
                deleted
            })
            .collect();
        Ok(self.some_at_a_time(tasks).await?)
    }

    async fn some_at_a_time<F>(&self, tasks: Vec<F>) -> ObjectResult<()>
    where
        F: Future<Output = ObjectResult<()>>,
    {
        stream::iter(tasks)
            .buffer_unordered(self.settings.rename_concurrency.max(1))
            .try_for_each(|()| async { Ok(()) })
            .await
    }
}

/// The name of a key below `folder`; empty for its marker.
fn relative<'a>(key: &'a str, folder: &str) -> &'a str {
    key.strip_prefix(folder).unwrap_or(key)
}

/// Everything below a folder, however deep, a page at a time.
#[derive(Debug)]
struct Pages {
    /// How to go on; `None` at the end.
    next: Option<ListRequest>,
    /// Fetched and not compared yet.
    ready: VecDeque<Listed>,
}

impl Pages {
    fn new(folder: &str) -> Self {
        Self {
            next: Some(ListRequest {
                prefix: folder.to_owned(),
                by_folder: false,
                continuation: None,
                limit: PAGE,
            }),
            ready: VecDeque::new(),
        }
    }

    /// The next page, which is not empty; `None` at the end.
    async fn next(&mut self, inner: &Inner) -> StorageResult<Option<Vec<Listed>>> {
        while let Some(request) = self.next.take() {
            let page = inner.calls.list(&request).await?;
            self.next = page.continuation.map(|continuation| ListRequest {
                continuation: Some(continuation),
                ..request
            });
            if !page.objects.is_empty() {
                return Ok(Some(page.objects));
            }
        }
        Ok(None)
    }

    /// Whether an equal copy of `original` has that name here. Asked in the order of names.
    async fn has(
        &mut self,
        inner: &Inner,
        name: &str,
        folder: &str,
        original: &Listed,
    ) -> StorageResult<bool> {
        loop {
            while let Some(copy) = self.ready.front() {
                match relative(&copy.key, folder).cmp(name) {
                    Ordering::Less => self.ready.pop_front(),
                    Ordering::Equal => {
                        // A copy that is older is of what was there before.
                        return Ok(copy.size == original.size && copy.modified >= original.modified);
                    }
                    Ordering::Greater => return Ok(false),
                };
            }
            match self.next(inner).await? {
                Some(page) => self.ready = page.into(),
                None => return Ok(false),
            }
        }
    }
}
