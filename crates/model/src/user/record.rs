//! The account record: the JSON object of REST bodies, dumps and hooks (reference 3.1), and the row of the data provider.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::json;
use crate::filesystem::FilesystemConfig;
use crate::filter::Filters;
use crate::folder::VirtualFolder;

/// An account as it is stored. Field order is the order of the JSON keys.
///
/// `Debug` shows no password.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UserRecord {
    /// Key in the data provider, assigned when the account is added.
    pub id: i64,
    /// 1 enabled, 0 disabled.
    pub status: i64,
    /// Login name, unique.
    pub username: String,
    /// Milliseconds since the epoch after which logins fail; 0 is never.
    pub expiration_date: i64,
    /// Password hash; plain text only on its way to being hashed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// `authorized_keys` lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub public_keys: Vec<String>,
    /// Absolute directory on the server.
    pub home_dir: String,
    /// Directories outside the home.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub virtual_folders: Vec<VirtualFolder>,
    /// Owner of new files; effective for 1..=65535.
    pub uid: i64,
    /// Group of new files; effective for 1..=65535.
    pub gid: i64,
    /// Sessions at the same time, 0 is unlimited.
    pub max_sessions: i64,
    /// Bytes, 0 is unlimited.
    pub quota_size: i64,
    /// Files, 0 is unlimited.
    pub quota_files: i64,
    /// Directory to permission names; `/` is required.
    pub permissions: BTreeMap<String, Vec<String>>,
    /// Bytes in use; kept by the server.
    pub used_quota_size: i64,
    /// Files in use; kept by the server.
    pub used_quota_files: i64,
    /// When the two above last changed, in milliseconds since the epoch.
    pub last_quota_update: i64,
    /// Kilobytes (1000 bytes) per second, 0 is unlimited.
    pub upload_bandwidth: i64,
    /// Kilobytes (1000 bytes) per second, 0 is unlimited.
    pub download_bandwidth: i64,
    /// Milliseconds since the epoch, 0 is never.
    pub last_login: i64,
    /// Restrictions.
    pub filters: Filters,
    /// Back end of the home.
    pub filesystem: FilesystemConfig,
}

impl UserRecord {
    /// Reads a record from JSON as the reference does: keys in any case, `null` as absent, unknown keys ignored.
    ///
    /// # Errors
    /// A value of the wrong type; the message names the key.
    pub fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        json::read(json::fold(serde_json::from_slice(text)?))
    }

    /// Lays the JSON of an update over this record (reference 11.7): absent keys keep their value, lists are replaced,
    /// `permissions` and `filters.file_extensions` only if something is sent, `filesystem` is merged field by field.
    ///
    /// # Errors
    /// Not an object, or a value of the wrong type.
    pub fn merged_with_json(&self, text: &[u8]) -> Result<Self, serde_json::Error> {
        json::merge_update(self, json::fold(serde_json::from_slice(text)?))
    }

    /// Lays what a pre-login hook says over this record (reference 9.4): absent keys keep their value, lists are replaced,
    /// objects are merged key by key, and so are `permissions`. Id, used quota, last quota update and last login stay.
    ///
    /// # Errors
    /// Not an object, or a value of the wrong type.
    pub fn changed_by_hook(&self, text: &[u8]) -> Result<Self, serde_json::Error> {
        json::merge_of_hook(self, json::fold(serde_json::from_slice(text)?))
    }

    /// The record without what nobody may read back: no password, secrets in hidden form.
    pub fn to_hidden(&self) -> Self {
        let mut hidden = self.clone();
        hidden.password.clear();
        hidden.filesystem = self.filesystem.to_hidden();
        hidden
    }

    /// Whether this account has a limit on files or bytes.
    pub fn has_quota(&self) -> bool {
        self.quota_files > 0 || self.quota_size > 0
    }
}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord")
            .field("id", &self.id)
            .field("username", &self.username)
            .field("status", &self.status)
            .field("home_dir", &self.home_dir)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimal_record_serialises_as_the_reference_shows_it() {
        let record = UserRecord {
            id: 1,
            status: 1,
            username: "u".into(),
            home_dir: "/srv/u".into(),
            permissions: BTreeMap::from([("/".into(), vec!["*".into()])]),
            ..UserRecord::default()
        };
        let expected = concat!(
            r#"{"id":1,"status":1,"username":"u","expiration_date":0,"home_dir":"/srv/u","uid":0,"gid":0,"#,
            r#""max_sessions":0,"quota_size":0,"quota_files":0,"permissions":{"/":["*"]},"#,
            r#""used_quota_size":0,"used_quota_files":0,"last_quota_update":0,"upload_bandwidth":0,"#,
            r#""download_bandwidth":0,"last_login":0,"filters":{},"#,
            r#""filesystem":{"provider":0,"s3config":{},"gcsconfig":{}}}"#
        );
        assert_eq!(serde_json::to_string(&record).unwrap(), expected);
    }

    #[test]
    fn debug_shows_no_password() {
        let record = UserRecord {
            password: "hunter2".into(),
            ..UserRecord::default()
        };
        assert!(!format!("{record:?}").contains("hunter2"));
    }

    #[test]
    fn keys_match_in_any_case_and_null_means_absent() {
        let record = UserRecord::from_json(
            br#"{"UserName":"u","Home_Dir":"/h","public_keys":null,"Unknown":1,
                "Permissions":{"/Docs":["list"]},"filters":{"Allowed_IP":["10.0.0.0/8"]}}"#,
        )
        .unwrap();
        assert_eq!(
            (record.username.as_str(), record.home_dir.as_str()),
            ("u", "/h")
        );
        assert!(record.permissions.contains_key("/Docs"));
        assert_eq!(record.filters.allowed_ip, ["10.0.0.0/8"]);
    }
}
