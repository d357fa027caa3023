//! Settings of S3 compatible stores: `s3config`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::field::{BackEnd, Bounds, Field, Kind, SecretFrom, TextRule};
use super::{FilesystemConfig, FilesystemProvider, is_false, is_zero};
use crate::secret::Secret;
use crate::user::{UserRules, ValidationError};

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

/// The smallest part that stores take, in MiB.
const LEAST_PART: i64 = 5;
const USUAL_PART: i64 = 5;

pub(super) const BACK_END: BackEnd = BackEnd {
    provider: FilesystemProvider::S3,
    title: "Amazon S3 (Compatible)",
    short: "S3",
    object: "s3config",
    fields: &[
        Field {
            name: "bucket",
            label: "Bucket",
            help: "It must exist.",
            form: "s3_bucket",
            flag: "s3-bucket",
            required: true,
            in_reference_form: true,
            kind: Kind::Text(|f| &mut f.s3config.bucket, TextRule::Any),
        },
        Field {
            name: "region",
            label: "Region",
            help: "Such as eu-central-1; may be left out with an endpoint.",
            form: "s3_region",
            flag: "s3-region",
            required: false,
            in_reference_form: true,
            kind: Kind::Text(|f| &mut f.s3config.region, TextRule::Any),
        },
        Field {
            name: "access_key",
            label: "Access key",
            help: "The id of the key. Empty with the secret: the credentials are those of the surroundings of the server.",
            form: "s3_access_key",
            flag: "s3-access-key",
            required: false,
            in_reference_form: true,
            kind: Kind::Text(|f| &mut f.s3config.access_key, TextRule::Any),
        },
        Field {
            name: "access_secret",
            label: "Access secret",
            help: "The secret of the access key.",
            form: "s3_access_secret",
            flag: "s3-access-secret",
            required: false,
            in_reference_form: true,
            kind: Kind::Secret(|f| &mut f.s3config.access_secret, SecretFrom::Text),
        },
        Field {
            name: "session_token",
            label: "Session token",
            help: "Belongs to an access key for a limited time, and goes with it.",
            form: "s3_session_token",
            flag: "s3-session-token",
            required: false,
            in_reference_form: false,
            kind: Kind::Secret(|f| &mut f.s3config.session_token, SecretFrom::Text),
        },
        Field {
            name: "role_arn",
            label: "Role",
            help: "The ARN of a role that is taken on with the credentials.",
            form: "s3_role_arn",
            flag: "s3-role-arn",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(|f| &mut f.s3config.role_arn, TextRule::Any),
        },
        Field {
            name: "key_prefix",
            label: "Key prefix",
            help: "The user sees only what is below it, such as users/alice/.",
            form: "s3_key_prefix",
            flag: "s3-key-prefix",
            required: false,
            in_reference_form: true,
            kind: Kind::Text(|f| &mut f.s3config.key_prefix, TextRule::KeyPrefix),
        },
        Field {
            name: "storage_class",
            label: "Storage class",
            help: "Of new objects, such as STANDARD_IA; a rename keeps the one of an object.",
            form: "s3_storage_class",
            flag: "s3-storage-class",
            required: false,
            in_reference_form: true,
            kind: Kind::Text(|f| &mut f.s3config.storage_class, TextRule::Any),
        },
        Field {
            name: "acl",
            label: "ACL",
            help: "The canned ACL of new objects, such as bucket-owner-full-control.",
            form: "s3_acl",
            flag: "s3-acl",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(|f| &mut f.s3config.acl, TextRule::Any),
        },
        Field {
            name: "endpoint",
            label: "Endpoint",
            help: "The URL of a store that is not Amazon's; the bucket is then in the path of URLs.",
            form: "s3_endpoint",
            flag: "s3-endpoint",
            required: false,
            in_reference_form: true,
            kind: Kind::Text(|f| &mut f.s3config.endpoint, TextRule::Url),
        },
        Field {
            name: "force_path_style",
            label: "Bucket in the path of URLs",
            help: "Also without an endpoint.",
            form: "s3_force_path_style",
            flag: "s3-force-path-style",
            required: false,
            in_reference_form: false,
            kind: Kind::Flag(|f| &mut f.s3config.force_path_style),
        },
        Field {
            name: "upload_part_size",
            label: "Upload part size",
            help: "Files are sent in parts of this size.",
            form: "s3_upload_part_size",
            flag: "s3-upload-part-size",
            required: false,
            in_reference_form: false,
            kind: Kind::Number(
                |f| &mut f.s3config.upload_part_size,
                Bounds::part(LEAST_PART, USUAL_PART),
            ),
        },
        Field {
            name: "upload_concurrency",
            label: "Upload concurrency",
            help: "Parts of an upload that are on their way at a time.",
            form: "s3_upload_concurrency",
            flag: "s3-upload-concurrency",
            required: false,
            in_reference_form: false,
            kind: Kind::Number(|f| &mut f.s3config.upload_concurrency, Bounds::calls()),
        },
        Field {
            name: "download_part_size",
            label: "Download part size",
            help: "One call reads this much ahead.",
            form: "s3_download_part_size",
            flag: "s3-download-part-size",
            required: false,
            in_reference_form: false,
            kind: Kind::Number(
                |f| &mut f.s3config.download_part_size,
                Bounds::part(LEAST_PART, USUAL_PART),
            ),
        },
        Field {
            name: "download_concurrency",
            label: "Download concurrency",
            help: "Calls of a download that read ahead at a time.",
            form: "s3_download_concurrency",
            flag: "s3-download-concurrency",
            required: false,
            in_reference_form: false,
            kind: Kind::Number(|f| &mut f.s3config.download_concurrency, Bounds::calls()),
        },
        Field {
            name: "ca_certificates",
            label: "Certificate authorities",
            help: "Those of the endpoint, in PEM, in place of those of the system.",
            form: "s3_ca_certificates",
            flag: "s3-ca-certificates",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(|f| &mut f.s3config.ca_certificates, TextRule::Certificates),
        },
    ],
    check,
    keep,
    settle,
};

fn check(config: &mut FilesystemConfig, _: &UserRules) -> Result<(), ValidationError> {
    let s3 = &config.s3config;
    if s3.region.is_empty() && s3.endpoint.is_empty() {
        return Err(ValidationError::new(
            "s3config: region is missing; it may be left out with an endpoint",
        ));
    }
    if s3.access_key.is_empty() != s3.access_secret.is_empty() {
        return Err(ValidationError::new(
            "s3config: access_key and access_secret are needed both, or neither",
        ));
    }
    if s3.access_key.is_empty() && !s3.session_token.is_empty() {
        return Err(ValidationError::new(
            "s3config: session_token is there without an access_key",
        ));
    }
    Ok(())
}

/// The secret left empty beside an access key is unchanged. Empty without an access key, sent or stored, it is empty: the
/// credentials are given up. A session token that is sent empty is none.
fn keep(stored: &FilesystemConfig, sent: &mut Map<String, Value>) {
    let stored = &stored.s3config;
    let Some(secret) = sent.get("access_secret").and_then(Value::as_str) else {
        return;
    };
    if stored.access_secret.is_shown_as(secret) {
        return;
    }
    let key = sent.get("access_key").and_then(Value::as_str);
    let has_key = !key.unwrap_or(&stored.access_key).is_empty();
    if secret.is_empty() && has_key {
        sent.remove("access_secret");
    } else {
        // Another access key, or none: the token went with the one before, also if it is sent as it was shown.
        let token = sent.get("session_token");
        let is_new = token.is_some_and(|token| {
            let text = token.as_str();
            text.is_none_or(|text| !stored.session_token.is_shown_as(text))
        });
        if !is_new {
            sent.insert("session_token".to_owned(), Value::String(String::new()));
        }
    }
}

/// Without an access key there is no secret, and with another one the token is not its own.
fn settle(before: &FilesystemConfig, after: &mut FilesystemConfig) {
    let (before, after) = (&before.s3config, &mut after.s3config);
    let same_secret = after.access_secret == before.access_secret;
    let same = same_secret && after.access_key == before.access_key;
    if !same && after.session_token == before.session_token {
        after.session_token = Secret::Empty;
    }
    if same_secret && after.access_key.is_empty() {
        after.access_secret = Secret::Empty;
    }
}
