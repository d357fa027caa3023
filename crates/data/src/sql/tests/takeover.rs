//! Databases of the reference and of other programs.

use sftpgo_model::UnixMillis;
use sqlx::Row as _;

use super::{Place, REFERENCE_USER, REFERENCE_V1, REFERENCE_V2, settings};
use crate::config::DataProviderSettings;
use crate::conformance::samples::{everybody, full_user, stored, user};
use crate::drivers::Initialized;
use crate::error::DataErrorKind;
use crate::provider::QuotaUsage;

/// What a database has that this program made or brought up to date.
const NEWEST: i64 = 1002;

/// Name, type, NOT NULL and key of each column.
async fn columns(place: &Place) -> Vec<(String, String, bool, bool)> {
    let rows = place.rows("PRAGMA table_info(users)").await;
    rows.iter()
        .map(|row| (row.get(1), row.get(2), row.get(3), row.get(5)))
        .collect()
}

async fn version(place: &Place) -> Vec<i64> {
    let rows = place.rows("SELECT version FROM schema_version").await;
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_new_database_has_the_tables_of_the_reference() {
    let (ours, theirs) = (
        Place::new(),
        Place::with_database(&[REFERENCE_V1, REFERENCE_V2]).await,
    );
    ours.open().await.unwrap().close().await;
    assert_eq!(columns(&ours).await, columns(&theirs).await);
    assert_eq!(version(&ours).await, [NEWEST]);
    assert_eq!(ours.rows("PRAGMA index_list(users)").await.len(), 1);
}

#[tokio::test]
async fn a_database_of_version_1_gets_what_is_missing() {
    let place = Place::with_database(&[REFERENCE_V1, REFERENCE_USER]).await;
    let provider = place.open().await.unwrap();
    let alice = stored(&provider, "alice").await;
    assert_eq!(alice.virtual_folders, []);
    assert_eq!(alice.public_keys, ["ssh-ed25519 AAAA"]);
    assert_eq!(alice.filters.denied_ip, ["192.0.2.0/24"]);
    assert!(alice.permissions.contains_key("/Docs"));
    assert_eq!(
        (alice.uid, alice.gid, alice.max_sessions, alice.status),
        (1000, 1001, 2, 1)
    );
    assert_eq!(
        (alice.upload_bandwidth, alice.download_bandwidth),
        (64, 128)
    );
    assert_eq!((alice.quota_size, alice.quota_files), (4096, 10));
    let usage = provider.quota("alice").await.unwrap().unwrap();
    let updated = UnixMillis(1_580_000_000_000);
    assert_eq!(
        usage,
        QuotaUsage {
            files: 3,
            bytes: 1024,
            updated
        }
    );
    assert_eq!(alice.last_login, 1_580_000_000_001);
    let added = provider.add_user(&full_user("full")).await.unwrap();
    assert!(added.id > alice.id);
    provider.close().await;
    assert_eq!(version(&place).await, [NEWEST]);
    assert_eq!(columns(&place).await.len(), 22);
}

#[tokio::test]
async fn a_database_of_version_2_is_used_as_it_is_where_users_are_not_managed() {
    let place = Place::with_database(&[REFERENCE_V1, REFERENCE_V2, REFERENCE_USER]).await;
    let settings = DataProviderSettings {
        manage_users: false,
        ..settings(&place.path)
    };
    let tables = "SELECT sql FROM sqlite_master ORDER BY name";
    let before: Vec<Option<String>> = place
        .rows(tables)
        .await
        .iter()
        .map(|row| row.get(0))
        .collect();
    let provider = crate::open(&settings, Vec::new()).await.unwrap();
    assert_eq!(provider.users(&everybody()).await.unwrap().len(), 1);
    provider.close().await;
    let after: Vec<Option<String>> = place
        .rows(tables)
        .await
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(before, after);
    assert_eq!(version(&place).await, [2]);
}

#[tokio::test]
async fn accounts_survive_a_restart() {
    let place = Place::new();
    let provider = place.open().await.unwrap();
    let added = provider.add_user(&full_user("full")).await.unwrap();
    provider.close().await;
    let provider = place.open().await.unwrap();
    assert_eq!(stored(&provider, "full").await, added);
    assert!(provider.add_user(&user("next")).await.unwrap().id > added.id);
    provider.close().await;
}

#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone() {
    for newer in [
        "UPDATE schema_version SET version = 3",
        "UPDATE schema_version SET version = 29",
        "UPDATE schema_version SET version = 999999",
    ] {
        let place = Place::with_database(&[REFERENCE_V1, newer]).await;
        let error = place.open().await.unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::TooNew);
        assert!(
            error.to_string().contains(place.path.to_str().unwrap()),
            "{error}"
        );
        assert_eq!(columns(&place).await.len(), 21);
    }
}

#[tokio::test]
async fn a_database_without_a_usable_version_is_refused() {
    for broken in [
        "DROP TABLE schema_version",
        "DELETE FROM schema_version",
        "UPDATE schema_version SET version = 0",
        "UPDATE schema_version SET version = 'two'",
    ] {
        let place = Place::with_database(&[REFERENCE_V1, REFERENCE_V2, broken]).await;
        let error = place.open().await.unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Corrupt, "{broken}");
        assert!(
            error.to_string().contains(place.path.to_str().unwrap()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_table_that_holds_no_users_is_refused() {
    let place = Place::with_database(&[REFERENCE_V1, REFERENCE_V2]).await;
    let mut other = settings(&place.path);
    other.users_table = "accounts".to_owned();
    let error = crate::open(&other, Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Corrupt);
    assert!(
        error.to_string().contains("data_provider.users_table"),
        "{error}"
    );

    place
        .run("CREATE TABLE accounts (id integer, username text)")
        .await;
    let error = crate::open(&other, Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Corrupt);
    assert!(error.to_string().contains("accounts"), "{error}");
}

#[tokio::test]
async fn a_failed_migration_changes_nothing() {
    for broken in [
        "ALTER TABLE users ADD COLUMN virtual_folders text",
        "ALTER TABLE users DROP COLUMN filesystem",
    ] {
        let place = Place::with_database(&[REFERENCE_V1, broken]).await;
        let before = columns(&place).await;
        assert!(place.open().await.is_err(), "{broken}");
        assert_eq!(columns(&place).await, before);
        assert_eq!(version(&place).await, [1]);
    }
}

#[tokio::test]
async fn initializing_tells_what_it_did() {
    let place = Place::new();
    let initialized =
        async |place: &Place| crate::initialize(&settings(&place.path)).await.unwrap();
    assert_eq!(initialized(&place).await, Initialized::Created);
    assert_eq!(initialized(&place).await, Initialized::UpToDate);
    let place = Place::with_database(&[REFERENCE_V1]).await;
    assert_eq!(
        initialized(&place).await,
        Initialized::Upgraded {
            from: 1,
            to: NEWEST
        }
    );
    assert_eq!(initialized(&place).await, Initialized::UpToDate);
}
