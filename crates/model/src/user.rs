//! Accounts: the record as it is stored and exchanged, and the checked value a session works with.

mod json;
mod record;
mod validate;

pub use json::fold as fold_json;
pub use record::UserRecord;
pub use validate::{UserRules, ValidationError};

use std::path::PathBuf;

use crate::filesystem::FilesystemConfig;
use crate::filter::{ExtensionRules, IpRules};
use crate::login::{LoginMethod, LoginSequence, RequiredMethods};
use crate::path::VirtualPath;
use crate::permission::{DirectoryPermissions, PermissionSet};

/// An account in the form that sessions use: everything parsed, nothing to check again.
///
/// Made from a [`UserRecord`] by [`UserRecord::compile`]; a snapshot, which running sessions exchange when the account
/// changes.
#[derive(Debug, Clone)]
pub struct User {
    /// Key in the data provider.
    pub id: i64,
    /// Login name.
    pub username: String,
    /// The directory (or, for object stores, the place of temporary files) of the account; absolute.
    pub home_dir: PathBuf,
    /// Owner of new files; `None` leaves it alone.
    pub uid: Option<u32>,
    /// Group of new files; `None` leaves it alone.
    pub gid: Option<u32>,
    /// Sessions at the same time; `None` is unlimited.
    pub max_sessions: Option<u32>,
    /// Quota; its limits are `None` when unlimited.
    pub quota: QuotaLimits,
    /// What may be done where.
    pub permissions: DirectoryPermissions,
    /// Bytes per second, `None` is unlimited.
    pub upload_bandwidth: Option<u64>,
    /// Bytes per second, `None` is unlimited.
    pub download_bandwidth: Option<u64>,
    /// Addresses that may log in.
    pub ip_rules: IpRules,
    /// Login methods that are refused.
    pub denied_login_methods: Vec<LoginMethod>,
    /// Login methods that must be proved together.
    pub required_login_methods: RequiredMethods,
    /// File names that may be used.
    pub extension_rules: ExtensionRules,
    /// Directories outside the home, by the virtual path they appear at.
    pub virtual_folders: Vec<(VirtualPath, PathBuf)>,
    /// The back end of the home.
    pub filesystem: FilesystemConfig,
}

/// The limits of an account. `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuotaLimits {
    /// Number of files.
    pub files: Option<u64>,
    /// Sum of file sizes in bytes.
    pub bytes: Option<u64>,
}

impl QuotaLimits {
    /// Whether nothing is limited.
    pub fn is_unlimited(self) -> bool {
        self.files.is_none() && self.bytes.is_none()
    }
}

impl UserRecord {
    /// Parses the record into what a session uses. Fails where a record that was written past our validation (by hand in
    /// SQL, say) cannot be understood; the message is for the operator.
    pub fn compile(&self) -> Result<User, ValidationError> {
        let mut permissions = std::collections::BTreeMap::new();
        for (directory, names) in &self.permissions {
            let path = VirtualPath::parse(directory.as_bytes()).map_err(|error| {
                ValidationError::new(format!("permission path {directory:?}: {error}"))
            })?;
            let set = PermissionSet::parse(names).ok_or_else(|| {
                ValidationError::new(format!("unknown permission for {directory:?}"))
            })?;
            permissions.insert(path, set);
        }
        let mut virtual_folders = Vec::new();
        for folder in &self.virtual_folders {
            let path = VirtualPath::parse(folder.virtual_path.as_bytes()).map_err(|error| {
                ValidationError::new(format!("virtual folder {:?}: {error}", folder.virtual_path))
            })?;
            virtual_folders.push((path, PathBuf::from(&folder.mapped_path)));
        }
        // One that is not understood must not be taken for none.
        let required = self.filters.required_login_methods.iter().map(|sequence| {
            LoginSequence::parse(sequence).map_err(|error| {
                ValidationError::new(format!("required_login_methods {sequence:?}: {error}"))
            })
        });
        let required = required.collect::<Result<_, _>>()?;
        let home_dir = PathBuf::from(&self.home_dir);
        if !home_dir.is_absolute() {
            return Err(ValidationError::new("home_dir is not an absolute path"));
        }
        let id_in_range = |id: i64| u32::try_from(id).ok().filter(|id| (1..=65535).contains(id));
        let limit = |value: i64| u64::try_from(value).ok().filter(|value| *value > 0);
        // The reference counts a kilobyte as 1000 bytes here.
        let bandwidth = |kilobytes: i64| limit(kilobytes).map(|kb| kb.saturating_mul(1000));
        Ok(User {
            id: self.id,
            username: self.username.clone(),
            home_dir,
            uid: id_in_range(self.uid),
            gid: id_in_range(self.gid),
            max_sessions: limit(self.max_sessions).map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
            quota: QuotaLimits {
                files: limit(self.quota_files),
                bytes: limit(self.quota_size),
            },
            permissions: DirectoryPermissions::new(permissions),
            upload_bandwidth: bandwidth(self.upload_bandwidth),
            download_bandwidth: bandwidth(self.download_bandwidth),
            ip_rules: IpRules::new(&self.filters),
            denied_login_methods: self
                .filters
                .denied_login_methods
                .iter()
                .filter_map(|name| LoginMethod::parse(name))
                .collect(),
            required_login_methods: RequiredMethods::new(required),
            extension_rules: ExtensionRules::new(&self.filters.file_extensions),
            virtual_folders,
            filesystem: self.filesystem.clone(),
        })
    }
}
