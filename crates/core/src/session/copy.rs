//! What copying whole trees needs beyond single requests (SCP): looks that need no `list`, and directories that may be there
//! already.

use sftpgo_model::{Permission, VirtualPath};
use sftpgo_storage::{Links, Metadata};

use super::{DirectoryListing, Session};
use crate::access::Demand;
use crate::error::{OpErrorKind, OpResult};

/// Whoever may do anything at all with an entry, or in a directory, may know what it is: every attempt would tell.
const ENTRY: Demand = Demand::entry(&Permission::ALL);
const INSIDE: Demand = Demand::directory(&Permission::ALL);
/// A directory is downloaded with all that is in it, so whoever may do that may see the names (reference 3.3).
const DOWNLOAD: Demand = Demand::directory(&[Permission::Download]);
const NAMES: Demand = Demand::directory(&[Permission::Download, Permission::List]);
const CREATE_DIRS: Demand = Demand::entry(&[Permission::CreateDirs]);

impl Session {
    /// What a path leads to, for a protocol that must know before it can act; `None` if nothing is there.
    ///
    /// # Errors
    /// `PermissionDenied` if the account may do nothing there, and what the storage says.
    pub async fn look(&self, path: &VirtualPath) -> OpResult<Option<Metadata>> {
        let inside = self.look_with(path, INSIDE).await;
        let found = match inside {
            Err(error) if error.kind() == OpErrorKind::PermissionDenied => {
                self.look_with(path, ENTRY).await
            }
            looked => looked,
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == OpErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn look_with(&self, path: &VirtualPath, demand: Demand) -> OpResult<Metadata> {
        let permit = self.permit(path, demand)?;
        Ok(permit
            .storage()?
            .stat(&permit.target, Links::Follow)
            .await?)
    }

    /// Opens a directory to download what is in it; its attributes and its entries. `download` on the directory itself.
    pub async fn open_directory(
        &self,
        path: &VirtualPath,
    ) -> OpResult<(Metadata, DirectoryListing)> {
        let attributes = self.look_with(path, DOWNLOAD).await?;
        if !attributes.is_dir() {
            return Err(OpErrorKind::NotADirectory.into());
        }
        Ok((attributes, self.list_with(path, DOWNLOAD).await?))
    }

    /// Opens a directory to find names that match a pattern; either `download` or `list` on it.
    pub async fn list_names(&self, path: &VirtualPath) -> OpResult<DirectoryListing> {
        self.list_with(path, NAMES).await
    }

    /// Makes a directory unless it is there; its parent must exist. `create_dirs` on the parent in either case.
    pub async fn ensure_dir(&self, path: &VirtualPath) -> OpResult<()> {
        let made = self.create_dir(path).await;
        let Err(error) = made else { return Ok(()) };
        // The place of a virtual folder cannot be made, but it is there.
        let may_be_there = error.kind() == OpErrorKind::AlreadyExists
            || (error.kind() == OpErrorKind::PermissionDenied && self.inner.mounts.is_folder(path));
        if may_be_there && self.look_with(path, CREATE_DIRS).await?.is_dir() {
            return Ok(());
        }
        Err(error)
    }
}
