//! Who asks: the token that calls show, had once and renewed before it ends.

use std::fmt;

use reqsign_core::{Context, ProvideCredential, Result, Signer, jwt};
use reqsign_google::{
    Credential, EnvCredentialProvider, RequestSigner, ServiceAccountTokenCredentialProvider,
    StaticCredentialProvider, VmMetadataCredentialProvider, WellKnownCredentialProvider,
};
use serde_json::Value;

use super::settings::GcsCredentials;
use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// To read and write objects, and nothing else that the account may do.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";
/// The name of the service in signatures, of which we make none.
const SERVICE: &str = "storage";

/// Kinds of files of credentials, by their `type`, and what they must have to be used.
const KINDS: [(&str, &[&str]); 4] = [
    ("service_account", &["client_email", "private_key"]),
    (
        "authorized_user",
        &["client_id", "client_secret", "refresh_token"],
    ),
    (
        "external_account",
        &["audience", "subject_token_type", "token_url"],
    ),
    (
        "impersonated_service_account",
        &["service_account_impersonation_url"],
    ),
];

/// What signs the calls of one store; `None` for nobody. Asks nobody yet.
///
/// # Errors
/// `Internal` if the credentials of the account are none. The error has nothing of their contents.
pub(super) fn signer(
    context: Context,
    credentials: &GcsCredentials,
) -> StorageResult<Option<Signer<Credential>>> {
    Ok(match credentials {
        GcsCredentials::Anonymous => None,
        GcsCredentials::Default => Some(with(context, Chain::default())),
        GcsCredentials::Json(json) => {
            check(json).map_err(wrong)?;
            let provider = StaticCredentialProvider::new(json.as_str()).with_scope(SCOPE);
            Some(with(context, provider))
        }
    })
}

/// Google's application default credentials: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, that of gcloud, the machine.
///
/// The library has such a chain as well. There, who does not answer is not there, and the next one is asked: another account,
/// or none.
#[derive(Debug)]
struct Chain {
    environment: EnvCredentialProvider,
    gcloud: WellKnownCredentialProvider,
    machine: VmMetadataCredentialProvider,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            environment: EnvCredentialProvider::new().with_scope(SCOPE),
            gcloud: WellKnownCredentialProvider::new().with_scope(SCOPE),
            machine: VmMetadataCredentialProvider::new().with_scope(SCOPE),
        }
    }
}

impl ProvideCredential for Chain {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>> {
        if let Some(found) = self.environment.provide_credential(context).await? {
            return Ok(Some(found));
        }
        if let Some(found) = self.gcloud.provide_credential(context).await? {
            return Ok(Some(found));
        }
        self.machine.provide_credential(context).await
    }
}

fn with(
    context: Context,
    provider: impl ProvideCredential<Credential = Credential>,
) -> Signer<Credential> {
    let signer = RequestSigner::new(SERVICE).with_scope(SCOPE);
    Signer::new(context, Tokens(provider), signer)
}

/// Makes a token of a key. Left to itself, the library would ask for one with each call.
struct Tokens<P>(P);

impl<P> fmt::Debug for Tokens<P> {
    /// What is in it may show all that it has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl<P: ProvideCredential<Credential = Credential>> ProvideCredential for Tokens<P> {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>> {
        let found = self.0.provide_credential(context).await?;
        let Some(account) = found
            .as_ref()
            .and_then(|found| found.service_account.clone())
        else {
            return Ok(found);
        };
        ServiceAccountTokenCredentialProvider::new(account)
            .with_scope(SCOPE)
            .provide_credential(context)
            .await
    }
}

/// Whether this is a file of credentials that can be used; else what is wrong with it, with nothing that is in it.
fn check(json: &str) -> std::result::Result<(), String> {
    let file: Value = serde_json::from_str(json).map_err(|error| {
        format!(
            "no JSON from line {}, column {} on",
            error.line(),
            error.column()
        )
    })?;
    let text = |name: &str| {
        let text = file.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let kind = text("type").and_then(|kind| KINDS.iter().find(|(name, _)| *name == kind));
    let Some((kind, fields)) = kind else {
        let kinds: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
        return Err(format!("`type` is none of {}", kinds.join(", ")));
    };
    if let Some(missing) = fields.iter().find(|name| text(name).is_none()) {
        return Err(format!("`{missing}` is missing, which {kind} needs"));
    }
    let part = match *kind {
        "external_account" => Some("credential_source"),
        "impersonated_service_account" => Some("source_credentials"),
        _ => None,
    };
    if let Some(part) = part.filter(|part| !file.get(part).is_some_and(Value::is_object)) {
        return Err(format!("`{part}` is missing, which {kind} needs"));
    }
    if let Some(key) = text("private_key") {
        let nothing = Value::Object(serde_json::Map::new());
        jwt::encode_rs256_pem(&nothing, &nothing, key.as_bytes())
            .map_err(|_| "`private_key` is no RSA key in PEM (PKCS #8)")?;
    }
    Ok(())
}

fn wrong(why: String) -> StorageError {
    let context = "`gcsconfig.credentials` of the account cannot be used";
    StorageError::with_source(StorageErrorKind::Internal, context, why)
}

#[cfg(test)]
mod tests;
