//! The database file.

use std::path::Path;
use std::time::Duration;

use redb::{Database, TableDefinition};

use super::Place;
use crate::conformance::samples::{everybody, user};
use crate::error::{DataError, DataErrorKind};
use crate::kv::bolt::{open_file, schema};
use crate::provider::{DataProvider as _, UserStore as _};

#[track_caller]
fn assert_names(error: &DataError, path: &Path) {
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_private_and_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    let provider = place.open().await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    let entries = place.path.parent().unwrap().read_dir().unwrap();
    let entries: Vec<_> = entries.map(|entry| entry.unwrap()).collect();
    assert_eq!(entries.len(), 1);
    let mode = entries[0].metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    provider.close().await;
}

#[tokio::test]
async fn what_was_stored_is_there_when_the_file_is_opened_again() {
    let place = Place::new();
    let provider = place.open().await.unwrap();
    let added = provider.add_user(&user("alice")).await.unwrap();
    provider.close().await;
    let provider = place.open().await.unwrap();
    assert_eq!(provider.users(&everybody()).await.unwrap(), [added]);
    provider.close().await;
}

#[tokio::test]
async fn ids_are_not_given_twice_after_a_restart_either() {
    let place = Place::new();
    let provider = place.open().await.unwrap();
    let gone = provider.add_user(&user("alice")).await.unwrap();
    provider.delete_user(gone.id).await.unwrap();
    provider.close().await;
    let provider = place.open().await.unwrap();
    assert!(provider.add_user(&user("bob")).await.unwrap().id > gone.id);
    provider.close().await;
}

#[tokio::test]
async fn an_empty_file_is_a_new_database() {
    let place = Place::new();
    std::fs::write(&place.path, "").unwrap();
    place.open().await.unwrap().close().await;
}

/// The first two pages of a file of the Go program: number and kind of the page, then the magic number.
fn go_file(page: usize, damaged_first: bool) -> Vec<u8> {
    let mut bytes = vec![0; 4 * page];
    for start in [0, page] {
        bytes[start] = u8::from(start > 0);
        bytes[start + 8] = 4;
        if start > 0 || !damaged_first {
            bytes[start + 16..start + 20].copy_from_slice(&0xED0C_DAED_u32.to_le_bytes());
        }
    }
    bytes
}

#[tokio::test]
async fn a_file_of_the_go_program_is_refused_with_the_way_to_move() {
    for page in [4096, 16_384, 65_536] {
        for damaged_first in [false, true] {
            let place = Place::new();
            let bytes = go_file(page, damaged_first);
            std::fs::write(&place.path, &bytes).unwrap();
            let error = place.open().await.unwrap_err();
            assert_eq!(error.kind(), DataErrorKind::Corrupt);
            for text in [
                "SFTPGo for Go",
                "dumpdata",
                "data_provider.name",
                "loaddata",
            ] {
                assert!(error.to_string().contains(text), "{error}");
            }
            assert_names(&error, &place.path);
            assert_eq!(std::fs::read(&place.path).unwrap(), bytes);
        }
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    let text = "driver = \"bolt\"\n".repeat(100);
    std::fs::write(&place.path, &text).unwrap();
    let error = place.open().await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Corrupt);
    assert!(error.to_string().contains("not a database of this driver"));
    assert_names(&error, &place.path);
    assert_eq!(std::fs::read_to_string(&place.path).unwrap(), text);
}

/// Changes the file the way another program would.
fn write_number(place: &Place, table: &str, key: &str, number: i64) {
    let database = Database::create(&place.path).unwrap();
    let transaction = database.begin_write().unwrap();
    let definition: TableDefinition<'_, &str, i64> = TableDefinition::new(table);
    transaction
        .open_table(definition)
        .unwrap()
        .insert(key, number)
        .unwrap();
    transaction.commit().unwrap();
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_and_left_alone() {
    let place = Place::new();
    write_number(&place, "theirs", "schema_version", 1);
    let before = std::fs::read(&place.path).unwrap();
    let error = place.open().await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Corrupt);
    assert!(error.to_string().contains("another program"), "{error}");
    assert_names(&error, &place.path);
    assert_eq!(std::fs::read(&place.path).unwrap(), before);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let place = Place::new();
    place.open().await.unwrap().close().await;
    write_number(&place, "numbers", "schema_version", 2);
    let before = std::fs::read(&place.path).unwrap();
    let error = place.open().await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::TooNew);
    assert!(error.to_string().contains("version 2"), "{error}");
    assert_names(&error, &place.path);
    assert_eq!(std::fs::read(&place.path).unwrap(), before);
}

#[tokio::test]
async fn a_missing_directory_is_said_so() {
    let place = Place::new();
    let path = place.path.with_file_name("missing").join("sftpgo.bolt");
    let error = open_file(&path, Duration::ZERO).await.unwrap_err();
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
    assert!(error.to_string().contains("a directory"), "{error}");
    assert_names(&error, &place.path);
}

#[tokio::test]
async fn a_file_that_is_in_use_is_refused_with_what_to_do_instead() {
    let place = Place::new();
    let first = place.open().await.unwrap();
    let error = place.open().await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Unavailable);
    assert!(error.to_string().contains("REST API"), "{error}");
    assert_names(&error, &place.path);
    first.add_user(&user("alice")).await.unwrap();
    first.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_in_use_is_waited_for() {
    let place = Place::new();
    let first = place.open().await.unwrap();
    let path = place.path.clone();
    let waiting = tokio::spawn(async move { open_file(&path, Duration::from_secs(60)).await });
    // It may not even have begun to wait, which is as good.
    first.add_user(&user("alice")).await.unwrap();
    first.close().await;
    let (second, found) = waiting.await.unwrap().unwrap();
    assert_eq!(found, schema::Found::UpToDate);
    assert!(second.user_by_name("alice").await.unwrap().is_some());
    second.close().await;
}
