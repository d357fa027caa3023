//! Second names of files.

use sftpgo_model::{Permission, PermissionSet, VirtualPath};
use sftpgo_storage::Links;

use super::{CommandLog, Session};
use crate::access::{Demand, Permit, tie};
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::quota::Settlement;

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
        let (source, target) = tie(&self.inner.user, source, target, gains_nothing)
            .inspect_err(|error| self.log_denied(to, error))?;
        let session = self.clone();
        self.to_the_end(async move { session.link_files(&source, &target).await })
            .await
    }

    async fn link_files(&self, source: &Permit, target: &Permit) -> OpResult<()> {
        let quota = &self.inner.core.quota;
        let storage = source.storage()?;
        let (from, to) = (source.server_path(), target.server_path());
        let _names = quota.lock_names(from.clone(), to.clone()).await;
        let found = storage.stat(&source.target, Links::NoFollow).await?;
        if !found.is_file() {
            let kind = if found.is_dir() {
                OpErrorKind::IsADirectory
            } else {
                OpErrorKind::PermissionDenied
            };
            return Err(kind.into());
        }
        let mut hold = quota.begin(&self.inner.user, true).await?;
        // No upload of the file ends between getting the name and knowing of it.
        let _still = quota.hold_still(&found).await;
        if let Err(error) = hold.grow_by_name(&found).await {
            hold.settle(Settlement::Nothing).await;
            return Err(error);
        }
        match storage.hard_link(&source.target, &target.target).await {
            Ok(linked) if linked.is_file() => hold.settle_name(&linked).await,
            Ok(_) => hold.settle(Settlement::Nothing).await,
            Err(error) => {
                hold.settle(Settlement::Nothing).await;
                return Err(error.into());
            }
        }
        self.log_command(&CommandLog {
            target: &to,
            ..CommandLog::new("Hardlink", &from)
        });
        Ok(())
    }
}

/// Whether nothing can be changed by a name in the directory of the target that cannot be changed in that of the source.
fn gains_nothing(source: PermissionSet, target: PermissionSet) -> bool {
    let wanted = target.and(CHANGES);
    wanted.and(source) == wanted
}
