//! Opening files: where uploads and downloads begin.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use sftpgo_model::{FileEvent, Permission, VirtualPath};
use sftpgo_storage::capability::Visible;
use sftpgo_storage::{
    Ending, Links, Metadata, OpenExisting, ReadHandle, Storage, StorageError, StorageErrorKind,
    WriteOptions, WriteVisibility,
};

use super::Session;
use crate::access::{Demand, Permit};
use crate::engine::UploadMode;
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::registry::Direction;
use crate::transfer::{Changeable, Download, Pacer, Place, ReadBack, Upload, UploadParts};

/// What a client wants of a file it opens; the flags that every protocol's open comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenIntent {
    /// Bytes will be read.
    pub read: bool,
    /// Bytes will be written; if not set, nothing below counts.
    pub write: bool,
    /// Every write goes to the end of the file, whatever offset it names.
    pub append: bool,
    /// A missing file is made.
    pub create: bool,
    /// What is there is replaced.
    pub truncate: bool,
    /// A file that is there is an error.
    pub exclusive: bool,
}

/// An opened file.
#[derive(Debug)]
pub enum OpenFile {
    /// Open for reading only.
    Download(Download),
    /// Open for writing, perhaps for reading too.
    Upload(Upload),
}

const DOWNLOAD: Demand = Demand::file(&[Permission::Download]);
const WRITE: Demand = Demand::file(&[Permission::Upload, Permission::Overwrite]);
const UPLOAD: Demand = Demand::file(&[Permission::Upload]);
const OVERWRITE: Demand = Demand::file(&[Permission::Overwrite]);

impl Session {
    /// Opens a file for whatever `intent` says.
    ///
    /// # Errors
    /// `InvalidArgument` if neither reading nor writing is wanted, and what [`open_read`](Self::open_read) and
    /// [`open_write`](Self::open_write) say.
    pub async fn open_file(&self, path: &VirtualPath, intent: OpenIntent) -> OpResult<OpenFile> {
        if intent.write {
            Ok(OpenFile::Upload(self.open_write(path, intent).await?))
        } else if intent.read {
            Ok(OpenFile::Download(self.open_read(path).await?))
        } else {
            Err(OpError::new(
                OpErrorKind::TooManyTransfers,
                "Failure: neither read nor write was asked for",
            ))
        }
    }

    /// Opens a regular file for reading.
    pub async fn open_read(&self, path: &VirtualPath) -> OpResult<Download> {
        self.check_transfer_limit()?;
        let permit = self.permit(path, DOWNLOAD)?;
        let handle = self.open_to_read(&permit).await?;
        Ok(Download {
            handle,
            guard: self
                .connection()
                .begin_transfer(Direction::Download, path.clone()),
            pacer: self.user().download_bandwidth.map(Pacer::new),
            metrics: self.inner.core.metrics().clone(),
            server_path: permit.server_path(),
            report: self.file_report(&permit),
            cancel: self.connection().info.cancel.clone(),
            opened: Instant::now(),
            changeable: self.changeable(&permit),
            failed: false.into(),
            finished: false,
        })
    }

    /// Opens what is there once the gate has agreed. What was no file a moment ago is asked about when it is one.
    pub(super) async fn open_to_read(&self, permit: &Permit) -> OpResult<Box<dyn ReadHandle>> {
        let asked = self.ask_to_read(permit).await?;
        let handle = permit.storage()?.open_read(&permit.target).await?;
        if !asked {
            self.ask_gate(FileEvent::PreDownload, permit, 0).await?;
        }
        Ok(handle)
    }

    /// Opens a file for writing: the one upload path. `upload` lets a new file be made, `overwrite` an existing one be
    /// changed in any way.
    pub async fn open_write(&self, path: &VirtualPath, intent: OpenIntent) -> OpResult<Upload> {
        self.check_transfer_limit()?;
        let permit = self.permit(path, WRITE)?;
        // Whoever goes away meanwhile has opened nothing.
        let intent = self.ask_to_write(&permit, intent).await?;
        let session = self.clone();
        self.to_the_end(async move { session.begin_upload(permit, intent).await })
            .await
    }

    async fn begin_upload(self, permit: Permit, intent: OpenIntent) -> OpResult<Upload> {
        let storage = permit.storage()?;
        if self.need_not_look(&permit.path) {
            let options = self.write_options(&**storage, existing(intent), intent.create);
            return self.open_upload(&permit, intent, options).await;
        }
        // Both answers may be out of date a moment later; opening says what is true, and the hold is corrected by it.
        for _ in 0..3 {
            let found = look(&**storage, &permit).await?;
            match self.try_upload(&permit, intent, found.as_ref()).await {
                Err(error) if raced(found.as_ref(), intent, error.kind()) => {}
                result => return result,
            }
        }
        Err(OpErrorKind::Unavailable.into())
    }

    /// Whether it makes no difference if the file is there: the account may do either, and nothing is reserved for it.
    fn need_not_look(&self, path: &VirtualPath) -> bool {
        let user = &self.user();
        let may = user.permissions.in_directory(&path.parent());
        user.quota.is_unlimited()
            && user.permissions.is_uniform()
            && may.contains(Permission::Upload)
            && may.contains(Permission::Overwrite)
    }

    async fn try_upload(
        &self,
        permit: &Permit,
        intent: OpenIntent,
        found: Option<&Metadata>,
    ) -> OpResult<Upload> {
        let exact = self.exactly(permit, intent, found)?;
        // What was decided (permission, reservation) for a new file holds for a new file only.
        let existing = found.map_or(OpenExisting::Refuse, |_| existing(intent));
        let storage = exact.storage()?;
        let options = self.write_options(&**storage, existing, found.is_none());
        self.open_upload(&exact, intent, options).await
    }

    /// The permit for what is really done: making a file, or changing one that is there.
    fn exactly(
        &self,
        permit: &Permit,
        intent: OpenIntent,
        found: Option<&Metadata>,
    ) -> OpResult<Permit> {
        let demand = if found.is_some() { OVERWRITE } else { UPLOAD };
        let exact = self.permit(&permit.path, demand)?;
        check_found(found, intent)?;
        Ok(exact)
    }

    /// Asks the gates about an upload that is allowed otherwise; gives what they leave of the intent.
    async fn ask_to_write(&self, permit: &Permit, intent: OpenIntent) -> OpResult<OpenIntent> {
        let reading = intent.read && self.has_gate(FileEvent::PreDownload);
        if !reading && !self.has_gate(FileEvent::PreUpload) {
            return Ok(intent);
        }
        let found = look(&**permit.storage()?, permit).await?;
        self.exactly(permit, intent, found.as_ref())?;
        let size = found.map_or(0, |found| found.size);
        self.ask_gate(FileEvent::PreUpload, permit, size).await?;
        if !reading {
            return Ok(intent);
        }
        // Refused, it can be written all the same, as by an account that may not download.
        let asked = self.ask_gate(FileEvent::PreDownload, permit, size).await;
        Ok(OpenIntent {
            read: asked.is_ok(),
            ..intent
        })
    }

    async fn open_upload(
        &self,
        permit: &Permit,
        intent: OpenIntent,
        options: WriteOptions,
    ) -> OpResult<Upload> {
        let core = &self.inner.core;
        let storage = permit.storage()?;
        let place = Place::of(intent.append, storage.capabilities());
        let new_file = options.create && options.existing == OpenExisting::Refuse;
        let begun = self.quota(permit).begin(new_file).await;
        let mut hold = begun.inspect_err(|error| self.log_denied(&permit.path, error))?;
        let visible = options.visibility == WriteVisibility::InPlace;
        // What is replaced under its name is cut only when its account is known.
        let cut = visible && options.existing == OpenExisting::Truncate;
        let options = WriteOptions {
            existing: if cut {
                OpenExisting::Keep
            } else {
                options.existing
            },
            ..options
        };
        let opened = storage.open_write(&permit.target, &options).await;
        let handle = match opened {
            Ok(handle) => handle,
            Err(error) => {
                hold.cancel().await;
                return Err(writing_failed(error));
            }
        };
        let before = handle.replaced().copied();
        let in_place = visible || (options.existing == OpenExisting::Keep && before.is_some());
        let attached = if in_place {
            let (new, cut) = (before.is_none(), cut && before.is_some());
            hold.attach(&*handle, new, cut).await
        } else {
            let can = storage.capabilities();
            hold.attach_hidden(&*handle, can, before.as_ref()).await
        };
        if let Err(error) = attached {
            // Of a failure behind the failure the log has a line.
            let _ = hold.conclude(handle, Ending::GiveUp).await;
            return Err(error);
        }
        let path = &permit.path;
        Ok(Upload::new(UploadParts {
            core: core.clone(),
            handle,
            hold,
            guard: self
                .connection()
                .begin_transfer(Direction::Upload, path.clone()),
            pacer: self.user().upload_bandwidth.map(Pacer::new),
            server_path: permit.server_path(),
            report: self.file_report(permit),
            cancel: self.connection().info.cancel.clone(),
            in_place,
            place,
            read_back: self.read_back(permit, intent),
            changeable: self.changeable(permit),
            slot: self.slot(),
        }))
    }

    /// How the client may read through a handle that it writes.
    fn read_back(&self, permit: &Permit, intent: OpenIntent) -> Option<ReadBack> {
        let user = &self.user();
        let may = permit.permissions(user).contains(Permission::Download);
        (intent.read && may).then(|| ReadBack {
            connection: Arc::clone(self.connection()),
            path: permit.path.clone(),
            server_path: permit.server_path(),
            report: self.file_report(permit),
            pacer: user.download_bandwidth.map(Pacer::new),
            metrics: Arc::clone(self.inner.core.metrics()),
            cancel: self.connection().info.cancel.clone(),
            opened: Instant::now(),
            begun: OnceLock::new(),
        })
    }

    pub(super) fn write_options(
        &self,
        storage: &dyn Storage,
        existing: OpenExisting,
        create: bool,
    ) -> WriteOptions {
        let settings = &self.inner.core.settings;
        WriteOptions {
            existing,
            create,
            visibility: match (storage.capabilities().visible, settings.upload_mode) {
                (Visible::WhileWriting, UploadMode::Standard) => WriteVisibility::InPlace,
                (Visible::WhileWriting, UploadMode::AtomicResume) => {
                    WriteVisibility::OnFinishKeepPartial
                }
                // Object stores know one way, whatever the mode (reference 16.2).
                (Visible::OnFinish, _) | (Visible::WhileWriting, UploadMode::Atomic) => {
                    WriteVisibility::OnFinish
                }
            },
            mode: 0o666 & !settings.umask,
            owner: self.owner(),
        }
    }

    fn check_transfer_limit(&self) -> OpResult<()> {
        if self.connection().transfer_count() >= self.inner.core.settings.max_transfers_per_session
        {
            return Err(OpErrorKind::TooManyTransfers.into());
        }
        Ok(())
    }

    /// What may be changed through an open handle: clients set mode and times of what they have just uploaded.
    pub(super) fn changeable(&self, opened: &Permit) -> Changeable {
        Changeable {
            ignored: self.inner.core.settings.ignore_setstat,
            permissions: opened.permissions(&self.user()),
        }
    }
}

/// What the client wants done with a file that is there.
fn existing(intent: OpenIntent) -> OpenExisting {
    if intent.create && intent.exclusive {
        OpenExisting::Refuse
    } else if intent.truncate {
        OpenExisting::Truncate
    } else {
        OpenExisting::Keep
    }
}

/// The reference answers "unsupported" to writing a directory, and clients know it.
fn writing_failed(error: StorageError) -> OpError {
    if error.kind() == StorageErrorKind::IsADirectory {
        return OpErrorKind::Unsupported.into();
    }
    error.into()
}

/// What a path leads to; `None` if nothing is there.
async fn look(storage: &dyn Storage, permit: &Permit) -> OpResult<Option<Metadata>> {
    match storage.stat(&permit.target, Links::Follow).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn check_found(found: Option<&Metadata>, intent: OpenIntent) -> OpResult<()> {
    match found {
        None if !intent.create => Err(OpErrorKind::NotFound.into()),
        Some(_) if intent.create && intent.exclusive => Err(OpErrorKind::AlreadyExists.into()),
        Some(found) if found.is_dir() => Err(OpErrorKind::Unsupported.into()),
        Some(found) if !found.is_file() => Err(OpErrorKind::PermissionDenied.into()),
        None | Some(_) => Ok(()),
    }
}

/// Whether somebody made or removed the file between the look and the open.
fn raced(found: Option<&Metadata>, intent: OpenIntent, error: OpErrorKind) -> bool {
    match found {
        None => error == OpErrorKind::AlreadyExists,
        Some(_) => error == OpErrorKind::NotFound && intent.create,
    }
}
