//! What can be wrong with a setting.

use thiserror::Error;

/// What is wrong with one setting: a warning if the value was replaced, an error if it stops the start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key}: {reason}")]
pub struct SettingIssue {
    /// The full key, `sftpd.umask`.
    pub key: &'static str,
    /// Why, without secrets.
    pub reason: String,
}

impl SettingIssue {
    /// An issue of the setting `key`.
    pub fn new(key: &'static str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { key, reason }
    }
}
