//! Errors of administration: administrators are told the whole reason.

use std::fmt;

use sftpgo_data::{DataError, DataErrorKind};
use sftpgo_model::ValidationError;

use crate::error::{OpError, OpErrorKind};

/// The kinds that REST maps to status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminErrorKind {
    /// The record is not valid.
    Validation,
    /// The record names another id than the one that is to be changed.
    IdMismatch,
    /// A setting switches this off.
    MethodDisabled,
    /// What was asked for makes no sense, or names a file that is not there or not what it should be.
    BadRequest,
    /// A file is larger than allowed.
    TooLarge,
    /// No such record.
    NotFound,
    /// The name is taken.
    Duplicate,
    /// The data provider does not answer.
    Unavailable,
    /// Anything else.
    Internal,
}

/// An error of administration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminError {
    kind: AdminErrorKind,
    message: String,
}

impl AdminError {
    /// An error that says `message`; the prefix of its kind is put before it.
    pub fn new(kind: AdminErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The same error, with the name of the account it is about.
    #[must_use]
    pub(super) fn of_user(self, username: &str) -> Self {
        Self {
            message: format!("user {username:?}: {}", self.message),
            ..self
        }
    }

    /// The kind.
    pub fn kind(&self) -> AdminErrorKind {
        self.kind
    }
}

impl fmt::Display for AdminError {
    /// The prefixes are part of the REST interface (reference 5.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.kind {
            AdminErrorKind::Validation => "Validation error: ",
            AdminErrorKind::MethodDisabled => "Method disabled error: ",
            AdminErrorKind::NotFound => "Not found: ",
            AdminErrorKind::IdMismatch
            | AdminErrorKind::BadRequest
            | AdminErrorKind::TooLarge
            | AdminErrorKind::Duplicate
            | AdminErrorKind::Unavailable
            | AdminErrorKind::Internal => "",
        };
        write!(f, "{prefix}{}", self.message)
    }
}

impl std::error::Error for AdminError {}

impl From<ValidationError> for AdminError {
    fn from(error: ValidationError) -> Self {
        Self::new(AdminErrorKind::Validation, error.to_string())
    }
}

impl From<OpError> for AdminError {
    /// Of hashing and sealing what an account brings.
    fn from(error: OpError) -> Self {
        let kind = if error.kind() == OpErrorKind::InvalidArgument {
            AdminErrorKind::Validation
        } else {
            AdminErrorKind::Internal
        };
        Self::new(kind, error.to_string())
    }
}

impl From<DataError> for AdminError {
    fn from(error: DataError) -> Self {
        let kind = match error.kind() {
            DataErrorKind::NotFound => AdminErrorKind::NotFound,
            DataErrorKind::Duplicate => AdminErrorKind::Duplicate,
            DataErrorKind::Conflict | DataErrorKind::Unavailable => AdminErrorKind::Unavailable,
            DataErrorKind::Corrupt | DataErrorKind::TooNew | DataErrorKind::Internal => {
                AdminErrorKind::Internal
            }
        };
        Self::new(kind, error.to_string())
    }
}
