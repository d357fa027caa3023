//! What errors of SQLite mean to us (<https://www.sqlite.org/rescode.html>).

use sqlx::Error;

use crate::error::{DataError, DataErrorKind};

/// Result codes in their primary form, the low byte.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
}

/// Gives an error its kind and names the database.
pub(crate) fn classify(location: &str, error: Error) -> DataError {
    if primary_code(&error) == Some(code::NOTADB) {
        let message = format!("{location} is not a SQLite database");
        return DataError::new(DataErrorKind::Corrupt, message);
    }
    DataError::with_source(kind(&error), location, error)
}

/// Whether another process holds a lock.
pub(crate) fn is_busy(error: &Error) -> bool {
    matches!(primary_code(error), Some(code::BUSY | code::LOCKED))
}

fn kind(error: &Error) -> DataErrorKind {
    if error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation())
    {
        return DataErrorKind::Duplicate;
    }
    match primary_code(error) {
        Some(code::CORRUPT) => DataErrorKind::Corrupt,
        Some(
            code::BUSY | code::LOCKED | code::READONLY | code::IOERR | code::FULL | code::CANTOPEN,
        ) => DataErrorKind::Unavailable,
        Some(_) => DataErrorKind::Internal,
        None if is_about_connections(error) => DataErrorKind::Unavailable,
        None if is_about_values(error) => DataErrorKind::Corrupt,
        None => DataErrorKind::Internal,
    }
}

fn primary_code(error: &Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

fn is_about_connections(error: &Error) -> bool {
    matches!(
        error,
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed
    )
}

fn is_about_values(error: &Error) -> bool {
    matches!(error, Error::Decode(_) | Error::ColumnDecode { .. })
}
