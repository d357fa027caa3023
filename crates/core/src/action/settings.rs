//! What actions there are, and how long they may take.

use std::time::Duration;

use sftpgo_model::{Actions, FileEvent, UserEvent};

/// The settings of all actions.
#[derive(Debug, Clone, Default)]
pub struct ActionSettings {
    /// What happens on events of files, and before them (`sftpd.actions`).
    pub files: Actions<FileEvent>,
    /// What happens when accounts are changed (`data_provider.actions`).
    pub users: Actions<UserEvent>,
    /// How long all of it may take.
    pub limits: ActionLimits,
}

/// How long actions may take: the same everywhere, but in tests that would have to wait for it (reference C).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionLimits {
    /// A program that is told of files, and a gate with its turn.
    pub file_command: Duration,
    /// A program that is told of accounts.
    pub user_command: Duration,
    /// A URL.
    pub url: Duration,
    /// What still runs and waits when the server stops.
    pub stop: Duration,
}

impl Default for ActionLimits {
    fn default() -> Self {
        Self {
            file_command: Duration::from_secs(30),
            user_command: Duration::from_secs(15),
            url: Duration::from_secs(15),
            stop: Duration::from_secs(15),
        }
    }
}
