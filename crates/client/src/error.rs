//! [`ClientError`]: why a server did not do what it was asked.

use std::fmt;

use sftpgo_model::terminal::is_dangerous;

/// What kept it from being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientErrorKind {
    /// There is no connection, or it broke.
    Unreachable,
    /// There was no whole answer in time.
    TimedOut,
    /// The certificate is not believed, or nobody speaks TLS there.
    Certificate,
    /// Name and password are missing or wrong.
    Unauthorized,
    /// Too many wrong passwords before.
    TooManyAttempts,
    /// What was to be shown or changed does not exist.
    NotFound,
    /// Whoever answers is not this API, or another version of it.
    NotUnderstood,
    /// It is being done already.
    Conflict,
    /// The server says that this is not possible; the message is its sentence.
    Refused,
    /// The server says that it failed.
    Failed,
    /// It cannot be asked.
    Unusable,
}

/// An error for administrators: what happened and what to do. There is no secret in it, and no control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientError {
    kind: ClientErrorKind,
    message: String,
}

impl ClientError {
    pub(crate) fn new(kind: ClientErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What kept it from being done.
    #[must_use]
    pub fn kind(&self) -> ClientErrorKind {
        self.kind
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ClientError {}

/// The longest sentence of a server that is passed on, in characters.
const LONGEST_SENTENCE: usize = 1000;

/// What a server said, made harmless: one line, bounded, without what moves the cursor of a terminal or turns the reading
/// direction.
pub(crate) fn told(text: &str) -> String {
    let plain = text.trim().chars().take(LONGEST_SENTENCE);
    plain
        .map(|c| if is_dangerous(c) { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_of_a_server_is_one_bounded_line() {
        assert_eq!(told(" a\n\u{1b}[2Jb\u{202e}c\n"), "a  [2Jb c");
        assert_eq!(told(&"x".repeat(5000)).len(), LONGEST_SENTENCE);
    }
}
