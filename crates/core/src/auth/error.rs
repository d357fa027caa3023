//! Why an attempt failed, what became of it, and who is told.

use std::fmt;

use sftpgo_model::LoginMethod;

use super::key::KeyError;
use crate::hook::{HookError, HookErrorKind};
use crate::registry::ConnectionInfo;

/// Why an attempt failed: for the log only. Clients see one and the same refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthError {
    reason: String,
    outcome: LoginOutcome,
}

impl AuthError {
    /// There is no such account.
    pub(crate) fn unknown_user() -> Self {
        Self::with(LoginOutcome::UnknownUser, "no such user")
    }

    /// What was given as a proof is none.
    pub(crate) fn wrong(reason: impl Into<String>) -> Self {
        Self::with(LoginOutcome::WrongCredential, reason)
    }

    /// Whoever it is may not log in, or not so.
    pub(crate) fn not_allowed(reason: impl Into<String>) -> Self {
        Self::with(LoginOutcome::NotAllowed, reason)
    }

    /// Nobody can tell at present.
    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::with(LoginOutcome::Unavailable, reason)
    }

    /// The client did not wait for the end.
    pub(crate) fn abandoned() -> Self {
        Self::with(LoginOutcome::Abandoned, "the client is gone")
    }

    fn with(outcome: LoginOutcome, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { reason, outcome }
    }

    /// What becomes of an attempt that fails so.
    pub fn outcome(&self) -> LoginOutcome {
        self.outcome
    }
}

impl From<HookError> for AuthError {
    fn from(error: HookError) -> Self {
        match error.kind() {
            HookErrorKind::Refused => Self::wrong(format!("refused by the hook: {error}")),
            HookErrorKind::Broken => Self::unavailable(format!("the hook does not work: {error}")),
            HookErrorKind::Busy => Self::unavailable(format!("the hook is busy: {error}")),
            HookErrorKind::Gone => Self::abandoned(),
        }
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for AuthError {}

impl From<KeyError> for AuthError {
    fn from(error: KeyError) -> Self {
        Self::wrong(error.to_string())
    }
}

/// What became of an attempt to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginOutcome {
    /// Somebody is logged in.
    LoggedIn,
    /// There is no account of that name.
    UnknownUser,
    /// The password, the key or the answers are not those of the account. Clients offer every key they have: a key that is
    /// refused says less than a password.
    WrongCredential,
    /// The account is disabled or has expired, has all its sessions, or may not log in so or from there.
    NotAllowed,
    /// This server could not tell: its data provider, a hook, too much to do.
    Unavailable,
    /// The client left while its attempt was evaluated; nothing is known of it.
    Abandoned,
    /// The connection ended before anything was tried.
    Untried,
}

/// Is told of every attempt to log in on a connection, to keep count of addresses, say.
pub trait LoginObserver: fmt::Debug + Send + Sync {
    /// An attempt came to its end; `method` is `None` if nothing was tried. The proof of one of several methods that an
    /// account asks for is no end. Called on the connection's thread: must not wait.
    fn ended(&self, info: &ConnectionInfo, method: Option<LoginMethod>, outcome: LoginOutcome);
}

#[cfg(test)]
mod tests;
