//! The database file.

use std::path::Path;

use super::{Place, settings};
use crate::config::{DataProviderConfig, HiddenText};
use crate::conformance::samples::{everybody, user};
use crate::error::{DataError, DataErrorKind};

#[track_caller]
fn assert_names(error: &DataError, path: &Path) {
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_private() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    let provider = place.open().await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    let directory = place.path.parent().unwrap();
    let mut names = Vec::new();
    for entry in directory.read_dir().unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
        names.push(entry.file_name());
    }
    assert!(
        names.len() > 1,
        "the write-ahead log is among them: {names:?}"
    );
    provider.close().await;
}

#[tokio::test]
async fn closing_leaves_one_file() {
    let place = Place::new();
    let provider = place.open().await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    provider.users(&everybody()).await.unwrap();
    provider.close().await;
    assert_eq!(place.path.parent().unwrap().read_dir().unwrap().count(), 1);
}

#[tokio::test]
async fn an_empty_file_is_a_new_database() {
    let place = Place::new();
    std::fs::write(&place.path, "").unwrap();
    place.open().await.unwrap().close().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    let text = "driver = \"sqlite\"\n".repeat(100);
    std::fs::write(&place.path, &text).unwrap();
    let error = place.open().await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Corrupt);
    assert!(
        error.to_string().contains("is not a SQLite database"),
        "{error}"
    );
    assert_names(&error, &place.path);
    assert_eq!(std::fs::read_to_string(&place.path).unwrap(), text);
}

#[tokio::test]
async fn a_missing_directory_is_said_so() {
    let place = Place::new();
    let path = place.path.with_file_name("missing").join("sftpgo.db");
    let error = crate::open(&settings(&path), Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Unavailable);
    assert!(
        error
            .to_string()
            .contains("directory it belongs in does not exist"),
        "{error}"
    );
    assert_names(&error, &path);
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn a_directory_is_no_database() {
    let place = Place::new();
    std::fs::create_dir(&place.path).unwrap();
    let error = place.open().await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Unavailable);
    assert_names(&error, &place.path);
}

#[tokio::test]
async fn names_with_signs_of_uris_are_plain_names() {
    for name in ["file:a.db?mode=memory", "a%20b#c?.db", "ü \"q\".db"] {
        let place = Place::new();
        let path = place.path.with_file_name(name);
        crate::open(&settings(&path), Vec::new())
            .await
            .unwrap()
            .close()
            .await;
        assert!(path.is_file(), "{name}");
    }
}

#[tokio::test]
async fn the_connection_string_of_the_reference_is_understood() {
    let place = Place::new();
    let text = format!("file:{}?cache=shared&_busy_timeout=1", place.path.display());
    let config = DataProviderConfig {
        name: "unused.db".to_owned(),
        connection_string: HiddenText::new(text),
        ..DataProviderConfig::default()
    };
    let (settings, _) = config.resolve(place.path.parent().unwrap()).unwrap();
    crate::open(&settings, Vec::new())
        .await
        .unwrap()
        .close()
        .await;
    assert!(place.path.is_file());
    assert!(!place.path.with_file_name("unused.db").exists());
}

#[tokio::test]
async fn a_connection_string_can_forbid_making_the_file() {
    let place = Place::new();
    let mut settings = settings(&place.path);
    let text = format!("file:{}?mode=rw", place.path.display());
    settings.connection_string = Some(HiddenText::new(text));
    let error = crate::open(&settings, Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Unavailable);
    assert!(!place.path.exists());
}
