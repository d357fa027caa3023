//! Listings: streamed from the storage, with virtual folders laid over them.

use std::sync::Arc;

use sftpgo_model::{Permission, VirtualPath};
use sftpgo_storage::{Entry, FileKind, Links, Listing, Metadata, SetAttributes, Target};

use super::Session;
use crate::access::Demand;
use crate::error::OpResult;
use crate::mounts::Mount;
use crate::transfer::Changeable;

const LIST: Demand = Demand::directory(&[Permission::List]);

/// An open directory.
pub struct DirectoryListing {
    listing: Box<dyn Listing>,
    /// Folders that appear here; shown first, and instead of entries of the same name.
    folders: Vec<Arc<Mount>>,
    folders_shown: bool,
    changeable: Changeable,
}

impl std::fmt::Debug for DirectoryListing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirectoryListing")
            .field("folders", &self.folders.len())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Opens a directory for listing.
    pub async fn list(&self, path: &VirtualPath) -> OpResult<DirectoryListing> {
        self.list_with(path, LIST).await
    }

    /// As [`list`](Self::list), with another demand.
    pub(super) async fn list_with(
        &self,
        path: &VirtualPath,
        demand: Demand,
    ) -> OpResult<DirectoryListing> {
        let permit = self.permit(path, demand)?;
        let listing = permit.storage()?.list(&permit.target).await?;
        let folders = self.inner.mounts.folders_in(path).cloned().collect();
        Ok(DirectoryListing {
            listing,
            folders,
            folders_shown: false,
            changeable: self.changeable(&permit),
        })
    }
}

impl DirectoryListing {
    /// Attributes of the directory, whatever became of its name.
    pub async fn stat(&mut self) -> OpResult<Metadata> {
        Ok(self.listing.stat().await?)
    }

    /// Changes attributes of the directory, if the account may: it is an entry of its parent.
    pub async fn set_attributes(&mut self, changes: &SetAttributes) -> OpResult<()> {
        let changes = self.changeable.check(changes)?;
        if changes.is_empty() {
            return Ok(());
        }
        Ok(self.listing.set_attributes(&changes).await?)
    }

    /// The next entries, about `limit` of them; empty at the end.
    pub async fn next_page(&mut self, limit: usize) -> OpResult<Vec<Entry>> {
        if !self.folders_shown {
            self.folders_shown = true;
            let mut page = Vec::new();
            for folder in &self.folders {
                page.push(entry_of(folder).await);
            }
            if !page.is_empty() {
                return Ok(page);
            }
        }
        loop {
            let mut page = self.listing.next_page(limit).await?;
            let end = page.is_empty();
            page.retain(|entry| {
                !self
                    .folders
                    .iter()
                    .any(|folder| folder.at.file_name() == entry.name)
            });
            if end || !page.is_empty() {
                return Ok(page);
            }
        }
    }
}

async fn entry_of(folder: &Mount) -> Entry {
    let missing = Metadata {
        kind: FileKind::Directory,
        size: 0,
        mode: 0o040_755,
        uid: 0,
        gid: 0,
        links: 1,
        accessed: Default::default(),
        modified: Default::default(),
        id: None,
    };
    let root = Target::unguarded(sftpgo_model::StoragePath::root());
    let metadata = match &folder.storage {
        Some(storage) => storage.stat(&root, Links::Follow).await.unwrap_or(missing),
        None => missing,
    };
    Entry {
        name: folder.at.file_name().to_vec(),
        metadata,
    }
}
