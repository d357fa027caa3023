//! Who may do what: keys, signatures, and no secret where somebody reads it.

use std::time::Duration;

use reqsign_azure_storage::{ServiceSasResource, ServiceSharedAccessSignature};
use reqsign_core::time::Timestamp;
use sftpgo_storage::backend::azblob::AzureCredentials;
use sftpgo_storage::{RenameMode, Storage as _, StorageErrorKind, StorageResult};
use sftpgo_teststore::{Action, Answer, Emulator, Rule, encode_key};

use super::{
    CONTINUE, MIB, Subject, at, fill, folder, names, open, pattern, read, settings, subject,
    subject_with, write,
};

/// A signature for a container.
fn signature(azurite: &Emulator, container: &str, rights: &str) -> String {
    let signature = ServiceSharedAccessSignature::new(
        azurite.keys().id.to_owned(),
        azurite.keys().secret.to_owned(),
        ServiceSasResource::Container {
            container: container.to_owned(),
        },
        rights.to_owned(),
        Timestamp::now() + Duration::from_secs(3600),
    );
    let pairs = signature.token().unwrap().into_iter();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}={}", encode_key(&value).replace('/', "%2F")))
        .collect();
    pairs.join("&")
}

async fn with_signature(rights: &str) -> (Subject, String) {
    let mut made = String::new();
    let subject = subject_with(|settings| {
        made = signature(&sftpgo_teststore::azurite(), &settings.container, rights);
        settings.account = String::new();
        settings.credentials = AzureCredentials::Sas(made.clone().into());
    })
    .await;
    (subject, made)
}

fn whole_text<T>(failed: StorageResult<T>) -> String {
    let failed = failed.err().unwrap();
    let mut text = format!("{failed} {failed:?}");
    let mut source = std::error::Error::source(&failed);
    while let Some(cause) = source {
        text.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn a_signature_does_everything_that_an_account_needs() {
    let (subject, _) = with_signature("racwdl").await;
    let storage = &subject.storage;
    storage.check().await.unwrap();
    let bytes = pattern(2 * MIB + 1, 0);
    folder(storage, "dir").await;
    write(storage, "dir/large", &bytes).await.unwrap();
    write(storage, "dir/small", b"text").await.unwrap();
    storage
        .rename(&at("dir"), &at("moved"), RenameMode::NoReplace)
        .await
        .unwrap();
    let upload = storage
        .open_write(&at("moved/large"), &CONTINUE)
        .await
        .unwrap();
    fill(upload.as_ref(), bytes.len(), b"tail").await.unwrap();
    upload.finish().await.unwrap();
    let whole = [bytes.as_slice(), b"tail"].concat();
    assert_eq!(read(storage, "moved/large").await.unwrap(), whole);
    storage.remove_file(&at("moved/small")).await.unwrap();
    assert_eq!(names(storage, "moved").await, ["large"]);
    for seen in subject.proxy.requests().last() {
        assert!(seen.query.contains("sig="), "{}", seen.operation);
        assert!(!seen.headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn what_a_signature_does_not_allow_is_refused_at_once_and_no_error_shows_it() {
    let (subject, made) = with_signature("rl").await;
    let denied = write(&subject.storage, "file", b"text").await;
    assert_eq!(
        denied.as_ref().unwrap_err().kind(),
        StorageErrorKind::PermissionDenied
    );
    assert_eq!(subject.proxy.requests().count("Put Blob"), 1);
    let secret = made.split("sig=").nth(1).unwrap();
    for text in [
        whole_text(denied),
        format!("{:?}", subject.storage),
        subject.azurite.endpoint(subject.azurite.address()),
    ] {
        assert!(!text.contains(secret) && !text.contains("sig="), "{text}");
    }
}

#[tokio::test]
async fn no_error_shows_a_signature_where_the_store_does_not_answer_as_it_should() {
    let (subject, made) = with_signature("racwdl").await;
    write(&subject.storage, "file", b"text").await.unwrap();
    let secret = made.split("sig=").nth(1).unwrap();
    // What Azure does with a header that it does not take.
    let quoting = format!(
        "<?xml version=\"1.0\"?><Error><Code>InvalidHeaderValue</Code><Message>The value is wrong.</Message>\
         <HeaderName>x-ms-copy-source</HeaderName><HeaderValue>{made}</HeaderValue></Error>"
    );
    for action in [
        Action::Cut,
        Action::Answer(Answer::new(502).body(made.clone())),
        Action::Answer(Answer::new(400).body(quoting)),
        Action::Answer(Answer::new(307).header("location", format!("http://other/?{made}"))),
    ] {
        subject.proxy.take_away_rules();
        subject.proxy.place(Rule::new(action).on("Copy Blob"));
        let (from, to) = (at("file"), at("other"));
        let moved = subject.storage.rename(&from, &to, RenameMode::NoReplace);
        let text = whole_text(moved.await);
        assert!(!text.contains(secret) && !text.contains("sig="), "{text}");
    }
    assert_eq!(read(&subject.storage, "file").await.unwrap(), b"text");
}

#[tokio::test]
async fn a_wrong_key_is_told_at_once() {
    let wrong = "d3Jvbmcga2V5IG9mIGEgdGVzdA==";
    let subject = subject_with(|settings| {
        settings.credentials = AzureCredentials::Key(wrong.to_owned().into());
    })
    .await;
    let failed = subject.storage.check().await;
    assert_eq!(
        failed.as_ref().unwrap_err().kind(),
        StorageErrorKind::PermissionDenied
    );
    assert_eq!(subject.proxy.requests().total(), 1);
    let text = whole_text(failed);
    assert!(!text.contains(wrong) && text.contains("403"), "{text}");
    assert!(!format!("{:?}", subject.storage).contains(wrong));
}

#[tokio::test]
async fn settings_that_cannot_be_right_are_refused_by_name_and_never_quoted() {
    let azurite = sftpgo_teststore::azurite();
    let good = || settings(&azurite, "container", azurite.endpoint(azurite.address()));
    let secret = "not/base64/secret!";
    let mut key = good();
    key.credentials = AzureCredentials::Key(secret.to_owned().into());
    let mut none = good();
    none.account = String::new();
    let mut query = good();
    query.credentials = AzureCredentials::Sas("sv=1 secret&sig=secret".to_owned().into());
    let mut unsigned = good();
    unsigned.credentials = AzureCredentials::Sas("sv=secret".to_owned().into());
    let mut endpoint = good();
    endpoint.endpoint = "https://account.blob.core.windows.net/?sig=secret".to_owned();
    let mut open_token = good();
    open_token.endpoint = "http://secret.example".to_owned();
    open_token.credentials = AzureCredentials::Chain;
    let mut container = good();
    container.container = String::new();
    for (settings, name) in [
        (key, "account_key"),
        (none, "account_name"),
        (query, "sas_url"),
        (unsigned, "sas_url"),
        (endpoint, "endpoint"),
        (open_token, "endpoint"),
        (container, "container"),
    ] {
        let text = whole_text(open(&settings).await);
        assert!(text.contains(&format!("azblobconfig.{name}")), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn a_container_that_is_not_there_is_not_found() {
    let subject = subject_with(|settings| settings.container = "missing".to_owned()).await;
    let failed = subject.storage.check().await.unwrap_err();
    assert_eq!(failed.kind(), StorageErrorKind::NotFound);
}

#[tokio::test]
async fn the_source_of_a_copy_is_shared_for_reading_only() {
    let subject = subject().await;
    folder(&subject.storage, "dir").await;
    write(&subject.storage, "dir/a b+c", b"text").await.unwrap();
    subject
        .storage
        .rename(&at("dir/a b+c"), &at("other"), RenameMode::NoReplace)
        .await
        .unwrap();
    let copies = subject.proxy.requests().of("Copy Blob");
    let [copy] = copies.as_slice() else {
        unreachable!("one call copies it")
    };
    let source = copy.headers["x-ms-copy-source"].to_str().unwrap();
    assert!(source.contains("/dir/a%20b%2Bc?"), "{source}");
    assert!(source.contains("sp=r&") && source.contains("sr=b&"));
    // The signature itself is good.
    let (_, path) = source.split_once("//").unwrap();
    let (_, path) = path.split_once('/').unwrap();
    write(&subject.storage, "dir/a b+c", b"again")
        .await
        .unwrap();
    let call = sftpgo_teststore::Call::new("GET", format!("/{path}"));
    let reply = call.send(subject.azurite.address()).await.succeeded();
    assert_eq!(reply.text(), "again");
}
