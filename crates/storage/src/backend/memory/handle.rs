//! Open files and directories.

use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;

use super::node::Inode;
use super::open::{Opened, Pending};
use super::tree::Tree;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{Entry, FileTime, Metadata, SetAttributes};
use crate::storage::{
    Chunk, Ended, Ending, Expected, FileEnd, Listing, Pinned, ReadHandle, WriteHandle,
};

/// Keeps a node alive. Dropping it, deliberately, closes it.
#[derive(Debug)]
struct Open {
    tree: Arc<Mutex<Tree>>,
    inode: Inode,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.tree.lock().close(self.inode);
    }
}

#[async_trait]
impl Pinned for Open {
    async fn stat(&self) -> StorageResult<Metadata> {
        Self::stat(self)
    }
}

impl Open {
    fn read(&self, offset: u64, len: usize, buffer: &mut Vec<u8>) -> StorageResult<usize> {
        self.tree.lock().read(self.inode, offset, len, buffer)
    }

    fn stat(&self) -> StorageResult<Metadata> {
        self.tree.lock().metadata(self.inode)
    }
}

/// Keeps a node of a tree that the caller has locked.
pub(super) fn keep(
    tree: &Arc<Mutex<Tree>>,
    locked: &mut Tree,
    inode: Inode,
) -> StorageResult<Box<dyn Pinned>> {
    locked.open(inode)?;
    let tree = Arc::clone(tree);
    Ok(Box::new(Open { tree, inode }))
}

/// A file open for reading.
#[derive(Debug)]
pub(super) struct MemoryRead(Open);

impl MemoryRead {
    /// Takes over an inode that is open already.
    pub(super) fn new(tree: Arc<Mutex<Tree>>, inode: Inode) -> Self {
        Self(Open { tree, inode })
    }
}

#[async_trait]
impl ReadHandle for MemoryRead {
    async fn stat(&self) -> StorageResult<Metadata> {
        self.0.stat()
    }

    fn try_read_at(
        &self,
        offset: u64,
        len: usize,
        buffer: &mut Vec<u8>,
    ) -> Option<StorageResult<usize>> {
        Some(self.0.read(offset, len, buffer))
    }

    async fn read_at(
        &self,
        offset: u64,
        len: usize,
        mut buffer: Vec<u8>,
    ) -> StorageResult<Vec<u8>> {
        self.0.read(offset, len, &mut buffer)?;
        Ok(buffer)
    }

    async fn set_attributes(&self, changes: &SetAttributes) -> StorageResult<()> {
        self.0.tree.lock().set_attributes(self.0.inode, changes)
    }
}

/// A file open for writing.
#[derive(Debug)]
pub(super) struct MemoryWrite {
    open: Arc<Open>,
    replaced: Option<Metadata>,
    pending: Option<Pending>,
    /// The times the client asked for last; later writes must not change them.
    times: Mutex<Option<(FileTime, FileTime)>>,
    ended: bool,
}

impl MemoryWrite {
    pub(super) fn new(tree: Arc<Mutex<Tree>>, opened: Opened) -> Self {
        let Opened {
            inode,
            replaced,
            pending,
        } = opened;
        Self {
            open: Arc::new(Open { tree, inode }),
            replaced,
            pending,
            times: Mutex::new(None),
            ended: false,
        }
    }

    fn write(&self, chunks: &[Chunk]) -> StorageResult<()> {
        self.change(|tree| tree.write(self.open.inode, chunks))
    }

    /// Gives the file its name, if it waits for one and is to have it.
    fn conclude(&self, how: Ending, expected: Expected) -> StorageResult<Ended> {
        let inode = self.open.inode;
        let mut tree = self.open.tree.lock();
        let removed = match (&self.pending, how) {
            (None, _) => None,
            (Some(pending), Ending::Finish) => tree.publish(inode, pending, expected)?,
            (Some(_), Ending::Discard) => return Ok(None),
            (Some(pending), Ending::GiveUp) => match tree.give_up(inode, pending, expected)? {
                Some(removed) => removed,
                None => return Ok(None),
            },
        };
        Ok(Some((tree.metadata(inode)?, removed)))
    }

    fn change(&self, change: impl FnOnce(&mut Tree) -> StorageResult<()>) -> StorageResult<()> {
        if self.ended {
            let context = "the upload has ended";
            return Err(StorageError::new(StorageErrorKind::Unavailable, context));
        }
        change(&mut self.open.tree.lock())
    }
}

impl Drop for MemoryWrite {
    fn drop(&mut self) {
        if self.pending.is_some() {
            // Nobody is left to be told.
            let _ = self.conclude(Ending::GiveUp, Expected::Anything);
        }
    }
}

#[async_trait]
impl WriteHandle for MemoryWrite {
    async fn stat(&self) -> StorageResult<Metadata> {
        self.open.stat()
    }

    fn replaced(&self) -> Option<&Metadata> {
        self.replaced.as_ref()
    }

    async fn write_at(&self, chunks: Vec<Chunk>) -> StorageResult<()> {
        self.write(&chunks)
    }

    fn try_write_at(&self, chunks: &[Chunk]) -> Option<StorageResult<()>> {
        Some(self.write(chunks))
    }

    async fn lock_end(&self) -> StorageResult<FileEnd> {
        let turns = {
            let tree = self.open.tree.lock();
            Arc::clone(&tree.node(self.open.inode)?.appending)
        };
        let size = async { Ok(self.open.stat()?.size) };
        FileEnd::take(&turns, size).await
    }

    async fn append(&self, _end: FileEnd, pieces: Vec<Bytes>) -> StorageResult<()> {
        let mut tree = self.open.tree.lock();
        let offset = tree.node(self.open.inode)?.size();
        tree.write(self.open.inode, &[Chunk { offset, pieces }])
    }

    async fn read_at(
        &self,
        offset: u64,
        len: usize,
        mut buffer: Vec<u8>,
    ) -> StorageResult<Vec<u8>> {
        self.open.read(offset, len, &mut buffer)?;
        Ok(buffer)
    }

    async fn set_len(&self, size: u64) -> StorageResult<()> {
        self.change(|tree| tree.set_len(self.open.inode, size))
    }

    async fn set_attributes(&self, changes: &SetAttributes) -> StorageResult<()> {
        self.open
            .tree
            .lock()
            .set_attributes(self.open.inode, changes)?;
        if changes.times.is_some() {
            *self.times.lock() = changes.times;
        }
        Ok(())
    }

    async fn sync(&self) -> StorageResult<()> {
        Ok(())
    }

    fn pin(&self) -> Arc<dyn Pinned> {
        Arc::clone(&self.open) as _
    }

    async fn pin_replaced(&self) -> StorageResult<Option<Box<dyn Pinned>>> {
        let Some(pending) = &self.pending else {
            return Ok(None);
        };
        let mut tree = self.open.tree.lock();
        let Some(there) = tree.goal(pending)? else {
            return Ok(None);
        };
        Ok(Some(keep(&self.open.tree, &mut tree, there)?))
    }

    async fn end(&mut self, how: Ending, expected: Expected) -> StorageResult<Ended> {
        self.ended = true;
        let times = *self.times.lock();
        let kept = SetAttributes {
            times,
            ..SetAttributes::default()
        };
        if how == Ending::Finish {
            let mut tree = self.open.tree.lock();
            tree.set_attributes(self.open.inode, &kept)?;
        }
        let ended = self.conclude(how, expected);
        let again = ended
            .as_ref()
            .is_err_and(|error| error.kind() == StorageErrorKind::Raced);
        if !again {
            self.pending = None;
        }
        ended
    }
}

/// An open directory, listed by name.
#[derive(Debug)]
pub(super) struct MemoryListing {
    open: Open,
    /// The name that was given last.
    after: Bound<Vec<u8>>,
    ended: bool,
}

impl MemoryListing {
    /// Takes over an inode that is open already.
    pub(super) fn new(tree: Arc<Mutex<Tree>>, inode: Inode) -> Self {
        Self {
            open: Open { tree, inode },
            after: Bound::Unbounded,
            ended: false,
        }
    }
}

#[async_trait]
impl Listing for MemoryListing {
    async fn next_page(&mut self, limit: usize) -> StorageResult<Vec<Entry>> {
        if self.ended {
            return Ok(Vec::new());
        }
        let tree = self.open.tree.lock();
        let entries = tree.entries(self.open.inode)?;
        let mut page = Vec::new();
        for (name, inode) in entries
            .range((self.after.clone(), Bound::Unbounded))
            .take(limit)
        {
            page.push(Entry {
                name: name.clone(),
                metadata: tree.metadata(*inode)?,
            });
        }
        match page.last() {
            Some(last) => self.after = Bound::Excluded(last.name.clone()),
            None => self.ended = limit > 0,
        }
        Ok(page)
    }

    async fn stat(&mut self) -> StorageResult<Metadata> {
        self.open.stat()
    }

    async fn set_attributes(&mut self, changes: &SetAttributes) -> StorageResult<()> {
        let mut tree = self.open.tree.lock();
        tree.set_attributes(self.open.inode, changes)
    }
}
