//! The file of a dump: complete, or as it was before.

use std::path::PathBuf;
use std::sync::Arc;

use sftpgo_model::StoragePath;
use sftpgo_storage::registry::Backends;
use sftpgo_storage::{
    Chunk, OpenExisting, SetAttributes, Storage, StorageError, StorageErrorKind, StorageResult,
    Target, WriteHandle, WriteOptions, WriteVisibility,
};

use super::dump::UserDump;
use super::error::{AdminError, AdminErrorKind};

/// A dump holds password hashes and secrets: it is for whoever runs the server.
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// Whether directories that are missing are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MakeDirectories {
    /// The root, those above it, and those between it and the file.
    All,
    /// None.
    None,
}

/// Where a dump goes.
#[derive(Debug, Clone)]
pub struct DumpFile {
    /// A directory that the file does not leave, whatever links lie in it.
    pub root: PathBuf,
    /// The file below it.
    pub path: StoragePath,
    /// Directories on the way.
    pub directories: MakeDirectories,
}

impl DumpFile {
    /// Writes the dump: to a temporary file beside the name, which takes the name when everything is on the disk. Only its
    /// owner can read it. After a failure, or if this is given up, the old file is there as it was. Gives the number of
    /// accounts.
    ///
    /// # Errors
    /// The directory or the disk does not take it, or the accounts cannot be read.
    pub async fn write(&self, backends: &Backends, mut dump: UserDump) -> Result<u64, AdminError> {
        let failed = |error: StorageError| self.failed(&error);
        let storage = self.open(backends).await?;
        if self.directories == MakeDirectories::All {
            make_directories(&*storage, &self.path)
                .await
                .map_err(failed)?;
        }
        let options = WriteOptions {
            existing: OpenExisting::Truncate,
            create: true,
            visibility: WriteVisibility::OnFinish,
            mode: FILE_MODE,
            owner: (None, None),
        };
        let target = Target::unguarded(self.path.clone());
        let file = storage
            .open_write(&target, &options)
            .await
            .map_err(failed)?;
        // It would take over the mode of the file that it replaces.
        let private = SetAttributes {
            mode: Some(FILE_MODE),
            ..SetAttributes::default()
        };
        file.set_attributes(&private).await.map_err(failed)?;
        let mut offset = 0;
        while let Some(piece) = dump.next_piece().await? {
            offset = append(&*file, offset, piece).await.map_err(failed)?;
        }
        file.finish().await.map_err(failed)?;
        Ok(dump.users())
    }

    async fn open(&self, backends: &Backends) -> Result<Arc<dyn Storage>, AdminError> {
        let (backends, root, directories) = (backends.clone(), self.root.clone(), self.directories);
        let opening = tokio::task::spawn_blocking(move || {
            let root = std::path::absolute(root).map_err(internal)?;
            let local = backends.local();
            if directories == MakeDirectories::All {
                local.create_root(&root, DIRECTORY_MODE, (None, None))?;
            }
            local.open(&root)
        });
        let opened = opening.await.map_err(internal).and_then(|opened| opened);
        let storage = opened.map_err(|error| {
            let failed = self.failed(&error);
            if failed.kind() == AdminErrorKind::BadRequest {
                // Whoever asked named a file below it, not the directory itself.
                return AdminError::new(AdminErrorKind::Internal, failed.to_string());
            }
            failed
        })?;
        Ok(Arc::new(storage))
    }

    fn failed(&self, error: &StorageError) -> AdminError {
        let file = self.root.join(self.path.to_string());
        let kind = match error.kind() {
            StorageErrorKind::Raced | StorageErrorKind::Unavailable => AdminErrorKind::Unavailable,
            // The name is that of a directory, or leads through a file.
            StorageErrorKind::NotADirectory | StorageErrorKind::IsADirectory => {
                AdminErrorKind::BadRequest
            }
            StorageErrorKind::NotFound
            | StorageErrorKind::PermissionDenied
            | StorageErrorKind::AlreadyExists
            | StorageErrorKind::DirectoryNotEmpty
            | StorageErrorKind::InvalidPath
            | StorageErrorKind::InvalidArgument
            | StorageErrorKind::StorageFull
            | StorageErrorKind::Unsupported
            | StorageErrorKind::Internal => AdminErrorKind::Internal,
        };
        AdminError::new(kind, format!("cannot write {}: {error}", file.display()))
    }
}

async fn make_directories(storage: &dyn Storage, file: &StoragePath) -> StorageResult<()> {
    let mut way = Vec::new();
    let mut directory = file.parent();
    while !directory.is_root() {
        let above = directory.parent();
        way.push(directory);
        directory = above;
    }
    for directory in way.into_iter().rev() {
        let target = Target::unguarded(directory);
        let made = storage
            .create_dir(&target, DIRECTORY_MODE, (None, None))
            .await;
        match made {
            Ok(()) => {}
            Err(error) if error.kind() == StorageErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Gives the offset behind it.
async fn append(file: &dyn WriteHandle, offset: u64, piece: Vec<u8>) -> StorageResult<u64> {
    let chunk = Chunk {
        offset,
        pieces: vec![piece.into()],
    };
    let end = chunk.end();
    file.write_at(vec![chunk]).await?;
    Ok(end)
}

fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StorageError {
    StorageError::with_source(StorageErrorKind::Internal, "open the directory", error)
}
