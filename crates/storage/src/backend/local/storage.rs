//! [`Storage`] for a directory of this machine: each operation is one hop to the blocking pool, or none where nothing waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;

use super::disk::Disk;
use super::list::LocalListing;
use super::pin;
use super::pool::Pool;
use super::read::LocalRead;
use super::usage::StopOnDrop;
use super::write::LocalWrite;
use crate::capability::{Capabilities, Folders, Rename, Visible, Writes};
use crate::error::StorageResult;
use crate::metadata::{Metadata, SetAttributes, Space};
use crate::storage::{
    Links, Listing, Native, Pinned, ReadHandle, Removed, RenameMode, Storage, Target, Usage,
    WriteHandle, WriteOptions,
};

/// What a local directory can do.
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
    native: true,
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

    /// Does `work` for the targets it acts on: at once if all of them lie in memory, where nothing ever waits and the way to
    /// the pool would cost more than the work; else on the pool.
    async fn run_at<T, F>(&self, targets: &[&Target], work: F) -> StorageResult<T>
    where
        F: FnOnce(&Arc<Disk>) -> StorageResult<T> + Send + 'static,
        T: Send + 'static,
    {
        if targets
            .iter()
            .all(|target| self.disk.root.is_in_memory(&target.path))
        {
            return work(&self.disk);
        }
        self.run(work).await
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
        let wanted = target.clone();
        let file = self
            .run_at(&[target], move |disk| disk.open_read(&wanted))
            .await?;
        Ok(Box::new(LocalRead::new(file, Arc::clone(&self.pool))))
    }

    async fn open_write(
        &self,
        target: &Target,
        options: &WriteOptions,
    ) -> StorageResult<Box<dyn WriteHandle>> {
        let (wanted, options) = (target.clone(), *options);
        let upload = self
            .run_at(&[target], move |disk| disk.open_write(&wanted, &options))
            .await?;
        Ok(Box::new(LocalWrite::new(upload, Arc::clone(&self.pool))))
    }

    async fn create_dir(
        &self,
        target: &Target,
        mode: u32,
        owner: (Option<u32>, Option<u32>),
    ) -> StorageResult<()> {
        let wanted = target.clone();
        self.run_at(&[target], move |disk| disk.create_dir(&wanted, mode, owner))
            .await
    }

    async fn remove_file(&self, target: &Target) -> StorageResult<Metadata> {
        let wanted = target.clone();
        self.run_at(&[target], move |disk| disk.remove_file(&wanted))
            .await
    }

    async fn remove_dir(&self, target: &Target) -> StorageResult<()> {
        let wanted = target.clone();
        self.run_at(&[target], move |disk| disk.remove_dir(&wanted))
            .await
    }

    async fn rename(&self, from: &Target, to: &Target, mode: RenameMode) -> StorageResult<Removed> {
        let (source, goal) = (from.clone(), to.clone());
        self.run_at(&[from, to], move |disk| disk.rename(&source, &goal, mode))
            .await
    }

    async fn symlink(&self, text: &[u8], link: &Target) -> StorageResult<()> {
        let (text, wanted) = (text.to_vec(), link.clone());
        self.run_at(&[link], move |disk| disk.symlink(&text, &wanted))
            .await
    }

    async fn read_link(&self, target: &Target) -> StorageResult<Vec<u8>> {
        let wanted = target.clone();
        self.run_at(&[target], move |disk| disk.read_link(&wanted))
            .await
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
        let (wanted, changes) = (target.clone(), *changes);
        self.run_at(&[target], move |disk| {
            disk.set_attributes(&wanted, &changes, links)
        })
        .await
    }

    async fn truncate(&self, target: &Target, size: u64) -> StorageResult<Metadata> {
        let wanted = target.clone();
        self.run_at(&[target], move |disk| disk.truncate(&wanted, size))
            .await
    }

    async fn space(&self, target: &Target) -> StorageResult<Space> {
        let wanted = target.clone();
        self.run_at(&[target], move |disk| disk.space(&wanted))
            .await
    }

    async fn folds_names(&self) -> StorageResult<bool> {
        self.run(|disk| disk.folds_names()).await
    }

    async fn usage(&self) -> StorageResult<Usage> {
        let disk = Arc::clone(&self.disk);
        let stop = Arc::new(AtomicBool::new(false));
        let _stop_on_drop = StopOnDrop(Arc::clone(&stop));
        self.pool.scan(move || disk.usage(&stop)).await
    }

    async fn pin(&self, target: &Target, links: Links) -> StorageResult<Box<dyn Pinned>> {
        let wanted = target.clone();
        let object = self
            .run_at(&[target], move |disk| disk.pin(&wanted, links))
            .await?;
        Ok(pin::pin(object, &self.pool))
    }

    async fn native(&self, target: &Target, links: Links) -> StorageResult<Native> {
        let target = target.clone();
        self.run(move |disk| disk.native(&target, links)).await
    }
}
