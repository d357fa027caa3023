//! What can go wrong in a storage, free of protocol codes.

use std::fmt;
use std::io;

/// Shorthand for results of storage operations.
pub type StorageResult<T> = Result<T, StorageError>;

/// The kinds that `core` tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageErrorKind {
    /// Nothing is there, or a directory on the way is missing.
    NotFound,
    /// A name on the way is not a directory, or the target should be one and is not.
    NotADirectory,
    /// The target is a directory and should not be.
    IsADirectory,
    /// The system refuses, the guard refuses, or the path leaves the storage.
    PermissionDenied,
    /// Something is there already.
    AlreadyExists,
    /// What is there is not what the caller expected; see [`Expected`](crate::Expected). Nothing was done.
    Raced,
    /// The directory still has entries.
    DirectoryNotEmpty,
    /// The back end cannot hold such a name.
    InvalidPath,
    /// An offset, length or attribute that makes no sense.
    InvalidArgument,
    /// No space left, or the disk's own quota is reached.
    StorageFull,
    /// The back end did not declare this capability.
    Unsupported,
    /// Too many links on the way, a stale handle, a timeout, a busy or unreachable back end: may work later.
    Unavailable,
    /// Anything else; a defect or a broken disk.
    Internal,
}

/// An error of a storage: a kind for `core`, a cause for the log. Clients never see the cause.
#[derive(Debug)]
pub struct StorageError {
    kind: StorageErrorKind,
    context: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StorageError {
    /// An error without an underlying cause; `context` says what was refused.
    pub fn new(kind: StorageErrorKind, context: &'static str) -> Self {
        Self {
            kind,
            context,
            source: None,
        }
    }

    /// An error with its cause.
    pub fn with_source(
        kind: StorageErrorKind,
        context: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            context,
            source: Some(source.into()),
        }
    }

    /// Classifies an error of the operating system.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "foreign, and half of it is not stable"
    )]
    pub fn from_io(context: &'static str, error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => StorageErrorKind::NotFound,
            io::ErrorKind::NotADirectory => StorageErrorKind::NotADirectory,
            io::ErrorKind::IsADirectory => StorageErrorKind::IsADirectory,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StorageErrorKind::PermissionDenied
            }
            io::ErrorKind::AlreadyExists => StorageErrorKind::AlreadyExists,
            io::ErrorKind::DirectoryNotEmpty => StorageErrorKind::DirectoryNotEmpty,
            io::ErrorKind::InvalidFilename => StorageErrorKind::InvalidPath,
            io::ErrorKind::InvalidInput => StorageErrorKind::InvalidArgument,
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => StorageErrorKind::StorageFull,
            io::ErrorKind::Unsupported | io::ErrorKind::CrossesDevices => {
                StorageErrorKind::Unsupported
            }
            io::ErrorKind::ResourceBusy
            | io::ErrorKind::TimedOut
            | io::ErrorKind::Interrupted
            | io::ErrorKind::StaleNetworkFileHandle
            | io::ErrorKind::ExecutableFileBusy => StorageErrorKind::Unavailable,
            // The list of kinds grows with the standard library; what is unknown is a defect until it is named here.
            _ => StorageErrorKind::Internal,
        };
        Self {
            kind,
            context,
            source: Some(Box::new(error)),
        }
    }

    /// What kind of error this is.
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.context)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StorageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
