//! What it means that a statement or a connection failed, whichever the server.

use std::io;

use sqlx::Error;

use crate::error::DataErrorKind;

/// The meanings that make a difference: to what is done next, or to whoever reads the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is such a key already.
    Duplicate,
    /// Another transaction was in the way; the server undid this one.
    Conflict,
    /// A prepared statement that the server no longer takes, because the schema changed. Nothing was done.
    Stale,
    /// The server lets nobody in, or put us out and undid what was under way. Nothing was done.
    Refused,
    /// The connection broke. Whether a change was made is not known.
    Lost,
    /// The server cannot write at present: a replica, a full disk.
    ReadOnly,
    /// No time, no room.
    Unavailable,
    /// User name or password.
    Login,
    /// The database is not there, or not for this user.
    Database,
    /// The two do not agree about TLS.
    Tls,
    /// What is stored cannot be read.
    Corrupt,
    /// Anything else.
    Internal,
}

impl Failure {
    /// The meaning of an error that does not come from the server itself.
    pub(crate) fn of_driver(error: &Error) -> Self {
        // rustls reports what it thinks of a certificate as invalid data.
        let is_invalid = |error: &io::Error| error.kind() == io::ErrorKind::InvalidData;
        // The list of errors is not ours and grows, so that no match can name them all.
        if matches!(error, Error::Tls(_)) || matches!(error, Error::Io(error) if is_invalid(error))
        {
            Self::Tls
        } else if matches!(
            error,
            Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed
        ) {
            Self::Lost
        } else if matches!(error, Error::PoolTimedOut | Error::PoolClosed) {
            Self::Unavailable
        } else if matches!(error, Error::Decode(_) | Error::ColumnDecode { .. }) {
            Self::Corrupt
        } else {
            Self::Internal
        }
    }

    /// What the callers of the data provider are told.
    pub(crate) fn kind(self) -> DataErrorKind {
        match self {
            Self::Duplicate => DataErrorKind::Duplicate,
            Self::Conflict => DataErrorKind::Conflict,
            Self::Refused | Self::Lost | Self::ReadOnly | Self::Unavailable => {
                DataErrorKind::Unavailable
            }
            Self::Corrupt => DataErrorKind::Corrupt,
            Self::Stale | Self::Login | Self::Database | Self::Tls | Self::Internal => {
                DataErrorKind::Internal
            }
        }
    }

    /// Whether the connection is of no further use after a single statement.
    pub(crate) fn breaks(self) -> bool {
        match self {
            // A server that became a replica stays one; a new connection may lead to its successor.
            Self::Stale
            | Self::Refused
            | Self::Lost
            | Self::ReadOnly
            | Self::Tls
            | Self::Unavailable => true,
            Self::Conflict
            | Self::Duplicate
            | Self::Login
            | Self::Database
            | Self::Corrupt
            | Self::Internal => false,
        }
    }
}

/// An error in words. Only what the server says in its first line: details can repeat what was to be stored.
pub(crate) fn text(error: &Error) -> String {
    if let Error::Database(error) = error {
        return match error.code() {
            Some(code) => format!("{} ({code})", error.message()),
            None => error.message().to_owned(),
        };
    }
    if let Error::Io(error) = error {
        return error.to_string();
    }
    if matches!(error, Error::PoolTimedOut) {
        return "no connection in time: the server cannot be reached, or all connections are at \
                work (data_provider.pool_size)"
            .to_owned();
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_certificate_is_no_broken_connection() {
        let error = Error::Io(io::Error::new(io::ErrorKind::InvalidData, "certificate"));
        assert_eq!(Failure::of_driver(&error), Failure::Tls);
        assert_eq!(Failure::Tls.kind(), DataErrorKind::Internal);
        let error = Error::Io(io::Error::from(io::ErrorKind::UnexpectedEof));
        assert_eq!(Failure::of_driver(&error), Failure::Lost);
    }
}
