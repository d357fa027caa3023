//! One file, several providers: processes that serve together, or a tool beside the server.

use std::sync::Arc;
use std::time::Duration;

use sftpgo_model::{UnixMillis, UserRecord};
use sqlx::Connection as _;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Place, REFERENCE_V1, REFERENCE_V2, connect, settings};
use crate::conformance::samples::{change, user};
use crate::provider::QuotaDelta;

const ONE: QuotaDelta = QuotaDelta {
    files: 1,
    bytes: 10,
};

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_a_new_file_at_once() {
    let place = Place::new();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let settings = settings(&place.path);
        tasks.spawn(async move { crate::open(&settings, Vec::new()).await });
    }
    for provider in tasks.join_all().await {
        provider.unwrap().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reservations_of_several_providers_never_exceed_the_limit() {
    let place = Place::new();
    let first = place.open().await.unwrap();
    first
        .add_user(&UserRecord {
            quota_files: 40,
            ..user("alice")
        })
        .await
        .unwrap();
    let providers = [place.open().await.unwrap(), place.open().await.unwrap()];
    // Each makes its changes one at a time.
    let turns = [Arc::<Mutex<()>>::default(), Arc::default()];
    let mut tasks = JoinSet::new();
    for (provider, turn) in providers.iter().zip(&turns).cycle().take(20) {
        let (provider, turn) = (provider.clone(), Arc::clone(turn));
        tasks.spawn(async move {
            let mut granted = 0;
            for _ in 0..4 {
                let at = UnixMillis(1);
                let _turn = turn.lock().await;
                let one = change("alice", ONE, at);
                granted += i64::from(provider.reserve_quota(&one).await.unwrap());
            }
            granted
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<i64>(), 40);
    assert_eq!(first.quota("alice").await.unwrap().unwrap().files, 40);
    for provider in providers {
        provider.close().await;
    }
    first.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_waits_for_the_lock_of_another_process_and_reads_do_not() {
    let place = Place::new();
    let provider = place.open().await.unwrap();
    let added = provider.add_user(&user("alice")).await.unwrap();
    let mut other = connect(&place.path).await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let writing = {
        let provider = provider.clone();
        tokio::spawn(async move {
            let one = change("alice", ONE, UnixMillis(1));
            provider.add_quota(&one).await
        })
    };
    for _ in 0..20 {
        assert_eq!(
            provider.user_by_name("alice").await.unwrap(),
            Some(added.clone())
        );
    }
    assert!(!writing.is_finished());
    lock.commit().await.unwrap();
    writing.await.unwrap().unwrap();
    assert_eq!(provider.quota("alice").await.unwrap().unwrap().files, 1);
    provider.close().await;
    other.close().await.unwrap();
}

#[tokio::test]
async fn opening_waits_while_another_process_migrates() {
    for journal in ["PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = WAL"] {
        let place = Place::with_database(&[REFERENCE_V1, journal]).await;
        let mut other = connect(&place.path).await;
        let mut migration = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::raw_sql(REFERENCE_V2)
            .execute(&mut *migration)
            .await
            .unwrap();
        let settings = settings(&place.path);
        let opening = crate::open(&settings, Vec::new());
        tokio::pin!(opening);
        let early = timeout(Duration::from_millis(100), &mut opening).await;
        assert!(early.is_err(), "{journal}: {early:?}");
        migration.commit().await.unwrap();
        other.close().await.unwrap();
        opening.await.unwrap().close().await;
    }
}
