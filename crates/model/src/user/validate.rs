//! Validation of an account record (reference 3.1 to 3.6): the order of checks is part of the interface.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Component, Path, PathBuf};

use ipnet::IpNet;
use thiserror::Error;

use super::record::UserRecord;
use crate::filesystem::FilesystemProvider;
use crate::filter::ExtensionFilter;
use crate::folder::VirtualFolder;
use crate::login::{LoginMethod, LoginSequence};
use crate::path::VirtualPath;
use crate::permission::{ALL_NAME, PermissionSet};
use crate::public_key::PublicKey;

/// Sequences of login methods that an account may list.
const MOST_SEQUENCES: usize = 16;

/// Why a record is not valid: a sentence for the administrator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ValidationError(String);

impl ValidationError {
    /// An error that says `message`.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What validation must know about the server.
#[derive(Debug, Clone, Default)]
pub struct UserRules {
    /// Where homes are made that a record does not name.
    pub users_base_dir: Option<PathBuf>,
    /// Whether a credentials file of this account, as the reference wrote it, is on the disk of the server.
    pub has_gcs_credentials: bool,
}

impl UserRecord {
    /// Checks the record and brings it into its stored form: home filled in, paths cleaned, `*` collapsed, unused back
    /// ends emptied. Hashing the password, sealing secrets and writing credential files is the caller's part.
    pub fn validate(mut self, rules: &UserRules) -> Result<Self, ValidationError> {
        self.fill_home(rules)?;
        if self.username.is_empty() {
            return Err(ValidationError::new("username is mandatory"));
        }
        if self.username.chars().any(char::is_control) {
            return Err(ValidationError::new("username contains control characters"));
        }
        if self.home_dir.is_empty() {
            return Err(ValidationError::new(
                "home_dir is mandatory, because data_provider.users_base_dir is not set",
            ));
        }
        if self.password.is_empty() && self.public_keys.is_empty() {
            return Err(ValidationError::new(
                "please set a password or at least one public key",
            ));
        }
        let home = clean_absolute(&self.home_dir)
            .ok_or_else(|| ValidationError::new("home_dir must be an absolute path"))?;
        self.home_dir = home.to_string_lossy().into_owned();
        self.permissions = clean_permissions(&self.permissions)?;
        self.filesystem.check(rules)?;
        self.virtual_folders = if self.filesystem.provider == FilesystemProvider::Local {
            clean_folders(&self.virtual_folders, &home)?
        } else {
            Vec::new()
        };
        if !matches!(self.status, 0 | 1) {
            return Err(ValidationError::new(format!(
                "status must be 0 (disabled) or 1 (enabled), not {}",
                self.status
            )));
        }
        self.public_keys = split_keys(&self.public_keys)?;
        self.check_filters()?;
        Ok(self)
    }

    fn fill_home(&mut self, rules: &UserRules) -> Result<(), ValidationError> {
        let Some(base) = rules
            .users_base_dir
            .as_ref()
            .filter(|_| self.home_dir.is_empty())
        else {
            return Ok(());
        };
        // A user name is free text: as the name of a directory it must be one name and stay below the base.
        let name = self.username.as_str();
        if matches!(name, "." | "..") || name.contains(['/', '\\', '\0']) {
            return Err(ValidationError::new(
                "the username cannot be the name of a home directory; set home_dir",
            ));
        }
        if !name.is_empty() {
            self.home_dir = base.join(name).to_string_lossy().into_owned();
        }
        Ok(())
    }

    fn check_filters(&mut self) -> Result<(), ValidationError> {
        let filters = &mut self.filters;
        for range in filters.allowed_ip.iter().chain(&filters.denied_ip) {
            // A bare address is refused, as in the reference: nobody should wonder what it means.
            if !range.contains('/') || range.parse::<IpNet>().is_err() {
                return Err(ValidationError::new(format!(
                    "could not parse IP/Mask {range:?}: use CIDR notation, such as 192.0.2.0/24"
                )));
            }
        }
        for method in &filters.denied_login_methods {
            if LoginMethod::parse(method).is_none() {
                return Err(ValidationError::new(format!(
                    "unknown login method {method:?}"
                )));
            }
        }
        if filters.denied_login_methods.len() >= LoginMethod::ALL.len() {
            return Err(ValidationError::new(
                "denied_login_methods denies every login method",
            ));
        }
        filters.required_login_methods = clean_sequences(
            &filters.required_login_methods,
            &filters.denied_login_methods,
        )?;
        filters.file_extensions = clean_extension_filters(&filters.file_extensions)?;
        Ok(())
    }
}

/// Sequences of login methods as they are stored; at least one must be possible.
fn clean_sequences(
    sequences: &[String],
    denied: &[String],
) -> Result<Vec<String>, ValidationError> {
    if sequences.len() > MOST_SEQUENCES {
        return Err(ValidationError::new(format!(
            "more than {MOST_SEQUENCES} required_login_methods"
        )));
    }
    let mut clean: Vec<String> = Vec::new();
    let mut possible = sequences.is_empty();
    for text in sequences {
        let sequence = LoginSequence::parse(text).map_err(|error| {
            ValidationError::new(format!(
                "required_login_methods {text:?}: {error}; write them like publickey,password"
            ))
        })?;
        let is_denied = |method: &LoginMethod| denied.iter().any(|name| name == method.as_str());
        possible |= !sequence.methods().iter().any(is_denied);
        let text = sequence.to_string();
        if !clean.contains(&text) {
            clean.push(text);
        }
    }
    if !possible {
        return Err(ValidationError::new(
            "each of required_login_methods has a method that denied_login_methods denies",
        ));
    }
    Ok(clean)
}

/// One key in each value: a value with several lines, such as a whole `authorized_keys` file, becomes several.
fn split_keys(values: &[String]) -> Result<Vec<String>, ValidationError> {
    let mut keys = Vec::new();
    for (index, value) in values.iter().enumerate() {
        PublicKey::parse_all(value).map_err(|error| {
            ValidationError::new(format!("could not parse public key {index}: {error}"))
        })?;
        keys.extend(PublicKey::lines(value).map(str::to_owned));
    }
    Ok(keys)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn clean_virtual(raw: &str, what: &str) -> Result<VirtualPath, ValidationError> {
    if !raw.starts_with('/') {
        return Err(ValidationError::new(format!(
            "{what} {raw:?} is not an absolute path"
        )));
    }
    VirtualPath::parse(raw.as_bytes())
        .map_err(|error| ValidationError::new(format!("{what} {raw:?}: {error}")))
}

fn clean_permissions(
    map: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<String, Vec<String>>, ValidationError> {
    if map.get("/").is_none_or(Vec::is_empty) {
        return Err(ValidationError::new(
            "please grant some permissions on the directory /",
        ));
    }
    let mut clean = BTreeMap::new();
    for (directory, names) in map {
        if names.len() > 12 || PermissionSet::parse(names).is_none() {
            return Err(ValidationError::new(format!(
                "invalid permissions for {directory:?}"
            )));
        }
        let path = clean_virtual(directory, "permission directory")?;
        if path.is_root() && directory != "/" {
            return Err(ValidationError::new(format!(
                "{directory:?} is another name of /"
            )));
        }
        let names = if names.iter().any(|name| name == ALL_NAME) {
            vec![ALL_NAME.to_owned()]
        } else {
            names.clone()
        };
        clean.insert(text(path.as_bytes()), names);
    }
    Ok(clean)
}

fn clean_extension_filters(
    filters: &[ExtensionFilter],
) -> Result<Vec<ExtensionFilter>, ValidationError> {
    let mut seen = BTreeSet::new();
    filters
        .iter()
        .map(|filter| {
            let path = clean_virtual(&filter.path, "extension filter path")?;
            if !seen.insert(path.clone()) {
                return Err(ValidationError::new(format!(
                    "two extension filters for {path}"
                )));
            }
            if filter.allowed_extensions.is_empty() && filter.denied_extensions.is_empty() {
                return Err(ValidationError::new(format!(
                    "the extension filter for {path} is empty"
                )));
            }
            Ok(ExtensionFilter {
                path: text(path.as_bytes()),
                ..filter.clone()
            })
        })
        .collect()
}

fn clean_folders(
    folders: &[VirtualFolder],
    home: &Path,
) -> Result<Vec<VirtualFolder>, ValidationError> {
    let mut clean: Vec<(VirtualPath, PathBuf)> = Vec::new();
    for folder in folders {
        let path = clean_virtual(&folder.virtual_path, "virtual folder path")?;
        let mapped = clean_absolute(&folder.mapped_path).ok_or_else(|| {
            ValidationError::new(format!(
                "mapped_path {:?} is not absolute",
                folder.mapped_path
            ))
        })?;
        if path.is_root() {
            return Err(ValidationError::new("a virtual folder cannot be /"));
        }
        if nested(&mapped, home) {
            return Err(ValidationError::new(format!(
                "mapped_path {} must be neither inside nor around the home directory",
                mapped.display()
            )));
        }
        for (other, other_mapped) in &clean {
            if path.is_within(other) || other.is_within(&path) || nested(&mapped, other_mapped) {
                return Err(ValidationError::new(format!(
                    "virtual folder {path} overlaps {other}"
                )));
            }
        }
        clean.push((path, mapped));
    }
    Ok(clean
        .into_iter()
        .map(|(path, mapped)| VirtualFolder {
            virtual_path: text(path.as_bytes()),
            mapped_path: mapped.to_string_lossy().into_owned(),
        })
        .collect())
}

/// Whether one directory is the other or lies inside it, name by name.
fn nested(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// Cleans an absolute path without looking at the disk; `None` if it is relative, or has a NUL and so is no path.
fn clean_absolute(raw: &str) -> Option<PathBuf> {
    let path = Path::new(raw);
    if !path.is_absolute() || raw.contains('\0') {
        return None;
    }
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => {
                clean.push(component)
            }
        }
    }
    Some(clean)
}

#[cfg(test)]
mod tests;
