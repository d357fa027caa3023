//! Listings: one call for a thousand names, and none for each.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;

use super::folder::Folded;
use super::key::name_in;
use super::look::{Found, nothing_there};
use super::storage::Inner;
use super::store::{ListPage, ListRequest, Listed};
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{Entry, Metadata, SetAttributes};
use crate::storage::{Listing, Target};

/// Names of one call; stores give no more.
pub(super) const PAGE: u32 = 1000;

/// An open directory. It is seen as it was when each page was fetched.
pub(super) struct ObjectListing {
    inner: Arc<Inner>,
    folder: String,
    /// Fetched and not asked for yet.
    ready: VecDeque<Entry>,
    folded: Folded,
    /// How to go on; `None` at the end.
    next: Option<ListRequest>,
}

impl ObjectListing {
    /// Opens a directory; its first page says that it is there.
    pub(super) async fn open(inner: Arc<Inner>, target: &Target) -> StorageResult<Self> {
        let path = &target.path;
        if path.components().any(crate::reserved::is_reserved) {
            return Err(nothing_there());
        }
        let folder = inner.keys.folder(path)?;
        let mut listing = Self {
            next: Some(ListRequest {
                prefix: folder.clone(),
                by_folder: true,
                continuation: None,
                limit: PAGE,
            }),
            inner,
            folder,
            ready: VecDeque::new(),
            folded: Folded::default(),
        };
        let seen = listing.fetch().await?;
        if seen || path.is_root() || listing.next.is_some() {
            return Ok(listing);
        }
        match listing.inner.look(path).await? {
            // Made at this moment.
            Found::Folder => Ok(listing),
            Found::File(_) => Err(StorageError::new(
                StorageErrorKind::NotADirectory,
                "list a file",
            )),
            Found::Nothing => Err(nothing_there()),
        }
    }

    /// Fetches the next page, if there is one; whether it had any key, shown or not.
    async fn fetch(&mut self) -> StorageResult<bool> {
        let Some(request) = self.next.take() else {
            return Ok(false);
        };
        let page = match self.inner.calls.list(&request).await {
            Ok(page) => page,
            Err(error) => {
                // Asked again it goes on from here.
                self.next = Some(request);
                return Err(error.into());
            }
        };
        let seen = !page.objects.is_empty() || !page.folders.is_empty();
        self.next = page.continuation.clone().map(|continuation| ListRequest {
            continuation: Some(continuation),
            ..request
        });
        self.take(page);
        Ok(seen)
    }

    fn take(&mut self, page: ListPage) {
        let ListPage {
            objects, folders, ..
        } = page;
        let mut left = Vec::new();
        for item in merged(objects, folders) {
            // The marker of the directory itself.
            if item.key() == self.folder {
                continue;
            }
            let name = name_in(&self.folder, item.key());
            let admitted =
                |_: &&str| self.folded.admits(item.key()) && self.inner.keys.admits(item.key());
            let Some(name) = name.filter(admitted) else {
                self.inner.counters().skipped_keys.increment();
                if let Item::Object(object) = &item
                    && self.inner.is_left(&self.folder, object)
                {
                    left.push(object.key.clone());
                }
                continue;
            };
            let metadata = match &item {
                // A marker that a store did not fold into a folder.
                Item::Object(object) if object.key.ends_with('/') => {
                    self.inner.folder_metadata(&object.key)
                }
                Item::Object(object) => self.inner.listed_metadata(object),
                Item::Folder(key) => self.inner.folder_metadata(key),
            };
            self.ready.push_back(Entry {
                name: name.as_bytes().to_vec(),
                metadata,
            });
        }
        self.inner.remove_left(left);
    }
}

#[async_trait]
impl Listing for ObjectListing {
    async fn next_page(&mut self, limit: usize) -> StorageResult<Vec<Entry>> {
        // A page may have nothing that is shown.
        while self.ready.is_empty() && self.next.is_some() && limit > 0 {
            self.fetch().await?;
        }
        let count = limit.min(self.ready.len());
        Ok(self.ready.drain(..count).collect())
    }

    async fn stat(&mut self) -> StorageResult<Metadata> {
        Ok(self.inner.folder_metadata(&self.folder))
    }

    /// Accepted and left alone: folders have no attributes.
    async fn set_attributes(&mut self, changes: &SetAttributes) -> StorageResult<()> {
        changes.check()
    }
}

#[derive(Debug)]
enum Item {
    Object(Listed),
    Folder(String),
}

impl Item {
    fn key(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::Folder(key) => key,
        }
    }
}

/// Both in the order of their keys.
fn merged(objects: Vec<Listed>, folders: Vec<String>) -> Vec<Item> {
    let objects = objects.into_iter().map(Item::Object);
    let mut items: Vec<Item> = objects
        .chain(folders.into_iter().map(Item::Folder))
        .collect();
    // Two runs that are sorted already: one merge.
    items.sort_by(|one, other| one.key().cmp(other.key()));
    items
}
