//! Settings and user of a share: built in, no file and no variable changes them (reference 15.2).

use std::collections::BTreeMap;
use std::path::{Path, absolute};

use sftpgo_core::model::{Filters, UserRecord};
use sftpgo_data::config::DataProviderConfig;
use sftpgo_http::config::HttpdConfig;
use sftpgo_ssh::config::{HostKeyConfig, HostKeys, SftpdConfig};
use zeroize::Zeroizing;

use super::{Password, Share};
use crate::app::AppError;
use crate::config::{Config, Settings};

/// Characters of a password that is made up, without those that look alike.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// How many: 5 bits each.
const PASSWORD_LENGTH: usize = 16;
/// Clients offer several keys before they ask for the password (reference 15.2).
const MAX_AUTH_TRIES: i32 = 12;

/// The settings of the server. What it needs on a disk is in `private`.
pub(super) fn settings(share: &Share, port: u16, private: &Path) -> Result<Settings, AppError> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut host_keys = Vec::new();
    for file in &share.host_keys {
        // Below the working directory, not the private one.
        let file = absolute(file).map_err(AppError::new)?;
        host_keys.push(HostKeyConfig {
            private_key: text(&file),
        });
    }
    let config = Config {
        sftpd: SftpdConfig {
            bind_port: port,
            bind_address: share
                .address
                .map(|address| address.to_string())
                .unwrap_or_default(),
            max_auth_tries: MAX_AUTH_TRIES,
            enabled_ssh_commands: share.commands.clone(),
            keys: host_keys,
            ..SftpdConfig::default()
        },
        data_provider: DataProviderConfig {
            driver: "memory".to_owned(),
            name: String::new(),
            credentials_path: text(&private.join("credentials")),
            ..DataProviderConfig::default()
        },
        httpd: HttpdConfig {
            bind_port: 0,
            ..HttpdConfig::default()
        },
        ..Config::default()
    };
    let (mut settings, warnings) = config.resolve(private).map_err(|problems| {
        let problems = problems.iter().map(ToString::to_string);
        AppError(problems.collect::<Vec<_>>().join("; "))
    })?;
    for warning in warnings {
        tracing::warn!(sender = "config", "{warning}");
    }
    if share.host_keys.is_empty() {
        settings.sftpd.host_keys = HostKeys::InMemory;
    }
    Ok(settings)
}

/// A password that can be read out over the telephone.
pub(super) fn new_password() -> Result<Zeroizing<String>, AppError> {
    let mut random = Zeroizing::new([0_u8; PASSWORD_LENGTH]);
    aws_lc_rs::rand::fill(random.as_mut())
        .map_err(|_| AppError("this machine gives no random numbers".to_owned()))?;
    let characters = random.iter().filter_map(|byte| {
        // 256 is a multiple of 32: every character is as likely.
        ALPHABET.get(usize::from(byte % 32)).map(|&c| char::from(c))
    });
    Ok(Zeroizing::new(characters.collect()))
}

impl Share {
    /// The one user.
    pub(super) fn user(&self, password: &Password, empty_home: &Path) -> UserRecord {
        let home = self.shared.home.as_deref().unwrap_or(empty_home);
        let mut permissions = BTreeMap::from([("/".to_owned(), vec!["list".to_owned()])]);
        for root in self.shared.roots(&self.store) {
            permissions.insert(root, self.permissions.clone());
        }
        UserRecord {
            username: self.username.clone(),
            password: match password {
                Password::Given(password) | Password::Made(password) => password.to_string(),
                Password::None => String::new(),
            },
            public_keys: self.public_keys.clone(),
            home_dir: home.to_string_lossy().into_owned(),
            status: 1,
            permissions,
            virtual_folders: self.shared.folders.clone(),
            filters: Filters {
                file_extensions: self.filters.clone(),
                ..Filters::default()
            },
            filesystem: self.store.clone(),
            ..UserRecord::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_passwords_are_long_and_differ() {
        let one = new_password().unwrap();
        assert_eq!(one.len(), PASSWORD_LENGTH);
        assert!(one.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(one, new_password().unwrap());
    }
}
