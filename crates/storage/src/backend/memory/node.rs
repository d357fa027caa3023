//! One file, directory or link of the tree.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{FileId, FileKind, FileTime, Metadata, SetAttributes};

/// Identity of a node; never used again after it is gone.
pub(super) type Inode = u64;

/// What a node holds.
#[derive(Debug)]
pub(super) enum Body {
    File(Vec<u8>),
    Directory(BTreeMap<Vec<u8>, Inode>),
    Symlink(Vec<u8>),
}

/// A node: its body and attributes.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) body: Body,
    permissions: u32,
    uid: u32,
    gid: u32,
    /// Names in directories.
    pub(super) links: u64,
    /// Open handles.
    pub(super) handles: u64,
    accessed: FileTime,
    modified: FileTime,
    /// The turn of appending to a file.
    pub(super) appending: Arc<tokio::sync::Mutex<()>>,
}

impl Node {
    pub(super) fn new(body: Body, mode: u32, (uid, gid): (Option<u32>, Option<u32>)) -> Self {
        let now = now();
        let (uid, gid) = (uid.unwrap_or(0), gid.unwrap_or(0));
        let permissions = mode & 0o777;
        Self {
            body,
            permissions,
            uid,
            gid,
            links: 0,
            handles: 0,
            accessed: now,
            modified: now,
            appending: Arc::default(),
        }
    }

    pub(super) fn kind(&self) -> FileKind {
        match self.body {
            Body::File(_) => FileKind::File,
            Body::Directory(_) => FileKind::Directory,
            Body::Symlink(_) => FileKind::Symlink,
        }
    }

    pub(super) fn size(&self) -> u64 {
        match &self.body {
            Body::File(bytes) | Body::Symlink(bytes) => bytes.len() as u64,
            Body::Directory(_) => 0,
        }
    }

    pub(super) fn metadata(&self, device: u64, inode: Inode) -> Metadata {
        let format = match self.body {
            Body::File(_) => 0o100_000,
            Body::Directory(_) => 0o040_000,
            Body::Symlink(_) => 0o120_000,
        };
        Metadata {
            kind: self.kind(),
            size: self.size(),
            mode: format | self.permissions,
            uid: self.uid,
            gid: self.gid,
            links: self.links,
            accessed: self.accessed,
            modified: self.modified,
            // Numbers are not given twice.
            id: Some(FileId { device, inode }),
        }
    }

    pub(super) fn set_attributes(&mut self, changes: &SetAttributes) -> StorageResult<()> {
        changes.check()?;
        if let Some((uid, gid)) = changes.owner {
            self.uid = uid.unwrap_or(self.uid);
            self.gid = gid.unwrap_or(self.gid);
        }
        if let Some(mode) = changes.mode {
            if self.kind() == FileKind::Symlink {
                let context = "a link has no mode of its own";
                return Err(StorageError::new(StorageErrorKind::Unsupported, context));
            }
            self.permissions = mode & 0o777;
        }
        if let Some((accessed, modified)) = changes.times {
            (self.accessed, self.modified) = (accessed, modified);
        }
        Ok(())
    }

    /// Makes the new file look like the one it replaces.
    pub(super) fn dress_like(&mut self, old: &Metadata) {
        self.permissions = old.mode & 0o777;
        (self.uid, self.gid) = (old.uid, old.gid);
    }

    /// Notes a change of the contents.
    pub(super) fn touch(&mut self) {
        self.modified = now();
    }
}

fn now() -> FileTime {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    FileTime {
        seconds,
        nanos: since.subsec_nanos(),
    }
}
