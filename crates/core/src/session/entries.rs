//! Looking at entries, making and removing them.

use sftpgo_model::{FileEvent, Permission, VirtualPath};
use sftpgo_storage::{Links, Metadata, Space};

use super::{CommandLog, Session};
use crate::access::Demand;
use crate::error::{OpError, OpErrorKind, OpResult};

const LIST: Demand = Demand::entry(&[Permission::List]);
const DELETE: Demand = Demand::entry(&[Permission::Delete]);
const DELETE_FILE: Demand = Demand::named_entry(&[Permission::Delete]);
const CREATE_DIRS: Demand = Demand::entry(&[Permission::CreateDirs]);

impl Session {
    /// Attributes of what a path leads to.
    pub async fn stat(&self, path: &VirtualPath) -> OpResult<Metadata> {
        self.attributes_of(path, Links::Follow).await
    }

    /// Attributes of an entry itself, a symbolic link included.
    pub async fn lstat(&self, path: &VirtualPath) -> OpResult<Metadata> {
        self.attributes_of(path, Links::NoFollow).await
    }

    async fn attributes_of(&self, path: &VirtualPath, links: Links) -> OpResult<Metadata> {
        let permit = self.permit(path, LIST)?;
        Ok(permit.storage()?.stat(&permit.target, links).await?)
    }

    /// Makes a directory; its parent must exist.
    pub async fn create_dir(&self, path: &VirtualPath) -> OpResult<()> {
        let permit = self.permit(path, CREATE_DIRS)?;
        if path.is_root() {
            return Err(OpErrorKind::AlreadyExists.into());
        }
        if self.inner.mounts.is_folder(path) {
            return Err(OpErrorKind::PermissionDenied.into());
        }
        let user = &self.user();
        let mode = 0o777 & !self.inner.core.settings.umask;
        permit
            .storage()?
            .create_dir(&permit.target, mode, (user.uid, user.gid))
            .await?;
        self.log_command(&CommandLog::new("Mkdir", &permit.server_path()));
        Ok(())
    }

    /// Removes a file or a symbolic link.
    pub async fn remove_file(&self, path: &VirtualPath) -> OpResult<()> {
        let permit = self.permit(path, DELETE_FILE)?;
        if path.is_root() {
            return Err(OpErrorKind::IsADirectory.into());
        }
        // The type counts before the filter: removing a directory is a failure, not a matter of names.
        if !self.user().extension_rules.allows(path) {
            let found = permit
                .storage()?
                .stat(&permit.target, Links::NoFollow)
                .await?;
            let kind = if found.is_dir() {
                OpErrorKind::IsADirectory
            } else {
                OpErrorKind::NameNotAllowed
            };
            return Err(kind.into());
        }
        if self.has_gate(FileEvent::PreDelete) {
            let target = &permit.target;
            let found = permit.storage()?.stat(target, Links::NoFollow).await?;
            if found.is_dir() {
                return Err(OpErrorKind::IsADirectory.into());
            }
            self.ask_gate(FileEvent::PreDelete, &permit, found.size)
                .await?;
        }
        let session = self.clone();
        self.to_the_end(async move {
            let quota = session.quota(&permit);
            let (storage, target) = (&**permit.storage()?, &permit.target);
            let remove =
                |expected| async move { storage.remove_file(&target.expecting(expected)).await };
            let removed = quota.change_name((storage, target), remove).await?;
            session.log_command(&CommandLog::new("Remove", &permit.server_path()));
            session
                .file_report(&permit)
                .tell(FileEvent::Delete, session.username(), removed.size);
            Ok(())
        })
        .await
    }

    /// Removes an empty directory.
    pub async fn remove_dir(&self, path: &VirtualPath) -> OpResult<()> {
        self.refuse_fixed(path)?;
        let permit = self.permit(path, DELETE)?;
        permit
            .storage()?
            .remove_dir(&permit.target)
            .await
            .map_err(|error| {
                let error = OpError::from(error);
                // Clients that try RMDIR on a file expect a plain failure (reference D.1).
                if error.kind() == OpErrorKind::NotADirectory {
                    OpError::new(OpErrorKind::DirectoryNotEmpty, "Failure: not a directory")
                } else {
                    error
                }
            })?;
        self.log_command(&CommandLog::new("Rmdir", &permit.server_path()));
        Ok(())
    }

    /// Space of the file system that holds a path, within what the account's quota leaves of it.
    pub async fn space(&self, path: &VirtualPath) -> OpResult<Space> {
        let permit = self.permit(path, LIST)?;
        let mut space = permit.storage()?.space(&permit.target).await?;
        let limits = self.user().quota;
        if limits.is_unlimited() {
            return Ok(space);
        }
        let used = self
            .inner
            .core
            .provider
            .quota(self.username())
            .await?
            .unwrap_or_default();
        let unit = space.fragment_size.max(1);
        if let Some(limit) = limits.bytes {
            let free = limit.saturating_sub(u64::try_from(used.bytes).unwrap_or(0)) / unit;
            space.blocks = space.blocks.min(limit / unit);
            space.blocks_free = space.blocks_free.min(free);
            space.blocks_available = space.blocks_available.min(free);
        }
        if let Some(limit) = limits.files {
            let free = limit.saturating_sub(u64::try_from(used.files).unwrap_or(0));
            space.files = space.files.min(limit);
            space.files_free = space.files_free.min(free);
            space.files_available = space.files_available.min(free);
        }
        Ok(space)
    }
}
