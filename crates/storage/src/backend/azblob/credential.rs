//! Who asks: the key of the storage account, a shared access signature, or somebody whom Microsoft Entra knows.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Request, Uri, header};
use reqsign_azure_storage::{
    ClientCertificateCredentialProvider, ClientSecretCredentialProvider, Credential,
    ImdsCredentialProvider, RequestSigner, ServiceSasResource, ServiceSharedAccessSignature,
    StaticCredentialProvider, WorkloadIdentityCredentialProvider,
};
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, Error, ProvideCredential, Signer};
use zeroize::Zeroizing;

use super::super::object::{ObjectError, ObjectErrorKind, ObjectResult};
use super::super::rest::unsigned;
use super::key::in_url;
use super::settings::{AzureCredentials, AzureSettings};
use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// No copy takes longer.
const SHARED_FOR: Duration = Duration::from_secs(6 * 3600);

/// Names the token of a workload; set by the cluster.
const WORKLOAD: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Signs requests. Keeps what it was given until it runs out.
pub(super) struct Signatures {
    signer: Signer<Credential>,
    sharing: Sharing,
}

impl fmt::Debug for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.sharing {
            Sharing::Key { .. } => "Signatures(key)",
            Sharing::Sas(_) => "Signatures(sas)",
            Sharing::Token => "Signatures(token)",
        })
    }
}

/// How Azure is shown that the source of a copy may be read: it is asked for by its URL, as a stranger's would be.
enum Sharing {
    /// A signature for the one blob is made.
    Key {
        account: String,
        container: String,
        key: Zeroizing<String>,
    },
    /// The signature of the account is good for it, too.
    Sas(Zeroizing<String>),
    /// The token is sent once more.
    Token,
}

/// The source of a copy. Both may hold a secret.
pub(super) struct Shared {
    pub(super) url: String,
    pub(super) authorization: Option<String>,
}

impl Signatures {
    /// Signs as the settings say.
    ///
    /// # Errors
    /// `Internal` if the key or the signature of the settings is none; names the setting.
    pub(super) fn new(context: Context, settings: &AzureSettings) -> StorageResult<Self> {
        let requests = RequestSigner::new();
        let (signer, sharing) = match &settings.credentials {
            AzureCredentials::Key(key) => {
                if settings.account.is_empty() {
                    return Err(unusable("`azblobconfig.account_name` is missing"));
                }
                if key.is_empty() || STANDARD.decode(key.as_bytes()).is_err() {
                    return Err(unusable("`azblobconfig.account_key` is no base64"));
                }
                let provider = StaticCredentialProvider::new_shared_key(&settings.account, key);
                let sharing = Sharing::Key {
                    account: settings.account.clone(),
                    container: settings.container.clone(),
                    key: key.clone(),
                };
                (Signer::new(context, provider, requests), sharing)
            }
            AzureCredentials::Sas(query) => {
                let query = Zeroizing::new(query.trim_start_matches('?').to_owned());
                let whole = Zeroizing::new(format!("http://store/?{}", query.as_str()));
                if !query.contains("sig=") || whole.parse::<Uri>().is_err() {
                    let context =
                        "the query of `azblobconfig.sas_url` is no shared access signature";
                    return Err(unusable(context));
                }
                let provider = StaticCredentialProvider::new_sas_token(&query);
                (
                    Signer::new(context, provider, requests),
                    Sharing::Sas(query),
                )
            }
            AzureCredentials::Chain => {
                let signer = Signer::new(context, Chain::default(), requests);
                (signer, Sharing::Token)
            }
        };
        Ok(Self { signer, sharing })
    }

    /// Signs a request.
    ///
    /// # Errors
    /// `PermissionDenied` if there are no credentials, `Unavailable` if who gives them is away.
    pub(super) async fn sign(&self, request: &mut http::request::Parts) -> ObjectResult<()> {
        self.signer.sign(request, None).await.map_err(unsigned)
    }

    /// The blob `key` at `url`, for Azure to read.
    pub(super) async fn share(&self, key: &str, url: &str) -> ObjectResult<Shared> {
        match &self.sharing {
            Sharing::Key {
                account,
                container,
                key: secret,
            } => {
                let blob = ServiceSasResource::Blob {
                    container: container.clone(),
                    blob: key.to_owned(),
                };
                let signature = ServiceSharedAccessSignature::new(
                    account.clone(),
                    secret.as_str().to_owned(),
                    blob,
                    "r".to_owned(),
                    Timestamp::now() + SHARED_FOR,
                );
                let pairs = signature.token().map_err(unsigned)?;
                let pairs = pairs.iter();
                let query: Vec<_> = pairs
                    .map(|(name, value)| format!("{name}={}", in_url(value)))
                    .collect();
                Ok(Shared {
                    url: format!("{url}?{}", query.join("&")),
                    authorization: None,
                })
            }
            Sharing::Sas(query) => Ok(Shared {
                url: format!("{url}?{}", query.as_str()),
                authorization: None,
            }),
            Sharing::Token => {
                let request = Request::get(url).body(());
                let (mut request, ()) = request.map_err(unsendable)?.into_parts();
                self.sign(&mut request).await?;
                let token = request.headers.get(header::AUTHORIZATION);
                Ok(Shared {
                    url: url.to_owned(),
                    authorization: token.and_then(|token| Some(token.to_str().ok()?.to_owned())),
                })
            }
        }
    }
}

/// A value, of metadata for one, that HTTP cannot carry.
pub(super) fn unsendable(
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ObjectError {
    let context = "what is kept with a blob must be ASCII";
    ObjectError::with_source(ObjectErrorKind::Unsupported, context, error)
}

fn unusable(context: &'static str) -> StorageError {
    StorageError::new(StorageErrorKind::Internal, context)
}

/// The environment, as Microsoft's libraries read it, then the machine. The first that is set up counts, also if it fails: whoever
/// has set it up wants to hear of that, and not of another's rights. Runs no programs.
#[derive(Debug, Default)]
struct Chain {
    certificate: ClientCertificateCredentialProvider,
    secret: ClientSecretCredentialProvider,
    workload: WorkloadIdentityCredentialProvider,
    machine: ImdsCredentialProvider,
}

impl ProvideCredential for Chain {
    type Credential = Credential;

    async fn provide_credential(
        &self,
        context: &Context,
    ) -> reqsign_core::Result<Option<Credential>> {
        if let Some(found) = self.certificate.provide_credential(context).await? {
            return Ok(Some(found));
        }
        if let Some(found) = self.secret.provide_credential(context).await? {
            return Ok(Some(found));
        }
        if let Some(found) = self.workload.provide_credential(context).await? {
            return Ok(Some(found));
        }
        // The library passes a token over that it cannot read.
        if context
            .env_var(WORKLOAD)
            .is_some_and(|path| !path.is_empty())
        {
            return Err(Error::config_invalid(
                "the file of AZURE_FEDERATED_TOKEN_FILE cannot be read, or AZURE_TENANT_ID or AZURE_CLIENT_ID is missing",
            ));
        }
        self.machine.provide_credential(context).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use reqsign_core::StaticEnv;
    use sftpgo_teststore::{Action, Answer, Dialect, FakeIdentity, Keys, Proxy, Rule};

    use super::super::super::object::{ObjectStore as _, PutOptions};
    use super::super::super::rest::{Http, context};
    use super::super::client::Client;
    use super::super::store::AzureStore;
    use super::*;

    const URL: &str = "http://account.blob.store.test/container/blob";
    const KEYS: Keys = Keys {
        id: "unused",
        secret: "unused",
    };

    async fn identity() -> FakeIdentity {
        FakeIdentity::start(KEYS, "token-of-a-test").await
    }

    /// The chain of a server with this environment.
    fn chain(envs: &[(&str, &str)]) -> Signatures {
        let envs = envs.iter();
        let envs: HashMap<_, _> = envs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let environment = StaticEnv {
            home_dir: None,
            envs,
        };
        let context = context(&Http::new(None).unwrap()).with_env(environment);
        Signatures::new(context, &AzureSettings::default()).unwrap()
    }

    async fn authorization(signatures: &Signatures) -> ObjectResult<String> {
        let (mut head, ()) = Request::get(URL).body(()).unwrap().into_parts();
        signatures.sign(&mut head).await?;
        assert!(head.headers.contains_key("x-ms-date"));
        let value = head.headers.get(header::AUTHORIZATION).unwrap();
        assert!(value.is_sensitive());
        Ok(value.to_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_machine_of_azure_has_a_token_and_asks_for_it_once() {
        let identity = identity().await;
        let endpoint = format!(
            "http://{}/metadata/identity/oauth2/token",
            identity.address()
        );
        let signatures = chain(&[("AZURE_IMDS_ENDPOINT", &endpoint)]);
        for _ in 0..3 {
            let sent = authorization(&signatures).await.unwrap();
            assert_eq!(sent, "Bearer token-of-a-test");
        }
        let shared = signatures.share("blob", URL).await.unwrap();
        assert_eq!(shared.url, URL);
        assert_eq!(
            shared.authorization.as_deref(),
            Some("Bearer token-of-a-test")
        );
        let asked = identity.asked();
        assert_eq!(asked.len(), 1);
        assert!(
            asked[0]
                .target
                .contains("resource=https%3A%2F%2Fstorage.azure.com")
        );
        assert_eq!(format!("{signatures:?}"), "Signatures(token)");
    }

    #[tokio::test]
    async fn the_source_of_a_copy_is_shown_with_the_token() {
        let identity = identity().await;
        let store = Proxy::http(identity.address(), Dialect::Azure).await;
        store.place(Rule::new(Action::Answer(Answer::new(201))));
        let endpoint = format!(
            "http://{}/metadata/identity/oauth2/token",
            identity.address()
        );
        let settings = AzureSettings {
            container: "container".to_owned(),
            endpoint: format!("http://{}", store.address()),
            ..AzureSettings::default()
        };
        let client = Client::new(
            Http::new(None).unwrap(),
            chain(&[("AZURE_IMDS_ENDPOINT", &endpoint)]),
            &settings,
        );
        let azure = AzureStore {
            client: client.unwrap(),
        };
        let upload = azure.create_upload("to", &PutOptions::default()).await;
        let copied = azure
            .copy_part(&upload.unwrap(), 1, ("from", "\"tag\""), 5..10)
            .await;
        copied.unwrap();
        let seen = store.requests().last();
        let [copy] = seen.as_slice() else {
            unreachable!("one call copies it")
        };
        assert_eq!(copy.operation, "Put Block From URL");
        for (name, value) in [
            ("authorization", "Bearer token-of-a-test"),
            ("x-ms-copy-source-authorization", "Bearer token-of-a-test"),
            ("x-ms-source-range", "bytes=5-9"),
            ("x-ms-source-if-match", "\"tag\""),
            ("content-length", "0"),
        ] {
            assert_eq!(copy.headers[name], value);
        }
        let source = format!("{}/container/from", settings.endpoint);
        assert_eq!(copy.headers["x-ms-copy-source"], source);
        assert_eq!(identity.asked().len(), 1);
    }

    #[tokio::test]
    async fn a_token_that_runs_out_is_asked_for_again() {
        let identity = identity().await;
        identity.set_lifetime(jiff::SignedDuration::from_secs(5));
        let endpoint = format!(
            "http://{}/metadata/identity/oauth2/token",
            identity.address()
        );
        let signatures = chain(&[("AZURE_IMDS_ENDPOINT", &endpoint)]);
        // Too short for a call; the next one asks anew.
        authorization(&signatures).await.unwrap_err();
        identity.set_lifetime(jiff::SignedDuration::from_hours(1));
        authorization(&signatures).await.unwrap();
        assert_eq!(identity.asked().len(), 2);
    }

    #[tokio::test]
    async fn a_workload_and_a_service_principal_are_known_by_the_environment() {
        let identity = identity().await;
        let authority = format!("http://{}/", identity.address());
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        std::fs::write(&file, "token-of-the-cluster").unwrap();
        let common = [
            ("AZURE_TENANT_ID", "tenant"),
            ("AZURE_CLIENT_ID", "client"),
            ("AZURE_AUTHORITY_HOST", authority.as_str()),
        ];
        for (name, value, sent) in [
            (
                "AZURE_FEDERATED_TOKEN_FILE",
                file.to_str().unwrap(),
                "client_assertion=token-of-the-cluster",
            ),
            ("AZURE_CLIENT_SECRET", "a-secret", "client_secret=a-secret"),
        ] {
            let environment = [common.as_slice(), &[(name, value)]].concat();
            let signatures = chain(&environment);
            let token = authorization(&signatures).await.unwrap();
            assert_eq!(token, "Bearer token-of-a-test");
            let asked = identity.asked();
            let last = asked.last().unwrap();
            assert_eq!(last.target, "/tenant/oauth2/v2.0/token");
            assert!(last.body.contains(sent), "{}", last.body);
        }
    }

    #[tokio::test]
    async fn credentials_that_are_set_up_and_wrong_are_told_and_no_others_are_tried() {
        let identity = identity().await;
        let endpoint = format!(
            "http://{}/metadata/identity/oauth2/token",
            identity.address()
        );
        let signatures = chain(&[
            ("AZURE_TENANT_ID", "tenant"),
            ("AZURE_CLIENT_ID", "client"),
            ("AZURE_FEDERATED_TOKEN_FILE", "/nothing/is/here"),
            ("AZURE_IMDS_ENDPOINT", &endpoint),
        ]);
        let failed = authorization(&signatures).await.unwrap_err();
        assert_eq!(failed.kind(), ObjectErrorKind::PermissionDenied);
        assert!(failed.to_string().contains(WORKLOAD), "{failed}");
        assert!(identity.asked().is_empty());
    }

    #[tokio::test]
    async fn whoever_gives_credentials_and_is_away_is_asked_again_later() {
        // Nobody listens there.
        let address = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let endpoint = format!("http://{address}/token");
        let signatures = chain(&[("AZURE_IMDS_ENDPOINT", &endpoint)]);
        let failed = authorization(&signatures).await.unwrap_err();
        assert_eq!(failed.kind(), ObjectErrorKind::Unavailable);
    }
}
