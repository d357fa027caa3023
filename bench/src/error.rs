//! What can go wrong with a run.

use std::time::Duration;

use bytes::Bytes;
use sftpgo_wire::sftp::{DecodeError, FrameError, StatusCode};
use thiserror::Error;

/// A run that failed prints one of these and no figures.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    #[error("ssh: {0}")]
    Ssh(#[from] russh::Error),
    #[error("key: {0}")]
    Key(#[from] russh::keys::Error),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("a task of the generator stopped: {0}")]
    Task(#[from] tokio::task::JoinError),
    #[error("the reply stream is broken: {0}")]
    Frame(#[from] FrameError),
    #[error("a reply is broken: {0}")]
    Decode(#[from] DecodeError),
    #[error("the login was refused")]
    Refused,
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("the server closed the channel")]
    Closed,
    #[error("{what}: {code:?}, {text}")]
    Status {
        what: &'static str,
        code: StatusCode,
        text: String,
    },
    /// The server answered with something else than it should have.
    #[error("{0}")]
    Wrong(String),
}

impl LoadError {
    /// The failure that a STATUS reply reports.
    pub(crate) fn status(what: &'static str, code: StatusCode, message: &Bytes) -> Self {
        let text = String::from_utf8_lossy(message).into_owned();
        Self::Status { what, code, text }
    }
}
