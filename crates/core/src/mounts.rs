//! Which storage holds which part of a user's virtual tree: the home at `/` and virtual folders below it.

use std::path::PathBuf;
use std::sync::Arc;

use sftpgo_model::{FilesystemProvider, StoragePath, User, VirtualPath};
use sftpgo_storage::{Storage, StorageErrorKind, Target};

use crate::engine::Core;
use crate::error::{OpError, OpErrorKind, OpResult};

/// One storage at one virtual path.
#[derive(Debug)]
pub(crate) struct Mount {
    /// Where the client sees its root.
    pub(crate) at: VirtualPath,
    /// `None` if the directory was missing at the login: everything below answers "not found".
    pub(crate) storage: Option<Arc<dyn Storage>>,
    /// The root on the server; for logs only, never for access.
    pub(crate) root: PathBuf,
}

impl Mount {
    /// The place of `path` on the server, as logs show it.
    pub(crate) fn server_path(&self, path: &StoragePath) -> String {
        let mut text = sftpgo_model::path::escape_bytes(self.root.as_os_str().as_encoded_bytes());
        if !path.is_root() {
            text.push('/');
            text.push_str(&path.to_string());
        }
        text
    }
}

/// Every mount of one login.
#[derive(Debug)]
pub struct Mounts {
    home: Arc<Mount>,
    folders: Vec<Arc<Mount>>,
}

impl Mounts {
    /// Makes the home directory if it is missing and opens every storage of the user.
    pub(crate) async fn open(core: &Arc<Core>, user: &Arc<User>) -> OpResult<Self> {
        if user.filesystem.provider != FilesystemProvider::Local {
            return Err(OpError::new(
                OpErrorKind::Unsupported,
                "this version serves local directories only",
            ));
        }
        let opening = {
            let (core, user) = (Arc::clone(core), Arc::clone(user));
            tokio::task::spawn_blocking(move || open_local(&core, &user))
        };
        let mounts = opening
            .await
            .map_err(|error| OpError::with_source(OpErrorKind::Internal, error))??;
        mounts.make_ways(core, user).await;
        Ok(mounts)
    }

    /// Makes the directories of the home that lead to virtual folders, so that listings lead there. Through the storage,
    /// like everything in a home: whoever put a link in their place must not make directories elsewhere by it.
    async fn make_ways(&self, core: &Core, user: &User) {
        let Some(home) = &self.home.storage else {
            return;
        };
        let mode = 0o777 & !core.settings.umask;
        for folder in &self.folders {
            let above = folder.at.parent();
            let mut way: Vec<_> = above.ancestors().filter(|path| !path.is_root()).collect();
            way.reverse();
            for path in way {
                let target = Target::unguarded(path.to_storage());
                match home.create_dir(&target, mode, (user.uid, user.gid)).await {
                    Ok(()) => {}
                    Err(error) if error.kind() == StorageErrorKind::AlreadyExists => {}
                    Err(error) => {
                        tracing::warn!(username = user.username, %error, folder = %folder.at, "the parent of a virtual folder cannot be made");
                        break;
                    }
                }
            }
        }
    }

    /// The mount that holds `path`, and the path within it. The deepest folder wins; folders never nest.
    pub(crate) fn locate(&self, path: &VirtualPath) -> (&Arc<Mount>, StoragePath) {
        for folder in &self.folders {
            if let Some(inside) = path.strip_prefix(&folder.at) {
                return (folder, inside);
            }
        }
        (&self.home, path.to_storage())
    }

    /// Every storage that is there.
    pub(crate) fn storages(&self) -> impl Iterator<Item = &Arc<dyn Storage>> {
        std::iter::once(&self.home)
            .chain(&self.folders)
            .filter_map(|mount| mount.storage.as_ref())
    }

    /// Whether `path` is the place where a virtual folder appears.
    pub(crate) fn is_folder(&self, path: &VirtualPath) -> bool {
        self.folders.iter().any(|folder| folder.at == *path)
    }

    /// Whether a virtual folder lies below `path`.
    pub(crate) fn has_folder_below(&self, path: &VirtualPath) -> bool {
        self.folders
            .iter()
            .any(|folder| folder.at != *path && folder.at.is_within(path))
    }

    /// The virtual folders that appear as entries of `directory`.
    pub(crate) fn folders_in(&self, directory: &VirtualPath) -> impl Iterator<Item = &Arc<Mount>> {
        let directory = directory.clone();
        self.folders
            .iter()
            .filter(move |folder| folder.at.parent() == directory)
    }
}

fn open_local(core: &Core, user: &User) -> OpResult<Mounts> {
    let mode = 0o777 & !core.settings.umask;
    let owner = (user.uid, user.gid);
    let local = core.backends.local();
    if let Err(error) = local.create_root(&user.home_dir, mode, owner) {
        // The login goes on: every access then says "no such file", as it does when somebody removes the home later.
        tracing::warn!(username = user.username, %error, "the home directory cannot be made");
    }
    let open = |root: &PathBuf, at: VirtualPath| -> OpResult<Arc<Mount>> {
        let storage = match local.open(root) {
            Ok(storage) => Some(Arc::new(storage) as Arc<dyn Storage>),
            Err(error) if error.kind() == StorageErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Arc::new(Mount {
            at,
            storage,
            root: root.clone(),
        }))
    };
    let home = open(&user.home_dir, VirtualPath::root())?;
    let mut folders = Vec::new();
    for (at, root) in &user.virtual_folders {
        folders.push(open(root, at.clone())?);
    }
    Ok(Mounts { home, folders })
}
