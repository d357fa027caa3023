//! The nodes, how they hang together, and how many bytes they hold.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};

use super::node::{Body, Inode, Node};
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{FileKind, Metadata, SetAttributes};
use crate::storage::{Chunk, Usage};

/// The root directory.
pub(super) const ROOT: Inode = 1;

/// The whole tree; everything happens under one lock.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: HashMap<Inode, Node>,
    next: Inode,
    device: u64,
    /// Bytes in files, those without a name too while they are open.
    used: u64,
    limit: u64,
}

impl Tree {
    pub(super) fn new(limit: u64) -> Self {
        let mut root = Node::new(Body::Directory(BTreeMap::new()), 0o755, (None, None));
        root.links = 1;
        let device = RandomState::new().hash_one(limit);
        Self {
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT + 1,
            device,
            used: 0,
            limit,
        }
    }

    pub(super) fn limit(&self) -> (u64, u64) {
        (self.used, self.limit)
    }

    pub(super) fn node(&self, inode: Inode) -> StorageResult<&Node> {
        self.nodes.get(&inode).ok_or_else(gone)
    }

    pub(super) fn node_mut(&mut self, inode: Inode) -> StorageResult<&mut Node> {
        self.nodes.get_mut(&inode).ok_or_else(gone)
    }

    pub(super) fn metadata(&self, inode: Inode) -> StorageResult<Metadata> {
        Ok(self.node(inode)?.metadata(self.device, inode))
    }

    /// The entries of a directory; `NotADirectory` for anything else.
    pub(super) fn entries(&self, inode: Inode) -> StorageResult<&BTreeMap<Vec<u8>, Inode>> {
        match &self.node(inode)?.body {
            Body::Directory(entries) => Ok(entries),
            Body::File(_) | Body::Symlink(_) => Err(not_a_directory()),
        }
    }

    fn entries_mut(&mut self, inode: Inode) -> StorageResult<&mut BTreeMap<Vec<u8>, Inode>> {
        let node = self.node_mut(inode)?;
        node.touch();
        match &mut node.body {
            Body::Directory(entries) => Ok(entries),
            Body::File(_) | Body::Symlink(_) => Err(not_a_directory()),
        }
    }

    /// Adds a node without a name.
    pub(super) fn add(&mut self, node: Node) -> Inode {
        let inode = self.next;
        self.next += 1;
        self.nodes.insert(inode, node);
        inode
    }

    /// Gives a node a name, where nothing is.
    pub(super) fn link(&mut self, dir: Inode, name: &[u8], inode: Inode) -> StorageResult<()> {
        // A directory that was removed while a handle pointed at it takes no entries.
        if self.node(dir)?.links == 0 {
            return Err(gone());
        }
        self.entries_mut(dir)?.insert(name.to_vec(), inode);
        self.node_mut(inode)?.links += 1;
        Ok(())
    }

    /// Takes a name away, and the node with the last of them.
    pub(super) fn unlink(&mut self, dir: Inode, name: &[u8]) -> StorageResult<()> {
        if let Some(inode) = self.entries_mut(dir)?.remove(name) {
            let node = self.node_mut(inode)?;
            node.links = node.links.saturating_sub(1);
            self.reap(inode);
        }
        Ok(())
    }

    /// Notes a handle; [`Self::close`] undoes it.
    pub(super) fn open(&mut self, inode: Inode) -> StorageResult<()> {
        self.node_mut(inode)?.handles += 1;
        Ok(())
    }

    pub(super) fn close(&mut self, inode: Inode) {
        if let Ok(node) = self.node_mut(inode) {
            node.handles = node.handles.saturating_sub(1);
        }
        self.reap(inode);
    }

    fn reap(&mut self, inode: Inode) {
        let unused = |node: &Node| node.links == 0 && node.handles == 0;
        if self.nodes.get(&inode).is_some_and(unused)
            && let Some(node) = self.nodes.remove(&inode)
            && node.kind() == FileKind::File
        {
            self.used = self.used.saturating_sub(node.size());
        }
    }

    pub(super) fn read(
        &self,
        inode: Inode,
        offset: u64,
        len: usize,
        buffer: &mut Vec<u8>,
    ) -> StorageResult<usize> {
        check_range(offset, len as u64)?;
        let bytes = self.bytes(inode)?;
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|from| bytes.get(from..));
        let rest = rest.unwrap_or_default();
        let part = rest.get(..len).unwrap_or(rest);
        buffer.extend_from_slice(part);
        Ok(part.len())
    }

    pub(super) fn write(&mut self, inode: Inode, chunks: &[Chunk]) -> StorageResult<()> {
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            check_range(chunk.offset, chunk.len())?;
            if chunk.end() > self.bytes(inode)?.len() as u64 {
                self.set_len(inode, chunk.end())?;
            }
            let node = self.node_mut(inode)?;
            node.touch();
            let Body::File(bytes) = &mut node.body else {
                return Err(is_a_directory());
            };
            let mut at = usize::try_from(chunk.offset).unwrap_or(usize::MAX);
            for piece in &chunk.pieces {
                if let Some(room) = bytes.get_mut(at..at.saturating_add(piece.len())) {
                    room.copy_from_slice(piece);
                }
                at = at.saturating_add(piece.len());
            }
        }
        Ok(())
    }

    /// Cuts or extends a file, within the cap.
    pub(super) fn set_len(&mut self, inode: Inode, size: u64) -> StorageResult<()> {
        check_range(size, 0)?;
        let old = self.bytes(inode)?.len() as u64;
        let used = self.used.saturating_sub(old).saturating_add(size);
        let new_len = usize::try_from(size)
            .ok()
            .filter(|_| size <= old || used <= self.limit);
        let Some(new_len) = new_len else {
            return Err(StorageError::new(
                StorageErrorKind::StorageFull,
                "the memory is full",
            ));
        };
        self.used = used;
        let node = self.node_mut(inode)?;
        node.touch();
        if let Body::File(bytes) = &mut node.body {
            bytes.resize(new_len, 0);
        }
        Ok(())
    }

    pub(super) fn set_attributes(
        &mut self,
        inode: Inode,
        changes: &SetAttributes,
    ) -> StorageResult<()> {
        self.node_mut(inode)?.set_attributes(changes)
    }

    /// Sums the files that have a name, each name for itself.
    pub(super) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for node in self
            .nodes
            .values()
            .filter(|node| node.kind() == FileKind::File)
        {
            usage.files += node.links;
            usage.bytes = usage
                .bytes
                .saturating_add(node.links.saturating_mul(node.size()));
        }
        usage
    }

    fn bytes(&self, inode: Inode) -> StorageResult<&Vec<u8>> {
        match &self.node(inode)?.body {
            Body::File(bytes) => Ok(bytes),
            Body::Directory(_) | Body::Symlink(_) => Err(is_a_directory()),
        }
    }
}

/// Offsets are counted as on a disk, in signed 64 bits.
fn check_range(offset: u64, len: u64) -> StorageResult<()> {
    let end = offset
        .checked_add(len)
        .and_then(|end| i64::try_from(end).ok());
    end.map(|_| ()).ok_or_else(|| {
        StorageError::new(
            StorageErrorKind::InvalidArgument,
            "the offset is out of range",
        )
    })
}

fn gone() -> StorageError {
    StorageError::new(StorageErrorKind::NotFound, "it was removed")
}

fn not_a_directory() -> StorageError {
    StorageError::new(StorageErrorKind::NotADirectory, "not a directory")
}

fn is_a_directory() -> StorageError {
    StorageError::new(StorageErrorKind::IsADirectory, "not a regular file")
}
