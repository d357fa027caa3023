//! What is at a path: one call for a file, two for a directory, and the rest only where nothing is.

use futures_util::future::{join, join_all};
use sftpgo_model::StoragePath;

use super::modified::modified_of;
use super::storage::Inner;
use super::store::{ListRequest, Listed, ObjectInfo};
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{FileKind, FileTime, Metadata};
use crate::reserved::is_reserved;
use crate::storage::Expected;

/// What a path leads to. A file hides a folder of the same name.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// An object.
    File(Box<ObjectInfo>),
    /// Keys below it, or a marker.
    Folder,
    /// Nothing.
    Nothing,
}

impl Inner {
    /// What is at a path; `NotFound` or `NotADirectory` also where nothing is, if its directory is none.
    pub(super) async fn look(&self, path: &StoragePath) -> StorageResult<Found> {
        if path.is_root() {
            return Ok(Found::Folder);
        }
        // Nothing is there, and nothing comes there.
        if path.components().any(is_reserved) {
            return Err(nothing_there());
        }
        let key = self.keys.file(path)?;
        if let Some(info) = self.calls.head(&key).await? {
            return Ok(Found::File(Box::new(info)));
        }
        let folder = self.keys.folder(path)?;
        let (folder, above) = join(self.is_folder(&folder), self.check_above(path)).await;
        if folder? {
            return Ok(Found::Folder);
        }
        above?;
        Ok(Found::Nothing)
    }

    /// The same where it does not matter what is above.
    pub(super) async fn look_at(&self, path: &StoragePath) -> StorageResult<Found> {
        if path.is_root() {
            return Ok(Found::Folder);
        }
        let key = self.keys.file(path)?;
        if let Some(info) = self.calls.head(&key).await? {
            return Ok(Found::File(Box::new(info)));
        }
        if self.is_folder(&self.keys.folder(path)?).await? {
            return Ok(Found::Folder);
        }
        Ok(Found::Nothing)
    }

    /// Whether a key begins with `folder`.
    pub(super) async fn is_folder(&self, folder: &str) -> StorageResult<bool> {
        let request = ListRequest {
            prefix: folder.to_owned(),
            by_folder: false,
            continuation: None,
            limit: 1,
        };
        let page = self.calls.list(&request).await?;
        Ok(!page.objects.is_empty())
    }

    /// Whether something can be at a path: its directory is there.
    async fn check_above(&self, path: &StoragePath) -> StorageResult<()> {
        let parent = path.parent();
        if parent.is_root() || self.is_folder(&self.keys.folder(&parent)?).await? {
            return Ok(());
        }
        // Only to say why not.
        let mut above = Vec::new();
        let mut path = parent;
        while !path.is_root() {
            above.push(self.keys.file(&path)?);
            path = path.parent();
        }
        let heads = join_all(above.iter().map(|key| self.calls.head(key))).await;
        for head in heads {
            if head?.is_some() {
                let context = "a file is on the way";
                return Err(StorageError::new(StorageErrorKind::NotADirectory, context));
            }
        }
        let context = "no such directory";
        Err(StorageError::new(StorageErrorKind::NotFound, context))
    }

    /// Attributes of what was found; `None` if nothing was.
    pub(super) fn metadata(
        &self,
        path: &StoragePath,
        found: &Found,
    ) -> StorageResult<Option<Metadata>> {
        Ok(match found {
            Found::File(info) => Some(self.file_metadata(&self.keys.file(path)?, info)),
            Found::Folder => Some(self.folder_metadata(&self.keys.folder(path)?)),
            Found::Nothing => None,
        })
    }

    pub(super) fn file_metadata(&self, key: &str, info: &ObjectInfo) -> Metadata {
        let id = self.identities.object(key, &info.etag);
        let changed = modified_of(info);
        if changed != info.modified {
            self.engine.times.note(id, info.modified, changed);
        }
        Metadata {
            id: Some(id),
            ..self.plain_file(info.size, changed)
        }
    }

    /// The same of what a listing says; the time of its last change may not be known.
    pub(super) fn listed_metadata(&self, object: &Listed) -> Metadata {
        let id = self.identities.object(&object.key, &object.etag);
        let seen = || self.engine.times.of(id, object.modified);
        let changed = object.changed.or_else(seen);
        Metadata {
            id: Some(id),
            ..self.plain_file(object.size, changed.unwrap_or(object.modified))
        }
    }

    /// A file without an identity.
    pub(super) fn plain_file(&self, size: u64, modified: FileTime) -> Metadata {
        Metadata {
            kind: FileKind::File,
            size,
            mode: 0o100_644,
            uid: self.owner.0,
            gid: self.owner.1,
            links: 1,
            accessed: modified,
            modified,
            id: None,
        }
    }

    /// Folders have no times: most are no objects.
    pub(super) fn folder_metadata(&self, key: &str) -> Metadata {
        Metadata {
            kind: FileKind::Directory,
            mode: 0o040_755,
            id: Some(self.identities.folder(key)),
            ..self.plain_file(0, FileTime::default())
        }
    }

    /// `Raced` if something else is there than was expected.
    pub(super) fn check_expected(
        &self,
        expected: Expected,
        there: Option<&Metadata>,
    ) -> StorageResult<()> {
        if expected.admits(there.and_then(|there| there.id)) {
            return Ok(());
        }
        let context = "something else is there now";
        Err(StorageError::new(StorageErrorKind::Raced, context))
    }
}

/// The error for a path at which nothing is.
pub(super) fn nothing_there() -> StorageError {
    StorageError::new(StorageErrorKind::NotFound, "nothing is there")
}
