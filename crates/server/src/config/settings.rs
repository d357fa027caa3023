//! The whole configuration: [`Config`] as written, [`Settings`] as checked.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sftpgo_data::config::{DataProviderConfig, DataProviderSettings};
use sftpgo_http::config::{HttpdConfig, HttpdSettings};
use sftpgo_ssh::config::{SftpdConfig, SftpdSettings};

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
    /// The REST API and the metrics.
    pub httpd: HttpdSettings,
}

/// A setting and what is wrong with it.
pub(crate) struct Issue {
    pub(crate) key: &'static str,
    pub(crate) reason: String,
}

/// Keys that are accepted for the sake of existing files and not used.
pub(crate) fn not_used_yet() -> impl Iterator<Item = &'static str> {
    [
        sftpgo_ssh::config::NOT_USED_YET,
        sftpgo_data::config::NOT_USED_YET,
        sftpgo_http::config::NOT_USED_YET,
    ]
    .into_iter()
    .flatten()
    .copied()
}

impl Config {
    /// Checks every section; gives the settings and what was replaced, or everything that is
    /// wrong.
    pub(crate) fn resolve(self, config_dir: &Path) -> Result<(Settings, Vec<Issue>), Vec<Issue>> {
        let mut warnings = Vec::new();
        let mut errors = Vec::new();
        // The sections share no code, by the arrows between the crates; they share this shape.
        macro_rules! section {
            ($config:expr) => {
                match $config.resolve(config_dir) {
                    Ok((settings, issues)) => {
                        let issues = issues.into_iter();
                        warnings.extend(issues.map(|i| Issue {
                            key: i.key,
                            reason: i.reason,
                        }));
                        Some(settings)
                    }
                    Err(issue) => {
                        errors.push(Issue {
                            key: issue.key,
                            reason: issue.reason,
                        });
                        None
                    }
                }
            };
        }
        let sftpd = section!(self.sftpd);
        let data_provider = section!(self.data_provider);
        let httpd = section!(self.httpd);
        match (sftpd, data_provider, httpd) {
            (Some(sftpd), Some(data_provider), Some(httpd)) => {
                let config_dir = config_dir.to_path_buf();
                Ok((
                    Settings {
                        config_dir,
                        sftpd,
                        data_provider,
                        httpd,
                    },
                    warnings,
                ))
            }
            _ => Err(errors),
        }
    }
}
