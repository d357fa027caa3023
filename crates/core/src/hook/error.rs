//! Why a hook gave no answer. Never says what it was asked.

use std::fmt;

use sftpgo_model::HookTarget;

/// A hook that gave no answer: nobody is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HookError {
    kind: HookErrorKind,
    reason: String,
}

/// The kinds of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HookErrorKind {
    /// It says no.
    Refused,
    /// It is not what the settings promise, or does not do what hooks do: the operator has to look.
    Broken,
    /// As many as may be are under way.
    Busy,
    /// Nobody waits for it any more.
    Gone,
}

impl HookError {
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::with(HookErrorKind::Refused, reason)
    }

    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self::with(HookErrorKind::Broken, reason)
    }

    pub(crate) fn busy(reason: impl Into<String>) -> Self {
        Self::with(HookErrorKind::Busy, reason)
    }

    pub(crate) fn gone() -> Self {
        Self::with(HookErrorKind::Gone, "the client is gone")
    }

    pub(crate) fn too_slow() -> Self {
        Self::broken("it took too long")
    }

    fn with(kind: HookErrorKind, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { kind, reason }
    }

    pub(crate) fn kind(&self) -> HookErrorKind {
        self.kind
    }

    /// Tells the operator of a hook that is broken.
    pub(crate) fn warn(&self, target: &HookTarget) {
        match self.kind {
            HookErrorKind::Broken => tracing::warn!(
                sender = "core",
                hook = %target,
                "a hook of logins does not work, nobody is let in by it: {}", self.reason
            ),
            HookErrorKind::Refused | HookErrorKind::Busy | HookErrorKind::Gone => {}
        }
    }
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
