//! The `object_stores` section: [`ObjectStoresConfig`] as written in a settings file, and [`ObjectStoresSettings`] as back ends
//! may rely on it. What belongs to one account is with the account.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sftpgo_model::SettingIssue;

/// A part of the largest size must fit, so that every account can upload.
const LEAST_MIB: u64 = 16;
/// More is a mistake in the unit.
const MOST_MIB: u64 = 1 << 20;
/// A year of seconds.
const MOST_SECONDS: u64 = 366 * 24 * 3600;

/// What all homes in object stores share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ObjectStoresConfig {
    /// MiB that the parts of all uploads may take together. Uploads that need more wait for each other.
    pub upload_memory: u64,
    /// MiB that all downloads may read ahead together. Downloads that get none read what they are asked for and no more.
    pub download_memory: u64,
    /// Seconds after which an unfinished multipart upload below the prefix of an account is given up if no part of it came
    /// meanwhile: what a server that was killed left behind. 0 leaves that to the store.
    pub abandoned_after: u64,
}

impl Default for ObjectStoresConfig {
    fn default() -> Self {
        let settings = ObjectStoresSettings::default();
        Self {
            upload_memory: settings.upload_memory >> 20,
            download_memory: settings.download_memory >> 20,
            abandoned_after: settings.abandoned_after.map_or(0, |after| after.as_secs()),
        }
    }
}

/// The section after validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectStoresSettings {
    /// Bytes of the parts of all uploads.
    pub upload_memory: u64,
    /// Bytes that all downloads read ahead.
    pub download_memory: u64,
    /// When an upload to which nobody added anything is given up; `None` is never.
    pub abandoned_after: Option<Duration>,
}

impl Default for ObjectStoresSettings {
    fn default() -> Self {
        Self {
            upload_memory: 128 << 20,
            download_memory: 128 << 20,
            abandoned_after: Some(Duration::from_secs(24 * 3600)),
        }
    }
}

impl ObjectStoresConfig {
    /// Checks the section and turns it into settings.
    ///
    /// # Errors
    /// The first value that the server cannot start with.
    pub fn resolve(self) -> Result<(ObjectStoresSettings, Vec<SettingIssue>), SettingIssue> {
        if self.abandoned_after > MOST_SECONDS {
            let reason = "more than a year; use 0 if the store is to do it";
            return Err(SettingIssue::new("object_stores.abandoned_after", reason));
        }
        let settings = ObjectStoresSettings {
            upload_memory: memory("object_stores.upload_memory", self.upload_memory)?,
            download_memory: memory("object_stores.download_memory", self.download_memory)?,
            abandoned_after: (self.abandoned_after > 0)
                .then(|| Duration::from_secs(self.abandoned_after)),
        };
        Ok((settings, Vec::new()))
    }
}

fn memory(key: &'static str, mib: u64) -> Result<u64, SettingIssue> {
    if (LEAST_MIB..=MOST_MIB).contains(&mib) {
        return Ok(mib << 20);
    }
    let reason = format!("{mib} is not from {LEAST_MIB} to {MOST_MIB} MiB");
    Err(SettingIssue::new(key, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_section_is_the_default_settings() {
        let (settings, issues) = ObjectStoresConfig::default().resolve().unwrap();
        assert_eq!(settings, ObjectStoresSettings::default());
        assert!(issues.is_empty());
    }

    #[test]
    fn values_that_cannot_be_meant_are_refused_by_name() {
        let with = |change: fn(&mut ObjectStoresConfig)| {
            let mut config = ObjectStoresConfig::default();
            change(&mut config);
            config.resolve().unwrap_err().to_string()
        };
        assert!(with(|c| c.upload_memory = 15).contains("object_stores.upload_memory"));
        assert!(with(|c| c.download_memory = u64::MAX).contains("object_stores.download_memory"));
        assert!(with(|c| c.abandoned_after = u64::MAX).contains("object_stores.abandoned_after"));
    }
}
