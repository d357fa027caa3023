//! [`Storage`] for a tree in memory.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::handle::{MemoryListing, MemoryRead, MemoryWrite, keep};
use super::tree::Tree;
use super::walk::ROOT_PATH;
use crate::capability::{Capabilities, Folders, Rename, Visible, Writes};
use crate::error::StorageResult;
use crate::metadata::{Metadata, SetAttributes, Space};
use crate::storage::{
    Links, Listing, Pinned, ReadHandle, Removed, RenameMode, Storage, Target, Usage, WriteHandle,
    WriteOptions,
};

/// What a tree in memory can do: everything.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    writes: Writes::Random,
    visible: Visible::WhileWriting,
    rename: Rename::AtomicTree,
    folders: Folders::Real,
    resume: true,
    append: true,
    truncate: true,
    symlink: true,
    hard_link: true,
    set_attributes: true,
    set_modified: true,
    space: true,
    native: false,
    byte_names: true,
};

/// Unit of [`Space`].
const BLOCK: u64 = 4096;

/// A tree in memory. A clone is the same tree; it is gone with the last one.
#[derive(Debug, Clone)]
pub struct MemoryStorage {
    tree: Arc<Mutex<Tree>>,
}

impl MemoryStorage {
    /// What the text of an absolute link starts with if it stays inside.
    pub const ROOT_PATH: &[u8] = ROOT_PATH;

    /// An empty tree whose files hold at most `limit` bytes together; more is `StorageFull`.
    pub fn new(limit: u64) -> Self {
        Self {
            tree: Arc::new(Mutex::new(Tree::new(limit))),
        }
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    async fn stat(&self, target: &Target, links: Links) -> StorageResult<Metadata> {
        let tree = self.tree.lock();
        tree.metadata(tree.find_existing(target, links)?)
    }

    async fn list(&self, target: &Target) -> StorageResult<Box<dyn Listing>> {
        let mut tree = self.tree.lock();
        let inode = tree.find_existing(target, Links::Follow)?;
        tree.entries(inode)?;
        tree.open(inode)?;
        Ok(Box::new(MemoryListing::new(Arc::clone(&self.tree), inode)))
    }

    async fn open_read(&self, target: &Target) -> StorageResult<Box<dyn ReadHandle>> {
        let inode = self.tree.lock().open_read(target)?;
        Ok(Box::new(MemoryRead::new(Arc::clone(&self.tree), inode)))
    }

    async fn open_write(
        &self,
        target: &Target,
        options: &WriteOptions,
    ) -> StorageResult<Box<dyn WriteHandle>> {
        let opened = self.tree.lock().open_write(target, options)?;
        Ok(Box::new(MemoryWrite::new(Arc::clone(&self.tree), opened)))
    }

    async fn create_dir(
        &self,
        target: &Target,
        mode: u32,
        owner: (Option<u32>, Option<u32>),
    ) -> StorageResult<()> {
        self.tree.lock().create_dir(target, mode, owner)
    }

    async fn remove_file(&self, target: &Target) -> StorageResult<Metadata> {
        self.tree.lock().remove_file(target)
    }

    async fn remove_dir(&self, target: &Target) -> StorageResult<()> {
        self.tree.lock().remove_dir(target)
    }

    async fn rename(&self, from: &Target, to: &Target, mode: RenameMode) -> StorageResult<Removed> {
        self.tree.lock().rename(from, to, mode)
    }

    async fn symlink(&self, text: &[u8], link: &Target) -> StorageResult<()> {
        self.tree.lock().symlink(text, link)
    }

    async fn read_link(&self, target: &Target) -> StorageResult<Vec<u8>> {
        self.tree.lock().read_link(target)
    }

    async fn hard_link(&self, from: &Target, to: &Target) -> StorageResult<Metadata> {
        self.tree.lock().hard_link(from, to)
    }

    async fn set_attributes(
        &self,
        target: &Target,
        changes: &SetAttributes,
        links: Links,
    ) -> StorageResult<()> {
        let mut tree = self.tree.lock();
        let inode = tree.find_existing(target, links)?;
        tree.set_attributes(inode, changes)
    }

    async fn truncate(&self, target: &Target, size: u64) -> StorageResult<Metadata> {
        let mut tree = self.tree.lock();
        let inode = tree.regular(tree.find_existing(target, Links::Follow)?)?;
        let before = tree.metadata(inode)?;
        tree.set_len(inode, size)?;
        Ok(before)
    }

    async fn space(&self, target: &Target) -> StorageResult<Space> {
        let tree = self.tree.lock();
        tree.find_existing(target, Links::Follow)?;
        let (used, limit) = tree.limit();
        let free = limit.saturating_sub(used) / BLOCK;
        Ok(Space {
            block_size: BLOCK,
            fragment_size: BLOCK,
            blocks: limit / BLOCK,
            blocks_free: free,
            blocks_available: free,
            name_max: 255,
            ..Space::default()
        })
    }

    async fn pin(&self, target: &Target, links: Links) -> StorageResult<Box<dyn Pinned>> {
        let mut tree = self.tree.lock();
        let inode = tree.find_existing(target, links)?;
        keep(&self.tree, &mut tree, inode)
    }

    async fn usage(&self) -> StorageResult<Usage> {
        Ok(self.tree.lock().usage())
    }
}
