//! Settings of Google Cloud Storage: `gcsconfig`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::field::{BackEnd, Bounds, Field, Kind, SecretFrom, TextRule};
use super::{FilesystemConfig, FilesystemProvider, is_zero};
use crate::secret::Secret;
use crate::user::{UserRules, ValidationError};

/// Settings of Google Cloud Storage.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GcsConfig {
    /// Bucket name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bucket: String,
    /// Keys start with this; empty, or ends with `/`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_prefix: String,
    /// The contents of a credentials file, a JSON object; sent in base64, too. The reference kept it in a file beside the
    /// accounts, which no other server on the same database had.
    #[serde(skip_serializing_if = "Secret::is_empty")]
    pub credentials: Secret,
    /// 1 if the environment supplies the credentials.
    #[serde(skip_serializing_if = "is_zero")]
    pub automatic_credentials: i64,
    /// Storage class of new objects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub storage_class: String,
    // As in the reference's 2.x line.
    /// Predefined ACL of new objects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub acl: String,
    /// Bytes of a part of an upload, in MB (MiB); 0 is 16.
    #[serde(skip_serializing_if = "is_zero")]
    pub upload_part_size: i64,
    // Not in the reference.
    /// URL of an emulator, or of a store that speaks like Google's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
    /// Certificate authorities of the endpoint in PEM, in place of those of the system.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ca_certificates: String,
}

/// Credentials files are a few KiB.
const MOST_CREDENTIALS: usize = 16 * 1024;

pub(super) const BACK_END: BackEnd = BackEnd {
    provider: FilesystemProvider::Gcs,
    title: "Google Cloud Storage",
    short: "GCS",
    object: "gcsconfig",
    fields: &[
        Field {
            name: "bucket",
            label: "Bucket",
            help: "It must exist.",
            form: "gcs_bucket",
            flag: "gcs-bucket",
            required: true,
            in_reference_form: true,
            kind: Kind::Text(|f| &mut f.gcsconfig.bucket, TextRule::Any),
        },
        Field {
            name: "automatic_credentials",
            label: "Automatic credentials",
            help: "Those of the surroundings of the server: Google's application default credentials.",
            form: "gcs_auto_credentials",
            flag: "gcs-automatic-credentials",
            required: false,
            in_reference_form: true,
            kind: Kind::Switch(|f| &mut f.gcsconfig.automatic_credentials),
        },
        Field {
            name: "credentials",
            label: "Credentials file",
            help: "The contents of a JSON file of credentials, such as the key of a service account, as they are or in base64.",
            form: "gcs_credential_file",
            flag: "gcs-credentials-file",
            required: false,
            in_reference_form: true,
            kind: Kind::Secret(|f| &mut f.gcsconfig.credentials, SecretFrom::File),
        },
        Field {
            name: "key_prefix",
            label: "Key prefix",
            help: "The user sees only what is below it, such as users/alice/.",
            form: "gcs_key_prefix",
            flag: "gcs-key-prefix",
            required: false,
            in_reference_form: true,
            kind: Kind::Text(|f| &mut f.gcsconfig.key_prefix, TextRule::KeyPrefix),
        },
        Field {
            name: "storage_class",
            label: "Storage class",
            help: "Of new objects, such as NEARLINE; a rename keeps the one of an object.",
            form: "gcs_storage_class",
            flag: "gcs-storage-class",
            required: false,
            in_reference_form: true,
            kind: Kind::Text(|f| &mut f.gcsconfig.storage_class, TextRule::Any),
        },
        Field {
            name: "acl",
            label: "ACL",
            help: "The predefined ACL of new objects, such as bucketOwnerFullControl.",
            form: "gcs_acl",
            flag: "gcs-acl",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(|f| &mut f.gcsconfig.acl, TextRule::Any),
        },
        Field {
            name: "upload_part_size",
            label: "Upload part size",
            help: "Files are sent in parts of this size.",
            form: "gcs_upload_part_size",
            flag: "gcs-upload-part-size",
            required: false,
            in_reference_form: false,
            kind: Kind::Number(|f| &mut f.gcsconfig.upload_part_size, Bounds::part(1, 16)),
        },
        Field {
            name: "endpoint",
            label: "Endpoint",
            help: "The URL of an emulator, or of a store that speaks like Google's. With it there may be no credentials at all.",
            form: "gcs_endpoint",
            flag: "gcs-endpoint",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(|f| &mut f.gcsconfig.endpoint, TextRule::Url),
        },
        Field {
            name: "ca_certificates",
            label: "Certificate authorities",
            help: "Those of the endpoint, in PEM, in place of those of the system.",
            form: "gcs_ca_certificates",
            flag: "gcs-ca-certificates",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(|f| &mut f.gcsconfig.ca_certificates, TextRule::Certificates),
        },
    ],
    check,
    keep,
    settle,
};

fn check(config: &mut FilesystemConfig, rules: &UserRules) -> Result<(), ValidationError> {
    let gcs = &mut config.gcsconfig;
    match &gcs.credentials {
        Secret::Plain(text) => {
            let json = credentials_json(text).ok_or_else(|| {
                ValidationError::new(
                    "gcsconfig: credentials are not the JSON of a credentials file, as it is or in valid base64, of 16 KiB \
                     at most",
                )
            })?;
            gcs.credentials = Secret::Plain(json);
        }
        Secret::Empty
            if gcs.automatic_credentials == 0
                && gcs.endpoint.is_empty()
                && !rules.has_gcs_credentials =>
        {
            return Err(ValidationError::new(
                "gcsconfig: credentials are missing; with automatic_credentials 1 they are those of the surroundings of \
                 the server",
            ));
        }
        Secret::Empty | Secret::Sealed(_) | Secret::Hidden(_) => {}
    }
    Ok(())
}

/// The contents of a credentials file, of what is that or its base64; `None` if it is neither, or too much.
pub fn credentials_json(text: &str) -> Option<Zeroizing<String>> {
    let text = text.trim();
    let json = if text.starts_with('{') {
        Zeroizing::new(text.to_owned())
    } else {
        let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
        Zeroizing::new(std::str::from_utf8(&bytes).ok()?.trim().to_owned())
    };
    let is_object = serde_json::from_str::<Map<String, Value>>(&json).is_ok();
    (is_object && json.len() <= MOST_CREDENTIALS).then_some(json)
}

/// Left empty they are unchanged; beside automatic credentials, sent or stored, they are given up.
fn keep(stored: &FilesystemConfig, sent: &mut Map<String, Value>) {
    let automatic = sent.get("automatic_credentials").and_then(Value::as_i64);
    let automatic = automatic.unwrap_or(stored.gcsconfig.automatic_credentials);
    let empty = sent.get("credentials").and_then(Value::as_str) == Some("");
    if empty && automatic <= 0 {
        sent.remove("credentials");
    }
}

/// Whoever gives a file means it to be used; beside automatic credentials those that are stored are given up.
fn settle(before: &FilesystemConfig, after: &mut FilesystemConfig) {
    let (before, after) = (&before.gcsconfig, &mut after.gcsconfig);
    if !after.credentials.is_empty() && after.credentials != before.credentials {
        after.automatic_credentials = 0;
    } else if after.automatic_credentials > 0 {
        after.credentials = Secret::Empty;
    }
}
