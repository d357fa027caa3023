//! Renames: a copy within the store, a look at it, then the removal of the original.

mod tree;

use futures_util::future::try_join;
use sftpgo_model::StoragePath;

use super::copy::Source;
use super::look::{Found, nothing_there};
use super::storage::{Inner, is_a_directory, root_stays};
use super::store::ObjectInfo;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::reserved::check_new;
use crate::storage::{Removed, RenameMode, Target};

impl Inner {
    /// See [`Storage::rename`](crate::Storage::rename). One that was interrupted leaves both names, or the old one; asked for
    /// again it ends what it began.
    pub(super) async fn rename(
        &self,
        from: &Target,
        to: &Target,
        mode: RenameMode,
    ) -> StorageResult<Removed> {
        check_new(&to.path)?;
        if from.path.is_root() || to.path.is_root() {
            return Err(root_stays());
        }
        let (source, goal) = try_join(self.look(&from.path), self.look(&to.path)).await?;
        let there = self.metadata(&to.path, &goal)?;
        let Some(moved) = self.metadata(&from.path, &source)? else {
            return Err(nothing_there());
        };
        self.check_expected(from.expected, Some(&moved))?;
        if there.is_some() && mode == RenameMode::NoReplace {
            // Unless it is what this rename had begun before.
            let resumed = matches!((&source, &goal), (Found::Folder, Found::Folder))
                && self.is_resumed(&from.path, &to.path).await?;
            if !resumed {
                return Err(StorageError::new(StorageErrorKind::AlreadyExists, "rename"));
            }
        }
        if from.path == to.path {
            return Ok(None);
        }
        self.check_expected(to.expected, there.as_ref())?;
        match (source, &goal) {
            (Found::Nothing, _) => Err(nothing_there()),
            (Found::File(_), Found::Folder) => Err(is_a_directory("rename")),
            (Found::Folder, Found::File(_)) => {
                Err(StorageError::new(StorageErrorKind::NotADirectory, "rename"))
            }
            (Found::File(info), Found::File(_) | Found::Nothing) => {
                self.rename_file(&from.path, &to.path, &info).await?;
                Ok(there)
            }
            (Found::Folder, Found::Folder | Found::Nothing) => {
                self.rename_folder(&from.path, &to.path).await?;
                Ok(there)
            }
        }
    }

    async fn rename_file(
        &self,
        from: &StoragePath,
        to: &StoragePath,
        info: &ObjectInfo,
    ) -> StorageResult<()> {
        let (from, to) = (self.keys.file(from)?, self.keys.file(to)?);
        let source = Source::new(&from, info);
        self.copy_object(&source, &to).await?;
        self.pins.ended(&to);
        let (copy, original) = try_join(self.calls.head(&to), self.calls.head(&from)).await?;
        if copy.is_none_or(|copy| copy.size != info.size) {
            let context = "the copy is not what was copied";
            return Err(StorageError::new(StorageErrorKind::Unavailable, context));
        }
        match original {
            Some(original) if original.etag == info.etag => {
                self.calls.delete(&from).await?;
                self.pins.ended(&from);
                Ok(())
            }
            // Somebody else removed it, which is what was wanted.
            None => Ok(()),
            Some(_) => {
                let context = "the file was replaced while it was renamed; both are there";
                Err(StorageError::new(StorageErrorKind::Unavailable, context))
            }
        }
    }
}
