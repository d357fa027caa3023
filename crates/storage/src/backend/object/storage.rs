//! [`Storage`] over an object store.

use std::sync::Arc;

use async_trait::async_trait;

use super::call::Caller;
use super::copy::Source;
use super::identity::Identities;
use super::key::KeySpace;
use super::list::ObjectListing;
use super::look::{Found, nothing_there};
use super::modified::{modified_of, note_modified};
use super::pin::Pins;
use super::read::ObjectRead;
use super::settings::{ObjectEngine, ObjectSettings};
use super::store::{Attributes, Condition, ListRequest, ObjectInfo, ObjectStore, PutOptions};
use super::upload::ObjectWrite;
use crate::capability::{Capabilities, Folders, Rename, Visible, Writes};
use crate::counters::ObjectStoreCounters;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{FileTime, Metadata, SetAttributes, Space};
use crate::reserved::{check_new, is_reserved};
use crate::storage::{
    Links, Listing, Pinned, ReadHandle, Removed, RenameMode, Storage, Target, Usage, WriteHandle,
    WriteOptions,
};

/// What object stores can do.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    writes: Writes::Sequential,
    visible: Visible::OnFinish,
    rename: Rename::CopyThenDelete,
    folders: Folders::Implied,
    resume: false,
    append: false,
    truncate: false,
    symlink: false,
    hard_link: false,
    set_attributes: false,
    set_modified: true,
    space: false,
    native: false,
    byte_names: false,
};

/// The objects below one prefix of one bucket, as a directory tree. A clone is the same.
#[derive(Debug, Clone)]
pub struct ObjectStorage {
    inner: Arc<Inner>,
}

/// What every part of this folder works on.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) calls: Caller,
    pub(super) keys: KeySpace,
    pub(super) settings: ObjectSettings,
    pub(super) engine: ObjectEngine,
    pub(super) identities: Identities,
    pub(super) pins: Pins,
    /// Whose everything is: this server's.
    pub(super) owner: (u32, u32),
}

impl Inner {
    pub(super) fn counters(&self) -> &ObjectStoreCounters {
        self.calls.counters()
    }

    /// What a new object has.
    pub(super) fn new_attributes(&self) -> Attributes {
        Attributes {
            storage_class: self.settings.storage_class.clone(),
            ..Attributes::default()
        }
    }
}

impl ObjectStorage {
    /// A tree over what begins with the prefix of `settings`. Makes no call.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        settings: ObjectSettings,
        engine: ObjectEngine,
        counters: Arc<ObjectStoreCounters>,
    ) -> Self {
        let keys = KeySpace::new(&settings.prefix, store.limits().max_key).under(store.key_rule());
        let identities = Identities::new(store.identity());
        Self {
            inner: Arc::new(Inner {
                calls: Caller::new(store, counters, engine.patience),
                keys,
                settings,
                engine,
                identities,
                pins: Pins::default(),
                owner: owner(),
            }),
        }
    }

    /// Whether the bucket is there and may be used.
    ///
    /// # Errors
    /// What the store says.
    pub async fn check(&self) -> StorageResult<()> {
        Ok(self.inner.calls.check().await?)
    }

    /// Gives up unfinished uploads that stand still, if it is time to look for them again; how many there were.
    ///
    /// # Errors
    /// What the store says.
    pub async fn tidy(&self) -> StorageResult<u64> {
        self.inner.sweep().await
    }
}

#[cfg(unix)]
fn owner() -> (u32, u32) {
    (
        rustix::process::getuid().as_raw(),
        rustix::process::getgid().as_raw(),
    )
}

#[cfg(not(unix))]
fn owner() -> (u32, u32) {
    (0, 0)
}

#[async_trait]
impl Storage for ObjectStorage {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    async fn stat(&self, target: &Target, _links: Links) -> StorageResult<Metadata> {
        let found = self.inner.look(&target.path).await?;
        self.inner
            .metadata(&target.path, &found)?
            .ok_or_else(nothing_there)
    }

    async fn list(&self, target: &Target) -> StorageResult<Box<dyn Listing>> {
        let listing = ObjectListing::open(Arc::clone(&self.inner), target).await?;
        Ok(Box::new(listing))
    }

    async fn open_read(&self, target: &Target) -> StorageResult<Box<dyn ReadHandle>> {
        match self.inner.look(&target.path).await? {
            Found::File(info) => {
                let key = self.inner.keys.file(&target.path)?;
                Ok(Box::new(ObjectRead::new(
                    Arc::clone(&self.inner),
                    key,
                    *info,
                )))
            }
            Found::Folder => Err(is_a_directory("open")),
            Found::Nothing => Err(nothing_there()),
        }
    }

    async fn open_write(
        &self,
        target: &Target,
        options: &WriteOptions,
    ) -> StorageResult<Box<dyn WriteHandle>> {
        let upload = ObjectWrite::open(Arc::clone(&self.inner), target, options).await?;
        Ok(Box::new(upload))
    }

    async fn create_dir(
        &self,
        target: &Target,
        _mode: u32,
        _owner: (Option<u32>, Option<u32>),
    ) -> StorageResult<()> {
        check_new(&target.path)?;
        match self.inner.look(&target.path).await? {
            Found::Nothing => {}
            Found::File(_) | Found::Folder => {
                let context = "something is there already";
                return Err(StorageError::new(StorageErrorKind::AlreadyExists, context));
            }
        }
        let options = PutOptions {
            // Markers are for the store's usual class: they are read often and have no bytes.
            attributes: Attributes::default(),
            condition: Condition::None,
        };
        let key = self.inner.keys.folder(&target.path)?;
        Ok(self
            .inner
            .calls
            .put(&key, bytes::Bytes::new(), &options)
            .await?)
    }

    async fn remove_file(&self, target: &Target) -> StorageResult<Metadata> {
        let found = self.inner.look(&target.path).await?;
        let Some(metadata) = self.inner.metadata(&target.path, &found)? else {
            return Err(nothing_there());
        };
        if metadata.is_dir() {
            return Err(is_a_directory("remove a file"));
        }
        self.inner
            .check_expected(target.expected, Some(&metadata))?;
        let key = self.inner.keys.file(&target.path)?;
        self.inner.calls.delete(&key).await?;
        self.inner.pins.ended(&key);
        Ok(metadata)
    }

    async fn remove_dir(&self, target: &Target) -> StorageResult<()> {
        let path = &target.path;
        if path.is_root() {
            return Err(root_stays());
        }
        match self.inner.look(path).await? {
            Found::Folder => {}
            Found::File(_) => {
                let context = "remove a directory";
                return Err(StorageError::new(StorageErrorKind::NotADirectory, context));
            }
            Found::Nothing => return Err(nothing_there()),
        }
        let key = self.inner.keys.folder(path)?;
        let own = self.inner.only_own_keys(&key).await?;
        let Some(own) = own else {
            let context = "the directory has entries";
            return Err(StorageError::new(
                StorageErrorKind::DirectoryNotEmpty,
                context,
            ));
        };
        for key in &own {
            self.inner.calls.delete(key).await?;
        }
        Ok(())
    }

    async fn rename(&self, from: &Target, to: &Target, mode: RenameMode) -> StorageResult<Removed> {
        self.inner.rename(from, to, mode).await
    }

    async fn symlink(&self, _text: &[u8], _link: &Target) -> StorageResult<()> {
        Err(unsupported("object stores have no links"))
    }

    async fn read_link(&self, _target: &Target) -> StorageResult<Vec<u8>> {
        Err(unsupported("object stores have no links"))
    }

    async fn hard_link(&self, _from: &Target, _to: &Target) -> StorageResult<Metadata> {
        Err(unsupported("an object has one key"))
    }

    /// Times are kept, mode and owner are accepted and left alone, as in the reference (16.2): clients send all of them.
    async fn set_attributes(
        &self,
        target: &Target,
        changes: &SetAttributes,
        _links: Links,
    ) -> StorageResult<()> {
        changes.check()?;
        match (self.inner.look(&target.path).await?, changes.times) {
            (Found::File(info), Some((_, modified))) => {
                let key = self.inner.keys.file(&target.path)?;
                self.inner.set_modified(&key, *info, modified).await
            }
            (Found::File(_) | Found::Folder, _) => Ok(()),
            (Found::Nothing, _) => Err(nothing_there()),
        }
    }

    async fn truncate(&self, _target: &Target, _size: u64) -> StorageResult<Metadata> {
        Err(unsupported("objects cannot be cut"))
    }

    async fn space(&self, _target: &Target) -> StorageResult<Space> {
        Err(unsupported("object stores do not tell their space"))
    }

    async fn usage(&self) -> StorageResult<Usage> {
        self.inner.usage().await
    }

    async fn pin(&self, target: &Target, _links: Links) -> StorageResult<Box<dyn Pinned>> {
        let found = self.inner.look(&target.path).await?;
        let Some(metadata) = self.inner.metadata(&target.path, &found)? else {
            return Err(nothing_there());
        };
        let key = match found {
            Found::File(_) => self.inner.keys.file(&target.path)?,
            Found::Folder | Found::Nothing => self.inner.keys.folder(&target.path)?,
        };
        Ok(Box::new(self.inner.pins.keep(&key, metadata)))
    }
}

impl Inner {
    /// Sets the time of the last change of an object, which was just found.
    pub(super) async fn set_modified(
        &self,
        key: &str,
        info: ObjectInfo,
        modified: FileTime,
    ) -> StorageResult<()> {
        if modified_of(&info) == modified {
            return Ok(());
        }
        let source = Source::new(key, &info);
        let mut attributes = info.attributes;
        note_modified(&mut attributes, modified);
        self.replace_attributes(&source, attributes).await
    }

    /// The keys below a folder if they are its marker and what this server left behind: it is empty then. `None` if there is
    /// anything else, also what no path leads to.
    pub(super) async fn only_own_keys(&self, folder: &str) -> StorageResult<Option<Vec<String>>> {
        let request = ListRequest {
            prefix: folder.to_owned(),
            by_folder: false,
            continuation: None,
            limit: 8,
        };
        let page = self.calls.list(&request).await?;
        let own = |key: &str| {
            let rest = key.strip_prefix(folder).unwrap_or(key);
            rest.is_empty() || (is_reserved(rest.as_bytes()) && !rest.contains('/'))
        };
        if page.continuation.is_some() || !page.objects.iter().all(|object| own(&object.key)) {
            return Ok(None);
        }
        let mut keys: Vec<_> = page.objects.into_iter().map(|object| object.key).collect();
        // The marker last: until then it is still a directory.
        keys.reverse();
        Ok(Some(keys))
    }
}

pub(super) fn is_a_directory(context: &'static str) -> StorageError {
    StorageError::new(StorageErrorKind::IsADirectory, context)
}

pub(super) fn root_stays() -> StorageError {
    let context = "the root stays where it is";
    StorageError::new(StorageErrorKind::PermissionDenied, context)
}

pub(super) fn unsupported(context: &'static str) -> StorageError {
    StorageError::new(StorageErrorKind::Unsupported, context)
}
