//! What redb's errors mean to us.

use std::sync::atomic::{AtomicBool, Ordering};

use redb::Error;

use crate::error::{DataError, DataErrorKind};

/// Gives errors their kind, and remembers whether the open file can still be used.
#[derive(Debug)]
pub(super) struct Faults {
    location: String,
    /// After a failed read, write or commit redb refuses everything until the file is opened again.
    broken: AtomicBool,
}

impl Faults {
    pub(super) fn new(location: String) -> Self {
        Self {
            location,
            broken: AtomicBool::new(false),
        }
    }

    /// Which file this is, for messages.
    pub(super) fn location(&self) -> &str {
        &self.location
    }

    /// An error of any operation but a commit.
    pub(super) fn classify(&self, error: impl Into<Error>) -> DataError {
        let error = error.into();
        let kind = kind(&error);
        if kind == DataErrorKind::Unavailable {
            self.set_broken();
        }
        DataError::with_source(kind, &self.location, error)
    }

    /// An error of the driver's own.
    pub(super) fn error(&self, kind: DataErrorKind, what: &str) -> DataError {
        DataError::new(kind, format!("{}: {what}", self.location))
    }

    /// The file has to be opened again.
    pub(super) fn set_broken(&self) {
        self.broken.store(true, Ordering::Release);
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// It was opened again.
    pub(super) fn mend(&self) {
        self.broken.store(false, Ordering::Release);
    }
}

fn kind(error: &Error) -> DataErrorKind {
    match error {
        Error::Io(_)
        | Error::Backend(_)
        | Error::PreviousIo
        | Error::DatabaseClosed
        | Error::DatabaseAlreadyOpen
        | Error::LockProtocolMismatch
        | Error::LockPoisoned(_) => DataErrorKind::Unavailable,
        Error::Corrupted(_)
        | Error::UpgradeRequired(_)
        | Error::RepairAborted
        | Error::TableTypeMismatch { .. }
        | Error::TableIsMultimap(_)
        | Error::TableIsNotMultimap(_)
        | Error::TypeDefinitionChanged { .. }
        | Error::TableDoesNotExist(_) => DataErrorKind::Corrupt,
        // About how redb is called; the list is not closed.
        Error::InvalidSavepoint
        | Error::ImmediateDurabilityRequired
        | Error::PersistentSavepointModified
        | Error::NonDurableCommitUnsupported
        | Error::EphemeralSavepointUnsupported
        | Error::PersistentSavepointExists
        | Error::EphemeralSavepointExists
        | Error::TransactionInProgress
        | Error::TransactionPoisoned
        | Error::ValueTooLarge(_)
        | Error::UnorderedKey
        | Error::TableExists(_)
        | Error::TableAlreadyOpen(..)
        | Error::Unsupported
        | Error::ReadTransactionStillInUse(_)
        | Error::WouldBlock
        | _ => DataErrorKind::Internal,
    }
}
