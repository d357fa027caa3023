//! Keys that an account has, at stores that look at signatures. What a process has is in the tests of the server.

use sftpgo_storage::StorageErrorKind;
use sftpgo_teststore::TlsFront;

use super::*;

fn with_key(settings: S3Settings, secret: &str, token: Option<&str>) -> S3Settings {
    S3Settings {
        credentials: S3Credentials::Key {
            id: KEYS.id.to_owned(),
            secret: secret.to_owned().into(),
            session_token: token.map(|token| token.to_owned().into()),
        },
        ..settings
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_at_once() {
    for store in [Store::Rclone, Store::Fake] {
        let settings = with_key(store.bucket().await, "wr0ng-s3cret", None);
        let storage = open(&settings).await;
        let refused = storage.check().await.unwrap_err();
        assert_eq!(refused.kind(), StorageErrorKind::PermissionDenied);
        let refused = storage.list(&at("")).await.err().unwrap();
        assert_eq!(refused.kind(), StorageErrorKind::PermissionDenied);
        assert!(!format!("{refused:?} {refused}").contains("wr0ng-s3cret"));
    }
}

#[tokio::test]
async fn a_session_token_goes_with_its_key() {
    let fake = FakeS3::with(Settings {
        keys: Some(KEYS),
        session_token: Some("t0ken"),
        ..Settings::default()
    })
    .await;
    fake.make_bucket("bucket");
    let settings = || settings(fake.address(), "bucket");
    let storage = open(&with_key(settings(), KEYS.secret, Some("t0ken"))).await;
    write(&storage, "file", b"content").await;
    assert_eq!(read(&storage, "file").await, b"content");
    for token in [None, Some("another")] {
        let storage = open(&with_key(settings(), KEYS.secret, token)).await;
        let refused = storage.check().await.unwrap_err();
        assert_eq!(refused.kind(), StorageErrorKind::PermissionDenied);
    }
}

/// Over TLS the bytes of an upload are not hashed for the signature.
#[tokio::test]
async fn a_store_is_reached_over_tls_with_the_authority_of_the_account() {
    let fake = fake();
    fake.make_bucket("over-tls");
    let front = TlsFront::before(fake.address()).await;
    let trusting = S3Settings {
        endpoint: Some(format!("https://{}", front.address())),
        certificate_authorities: Some(std::fs::read_to_string(front.authority()).unwrap()),
        ..settings(fake.address(), "over-tls")
    };
    let storage = open(&trusting).await;
    let content = sftpgo_teststore::Pattern::bytes(0, 11_000_000);
    write(&storage, "file", &content).await;
    assert!(read(&storage, "file").await == content);
}
