//! Which storage holds which part of a user's virtual tree: the home at `/` and virtual folders below it.

mod bucket;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sftpgo_model::{StoragePath, User, VirtualPath};
use sftpgo_storage::{Storage, StorageErrorKind, StorageResult, Target, Usage};

use crate::action::Place;
use crate::engine::Core;
use crate::error::{OpError, OpErrorKind, OpResult};

/// One storage at one virtual path.
#[derive(Debug)]
pub(crate) struct Mount {
    /// Where the client sees its root.
    pub(crate) at: VirtualPath,
    /// `None` if the directory was missing at the login: everything below answers "not found".
    pub(crate) storage: Option<Arc<dyn Storage>>,
    /// The root on the server; for logs and actions only, never for access.
    pub(crate) root: PathBuf,
    /// Whether that is a directory of this machine.
    pub(crate) local: bool,
}

impl Mount {
    /// The place of `path` on the server, as logs show it.
    pub(crate) fn server_path(&self, path: &StoragePath) -> String {
        let mut text = sftpgo_model::path::escape_bytes(self.root.as_os_str().as_encoded_bytes());
        if !path.is_root() {
            if !text.ends_with('/') {
                text.push('/');
            }
            text.push_str(&path.to_string());
        }
        text
    }

    /// The same for actions, byte by byte.
    pub(crate) fn place(&self, path: &StoragePath) -> Place {
        let mut whole = self.root.as_os_str().as_encoded_bytes().to_vec();
        if !path.is_root() {
            if !whole.ends_with(b"/") {
                whole.push(b'/');
            }
            whole.extend_from_slice(path.as_bytes());
        }
        Place {
            path: whole,
            local: self.local,
        }
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
        let mounts = Self::open_storages(core, user, true).await?;
        mounts.make_ways(core, user).await;
        Ok(mounts)
    }

    /// Opens what is there of the user's storages, and makes nothing.
    pub(crate) async fn open_existing(core: &Arc<Core>, user: &Arc<User>) -> OpResult<Self> {
        Self::open_storages(core, user, false).await
    }

    async fn open_storages(core: &Arc<Core>, user: &Arc<User>, make_home: bool) -> OpResult<Self> {
        // Nothing of a store is on this machine: no home is made, and there are no virtual folders.
        if let Some(home) = bucket::open(core, user).await? {
            return Ok(Self {
                home,
                folders: Vec::new(),
            });
        }
        let mode = 0o777 & !core.settings.umask;
        let owner = (user.uid, user.gid);
        let local = core.backends.local();
        if make_home
            && let Err(error) = local.create_root_waiting(&user.home_dir, mode, owner).await
        {
            // The login goes on: every access then says "no such file", as it does when somebody removes the home later.
            tracing::warn!(username = user.username, %error, "the home directory cannot be made");
        }
        let home = open_mount(core, user, &user.home_dir, VirtualPath::root()).await?;
        let mut folders = Vec::new();
        for (at, root) in &user.virtual_folders {
            folders.push(open_mount(core, user, root, at.clone()).await?);
        }
        Ok(Self { home, folders })
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

    /// Every mount whose directory is not there.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &Arc<Mount>> {
        std::iter::once(&self.home)
            .chain(&self.folders)
            .filter(|mount| mount.storage.is_none())
    }

    /// Everything the account has stored, in its home and in its virtual folders.
    pub(crate) async fn usage(&self) -> OpResult<Usage> {
        let mut sum = Usage::default();
        for storage in self.storages() {
            let found = storage.usage().await?;
            sum.files = sum.files.saturating_add(found.files);
            sum.bytes = sum.bytes.saturating_add(found.bytes);
        }
        Ok(sum)
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

/// A mount whose directory is missing is one where nothing is found.
async fn open_mount(
    core: &Core,
    user: &User,
    root: &Path,
    at: VirtualPath,
) -> OpResult<Arc<Mount>> {
    let storage = match core.backends.local().open_waiting(root).await {
        Ok(storage) => Some(Arc::new(storage) as Arc<dyn Storage>),
        Err(error) if error.kind() == StorageErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    if let Some(storage) = &storage {
        refuse_folding(storage.folds_names(), user, root).await?;
    }
    Ok(Arc::new(Mount {
        at,
        storage,
        root: root.to_path_buf(),
        local: true,
    }))
}

/// Rules for names hold where a name has one spelling: elsewhere `/CLOSED` would open what `/closed` closes.
async fn refuse_folding(
    folds: impl Future<Output = StorageResult<bool>>,
    user: &User,
    root: &Path,
) -> OpResult<()> {
    if !has_rules(user) || !folds.await? {
        return Ok(());
    }
    tracing::error!(
        username = user.username,
        "{} takes several spellings for one name (it ignores case): rules for names close nothing there; move the directory \
         to another file system, or take permissions of single directories and filters.file_extensions out of the account",
        root.display()
    );
    Err(OpError::new(
        OpErrorKind::Unsupported,
        "permissions for directories cannot be kept on the file system of this account",
    ))
}

/// Whether it matters for the account which of two names is meant.
fn has_rules(user: &User) -> bool {
    !user.permissions.is_uniform() || !user.extension_rules.is_empty()
}

#[cfg(test)]
mod tests {
    use sftpgo_model::UserRecord;

    use super::*;

    #[tokio::test]
    async fn rules_need_a_file_system_that_tells_names_apart() {
        let filter = r#"{ "file_extensions": [{ "path": "/", "denied_extensions": [".no"] }] }"#;
        for (permissions, filters, has_rules) in [
            (r#"{ "/": ["*"] }"#, "{}", false),
            (r#"{ "/": ["*"], "/closed": [] }"#, "{}", true),
            (r#"{ "/": ["*"] }"#, filter, true),
        ] {
            let json = format!(
                r#"{{ "username": "u", "home_dir": "/srv/u", "permissions": {permissions}, "filters": {filters} }}"#
            );
            let user = UserRecord::from_json(json.as_bytes()).unwrap();
            let user = user.compile().unwrap();
            let root = Path::new("/srv/u");
            let folding = refuse_folding(async { Ok(true) }, &user, root).await;
            assert_eq!(folding.is_err(), has_rules, "{json}");
            let exact = refuse_folding(async { Ok(false) }, &user, root).await;
            assert!(exact.is_ok(), "{json}");
        }
    }
}
