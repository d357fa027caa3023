//! The sentences of [`crate::DataProvider`].

use std::sync::Arc;
use std::time::Duration;

use sftpgo_model::UnixMillis;
use tokio::task::JoinSet;

use super::samples::{change, everybody, user};
use crate::error::{DataErrorKind, DataResult};
use crate::provider::{DataProvider, QuotaDelta};

type Provider = Arc<dyn DataProvider>;

const ONE: QuotaDelta = QuotaDelta { files: 1, bytes: 1 };

pub(crate) async fn an_open_provider_answers(provider: &Provider) {
    provider.check().await.unwrap();
    assert!(["sqlite", "postgresql", "mysql", "bolt", "memory"].contains(&provider.driver()));
    assert!(!format!("{provider:?}").is_empty());
}

#[track_caller]
fn assert_unavailable<T>(result: DataResult<T>) {
    assert_eq!(
        result.map(drop).unwrap_err().kind(),
        DataErrorKind::Unavailable
    );
}

pub(crate) async fn a_closed_provider_refuses_everything(provider: &Provider) {
    let added = provider.add_user(&user("alice")).await.unwrap();
    provider.close().await;
    let at = UnixMillis(1);
    assert_unavailable(provider.check().await);
    assert_unavailable(provider.user_by_name("alice").await);
    assert_unavailable(provider.user_by_id(added.id).await);
    assert_unavailable(provider.users(&everybody()).await);
    assert_unavailable(provider.add_user(&user("bob")).await);
    assert_unavailable(provider.update_user(&added).await);
    assert_unavailable(provider.delete_user(added.id).await);
    assert_unavailable(provider.set_last_login("alice", at).await);
    assert_unavailable(provider.reserve_quota(&change("alice", ONE, at)).await);
    assert_unavailable(provider.add_quota(&change("alice", ONE, at)).await);
    assert_unavailable(provider.set_quota("alice", 1, 1, at).await);
    assert_unavailable(provider.quota("alice").await);
    assert_unavailable(provider.quota_change_made("alice", 1).await);
}

/// A call either does its work or says that it did not, whenever the end comes.
pub(crate) async fn closing_waits_for_calls_on_their_way(provider: &Provider) {
    let name = |task: usize| format!("user{task}");
    for task in 0..50 {
        provider.add_user(&user(&name(task))).await.unwrap();
    }
    let mut tasks = JoinSet::new();
    for task in 0..50 {
        let (provider, name) = (Arc::clone(provider), name(task));
        tasks.spawn(async move {
            loop {
                let one = change(&name, ONE, UnixMillis(1));
                match provider.add_quota(&one).await {
                    // What never waits must let the others in.
                    Ok(()) => tokio::task::yield_now().await,
                    Err(error) => return error.kind(),
                }
            }
        });
    }
    while provider.quota("user49").await.unwrap().unwrap().files < 3 {
        tokio::task::yield_now().await;
    }
    provider.close().await;
    let kinds = tasks.join_all().await;
    assert!(
        kinds.iter().all(|kind| *kind == DataErrorKind::Unavailable),
        "{kinds:?}"
    );
}

pub(crate) async fn closing_twice_is_harmless(provider: &Provider) {
    provider.close().await;
    provider.close().await;
    assert_unavailable(provider.check().await);
}

/// The connection on which a server is told of changes is open until the end.
pub(crate) async fn closing_does_not_wait_for_what_listens_for_changes(provider: &Provider) {
    // This one ends when the server listens.
    provider.wait_for_changes(Duration::from_secs(1)).await;
    let closed = tokio::time::timeout(Duration::from_secs(5), provider.close()).await;
    assert!(closed.is_ok(), "it takes longer than 5 s");
}
