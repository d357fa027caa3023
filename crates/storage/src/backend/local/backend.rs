//! What all local storages of a process share, and how they are opened.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, openat, openat2};

use super::attributes::dress_new;
use super::disk::Disk;
use super::error::fault;
use super::identity::OpenInodes;
use super::lock::NameLocks;
use super::mount_table::{MAX_LINKS, MountTable};
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
            locks: Arc::default(),
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

    /// [`Self::open`] without blocking the caller: it waits only with others whose roots are on the same disk, and if that
    /// hangs, they alone do.
    pub async fn open_waiting(&self, root: &Path) -> StorageResult<LocalStorage> {
        let (backend, path) = (self.clone(), root.to_path_buf());
        let open = move || backend.open(&path);
        self.on_disk_of(root, MountTable::read(), open).await
    }

    /// [`Self::create_root`] in the same way.
    pub async fn create_root_waiting(
        &self,
        path: &Path,
        mode: u32,
        owner: (Option<u32>, Option<u32>),
    ) -> StorageResult<bool> {
        let (backend, root) = (self.clone(), path.to_path_buf());
        let create = move || backend.create_root(&root, mode, owner);
        self.on_disk_of(path, MountTable::read(), create).await
    }

    /// Does `work` on the pool of the disk on which a path lies. Links are followed from disk to disk, each on its own pool.
    async fn on_disk_of<T, F>(&self, path: &Path, mounts: MountTable, work: F) -> StorageResult<T>
    where
        F: FnOnce() -> StorageResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let mounts = Arc::new(mounts);
        let mut place = path.to_path_buf();
        let mut work = work;
        for _ in 0..MAX_LINKS {
            let pool = self.pools.of(mounts.device(&place));
            let (table, here) = (Arc::clone(&mounts), place);
            let step = pool.run(move || match table.elsewhere(&here) {
                Some(other) => Ok(Step::Elsewhere(other, work)),
                None => work().map(Step::Done),
            });
            match step.await? {
                Step::Done(result) => return Ok(result),
                Step::Elsewhere(other, again) => (place, work) = (other, again),
            }
        }
        let context = "too many links lead to the root directory";
        Err(StorageError::new(StorageErrorKind::Unavailable, context))
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

/// How far work on a root directory came on one disk.
enum Step<T, F> {
    Done(T),
    /// A link leads to another disk, where the work is to be done.
    Elsewhere(PathBuf, F),
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Everything that would touch the hung disk waits for the end of the test.
    #[tokio::test]
    async fn roots_on_a_disk_that_hangs_keep_no_others_from_being_opened() {
        let keep = tempfile::tempdir().unwrap();
        let base = keep.path().canonicalize().unwrap();
        let hung = base.join("hung");
        std::os::unix::fs::symlink(&hung, base.join("link")).unwrap();
        let backend = LocalBackend::new();
        let table = || MountTable::of([(Path::new("/"), 1), (&hung, 2)]);
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(std::sync::Mutex::new(released));
        let mut logins = Vec::new();
        for number in 0..600 {
            let above = if number % 2 == 0 { "hung" } else { "link" };
            let path = base.join(above).join(number.to_string());
            let released = Arc::clone(&released);
            let (backend, mounts) = (backend.clone(), table());
            logins.push(tokio::spawn(async move {
                let hang = move || {
                    let _ = released.lock().unwrap().recv();
                    Ok(())
                };
                backend.on_disk_of(&path, mounts, hang).await
            }));
        }
        let started = tokio::time::timeout(Duration::from_secs(20), async {
            // Clients that give up free nothing that the disk still holds.
            for login in logins.iter().take(300) {
                tokio::task::yield_now().await;
                login.abort();
            }
            backend.on_disk_of(&base, table(), || Ok("opened")).await
        });
        assert_eq!(started.await.unwrap().unwrap(), "opened");
        drop(release);
    }
}
