//! An empty storage to test, and shorthands for what most cases do.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use sftpgo_model::StoragePath;

use crate::capability::{Capabilities, Visible};
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::{Entry, Metadata};
use crate::storage::{
    Chunk, Links, OpenExisting, Storage, Target, Usage, WriteHandle, WriteOptions, WriteVisibility,
};

/// A fresh storage and what keeps it alive.
pub struct Fixture {
    /// The storage; empty.
    pub storage: Arc<dyn Storage>,
    /// What an absolute link starts with if it stays inside.
    pub root_path: Vec<u8>,
    /// Dropped when the case is over: a temporary directory, say.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture")
            .field("storage", &self.storage)
            .finish_non_exhaustive()
    }
}

/// Nobody in particular owns it.
pub(super) const NOBODY: (Option<u32>, Option<u32>) = (None, None);

/// What most uploads ask for.
pub(super) const IN_PLACE: WriteOptions = WriteOptions {
    existing: OpenExisting::Truncate,
    create: true,
    visibility: WriteVisibility::InPlace,
    mode: 0o644,
    owner: NOBODY,
};

/// Atomic uploads.
pub(super) const ON_FINISH: WriteOptions = WriteOptions {
    visibility: WriteVisibility::OnFinish,
    ..IN_PLACE
};

/// Atomic uploads that can be resumed.
pub(super) const KEEP_PARTIAL: WriteOptions = WriteOptions {
    visibility: WriteVisibility::OnFinishKeepPartial,
    ..IN_PLACE
};

/// Every way a file becomes visible.
pub(super) const EVERY_VISIBILITY: [WriteOptions; 3] = [IN_PLACE, ON_FINISH, KEEP_PARTIAL];

/// A path by its text, without a guard.
pub(super) fn at(path: impl AsRef<[u8]>) -> Target {
    Target::unguarded(StoragePath::parse(path.as_ref()).unwrap())
}

/// Bytes at an offset.
pub(super) fn chunk(offset: u64, bytes: impl AsRef<[u8]>) -> Chunk {
    Chunk {
        offset,
        pieces: vec![Bytes::copy_from_slice(bytes.as_ref())],
    }
}

/// The kind of the error that `result` must be.
#[track_caller]
pub(super) fn kind<T>(result: StorageResult<T>) -> StorageErrorKind {
    match result {
        Ok(_) => panic!("it should have been refused"),
        Err(error) => error.kind(),
    }
}

impl Fixture {
    pub(super) fn can(&self) -> &Capabilities {
        self.storage.capabilities()
    }

    /// Uploads a file in place.
    pub(super) async fn write(&self, path: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Metadata {
        let upload = self.open_write(path, &IN_PLACE).await;
        upload.write_at(vec![chunk(0, bytes)]).await.unwrap();
        let (metadata, replaced) = upload.finish().await.unwrap();
        if self.can().visible == Visible::WhileWriting {
            assert_eq!(
                replaced, None,
                "an upload in place replaces nothing when it is finished"
            );
        }
        metadata
    }

    /// Opens an upload that must work.
    pub(super) async fn open_write(
        &self,
        path: impl AsRef<[u8]>,
        options: &WriteOptions,
    ) -> Box<dyn WriteHandle> {
        self.storage.open_write(&at(path), options).await.unwrap()
    }

    /// Reads a file to its end.
    pub(super) async fn read(&self, path: impl AsRef<[u8]>) -> Vec<u8> {
        let file = self.storage.open_read(&at(path)).await.unwrap();
        file.read_at(0, 1 << 20, Vec::new()).await.unwrap()
    }

    pub(super) async fn create_dir(&self, path: impl AsRef<[u8]>) {
        self.storage
            .create_dir(&at(path), 0o755, NOBODY)
            .await
            .unwrap();
    }

    /// Makes a link if the back end can; otherwise the case has nothing to say.
    pub(super) async fn symlink(&self, text: impl AsRef<[u8]>, link: impl AsRef<[u8]>) -> bool {
        let made = self.storage.symlink(text.as_ref(), &at(link)).await;
        if self.can().symlink {
            made.unwrap();
            return true;
        }
        assert_eq!(kind(made), StorageErrorKind::Unsupported);
        false
    }

    /// Attributes of the entry itself.
    pub(super) async fn stat(&self, path: impl AsRef<[u8]>) -> StorageResult<Metadata> {
        self.storage.stat(&at(path), Links::NoFollow).await
    }

    /// Attributes of what the path leads to.
    pub(super) async fn follow(&self, path: impl AsRef<[u8]>) -> StorageResult<Metadata> {
        self.storage.stat(&at(path), Links::Follow).await
    }

    pub(super) async fn is_missing(&self, path: impl AsRef<[u8]>) -> bool {
        match self.stat(path).await {
            Ok(_) => false,
            Err(error) => {
                assert_eq!(error.kind(), StorageErrorKind::NotFound);
                true
            }
        }
    }

    /// All entries of a directory, asked for in pages of `limit`.
    pub(super) async fn list(&self, path: impl AsRef<[u8]>, limit: usize) -> Vec<Entry> {
        let mut listing = self.storage.list(&at(path)).await.unwrap();
        let mut entries = Vec::new();
        loop {
            let page = listing.next_page(limit).await.unwrap();
            assert!(page.len() <= limit);
            if page.is_empty() {
                return entries;
            }
            entries.extend(page);
        }
    }

    /// The names in a directory.
    pub(super) async fn names(&self, path: impl AsRef<[u8]>) -> BTreeSet<Vec<u8>> {
        self.list(path, 100)
            .await
            .into_iter()
            .map(|entry| entry.name)
            .collect()
    }

    pub(super) async fn usage(&self) -> Usage {
        self.storage.usage().await.unwrap()
    }
}
