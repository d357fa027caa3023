//! [`Storage`] for a directory of this machine: each operation is one hop to the blocking pool.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;

use super::disk::Disk;
use super::list::LocalListing;
use super::pool::Pool;
use super::read::LocalRead;
use super::usage::StopOnDrop;
use super::write::LocalWrite;
use crate::capability::{Capabilities, Folders, Rename, Visible, Writes};
use crate::error::StorageResult;
use crate::metadata::{Metadata, SetAttributes, Space};
use crate::storage::{
    Links, Listing, ReadHandle, Removed, RenameMode, Storage, Target, Usage, WriteHandle,
    WriteOptions,
};

/// What a local directory can do.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    writes: Writes::Random,
    visible: Visible::WhileWriting,
    rename: Rename::AtomicTree,
    folders: Folders::Real,
    resume: true,
    truncate: true,
    symlink: true,
    hard_link: true,
    set_attributes: true,
    space: true,
    byte_names: true,
};

/// A directory of this machine, opened by [`LocalBackend::open`](super::LocalBackend::open). A clone shares the descriptor.
#[derive(Debug, Clone)]
pub struct LocalStorage {
    disk: Arc<Disk>,
    pool: Arc<Pool>,
    path: PathBuf,
}

impl LocalStorage {
    pub(super) fn new(disk: Disk, pool: Arc<Pool>, path: PathBuf) -> Self {
        Self {
            disk: Arc::new(disk),
            pool,
            path,
        }
    }

    /// The root as it was named; for logs, never for access.
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn run<T, F>(&self, work: F) -> StorageResult<T>
    where
        F: FnOnce(&Arc<Disk>) -> StorageResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let disk = Arc::clone(&self.disk);
        self.pool.run(move || work(&disk)).await
    }
}

#[async_trait]
impl Storage for LocalStorage {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    async fn stat(&self, target: &Target, links: Links) -> StorageResult<Metadata> {
        // Clients look at every path, often several times: worth saving the way to the pool.
        if let Some(result) = self.disk.try_stat(target, links) {
            return result;
        }
        let target = target.clone();
        self.run(move |disk| disk.stat(&target, links)).await
    }

    async fn list(&self, target: &Target) -> StorageResult<Box<dyn Listing>> {
        let target = target.clone();
        let dir = self.run(move |disk| disk.list(&target)).await?;
        Ok(Box::new(LocalListing::new(dir, Arc::clone(&self.pool))))
    }

    async fn open_read(&self, target: &Target) -> StorageResult<Box<dyn ReadHandle>> {
        let target = target.clone();
        let file = self.run(move |disk| disk.open_read(&target)).await?;
        Ok(Box::new(LocalRead::new(file, Arc::clone(&self.pool))))
    }

    async fn open_write(
        &self,
        target: &Target,
        options: &WriteOptions,
    ) -> StorageResult<Box<dyn WriteHandle>> {
        let (target, options) = (target.clone(), *options);
        let upload = self
            .run(move |disk| disk.open_write(&target, &options))
            .await?;
        Ok(Box::new(LocalWrite::new(upload, Arc::clone(&self.pool))))
    }

    async fn create_dir(
        &self,
        target: &Target,
        mode: u32,
        owner: (Option<u32>, Option<u32>),
    ) -> StorageResult<()> {
        let target = target.clone();
        self.run(move |disk| disk.create_dir(&target, mode, owner))
            .await
    }

    async fn remove_file(&self, target: &Target) -> StorageResult<Metadata> {
        let target = target.clone();
        self.run(move |disk| disk.remove_file(&target)).await
    }

    async fn remove_dir(&self, target: &Target) -> StorageResult<()> {
        let target = target.clone();
        self.run(move |disk| disk.remove_dir(&target)).await
    }

    async fn rename(&self, from: &Target, to: &Target, mode: RenameMode) -> StorageResult<Removed> {
        let (from, to) = (from.clone(), to.clone());
        self.run(move |disk| disk.rename(&from, &to, mode)).await
    }

    async fn symlink(&self, text: &[u8], link: &Target) -> StorageResult<()> {
        let (text, link) = (text.to_vec(), link.clone());
        self.run(move |disk| disk.symlink(&text, &link)).await
    }

    async fn read_link(&self, target: &Target) -> StorageResult<Vec<u8>> {
        let target = target.clone();
        self.run(move |disk| disk.read_link(&target)).await
    }

    async fn hard_link(&self, from: &Target, to: &Target) -> StorageResult<Metadata> {
        let (from, to) = (from.clone(), to.clone());
        self.run(move |disk| disk.hard_link(&from, &to)).await
    }

    async fn set_attributes(
        &self,
        target: &Target,
        changes: &SetAttributes,
        links: Links,
    ) -> StorageResult<()> {
        let (target, changes) = (target.clone(), *changes);
        self.run(move |disk| disk.set_attributes(&target, &changes, links))
            .await
    }

    async fn truncate(&self, target: &Target, size: u64) -> StorageResult<Metadata> {
        let target = target.clone();
        self.run(move |disk| disk.truncate(&target, size)).await
    }

    async fn space(&self, target: &Target) -> StorageResult<Space> {
        let target = target.clone();
        self.run(move |disk| disk.space(&target)).await
    }

    async fn usage(&self) -> StorageResult<Usage> {
        let disk = Arc::clone(&self.disk);
        let stop = Arc::new(AtomicBool::new(false));
        let _stop_on_drop = StopOnDrop(Arc::clone(&stop));
        self.pool.scan(move || disk.usage(&stop)).await
    }
}
