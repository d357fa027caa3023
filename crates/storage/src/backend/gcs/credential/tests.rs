use std::collections::HashMap;
use std::net::SocketAddr;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use bytes::Bytes;
use http::{Request, Response, Uri};
use jiff::SignedDuration;
use reqsign_core::{HttpSend, StaticEnv};
use serde_json::json;
use sftpgo_teststore::{FakeGcs, FakeIdentity, Keys};

use super::super::super::object::{ObjectErrorKind, ObjectStore as _};
use super::super::super::rest::{Http, context};
use super::super::settings::GcsSettings;
use super::super::store::GcsStore;
use super::*;

const KEYS: Keys = Keys {
    id: "id",
    secret: "secret",
};
const TOKEN: &str = "ya29.token-of-a-test";
const SECRETS: [&str; 3] = ["s3cret-of-a-client", "r3fresh-token", "-----BEGIN"];

/// Asks the fake in Google's place.
#[derive(Debug)]
struct Rerouted {
    http: Http,
    to: SocketAddr,
}

impl HttpSend for Rerouted {
    async fn http_send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>> {
        let path = request.uri().path_and_query().unwrap().clone();
        if request.uri().host() == Some("oauth2.googleapis.com") {
            let uri = format!("http://{}{path}", self.to);
            *request.uri_mut() = uri.parse::<Uri>().unwrap();
        }
        context(&self.http).http_send(request).await
    }
}

struct Scene {
    identity: FakeIdentity,
    store: FakeGcs,
    http: Http,
}

impl Scene {
    async fn new() -> Self {
        let store = FakeGcs::start(Some(TOKEN)).await;
        store.make_bucket("bucket");
        Self {
            identity: FakeIdentity::start(KEYS, TOKEN).await,
            store,
            http: Http::new(None).unwrap(),
        }
    }

    /// A store as an account with these credentials has it, in this environment.
    fn open(&self, credentials: GcsCredentials, environment: &[(&str, String)]) -> GcsStore {
        let envs = environment.iter().cloned();
        let envs: HashMap<_, _> = envs.map(|(name, value)| (name.to_owned(), value)).collect();
        let asking = context(&self.http)
            .with_http_send(Rerouted {
                http: self.http.clone(),
                to: self.identity.address(),
            })
            .with_env(StaticEnv {
                home_dir: None,
                envs,
            });
        let settings = GcsSettings {
            bucket: "bucket".to_owned(),
            endpoint: Some(format!("http://{}", self.store.address())),
            credentials,
            ..GcsSettings::default()
        };
        let store = GcsStore::new(self.http.clone(), asking, &settings).unwrap();
        let shown = format!("{settings:?} {store:?}");
        for secret in SECRETS.iter().chain([&TOKEN]) {
            assert!(!shown.contains(secret), "{shown}");
        }
        store
    }

    fn asked(&self) -> usize {
        self.identity.asked().len()
    }
}

fn json_of(value: &Value) -> GcsCredentials {
    GcsCredentials::Json(value.to_string().into())
}

fn service_account() -> Value {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let text = lines.join("\n");
    json!({
        "type": "service_account",
        "client_email": "test@project.iam.gserviceaccount.com",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"),
    })
}

fn user() -> Value {
    json!({
        "type": "authorized_user",
        "client_id": "id",
        "client_secret": SECRETS[0],
        "refresh_token": SECRETS[1],
    })
}

#[tokio::test]
async fn a_service_account_has_one_token_for_all_calls() {
    let scene = Scene::new().await;
    let store = scene.open(json_of(&service_account()), &[]);
    for _ in 0..3 {
        store.check().await.unwrap();
    }
    let asked = scene.identity.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].method.as_str(), asked[0].target.as_str()),
        ("POST", "/token")
    );
    assert!(asked[0].body.contains("jwt-bearer"));
}

#[tokio::test]
async fn a_user_is_known_by_a_refresh_token() {
    let scene = Scene::new().await;
    let store = scene.open(json_of(&user()), &[]);
    for _ in 0..3 {
        store.check().await.unwrap();
    }
    let asked = scene.identity.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].body.contains(SECRETS[1]));
}

#[tokio::test]
async fn without_credentials_the_machine_is_asked() {
    let scene = Scene::new().await;
    let host = ("GCE_METADATA_HOST", scene.identity.address().to_string());
    let store = scene.open(GcsCredentials::Default, &[host]);
    for _ in 0..3 {
        store.check().await.unwrap();
    }
    let asked = scene.identity.asked();
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0]
            .target
            .starts_with("/computeMetadata/v1/instance/service-accounts/default/token")
    );
}

#[tokio::test]
async fn the_environment_names_a_file_of_credentials() {
    let scene = Scene::new().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials.json");
    std::fs::write(&file, service_account().to_string()).unwrap();
    let name = ("GOOGLE_APPLICATION_CREDENTIALS", file.display().to_string());
    let store = scene.open(GcsCredentials::Default, &[name]);
    for _ in 0..3 {
        store.check().await.unwrap();
    }
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn tokens_that_end_are_renewed() {
    let scene = Scene::new().await;
    // Shorter than tokens are used before they are renewed.
    scene.identity.set_lifetime(SignedDuration::from_secs(60));
    for credentials in [json_of(&service_account()), json_of(&user())] {
        let before = scene.asked();
        let store = scene.open(credentials, &[]);
        store.check().await.unwrap();
        store.check().await.unwrap();
        assert_eq!(scene.asked(), before + 2);
    }
}

#[tokio::test]
async fn nobody_shows_nothing() {
    let scene = Scene::new().await;
    let store = scene.open(GcsCredentials::Anonymous, &[]);
    let refused = store.check().await.unwrap_err();
    assert_eq!(refused.kind(), ObjectErrorKind::PermissionDenied);
    assert_eq!(scene.asked(), 0);
}

#[tokio::test]
async fn who_gives_credentials_may_be_away_for_a_moment() {
    let scene = Scene::new().await;
    // There is nobody any more.
    let gone = FakeIdentity::start(KEYS, TOKEN).await.address();
    let host = ("GCE_METADATA_HOST", gone.to_string());
    let store = scene.open(GcsCredentials::Default, &[host]);
    let away = store.check().await.unwrap_err();
    assert_eq!(away.kind(), ObjectErrorKind::Unavailable);
}

#[tokio::test]
async fn a_file_that_the_environment_names_in_vain_is_no_leave_to_be_somebody_else() {
    let scene = Scene::new().await;
    let machine = ("GCE_METADATA_HOST", scene.identity.address().to_string());
    let name = "/nowhere/credentials.json".to_owned();
    let file = ("GOOGLE_APPLICATION_CREDENTIALS", name);
    let store = scene.open(GcsCredentials::Default, &[file, machine]);
    let refused = store.check().await.unwrap_err();
    assert_eq!(refused.kind(), ObjectErrorKind::PermissionDenied);
    assert_eq!(scene.asked(), 0);
}

#[test]
fn credentials_that_cannot_be_used_are_told_without_their_contents() {
    let mut without_key = service_account();
    without_key["private_key"] =
        json!("-----BEGIN PRIVATE KEY-----\ns3cret-of-a-client\n-----END PRIVATE KEY-----\n");
    let wrong = [
        "s3cret-of-a-client".to_owned(),
        "{\"s3cret-of-a-client\"".to_owned(),
        "[]".to_owned(),
        json!({ "type": "s3cret-of-a-client" }).to_string(),
        json!({ "type": "service_account", "private_key": SECRETS[0] }).to_string(),
        json!({ "type": "authorized_user", "client_id": SECRETS[0] }).to_string(),
        json!({ "type": "external_account", "audience": SECRETS[0] }).to_string(),
        json!({ "type": "impersonated_service_account", "service_account_impersonation_url": SECRETS[0] }).to_string(),
        without_key.to_string(),
    ];
    for json in wrong {
        let credentials = GcsCredentials::Json(json.clone().into());
        let error = signer(Context::new(), &credentials).unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::Internal);
        let text = error.to_string();
        assert!(text.contains("gcsconfig.credentials"), "{text}");
        let text = format!("{text} {error:?}");
        assert!(!text.contains(SECRETS[0]), "{json}: {text}");
    }
    assert!(check(&service_account().to_string()).is_ok());
    assert!(check(&user().to_string()).is_ok());
}
