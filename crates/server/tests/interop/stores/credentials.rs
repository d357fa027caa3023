//! Where the credentials of an account without an access key come from: what Amazon's libraries ask, in a process of its own,
//! at a store that checks signatures and session tokens.

use std::net::SocketAddr;

use jiff::SignedDuration;
use serde_json::{Value, json};
use sftpgo_teststore::{FakeIdentity, FakeS3, Keys, Settings};

use super::Background;
use crate::support::Run;
use crate::support::Server;

/// What the store accepts, and the cloud hands out.
const KEYS: Keys = Keys {
    id: "AKIATEST",
    secret: "the-secret-of-a-test",
};
const TOKEN: &str = "the-token-of-a-test";

/// A store that wants [`KEYS`], and a cloud that gives them.
struct Cloud {
    store: FakeS3,
    identity: FakeIdentity,
    // Last: the others run on it.
    _background: Background,
}

impl Cloud {
    fn new(session_token: Option<&'static str>) -> Self {
        let background = Background::new();
        let (store, identity) = background.wait(async {
            let settings = Settings {
                keys: Some(KEYS),
                session_token,
                ..Settings::default()
            };
            let store = FakeS3::with(settings).await;
            store.make_bucket("bucket");
            (store, FakeIdentity::start(KEYS, TOKEN).await)
        });
        Self {
            store,
            identity,
            _background: background,
        }
    }

    fn url(&self, path: &str) -> String {
        url(self.identity.address(), path)
    }

    /// What an account says that leaves its credentials to the server, with this beside it.
    fn filesystem(&self, more: &Value) -> Value {
        let mut config = json!({
            "bucket": "bucket",
            "region": "us-east-1",
            "endpoint": self.store.endpoint(),
        });
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        json!({ "provider": 1, "s3config": config })
    }

    /// A file goes to the store and comes back.
    fn serves(&self, more: &Value, variables: &[(&str, &str)]) {
        let server = Server::with_filesystem(&self.filesystem(more), variables);
        server.local_file("up", 1000);
        let finished = transfer(&server).succeed();
        assert!(self.store.object("bucket", "file").is_some(), "{finished}");
        let read = |name: &str| std::fs::read(server.work().join(name)).unwrap();
        assert_eq!(read("up"), read("down"));
        for secret in [KEYS.secret, TOKEN] {
            assert_eq!(server.logged(secret), 0, "a secret in the log");
        }
    }

    fn asked(&self, what: &str) -> bool {
        let asked = self.identity.asked();
        asked
            .iter()
            .any(|asked| asked.target.contains(what) || asked.body.contains(what))
    }
}

fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

fn transfer(server: &Server) -> Run {
    let run = server.openssh("sftp").args(["-b", "-", "server"]);
    run.input("put up file\nget file down\n")
}

#[test]
fn the_key_of_the_account_goes_before_the_environment() {
    let cloud = Cloud::new(Some(TOKEN));
    let key = json!({
        "access_key": KEYS.id,
        "access_secret": KEYS.secret,
        "session_token": TOKEN,
    });
    let variables = [
        ("AWS_ACCESS_KEY_ID", "another"),
        ("AWS_SECRET_ACCESS_KEY", "another"),
    ];
    cloud.serves(&key, &variables);
}

#[test]
fn the_environment_has_a_key() {
    let cloud = Cloud::new(None);
    let variables = [
        ("AWS_ACCESS_KEY_ID", KEYS.id),
        ("AWS_SECRET_ACCESS_KEY", KEYS.secret),
    ];
    cloud.serves(&json!({}), &variables);
    assert!(cloud.identity.asked().is_empty());
}

#[test]
fn the_environment_has_a_key_for_a_limited_time() {
    let variables = [
        ("AWS_ACCESS_KEY_ID", KEYS.id),
        ("AWS_SECRET_ACCESS_KEY", KEYS.secret),
        ("AWS_SESSION_TOKEN", TOKEN),
    ];
    Cloud::new(Some(TOKEN)).serves(&json!({}), &variables);
}

#[test]
fn a_profile_has_a_key() {
    let cloud = Cloud::new(Some(TOKEN));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    let text = format!(
        "[default]\naws_access_key_id = another\naws_secret_access_key = another\n\
         [files]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {TOKEN}\n",
        KEYS.id, KEYS.secret
    );
    std::fs::write(&file, text).unwrap();
    let variables = [
        ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap()),
        ("AWS_PROFILE", "files"),
    ];
    cloud.serves(&json!({}), &variables);
}

#[test]
fn an_instance_has_a_role() {
    let cloud = Cloud::new(Some(TOKEN));
    let endpoint = cloud.url("");
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint.as_str())];
    cloud.serves(&json!({}), &variables);
    assert!(cloud.asked("security-credentials"));
}

#[test]
fn credentials_that_end_are_asked_for_again() {
    let cloud = Cloud::new(Some(TOKEN));
    // Less than the library keeps in hand: each call needs new ones.
    cloud.identity.set_lifetime(SignedDuration::from_secs(5));
    let endpoint = cloud.url("");
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint.as_str())];
    cloud.serves(&json!({}), &variables);
    let asked = cloud.identity.asked().into_iter();
    let asked = asked.filter(|asked| asked.target.contains("security-credentials/role"));
    assert!(asked.count() > 1);
}

#[test]
fn a_container_has_a_role() {
    let cloud = Cloud::new(Some(TOKEN));
    let endpoint = cloud.url("/container");
    let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint.as_str())];
    cloud.serves(&json!({}), &variables);
    assert!(cloud.asked("/container"));
}

#[test]
fn a_web_identity_takes_on_a_role() {
    let cloud = Cloud::new(Some(TOKEN));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "who-this-is").unwrap();
    let endpoint = cloud.url("");
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/files"),
        ("AWS_ENDPOINT_URL_STS", endpoint.as_str()),
    ];
    cloud.serves(&json!({}), &variables);
    assert!(cloud.asked("Action=AssumeRoleWithWebIdentity"));
    assert!(cloud.asked("WebIdentityToken=who-this-is"));
}

/// With the key of the account, or with one of the environment.
#[test]
fn an_account_takes_on_a_role() {
    let role = "arn:aws:iam::123456789012:role/files";
    let own = json!({ "access_key": "own", "access_secret": "own", "role_arn": role });
    for account in [own, json!({ "role_arn": role })] {
        let cloud = Cloud::new(Some(TOKEN));
        let endpoint = cloud.url("");
        let variables = [
            ("AWS_ACCESS_KEY_ID", "environment"),
            ("AWS_SECRET_ACCESS_KEY", "environment"),
            ("AWS_ENDPOINT_URL_STS", endpoint.as_str()),
        ];
        cloud.serves(&account, &variables);
        assert!(cloud.asked("Action=AssumeRole&"));
        assert!(cloud.asked("role%2Ffiles"));
    }
}

#[test]
fn without_any_credentials_everything_is_refused_in_time_and_the_log_says_why() {
    let cloud = Cloud::new(None);
    let filesystem = cloud.filesystem(&json!({}));
    let variables = [("AWS_EC2_METADATA_DISABLED", "true")];
    let server = Server::with_filesystem(&filesystem, &variables);
    server.local_file("up", 1000);
    transfer(&server).deadline(60).fail();
    assert!(server.logged("redentials") > 0);
    assert!(cloud.store.keys("bucket").is_empty());
}
