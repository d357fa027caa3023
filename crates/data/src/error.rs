//! What can go wrong in a data provider.

use std::fmt;

/// Shorthand for results of data provider operations.
pub type DataResult<T> = Result<T, DataError>;

/// The kinds that `core` tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataErrorKind {
    /// No such record.
    NotFound,
    /// The name is taken.
    Duplicate,
    /// A stored record cannot be understood, or the schema is not ours.
    Corrupt,
    /// The database was written by a newer program.
    TooNew,
    /// Another server changed the same at the same time; nothing was done, and doing it again may work.
    Conflict,
    /// Not reachable, closed, or out of time.
    Unavailable,
    /// Anything else.
    Internal,
}

/// An error of a data provider: a kind for `core`, a cause for the log.
#[derive(Debug)]
pub struct DataError {
    kind: DataErrorKind,
    context: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl DataError {
    /// An error without an underlying cause.
    pub fn new(kind: DataErrorKind, context: impl Into<String>) -> Self {
        Self {
            kind,
            context: context.into(),
            source: None,
        }
    }

    /// An error with its cause.
    pub fn with_source(
        kind: DataErrorKind,
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            context: context.into(),
            source: Some(source.into()),
        }
    }

    /// What kind of error this is.
    pub fn kind(&self) -> DataErrorKind {
        self.kind
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DataError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
