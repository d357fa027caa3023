//! Settings of Azure Blob Storage: `azblobconfig`, as in the reference's 2.x line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::field::{BackEnd, Bounds, Field, Kind, SecretFrom, TextRule};
use super::sas::Sas;
use super::{FilesystemConfig, FilesystemProvider, is_false, is_zero};
use crate::secret::Secret;
use crate::user::{UserRules, ValidationError};

/// Settings of Azure Blob Storage.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AzureConfig {
    /// The container; may be empty if `sas_url` names it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub container: String,
    /// The storage account; may be empty if `sas_url` names it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account_name: String,
    /// The key of the storage account, in base64.
    #[serde(skip_serializing_if = "Secret::is_empty")]
    pub account_key: Secret,
    /// A URL with a shared access signature; it goes before the key.
    #[serde(skip_serializing_if = "Secret::is_empty")]
    pub sas_url: Secret,
    /// The domain of a cloud that is not Azure's, or the URL of the service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
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
    /// Access tier of new blobs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub access_tier: String,
    /// Names of blobs start with this; empty, or ends with `/`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_prefix: String,
    /// Whether an emulator is meant, which has the account in the path of URLs.
    #[serde(skip_serializing_if = "is_false")]
    pub use_emulator: bool,
    /// Certificate authorities of the endpoint in PEM, in place of those of the system. Not in the reference.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ca_certificates: String,
}

impl AzureConfig {
    /// Whether nothing is set.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

const LEAST_PART: i64 = 1;
const USUAL_PART: i64 = 5;

pub(super) const BACK_END: BackEnd = BackEnd {
    provider: FilesystemProvider::Azure,
    title: "Azure Blob Storage",
    short: "Azure",
    object: "azblobconfig",
    fields: &[
        Field {
            name: "container",
            label: "Container",
            help: "It must exist. May be left out if the shared access signature is one of a container.",
            form: "az_container",
            flag: "az-container",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(|f| &mut f.azblobconfig.container, TextRule::Any),
        },
        Field {
            name: "account_name",
            label: "Account name",
            help: "The storage account. Without a key and a signature the credentials are those of the surroundings of the server.",
            form: "az_account_name",
            flag: "az-account-name",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(|f| &mut f.azblobconfig.account_name, TextRule::Any),
        },
        Field {
            name: "account_key",
            label: "Account key",
            help: "A key of the storage account, in base64.",
            form: "az_account_key",
            flag: "az-account-key",
            required: false,
            in_reference_form: false,
            kind: Kind::Secret(|f| &mut f.azblobconfig.account_key, SecretFrom::Text),
        },
        Field {
            name: "sas_url",
            label: "Shared access signature",
            help: "A URL of the service or of the container with its signature, or the signature alone. It goes before the key.",
            form: "az_sas_url",
            flag: "az-sas-url",
            required: false,
            in_reference_form: false,
            kind: Kind::Secret(|f| &mut f.azblobconfig.sas_url, SecretFrom::Text),
        },
        Field {
            name: "key_prefix",
            label: "Key prefix",
            help: "The user sees only what is below it, such as users/alice/.",
            form: "az_key_prefix",
            flag: "az-key-prefix",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(|f| &mut f.azblobconfig.key_prefix, TextRule::KeyPrefix),
        },
        Field {
            name: "access_tier",
            label: "Access tier",
            help: "Of new blobs; empty is that of the storage account. What is in the archive cannot be read.",
            form: "az_access_tier",
            flag: "az-access-tier",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(
                |f| &mut f.azblobconfig.access_tier,
                TextRule::OneOf(&["Hot", "Cool", "Cold", "Archive"]),
            ),
        },
        Field {
            name: "endpoint",
            label: "Endpoint",
            help: "The domain of the service, if it is not blob.core.windows.net, or its URL with the account in it.",
            form: "az_endpoint",
            flag: "az-endpoint",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(|f| &mut f.azblobconfig.endpoint, TextRule::Any),
        },
        Field {
            name: "use_emulator",
            label: "Emulator",
            help: "The account is in the path of URLs; without an endpoint they begin with http://127.0.0.1:10000.",
            form: "az_use_emulator",
            flag: "az-use-emulator",
            required: false,
            in_reference_form: false,
            kind: Kind::Flag(|f| &mut f.azblobconfig.use_emulator),
        },
        Field {
            name: "upload_part_size",
            label: "Upload part size",
            help: "Files are sent in parts of this size.",
            form: "az_upload_part_size",
            flag: "az-upload-part-size",
            required: false,
            in_reference_form: false,
            kind: Kind::Number(
                |f| &mut f.azblobconfig.upload_part_size,
                Bounds::part(LEAST_PART, USUAL_PART),
            ),
        },
        Field {
            name: "upload_concurrency",
            label: "Upload concurrency",
            help: "Parts of an upload that are on their way at a time.",
            form: "az_upload_concurrency",
            flag: "az-upload-concurrency",
            required: false,
            in_reference_form: false,
            kind: Kind::Number(|f| &mut f.azblobconfig.upload_concurrency, Bounds::calls()),
        },
        Field {
            name: "download_part_size",
            label: "Download part size",
            help: "One call reads this much ahead.",
            form: "az_download_part_size",
            flag: "az-download-part-size",
            required: false,
            in_reference_form: false,
            kind: Kind::Number(
                |f| &mut f.azblobconfig.download_part_size,
                Bounds::part(LEAST_PART, USUAL_PART),
            ),
        },
        Field {
            name: "download_concurrency",
            label: "Download concurrency",
            help: "Calls of a download that read ahead at a time.",
            form: "az_download_concurrency",
            flag: "az-download-concurrency",
            required: false,
            in_reference_form: false,
            kind: Kind::Number(
                |f| &mut f.azblobconfig.download_concurrency,
                Bounds::calls(),
            ),
        },
        Field {
            name: "ca_certificates",
            label: "Certificate authorities",
            help: "Those of the endpoint, in PEM, in place of those of the system.",
            form: "az_ca_certificates",
            flag: "az-ca-certificates",
            required: false,
            in_reference_form: false,
            kind: Kind::Text(
                |f| &mut f.azblobconfig.ca_certificates,
                TextRule::Certificates,
            ),
        },
    ],
    check,
    keep,
    settle,
};

fn check(config: &mut FilesystemConfig, _: &UserRules) -> Result<(), ValidationError> {
    let azure = &mut config.azblobconfig;
    let wrong = |text: &str| Err(ValidationError::new(format!("azblobconfig: {text}")));
    let mut in_signature = None;
    if let Secret::Plain(text) = &azure.sas_url {
        let trimmed = Zeroizing::new(text.trim().to_owned());
        let Some(sas) = Sas::parse(&trimmed) else {
            return wrong(
                "sas_url is no shared access signature, such as https://account.blob.core.windows.net/container?sv=...&sig=...",
            );
        };
        azure.sas_url = Secret::Plain(trimmed);
        in_signature = Some(sas.place);
    }
    // What is in a sealed one was looked at when it was sealed.
    let may_name_all = matches!(azure.sas_url, Secret::Sealed(_));
    let place = in_signature.flatten();
    let named = place.as_ref().and_then(|place| place.container.as_deref());
    let is_name = |text: &str| {
        let mut bytes = text.bytes();
        bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'$'))
    };
    if azure.container.is_empty() && named.is_none() && !may_name_all {
        return wrong("container is missing");
    }
    if !is_name(&azure.container) {
        return wrong("container has letters without accents, digits, and - only");
    }
    if named.is_some_and(|named| !azure.container.is_empty() && named != azure.container) {
        return wrong("container is not the one that sas_url names");
    }
    if !azure.endpoint.is_empty() && !is_endpoint(&azure.endpoint) {
        return wrong("endpoint is neither a domain nor a URL without a query");
    }
    let names_account = place.is_some() || may_name_all || azure.endpoint.contains("://");
    let needs_account = !azure.account_key.is_empty() && azure.sas_url.is_empty();
    if azure.account_name.is_empty() && (needs_account || !names_account) {
        return wrong("account_name is missing");
    }
    if !azure
        .account_name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric())
    {
        return wrong("account_name has letters without accents and digits only");
    }
    if let Secret::Plain(key) = &azure.account_key {
        let key = Zeroizing::new(key.trim().to_owned());
        if STANDARD.decode(key.as_str()).map(Zeroizing::new).is_err() {
            return wrong("account_key is not valid base64");
        }
        azure.account_key = Secret::Plain(key);
    }
    Ok(())
}

/// A URL, or the domain and port of one.
fn is_endpoint(text: &str) -> bool {
    let whole = if text.contains("://") {
        text.to_owned()
    } else if text.contains('/') {
        return false;
    } else {
        format!("https://{text}")
    };
    let Ok(url) = url::Url::parse(&whole) else {
        return false;
    };
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

/// One of the two sent alone and empty is unchanged; of two that are sent, what is empty is given up.
fn keep(_: &FilesystemConfig, sent: &mut Map<String, Value>) {
    let names = ["account_key", "sas_url"];
    if names.iter().all(|name| sent.contains_key(*name)) {
        return;
    }
    for name in names {
        if sent.get(name).and_then(Value::as_str) == Some("") {
            sent.remove(name);
        }
    }
}

/// A new key takes the place of a signature that stayed, and the other way round.
fn settle(before: &FilesystemConfig, after: &mut FilesystemConfig) {
    let (before, after) = (&before.azblobconfig, &mut after.azblobconfig);
    let is_new = |now: &Secret, then: &Secret| !now.is_empty() && now != then;
    let new_key = is_new(&after.account_key, &before.account_key);
    let new_signature = is_new(&after.sas_url, &before.sas_url);
    if new_key && !new_signature {
        after.sas_url = Secret::Empty;
    }
    if new_signature && !new_key {
        after.account_key = Secret::Empty;
    }
}
