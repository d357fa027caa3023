//! The storage section of the form.

use serde_json::json;
use sftpgo_core::model::filesystem::BACK_ENDS;
use sftpgo_core::model::{FilesystemProvider, Secret};

use super::{Fields, assert_page, post, post_multipart, unescaped};
use crate::support::TestServer;

fn s3(server: &TestServer) -> Fields {
    Fields::of(server, "u")
        .with("fs_provider", "1")
        .with("s3_bucket", "test")
        .with("s3_region", "eu-west-1")
        .with("s3_access_key", "access-key")
        .with("s3_access_secret", "very-secret")
        .with("s3_endpoint", "http://127.0.0.1:9000/path?b=c")
        .with("s3_storage_class", "Standard")
        .with("s3_key_prefix", "somedir/subdir/")
        .with("expiration_date", "2020-01-01 00:00:00")
        .with("allowed_extensions", "/dir1::.jpg,.png\n/dir2::.gif")
}

#[tokio::test]
async fn an_account_with_s3_is_stored_with_its_secret_sealed_and_never_shown() {
    let server = TestServer::start();
    let reply = post(&server, "/web/user", &s3(&server).with("s3_bucket", "")).await;
    assert_page(&reply, 200, "Add a new user");
    assert!(!reply.body.contains("very-secret"));
    assert_eq!(post(&server, "/web/user", &s3(&server)).await.status, 303);
    let user = server.stored("u").await.unwrap();
    let config = &user.filesystem.s3config;
    assert_eq!(user.filesystem.provider, FilesystemProvider::S3);
    assert_eq!(
        (config.bucket.as_str(), config.region.as_str()),
        ("test", "eu-west-1")
    );
    assert_eq!(config.key_prefix, "somedir/subdir/");
    let Secret::Sealed(sealed) = &config.access_secret else {
        panic!("{:?}", config.access_secret);
    };
    assert_eq!(user.expiration_date, 1_577_836_800_000);
    assert_eq!(user.filters.file_extensions.len(), 2);

    let page = unescaped(&server.get("/web/user/1").await.body);
    assert!(page.contains("value=\"access-key\""));
    for part in sealed.split('$').filter(|part| part.len() > 3) {
        assert!(!page.contains(part), "{part}");
    }
    // Left empty it stays, and a new one takes its place.
    let kept = s3(&server)
        .with("s3_access_secret", "")
        .with("password", "");
    assert_eq!(post(&server, "/web/user/1", &kept).await.status, 303);
    let stored = server.stored("u").await.unwrap();
    assert_eq!(
        stored.filesystem.s3config.access_secret,
        Secret::Sealed(sealed.clone())
    );
    let other = s3(&server).with("s3_access_secret", "other");
    assert_eq!(post(&server, "/web/user/1", &other).await.status, 303);
    let stored = server.stored("u").await.unwrap();
    assert_ne!(
        stored.filesystem.s3config.access_secret,
        Secret::Sealed(sealed.clone())
    );
    let local = s3(&server).with("fs_provider", "x");
    assert_eq!(post(&server, "/web/user/1", &local).await.status, 303);
    assert_eq!(
        server.stored("u").await.unwrap().filesystem.provider,
        FilesystemProvider::Local
    );
}

#[tokio::test]
async fn an_account_with_google_storage_needs_a_credentials_file_or_automatic_ones() {
    let server = TestServer::start();
    let fields = Fields::of(&server, "u")
        .with("fs_provider", "2")
        .with("gcs_bucket", "test")
        .with("gcs_storage_class", "standard")
        .with("gcs_key_prefix", "somedir/subdir/");
    for file in [None, Some(("gcs_credential_file", ""))] {
        let reply = post_multipart(&server, "/web/user", &fields, file).await;
        assert_page(&reply, 200, "Add a new user");
        assert_eq!(server.stored("u").await, None);
    }
    let file = Some(("gcs_credential_file", "{}"));
    assert_eq!(
        post_multipart(&server, "/web/user", &fields, file)
            .await
            .status,
        303
    );
    let stored = server.stored("u").await.unwrap().filesystem;
    assert_eq!(stored.provider, FilesystemProvider::Gcs);
    assert_eq!(
        (
            stored.gcsconfig.bucket.as_str(),
            stored.gcsconfig.automatic_credentials
        ),
        ("test", 0)
    );
    assert_eq!(stored.gcsconfig.key_prefix, "somedir/subdir/");
    let Secret::Sealed(sealed) = &stored.gcsconfig.credentials else {
        panic!("{:?}", stored.gcsconfig.credentials);
    };
    let page = unescaped(&server.get("/web/user/1").await.body);
    for part in sealed.split('$').filter(|part| part.len() > 3) {
        assert!(!page.contains(part), "{part}");
    }
    // Without a file they stay.
    let kept = fields.clone().with("password", "");
    assert_eq!(post(&server, "/web/user/1", &kept).await.status, 303);
    assert_eq!(server.stored("u").await.unwrap().filesystem, stored);
    let automatic = fields
        .with("gcs_auto_credentials", "on")
        .with("password", "");
    assert_eq!(post(&server, "/web/user/1", &automatic).await.status, 303);
    let stored = server.stored("u").await.unwrap().filesystem.gcsconfig;
    assert_eq!(stored.automatic_credentials, 1);
    assert!(stored.credentials.is_empty());
    let shown = server.get("/api/v1/user/1").await.json();
    assert_eq!(shown["filesystem"]["gcsconfig"]["credentials"], json!(null));
}

#[tokio::test]
async fn an_account_with_azure_storage_is_stored_with_its_secrets_sealed_and_never_shown() {
    let server = TestServer::start();
    let fields = Fields::of(&server, "u")
        .with("fs_provider", "3")
        .with("az_container", "files")
        .with("az_account_name", "acc")
        .with("az_account_key", "dmVyeS1zZWNyZXQ=")
        .with("az_access_tier", "Cool")
        .with("az_use_emulator", "on")
        .with("az_upload_part_size", "8")
        .with("az_key_prefix", "u/");
    for (field, value) in [
        ("az_container", ""),
        ("az_access_tier", "cool"),
        ("az_upload_part_size", "1000"),
        ("az_upload_part_size", "many"),
    ] {
        let reply = post(&server, "/web/user", &fields.clone().with(field, value)).await;
        assert_page(&reply, 200, "Add a new user");
        assert!(
            reply.body.contains(&format!("href=\"#{field}\"")),
            "{field}"
        );
        assert!(!reply.body.contains("dmVyeS1zZWNyZXQ="));
    }
    assert_eq!(post(&server, "/web/user", &fields).await.status, 303);
    let user = server.stored("u").await.unwrap();
    let config = &user.filesystem.azblobconfig;
    assert_eq!(user.filesystem.provider, FilesystemProvider::Azure);
    assert_eq!(
        (config.container.as_str(), config.access_tier.as_str()),
        ("files", "Cool")
    );
    assert!(config.use_emulator && config.upload_part_size == 8);
    let Secret::Sealed(sealed) = &config.account_key else {
        panic!("{:?}", config.account_key);
    };
    let page = unescaped(&server.get("/web/user/1").await.body);
    assert!(page.contains("value=\"acc\"") && page.contains("az_account_key_forget"));
    for part in sealed.split('$').filter(|part| part.len() > 3) {
        assert!(!page.contains(part), "{part}");
    }
    let kept = fields.with("az_account_key", "").with("password", "");
    assert_eq!(post(&server, "/web/user/1", &kept).await.status, 303);
    assert_eq!(
        server.stored("u").await.unwrap().filesystem,
        user.filesystem
    );
    let given_up = kept.with("az_account_key_forget", "on");
    assert_eq!(post(&server, "/web/user/1", &given_up).await.status, 303);
    let stored = server.stored("u").await.unwrap().filesystem;
    assert!(stored.azblobconfig.account_key.is_empty());
}

#[tokio::test]
async fn the_form_has_every_setting_of_every_store() {
    let server = TestServer::start();
    let page = server.get("/web/user").await.body;
    for back_end in BACK_ENDS {
        let number = back_end.provider.number();
        assert!(page.contains(&format!("data-provider=\"{number}\"")));
        assert!(page.contains(&format!("<option value=\"{number}\">")));
        for field in back_end.fields {
            let element = format!("id=\"{}\" name=\"{}\"", field.form, field.form);
            assert_eq!(page.matches(&element).count(), 1, "{}", field.form);
        }
    }
    assert!(!page.contains("_forget"));
}
