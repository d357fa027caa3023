//! Second names of files.

use sftpgo_model::{FileEvent, Permission, PermissionSet, User, VirtualPath};
use sftpgo_storage::{Expected, Links};

use super::{CommandLog, Session};
use crate::access::{Demand, Permit, tie};
use crate::error::{OpError, OpErrorKind, OpResult};

const DOWNLOAD: Demand = Demand::file(&[Permission::Download]);
const UPLOAD: Demand = Demand::file(&[Permission::Upload]);

/// What can be done to a file by any of its names.
const CHANGES: PermissionSet = PermissionSet::NONE
    .with(Permission::Overwrite)
    .with(Permission::Chmod)
    .with(Permission::Chown)
    .with(Permission::Chtimes);

impl Session {
    /// Gives a regular file a second name. Links in the last place are not followed, and have no second name.
    ///
    /// It is reading the file (`download`) and storing it under the new name (`upload`), without a copy: who may do both may
    /// have a copy as well. Unlike a copy it stays the same file, so the new name must not allow to change what the old one
    /// does not.
    ///
    /// # Errors
    /// `PermissionDenied`, `AlreadyExists`, `QuotaExceeded` (the second name counts like a second file) and what the storage
    /// says.
    pub async fn hard_link(&self, from: &VirtualPath, to: &VirtualPath) -> OpResult<()> {
        self.refuse_fixed(from)?;
        self.refuse_fixed(to)?;
        let source = self.permit(from, DOWNLOAD)?;
        let target = self.permit(to, UPLOAD)?;
        if !source.same_mount(&target) {
            return Err(OpError::new(
                OpErrorKind::AlreadyExists,
                "Failure: cannot link between different storages",
            ));
        }
        let user = self.user();
        let fits = move |from: &VirtualPath, to: &VirtualPath| gains_nothing(&user, from, to);
        let (source, target) =
            tie(source, target, fits).inspect_err(|error| self.log_denied(to, error))?;
        self.ask_gate(FileEvent::PreDownload, &source, 0).await?;
        self.ask_gate(FileEvent::PreUpload, &target, 0).await?;
        let session = self.clone();
        self.to_the_end(async move { session.link_files(&source, &target).await })
            .await
    }

    async fn link_files(&self, source: &Permit, target: &Permit) -> OpResult<()> {
        let storage = source.storage()?;
        let kept = storage.pin(&source.target, Links::NoFollow).await?;
        let found = kept.stat().await?;
        if !found.is_file() {
            let kind = if found.is_dir() {
                OpErrorKind::IsADirectory
            } else {
                OpErrorKind::PermissionDenied
            };
            return Err(kind.into());
        }
        let expected = Expected::as_found(&found);
        let from = source.target.expecting(expected);
        let link = storage.hard_link(&from, &target.target);
        self.quota(target).add_name(&*kept, link).await?;
        self.log_command(&CommandLog {
            target: &target.server_path(),
            ..CommandLog::new("Hardlink", &source.server_path())
        });
        Ok(())
    }
}

/// Whether nothing can be changed by a name in the directory of the target that cannot be changed in that of the source.
fn gains_nothing(user: &User, from: &VirtualPath, to: &VirtualPath) -> bool {
    let source = user.permissions.in_directory(&from.parent());
    let target = user.permissions.in_directory(&to.parent());
    target.and(CHANGES).is_within(source)
}
