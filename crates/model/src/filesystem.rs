//! Where a user's files lie: the `filesystem` object of an account (reference 3.6, and C.6 of the 2.x line).
//!
//! A back end is a file here: the struct of its settings, and the table that describes each of them once. Validation, sealing
//! and hiding of secrets, the schema of the REST API, the web form and the flags of the command line follow from the table.

mod azblob;
mod field;
mod gcs;
mod rule;
mod s3;
mod sas;
mod update;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::Secret;

pub use azblob::AzureConfig;
pub use field::{BackEnd, Bounds, Field, Kind, SecretFrom, TextRule};
pub use gcs::{GcsConfig, credentials_json};
pub use s3::S3Config;
pub use sas::{Sas, SasPlace};
pub(crate) use update::keep_stored_secrets;

/// Every back end that has settings in accounts.
pub const BACK_ENDS: &[BackEnd] = &[s3::BACK_END, gcs::BACK_END, azblob::BACK_END];

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
    /// Azure Blob Storage.
    Azure,
}

impl FilesystemProvider {
    /// Its number in JSON, forms and flags.
    pub fn number(self) -> i64 {
        match self {
            Self::Local => 0,
            Self::S3 => 1,
            Self::Gcs => 2,
            Self::Azure => 3,
        }
    }

    /// Any number that is no other's is local, as in the reference.
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::S3,
            2 => Self::Gcs,
            3 => Self::Azure,
            _ => Self::Local,
        }
    }

    /// The back end with settings in accounts; local disks have none.
    pub fn back_end(self) -> Option<&'static BackEnd> {
        BACK_ENDS.iter().find(|back_end| back_end.provider == self)
    }
}

impl Serialize for FilesystemProvider {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.number())
    }
}

impl<'de> Deserialize<'de> for FilesystemProvider {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_number(i64::deserialize(deserializer)?))
    }
}

/// The `filesystem` object. The sub-objects that the reference knows are always written, as `{}` when unused; others only
/// when something is in them, so that the JSON of its accounts stays what it was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FilesystemConfig {
    /// The back end in use.
    pub provider: FilesystemProvider,
    /// Settings for [`FilesystemProvider::S3`].
    pub s3config: S3Config,
    /// Settings for [`FilesystemProvider::Gcs`].
    pub gcsconfig: GcsConfig,
    /// Settings for [`FilesystemProvider::Azure`].
    #[serde(skip_serializing_if = "AzureConfig::is_empty")]
    pub azblobconfig: AzureConfig,
}

impl FilesystemConfig {
    /// Gives every secret of every back end, used or not, to `change`, until that fails.
    ///
    /// # Errors
    /// That of `change`.
    pub fn change_secrets<E>(
        &mut self,
        mut change: impl FnMut(&'static BackEnd, &'static Field, &mut Secret) -> Result<(), E>,
    ) -> Result<(), E> {
        for back_end in BACK_ENDS {
            for field in back_end.fields {
                if let Some(secret) = field.secret(self) {
                    change(back_end, field, secret)?;
                }
            }
        }
        Ok(())
    }

    /// Copies of all secrets, in the order of the tables.
    pub fn secrets(&self) -> Vec<(&'static BackEnd, &'static Field, Secret)> {
        let mut config = self.clone();
        let mut secrets = Vec::new();
        for back_end in BACK_ENDS {
            for field in back_end.fields {
                if let Some(secret) = field.secret(&mut config) {
                    secrets.push((back_end, field, secret.clone()));
                }
            }
        }
        secrets
    }

    /// Whether a secret is in it that nobody sealed: that must not come to rest anywhere.
    pub fn has_plain_secret(&self) -> bool {
        let mut secrets = self.secrets().into_iter();
        secrets.any(|(_, _, secret)| matches!(secret, Secret::Plain(_)))
    }

    /// The form for replies: secrets hidden.
    pub fn to_hidden(&self) -> Self {
        let mut hidden = self.clone();
        let Ok(()) = hidden.change_secrets(|_, _, secret| {
            *secret = secret.to_hidden();
            Ok::<_, std::convert::Infallible>(())
        });
        hidden
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

#[cfg(test)]
mod tests;
