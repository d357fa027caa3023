//! The whole configuration: [`Config`] as written, [`Settings`] as checked.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sftpgo_core::defender::{DefenderConfig, DefenderSettings};
use sftpgo_data::config::{DataProviderConfig, DataProviderSettings};
use sftpgo_http::config::{HttpdConfig, HttpdSettings};
use sftpgo_model::SettingIssue;
use sftpgo_ssh::config::{SftpdConfig, SftpdSettings};
use sftpgo_storage::config::{ObjectStoresConfig, ObjectStoresSettings};

/// Every setting as written in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// The SSH server.
    pub sftpd: SftpdConfig,
    /// Where accounts are kept.
    pub data_provider: DataProviderConfig,
    /// The REST API and the metrics.
    pub httpd: HttpdConfig,
    /// Bans addresses that misbehave.
    pub defender: DefenderConfig,
    /// Homes in object stores.
    pub object_stores: ObjectStoresConfig,
}

/// Every setting after validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The configuration directory, absolute: the base of every relative path.
    pub config_dir: PathBuf,
    /// The SSH server.
    pub sftpd: SftpdSettings,
    /// Where accounts are kept.
    pub data_provider: DataProviderSettings,
    /// The REST API, the web admin and the metrics.
    pub httpd: HttpdSettings,
    /// How addresses that misbehave are banned; `None` if they are not.
    pub defender: Option<DefenderSettings>,
    /// Homes in object stores.
    pub object_stores: ObjectStoresSettings,
}

impl Config {
    /// Checks every section; gives the settings and what was replaced, or everything that is
    /// wrong.
    pub(crate) fn resolve(
        self,
        config_dir: &Path,
    ) -> Result<(Settings, Vec<SettingIssue>), Vec<SettingIssue>> {
        let mut warnings = Vec::new();
        let mut errors = Vec::new();
        let sftpd = section(self.sftpd.resolve(config_dir), &mut warnings, &mut errors);
        let data_provider = section(
            self.data_provider.resolve(config_dir),
            &mut warnings,
            &mut errors,
        );
        let httpd = section(self.httpd.resolve(config_dir), &mut warnings, &mut errors);
        let defender = section(
            self.defender.resolve(config_dir),
            &mut warnings,
            &mut errors,
        );
        let stores = section(self.object_stores.resolve(), &mut warnings, &mut errors);
        match (sftpd, data_provider, httpd, defender, stores) {
            (
                Some(sftpd),
                Some(data_provider),
                Some(httpd),
                Some(defender),
                Some(object_stores),
            ) => {
                let config_dir = config_dir.to_path_buf();
                Ok((
                    Settings {
                        config_dir,
                        sftpd,
                        data_provider,
                        httpd,
                        defender,
                        object_stores,
                    },
                    warnings,
                ))
            }
            _ => Err(errors),
        }
    }
}

/// Sorts out what a section's `resolve` gave.
fn section<T>(
    resolved: Result<(T, Vec<SettingIssue>), SettingIssue>,
    warnings: &mut Vec<SettingIssue>,
    errors: &mut Vec<SettingIssue>,
) -> Option<T> {
    match resolved {
        Ok((settings, issues)) => {
            warnings.extend(issues);
            Some(settings)
        }
        Err(issue) => {
            errors.push(issue);
            None
        }
    }
}
