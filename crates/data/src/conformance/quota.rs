//! The sentences of [`crate::QuotaStore`]. Who makes changes of one user's counters does so one at a time, in the order of
//! their numbers.

use std::sync::Arc;

use sftpgo_model::{UnixMillis, UserRecord};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::samples::{change, user};
use crate::error::DataErrorKind;
use crate::provider::{DataProvider, QuotaDelta, QuotaUsage};
use crate::quota::COUNTER_MAX;

type Provider = Arc<dyn DataProvider>;

const AT: UnixMillis = UnixMillis(1_700_000_000_000);

async fn add_limited(provider: &Provider, files: i64, bytes: i64) -> UserRecord {
    let limited = UserRecord {
        quota_files: files,
        quota_size: bytes,
        ..user("alice")
    };
    provider.add_user(&limited).await.unwrap()
}

async fn reserve(provider: &Provider, files: i64, bytes: i64) -> bool {
    provider
        .reserve_quota(&change("alice", QuotaDelta { files, bytes }, AT))
        .await
        .unwrap()
}

async fn add(provider: &Provider, files: i64, bytes: i64) {
    provider
        .add_quota(&change("alice", QuotaDelta { files, bytes }, AT))
        .await
        .unwrap();
}

async fn used(provider: &Provider) -> (i64, i64) {
    let usage = provider.quota("alice").await.unwrap().unwrap();
    let record = provider.user_by_name("alice").await.unwrap().unwrap();
    assert_eq!(
        (record.used_quota_files, record.used_quota_size),
        (usage.files, usage.bytes)
    );
    assert_eq!(UnixMillis(record.last_quota_update), usage.updated);
    (usage.files, usage.bytes)
}

pub(crate) async fn reserving_stops_at_the_limit(provider: &Provider) {
    add_limited(provider, 3, 100).await;
    assert!(reserve(provider, 1, 60).await);
    assert!(!reserve(provider, 1, 41).await);
    assert!(reserve(provider, 1, 40).await);
    assert!(!reserve(provider, 0, 1).await);
    assert!(reserve(provider, 1, 0).await);
    assert!(!reserve(provider, 1, 0).await);
    assert_eq!(used(provider).await, (3, 100));
}

pub(crate) async fn a_refused_reservation_changes_nothing(provider: &Provider) {
    add_limited(provider, 0, 100).await;
    assert!(!reserve(provider, 1, 101).await);
    let usage = provider.quota("alice").await.unwrap().unwrap();
    assert_eq!(usage, QuotaUsage::default());
}

pub(crate) async fn zero_is_no_limit(provider: &Provider) {
    add_limited(provider, 0, 0).await;
    assert!(reserve(provider, 1_000_000, 1 << 50).await);
    assert_eq!(used(provider).await, (1_000_000, 1 << 50));
}

pub(crate) async fn only_a_growing_counter_is_compared_with_its_limit(provider: &Provider) {
    add_limited(provider, 2, 100).await;
    add(provider, 5, 500).await;
    assert!(!reserve(provider, 0, 1).await);
    assert!(!reserve(provider, 1, -1).await);
    assert!(reserve(provider, 0, 0).await);
    assert!(reserve(provider, -1, -100).await);
    assert_eq!(used(provider).await, (4, 400));
    assert!(reserve(provider, -9, -999).await);
    assert_eq!(used(provider).await, (0, 0));
}

pub(crate) async fn reserving_follows_the_limits_stored_now(provider: &Provider) {
    let mut record = add_limited(provider, 1, 0).await;
    assert!(reserve(provider, 1, 10).await);
    assert!(!reserve(provider, 1, 10).await);
    record.quota_files = 2;
    provider.update_user(&record).await.unwrap();
    assert!(reserve(provider, 1, 10).await);
    record.quota_files = 0;
    record.quota_size = 25;
    provider.update_user(&record).await.unwrap();
    assert!(!reserve(provider, 1, 10).await);
    assert_eq!(used(provider).await, (2, 20));
}

pub(crate) async fn reserving_for_nobody_is_not_found(provider: &Provider) {
    let delta = QuotaDelta { files: 1, bytes: 1 };
    let error = provider
        .reserve_quota(&change("nobody", delta, AT))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::NotFound);
}

pub(crate) async fn adding_knows_no_limits_and_stops_at_zero(provider: &Provider) {
    add_limited(provider, 1, 10).await;
    add(provider, 3, 30).await;
    assert_eq!(used(provider).await, (3, 30));
    add(provider, -1, -40).await;
    assert_eq!(used(provider).await, (2, 0));
    add(provider, -5, 7).await;
    assert_eq!(used(provider).await, (0, 7));
}

pub(crate) async fn adding_for_nobody_is_no_error(provider: &Provider) {
    let delta = QuotaDelta { files: 1, bytes: 1 };
    let one = change("nobody", delta, AT);
    provider.add_quota(&one).await.unwrap();
    provider.set_quota("nobody", 1, 1, AT).await.unwrap();
    assert_eq!(provider.quota("nobody").await.unwrap(), None);
}

pub(crate) async fn setting_replaces_the_counters(provider: &Provider) {
    add_limited(provider, 1, 10).await;
    add(provider, 3, 30).await;
    provider.set_quota("alice", 7, 70, AT).await.unwrap();
    assert_eq!(used(provider).await, (7, 70));
    provider.set_quota("alice", -1, -1, AT).await.unwrap();
    assert_eq!(used(provider).await, (0, 0));
}

pub(crate) async fn counters_do_not_overflow(provider: &Provider) {
    add_limited(provider, 0, 0).await;
    for _ in 0..3 {
        add(provider, i64::MAX, i64::MAX).await;
        assert_eq!(used(provider).await, (COUNTER_MAX, COUNTER_MAX));
        assert!(reserve(provider, i64::MAX, i64::MAX).await);
    }
    assert_eq!(used(provider).await, (COUNTER_MAX, COUNTER_MAX));
    add(provider, i64::MIN, i64::MIN).await;
    assert_eq!(used(provider).await, (0, 0));
    provider
        .set_quota("alice", i64::MAX, i64::MIN, AT)
        .await
        .unwrap();
    assert_eq!(used(provider).await, (COUNTER_MAX, 0));
}

pub(crate) async fn each_change_notes_its_time(provider: &Provider) {
    add_limited(provider, 1, 0).await;
    let updated = async || provider.quota("alice").await.unwrap().unwrap().updated;
    let one = QuotaDelta { files: 1, bytes: 0 };
    assert_eq!(updated().await, UnixMillis(0));
    assert!(
        provider
            .reserve_quota(&change("alice", one, UnixMillis(5)))
            .await
            .unwrap()
    );
    assert_eq!(updated().await, UnixMillis(5));
    assert!(
        !provider
            .reserve_quota(&change("alice", one, UnixMillis(6)))
            .await
            .unwrap()
    );
    assert_eq!(updated().await, UnixMillis(5));
    provider
        .add_quota(&change("alice", one, UnixMillis(7)))
        .await
        .unwrap();
    assert_eq!(updated().await, UnixMillis(7));
    provider
        .set_quota("alice", 0, 0, UnixMillis(8))
        .await
        .unwrap();
    assert_eq!(updated().await, UnixMillis(8));
}

pub(crate) async fn a_change_is_made_once_however_often_it_is_asked_for(provider: &Provider) {
    add_limited(provider, 10, 0).await;
    let two = QuotaDelta { files: 2, bytes: 5 };
    let reserved = change("alice", two, AT);
    let number = reserved.number;
    assert!(!provider.quota_change_made("alice", number).await.unwrap());
    for _ in 0..3 {
        assert!(provider.reserve_quota(&reserved).await.unwrap());
        assert!(provider.quota_change_made("alice", number).await.unwrap());
    }
    assert_eq!(used(provider).await, (2, 5));
    let added = change("alice", two, AT);
    for _ in 0..3 {
        provider.add_quota(&added).await.unwrap();
    }
    assert!(
        provider
            .quota_change_made("alice", added.number)
            .await
            .unwrap()
    );
    assert_eq!(used(provider).await, (4, 10));
}

pub(crate) async fn a_refused_change_was_not_made_and_may_be_tried_again(provider: &Provider) {
    let mut record = add_limited(provider, 1, 0).await;
    let two = QuotaDelta { files: 2, bytes: 5 };
    let refused = change("alice", two, AT);
    assert!(!provider.reserve_quota(&refused).await.unwrap());
    let made = provider.quota_change_made("alice", refused.number).await;
    assert!(!made.unwrap());
    record.quota_files = 2;
    provider.update_user(&record).await.unwrap();
    assert!(provider.reserve_quota(&refused).await.unwrap());
    assert_eq!(used(provider).await, (2, 5));
}

pub(crate) async fn a_user_of_the_same_name_has_changes_of_its_own(provider: &Provider) {
    let record = add_limited(provider, 0, 0).await;
    add(provider, 1, 1).await;
    provider.delete_user(record.id).await.unwrap();
    let late = change("alice", QuotaDelta { files: 1, bytes: 1 }, AT);
    provider.add_quota(&late).await.unwrap();
    assert_eq!(provider.quota("alice").await.unwrap(), None);
    add_limited(provider, 0, 0).await;
    add(provider, 3, 3).await;
    assert_eq!(used(provider).await, (3, 3));
}

pub(crate) async fn many_reservations_never_exceed_the_limit(provider: &Provider) {
    add_limited(provider, 120, 1000).await;
    let turn = Arc::<Mutex<()>>::default();
    let mut tasks = JoinSet::new();
    for task in 0..50 {
        let (provider, turn) = (Arc::clone(provider), Arc::clone(&turn));
        tasks.spawn(async move {
            let mut granted = 0;
            for _ in 0..5 {
                let _turn = turn.lock().await;
                granted += i64::from(reserve(&provider, 1, 9).await);
                let usage = provider.quota("alice").await.unwrap().unwrap();
                assert!(usage.files <= 120 && usage.bytes <= 1000);
            }
            // Some give back what they got.
            if task % 5 == 0 {
                let _turn = turn.lock().await;
                add(&provider, -granted, -9 * granted).await;
                granted = 0;
            }
            granted
        });
    }
    let granted: i64 = tasks.join_all().await.into_iter().sum();
    assert_eq!(used(provider).await, (granted, 9 * granted));
    while reserve(provider, 1, 9).await {}
    assert_eq!(used(provider).await, (111, 999));
}

pub(crate) async fn many_additions_lose_nothing(provider: &Provider) {
    add_limited(provider, 0, 0).await;
    let turn = Arc::<Mutex<()>>::default();
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let (provider, turn) = (Arc::clone(provider), Arc::clone(&turn));
        tasks.spawn(async move {
            for _ in 0..10 {
                let _turn = turn.lock().await;
                add(&provider, 1, 3).await;
            }
            provider.set_last_login("alice", AT).await.unwrap();
        });
    }
    tasks.join_all().await;
    assert_eq!(used(provider).await, (500, 1500));
}
