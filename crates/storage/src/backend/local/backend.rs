//! What all local storages of a process share, and how they are opened.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, openat, openat2};

use super::attributes::dress_new;
use super::disk::Disk;
use super::error::fault;
use super::identity::OpenInodes;
use super::lock::NameLocks;
use super::pool::Pools;
use super::root::Root;
use super::stat::id;
use super::storage::LocalStorage;
use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// The local back end. Clones share their locks, which accounting relies on: make one for the process.
#[derive(Debug, Clone)]
pub struct LocalBackend {
    pools: Arc<Pools>,
    locks: Arc<NameLocks>,
    inodes: Arc<OpenInodes>,
    openat2: bool,
}

impl Default for LocalBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl LocalBackend {
    /// Finds out what the kernel can do.
    pub fn new() -> Self {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        // Kernels before 5.6 lack it, and container sandboxes answer EPERM instead.
        let openat2 = openat2(CWD, c".", flags, Mode::empty(), ResolveFlags::BENEATH).is_ok();
        Self {
            openat2,
            ..Self::with_component_walker()
        }
    }

    /// A back end that resolves every path name by name, as on kernels without `openat2`.
    pub fn with_component_walker() -> Self {
        Self {
            pools: Arc::default(),
            locks: Arc::new(NameLocks::new()),
            inodes: Arc::default(),
            openat2: false,
        }
    }

    /// Opens a root directory; `NotFound` if it is missing. It waits for the disk: call it where blocking is allowed.
    ///
    /// The path may lead through links, for it is the administrator's. From here on the directory is meant, not the path.
    pub fn open(&self, root: &Path) -> StorageResult<LocalStorage> {
        let root_dir = Root::open(root, self.openat2)?;
        let stat = fstat(root_dir.dir()).map_err(|errno| fault("stat the root", errno))?;
        let disk = Disk {
            root: root_dir,
            locks: Arc::clone(&self.locks),
            inodes: Arc::clone(&self.inodes),
        };
        let pool = self.pools.of(id(&stat).device);
        Ok(LocalStorage::new(disk, pool, root.to_path_buf()))
    }

    /// Makes a root directory and the directories above it. Waits for the disk. `true` if it was missing; only then it gets
    /// the owner, and those above never do.
    pub fn create_root(
        &self,
        path: &Path,
        mode: u32,
        owner: (Option<u32>, Option<u32>),
    ) -> StorageResult<bool> {
        if !path.is_absolute() {
            let context = "the root is a relative path";
            return Err(StorageError::new(StorageErrorKind::InvalidPath, context));
        }
        if path.is_dir() {
            return Ok(false);
        }
        let io = |error| StorageError::from_io("make the root directory", error);
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(mode & 0o777);
        if let Some(parent) = path.parent() {
            builder.recursive(true).create(parent).map_err(io)?;
        }
        match builder.recursive(false).create(path) {
            Ok(()) => {}
            // Made by another login meanwhile.
            Err(_) if path.is_dir() => return Ok(false),
            Err(error) => return Err(io(error)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = openat(CWD, path, flags, Mode::empty()).map_err(|e| fault("open the root", e))?;
        let stat = fstat(&dir).map_err(|errno| fault("stat the root", errno))?;
        dress_new(&dir, &stat, mode, owner)?;
        Ok(true)
    }
}
