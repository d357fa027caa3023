//! What servers tell each other, in databases that have a place for it and in one that has none.

use std::sync::Arc;

use sftpgo_model::UnixMillis;

use super::{Place, settings};
use crate::conformance::samples::{change, user};
use crate::provider::{
    ChangeFeed as _, ChangeMark, Changes, DataProvider, QuotaDelta, QuotaStore as _, UserStore as _,
};
use crate::sql::sqlite;

const ONE: QuotaDelta = QuotaDelta { files: 1, bytes: 1 };

#[tokio::test]
async fn a_database_of_version_2_has_no_place_for_other_servers() {
    let place = Place::new();
    place.open().await.unwrap().close().await;
    place
        .run(
            "DROP TABLE sftpgo_nodes; DROP TABLE sftpgo_sessions; DROP TABLE sftpgo_changes;
              DROP TABLE sftpgo_quota_marks; DROP TABLE sftpgo_shared",
        )
        .await;
    let provider = sqlite::open_as(&settings(&place.path), 2).await.unwrap();
    assert!(provider.cluster().is_none());
    let alice = provider.add_user(&user("alice")).await.unwrap();
    let mark = provider.change_mark().await.unwrap();
    provider.update_user(&alice).await.unwrap();
    let now = provider.changes(mark).await.unwrap();
    assert_eq!(now, Changes::Of(Vec::new(), mark));
    let long_ago = ChangeMark(mark.0 - 10_000);
    let changes = provider.changes(long_ago).await.unwrap();
    let Changes::Unknown(later) = changes else {
        panic!("anything may have changed: {changes:?}");
    };
    assert!(later >= mark);
    let one = change("alice", ONE, UnixMillis(1));
    assert!(provider.reserve_quota(&one).await.unwrap());
    provider.add_quota(&one).await.unwrap();
    let made = provider.quota_change_made("alice", one.number).await;
    assert!(made.unwrap());
    assert_eq!(provider.quota("alice").await.unwrap().unwrap().files, 1);
    provider.delete_user(alice.id).await.unwrap();
    let error = provider.delete_user(alice.id).await.unwrap_err();
    assert_eq!(error.kind(), crate::DataErrorKind::NotFound);
    provider.close().await;
}

#[tokio::test]
async fn after_too_many_changes_any_account_may_have_changed() {
    let place = Place::new();
    let provider = place.open().await.unwrap();
    let begin = provider.change_mark().await.unwrap();
    place
        .run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001)
              INSERT INTO sftpgo_changes SELECT 'user' || i, i FROM n;
              UPDATE sftpgo_changes SET changed = 1001 WHERE username = ''",
        )
        .await;
    let newest = ChangeMark(1001);
    assert_eq!(
        provider.changes(begin).await.unwrap(),
        Changes::Unknown(newest)
    );
    let Changes::Of(names, mark) = provider.changes(ChangeMark(1)).await.unwrap() else {
        panic!("as many are told");
    };
    assert_eq!((names.len(), mark), (1000, newest));
    // The database was restored from a copy: its marks begin anew.
    assert_eq!(
        provider.changes(ChangeMark(2000)).await.unwrap(),
        Changes::Unknown(newest)
    );
    provider.close().await;
}

#[tokio::test]
async fn nothing_stays_of_an_account_that_is_removed_or_a_server_that_left() {
    let place = Place::new();
    let provider = Arc::new(sqlite::open(&settings(&place.path)).await.unwrap().0);
    let alice = provider.add_user(&user("alice")).await.unwrap();
    let store = provider.cluster().unwrap();
    let claim = crate::SessionClaim {
        username: "alice",
        own: 1,
        limit: None,
        sharing: false,
    };
    store.claim_sessions(&claim).await.unwrap();
    provider.delete_user(alice.id).await.unwrap();
    store.leave().await.unwrap();
    for table in ["sftpgo_nodes", "sftpgo_sessions", "sftpgo_quota_marks"] {
        let rows = place.rows(&format!("SELECT * FROM {table}")).await;
        assert!(rows.is_empty(), "{table}");
    }
    provider.close().await;
}

#[tokio::test]
async fn a_change_that_nobody_waits_for_is_made_and_remembered() {
    let place = Place::new();
    let provider = Arc::new(sqlite::open(&settings(&place.path)).await.unwrap().0);
    provider.add_user(&user("alice")).await.unwrap();
    let mut other = super::connect(&place.path).await;
    let lock = sqlx::Connection::begin_with(&mut other, "BEGIN IMMEDIATE");
    let lock = lock.await.unwrap();
    let one = change("alice", ONE, UnixMillis(1));
    let mut reserving = Box::pin(provider.reserve_quota(&one));
    // It is on its way once somebody who asks for it must wait.
    loop {
        let polled = tokio::time::timeout(std::time::Duration::ZERO, &mut reserving).await;
        assert!(polled.is_err());
        let asked = provider.quota_change_made("alice", one.number);
        let asked = tokio::time::timeout(std::time::Duration::from_millis(1), asked).await;
        if asked.is_err() {
            break;
        }
    }
    drop(reserving);
    let asking = provider.quota_change_made("alice", one.number);
    let (made, committed) = tokio::join!(asking, lock.commit());
    committed.unwrap();
    assert!(made.unwrap());
    assert_eq!(provider.quota("alice").await.unwrap().unwrap().files, 1);
    provider.close().await;
}
