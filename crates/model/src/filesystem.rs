//! Where a user's files lie: the `filesystem` object of an account (reference 3.6).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::Secret;

/// Which back end holds the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FilesystemProvider {
    /// The server's own disks.
    #[default]
    Local,
    /// An S3 compatible object store.
    S3,
    /// Google Cloud Storage.
    Gcs,
}

impl Serialize for FilesystemProvider {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(match self {
            Self::Local => 0,
            Self::S3 => 1,
            Self::Gcs => 2,
        })
    }
}

impl<'de> Deserialize<'de> for FilesystemProvider {
    /// Any number but 1 and 2 is local, as in the reference.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match i64::deserialize(deserializer)? {
            1 => Self::S3,
            2 => Self::Gcs,
            _ => Self::Local,
        })
    }
}

/// The `filesystem` object. Both sub-objects are always written, as `{}` when unused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FilesystemConfig {
    /// The back end in use.
    pub provider: FilesystemProvider,
    /// Settings for [`FilesystemProvider::S3`].
    pub s3config: S3Config,
    /// Settings for [`FilesystemProvider::Gcs`].
    pub gcsconfig: GcsConfig,
}

/// Settings of an S3 compatible store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct S3Config {
    /// Bucket name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bucket: String,
    /// Keys start with this; empty, or ends with `/`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_prefix: String,
    /// Region name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Access key id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub access_key: String,
    /// Secret access key.
    #[serde(skip_serializing_if = "Secret::is_empty")]
    pub access_secret: Secret,
    /// Endpoint of a store that is not AWS.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
    /// Storage class of new objects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub storage_class: String,
    // From here on as in the reference's 2.x line.
    /// Token of an access key for a limited time.
    #[serde(skip_serializing_if = "Secret::is_empty")]
    pub session_token: Secret,
    /// A role that is taken on with the credentials.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub role_arn: String,
    /// Canned ACL of new objects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub acl: String,
    /// Bytes of a part of an upload, in MB (MiB); 0 is 5.
    #[serde(skip_serializing_if = "is_zero")]
    pub upload_part_size: i64,
    /// Parts of an upload on their way at a time; 0 is 5.
    #[serde(skip_serializing_if = "is_zero")]
    pub upload_concurrency: i64,
    /// Bytes that one call reads ahead, in MB (MiB); 0 is 5.
    #[serde(skip_serializing_if = "is_zero")]
    pub download_part_size: i64,
    /// Calls that read ahead at a time; 0 is 5.
    #[serde(skip_serializing_if = "is_zero")]
    pub download_concurrency: i64,
    /// Whether the bucket is in the path of URLs also without an endpoint.
    #[serde(skip_serializing_if = "is_false")]
    pub force_path_style: bool,
    /// Certificate authorities of the endpoint in PEM, in place of those of the system. Not in the reference.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ca_certificates: String,
}

/// Settings of Google Cloud Storage.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GcsConfig {
    /// Bucket name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bucket: String,
    /// Keys start with this; empty, or ends with `/`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_prefix: String,
    /// Base64 of the credentials file; input only, never stored in the record.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub credentials: String,
    /// 1 if the environment supplies the credentials.
    #[serde(skip_serializing_if = "is_zero")]
    pub automatic_credentials: i64,
    /// Storage class of new objects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub storage_class: String,
}

impl std::fmt::Debug for GcsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GcsConfig")
            .field("bucket", &self.bucket)
            .field("key_prefix", &self.key_prefix)
            .finish_non_exhaustive()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn is_zero(value: &i64) -> bool {
    *value == 0
}
