//! What can go wrong in an operation: a kind that each front end maps to its codes, a sentence for the client, and the
//! cause for the log. Clients never see paths of the server or texts of a back end.

use std::borrow::Cow;
use std::fmt;

use sftpgo_data::{DataError, DataErrorKind};
use sftpgo_model::PathError;
use sftpgo_storage::{StorageError, StorageErrorKind};

/// Shorthand for results of operations.
pub type OpResult<T> = Result<T, OpError>;

/// The kinds that front ends tell apart. Each protocol maps them in one exhaustive match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpErrorKind {
    /// Nothing is there.
    NotFound,
    /// Something on the way, or the target, should be a directory and is not.
    NotADirectory,
    /// The account, or the system, does not allow it.
    PermissionDenied,
    /// The name may not be used (extension filter).
    NameNotAllowed,
    /// Something is there already.
    AlreadyExists,
    /// The directory still has entries.
    DirectoryNotEmpty,
    /// The target is a directory and should not be.
    IsADirectory,
    /// Not a path, or the back end cannot hold such a name.
    InvalidPath,
    /// A value that makes no sense.
    InvalidArgument,
    /// The quota of the account is reached.
    QuotaExceeded,
    /// The disk is full.
    StorageFull,
    /// The back end cannot do this.
    Unsupported,
    /// Too many open transfers.
    TooManyTransfers,
    /// Too many requests in a time.
    RateLimited,
    /// May work later.
    Unavailable,
    /// The transfer was given up.
    Aborted,
    /// The server stops.
    ShuttingDown,
    /// A defect or a broken disk; always logged with its cause.
    Internal,
}

impl OpErrorKind {
    /// Every kind, for the tests of the error tables.
    pub const ALL: [Self; 18] = [
        Self::NotFound,
        Self::NotADirectory,
        Self::PermissionDenied,
        Self::NameNotAllowed,
        Self::AlreadyExists,
        Self::DirectoryNotEmpty,
        Self::IsADirectory,
        Self::InvalidPath,
        Self::InvalidArgument,
        Self::QuotaExceeded,
        Self::StorageFull,
        Self::Unsupported,
        Self::TooManyTransfers,
        Self::RateLimited,
        Self::Unavailable,
        Self::Aborted,
        Self::ShuttingDown,
        Self::Internal,
    ];

    /// The sentence a client sees if nothing better is known. The first ones are those of the reference, which scripts match.
    pub const fn client_text(self) -> &'static str {
        match self {
            Self::NotFound => "No Such File",
            Self::NotADirectory => "Not a directory",
            Self::PermissionDenied => "Permission Denied",
            Self::NameNotAllowed => "Permission Denied: this file name is not allowed",
            Self::AlreadyExists => "Failure: already exists",
            Self::DirectoryNotEmpty => "Failure: directory not empty",
            Self::IsADirectory => "Failure: is a directory",
            Self::InvalidPath => "Invalid path",
            Self::InvalidArgument => "Invalid argument",
            Self::QuotaExceeded => "Failure: quota exceeded",
            Self::StorageFull => "Failure: no space left",
            Self::Unsupported => "Operation Unsupported",
            Self::TooManyTransfers => "Failure: too many open files",
            Self::RateLimited => "Failure: too many requests",
            Self::Unavailable => "Failure: temporarily unavailable",
            Self::Aborted => "Failure: transfer aborted",
            Self::ShuttingDown => "Failure: the server is shutting down",
            Self::Internal => "Failure",
        }
    }
}

/// An error of an operation.
#[derive(Debug)]
pub struct OpError {
    kind: OpErrorKind,
    client: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl OpError {
    /// An error with a sentence of its own for the client; it must hold nothing of the server's inside.
    pub fn new(kind: OpErrorKind, client: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            client: client.into(),
            source: None,
        }
    }

    /// An error with a cause for the log.
    pub fn with_source(
        kind: OpErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            client: Cow::Borrowed(kind.client_text()),
            source: Some(source.into()),
        }
    }

    /// The kind, for the front end's table.
    pub fn kind(&self) -> OpErrorKind {
        self.kind
    }

    /// The sentence for the client.
    pub fn client_message(&self) -> &str {
        &self.client
    }

    /// Whether the operator should see it at error level.
    pub fn is_internal(&self) -> bool {
        self.kind == OpErrorKind::Internal
    }
}

impl From<OpErrorKind> for OpError {
    fn from(kind: OpErrorKind) -> Self {
        Self::new(kind, kind.client_text())
    }
}

impl From<PathError> for OpError {
    fn from(error: PathError) -> Self {
        Self::with_source(OpErrorKind::InvalidPath, error)
    }
}

impl From<StorageError> for OpError {
    fn from(error: StorageError) -> Self {
        let kind = match error.kind() {
            StorageErrorKind::NotFound => OpErrorKind::NotFound,
            StorageErrorKind::NotADirectory => OpErrorKind::NotADirectory,
            StorageErrorKind::IsADirectory => OpErrorKind::IsADirectory,
            StorageErrorKind::PermissionDenied => OpErrorKind::PermissionDenied,
            StorageErrorKind::AlreadyExists => OpErrorKind::AlreadyExists,
            StorageErrorKind::DirectoryNotEmpty => OpErrorKind::DirectoryNotEmpty,
            StorageErrorKind::InvalidPath => OpErrorKind::InvalidPath,
            StorageErrorKind::InvalidArgument => OpErrorKind::InvalidArgument,
            StorageErrorKind::StorageFull => OpErrorKind::StorageFull,
            StorageErrorKind::Unsupported => OpErrorKind::Unsupported,
            StorageErrorKind::Raced | StorageErrorKind::Unavailable => OpErrorKind::Unavailable,
            StorageErrorKind::Internal => OpErrorKind::Internal,
        };
        Self::with_source(kind, error)
    }
}

impl From<DataError> for OpError {
    fn from(error: DataError) -> Self {
        let kind = match error.kind() {
            DataErrorKind::NotFound => OpErrorKind::NotFound,
            DataErrorKind::Duplicate => OpErrorKind::AlreadyExists,
            DataErrorKind::Conflict | DataErrorKind::Unavailable => OpErrorKind::Unavailable,
            DataErrorKind::Corrupt | DataErrorKind::TooNew | DataErrorKind::Internal => {
                OpErrorKind::Internal
            }
        };
        Self::with_source(kind, error)
    }
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.client)?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for OpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
