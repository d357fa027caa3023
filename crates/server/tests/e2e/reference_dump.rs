//! A dump in the form of SFTPGo 0.9.x is restored as it is (reference 5.7): logins work, secrets open, nothing is lost.
//!
//! The fixture was written by hand from reference 3.1 to 3.6, with the hashes of 4.3, `permissions` as versions before
//! 0.9.5 wrote them, `null` for empty lists, keys in other cases, and keys that nobody knows. Its sealed S3 secret was made
//! with two other implementations of AES-256-GCM; see the test of `core/src/secret.rs`.

use std::fs;

use serde_json::Value;
use sftpgo_core::model::{Secret, UserRecord};
use sftpgo_core::secret;
use sftpgo_testkit::{FileClient as _, Sftp, TestServer, request};

const FIXTURE: &str = include_str!("fixtures/reference_dump.json");

/// The fixture, with its homes in the directory of the test.
fn fixture(server: &TestServer) -> String {
    let homes = server.home("x");
    let homes = homes.parent().unwrap().to_str().unwrap();
    FIXTURE.replace("HOMES", homes)
}

async fn restored(driver: &str) -> TestServer {
    let server = TestServer::builder().driver(driver).start().await;
    let file = server.config_dir().join("reference.json");
    fs::write(&file, fixture(&server)).unwrap();
    let target = format!("/api/v1/loaddata?input_file={}", file.display());
    let reply = request(server.http_address(), "GET", &target, &Value::Null).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    server
}

async fn stored(server: &TestServer, name: &str) -> UserRecord {
    server.users().stored_by_name(name).await.unwrap()
}

#[tokio::test]
async fn accounts_of_the_reference_log_in_with_their_passwords_and_no_others() {
    let server = restored("sqlite").await;
    for (name, password) in [
        ("argon2id", "password"),
        ("bcrypt", "secret"),
        ("pbkdf2-sha1", "password"),
        ("pbkdf2-sha256", "password"),
        ("pbkdf2-sha512", "password"),
        ("sha512crypt", "secret"),
        ("md5crypt", "password"),
        ("apr1", "password"),
    ] {
        let mut client = server.connect().await;
        assert!(!client.password(name, "wrong").await, "{name}");
        assert!(client.password(name, password).await, "{name}");
        let mut sftp = Sftp::open(client.into()).await.unwrap();
        sftp.put(b"/file", b"content").await.unwrap();
    }
    assert!(
        !server
            .connect()
            .await
            .password("disabled", "password")
            .await
    );
}

#[tokio::test]
async fn nothing_of_a_reference_dump_is_lost_or_changed() {
    let mut all = Vec::new();
    for driver in ["memory", "sqlite"] {
        let server = restored(driver).await;
        let homes = server.home("x");
        let homes = homes.parent().unwrap().to_str().unwrap().to_owned();
        let s3 = stored(&server, "s3").await;
        let sealed = &s3.filesystem.s3config.access_secret;
        assert!(matches!(sealed, Secret::Sealed(text) if text.starts_with("$aes$0001020304")));
        assert_eq!(secret::open(sealed).unwrap().as_str(), "an S3 secret: ü/+=");
        let gcs = stored(&server, "gcs").await.filesystem.gcsconfig;
        let opened = secret::open(&gcs.credentials).unwrap();
        assert_eq!(opened.as_str(), r#"{"type":"service_account"}"#);
        let bcrypt = stored(&server, "bcrypt").await;
        assert_eq!(bcrypt.permissions["/"], ["*"]);
        let apr1 = stored(&server, "apr1").await;
        assert_eq!(apr1.permissions["/Closed"], [""; 0]);
        assert_eq!(apr1.filters.denied_ip, ["192.0.2.0/24"]);
        let argon2id = stored(&server, "argon2id").await;
        assert_eq!((argon2id.used_quota_files, argon2id.last_login), (0, 0));

        let written = request(
            server.http_address(),
            "GET",
            "/api/v1/dumpdata?output_file=back.json",
            &Value::Null,
        );
        assert_eq!(written.await.status, 200);
        let text = fs::read_to_string(server.config_dir().join("backups/back.json")).unwrap();
        let mut back: Value = serde_json::from_str(&text.replace(&homes, "HOMES")).unwrap();
        let expected: Value = serde_json::from_str(FIXTURE).unwrap();
        // The account that has every key is written back as it was, but for its id.
        let of = |dump: &Value, name: &str| {
            let users = dump["users"].as_array().unwrap().iter();
            let mut user = users.filter(|user| user["username"] == name);
            let mut user = user.next().unwrap().clone();
            user.as_object_mut().unwrap().remove("id");
            user
        };
        assert_eq!(of(&back, "s3"), of(&expected, "s3"));
        // What was in the open is sealed, which gives another text each time.
        let users = back["users"].as_array_mut().unwrap();
        let gcs = users.iter_mut().find(|user| user["username"] == "gcs");
        let sealed = gcs.unwrap()["filesystem"]["gcsconfig"]["credentials"].take();
        assert!(sealed.as_str().unwrap().starts_with("$aes$"));
        all.push(back);
    }
    assert_eq!(all[0], all[1], "on every driver");
}
