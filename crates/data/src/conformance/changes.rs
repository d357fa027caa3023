//! The sentences of [`crate::ChangeFeed`].

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Pair;
use super::samples::user;
use crate::provider::{ChangeFeed, ChangeMark, Changes, DataProvider, UserStore as _};

type Provider = Arc<dyn DataProvider>;

/// What a driver tells that knows what happened.
async fn told(feed: &(impl ChangeFeed + ?Sized), after: ChangeMark) -> (Vec<String>, ChangeMark) {
    match feed.changes(after).await.unwrap() {
        Changes::Of(mut names, mark) => {
            names.sort();
            (names, mark)
        }
        Changes::Unknown(mark) => panic!("not known after {after:?}, now {mark:?}"),
    }
}

pub(crate) async fn changed_and_removed_accounts_are_told(provider: &Provider) {
    let mark = provider.change_mark().await.unwrap();
    let alice = provider.add_user(&user("alice")).await.unwrap();
    let bob = provider.add_user(&user("bob")).await.unwrap();
    provider.add_user(&user("carol")).await.unwrap();
    let names = told(&**provider, mark).await.0;
    assert!(names.is_empty(), "nobody knows a new user: {names:?}");
    provider.update_user(&alice).await.unwrap();
    provider.update_user(&alice).await.unwrap();
    provider.delete_user(bob.id).await.unwrap();
    assert_eq!(told(&**provider, mark).await.0, ["alice", "bob"]);
    assert!(provider.delete_user(bob.id).await.is_err());
    let newest = provider.change_mark().await.unwrap();
    assert_eq!(told(&**provider, newest).await, (Vec::new(), newest));
}

pub(crate) async fn each_reader_goes_on_from_its_mark(provider: &Provider) {
    let alice = provider.add_user(&user("alice")).await.unwrap();
    let bob = provider.add_user(&user("bob")).await.unwrap();
    let begin = provider.change_mark().await.unwrap();
    provider.update_user(&alice).await.unwrap();
    let (names, middle) = told(&**provider, begin).await;
    assert_eq!(names, ["alice"]);
    provider.update_user(&bob).await.unwrap();
    let (names, end) = told(&**provider, middle).await;
    assert_eq!(names, ["bob"]);
    assert_eq!(
        told(&**provider, begin).await,
        (vec!["alice".to_owned(), "bob".to_owned()], end)
    );
    assert!(begin < middle && middle < end);
    // Whoever was changed again is told again.
    provider.update_user(&alice).await.unwrap();
    assert_eq!(told(&**provider, end).await.0, ["alice"]);
}

pub(crate) async fn waiting_ends_with_a_change(provider: &Provider) {
    let alice = provider.add_user(&user("alice")).await.unwrap();
    let mark = provider.change_mark().await.unwrap();
    let waiting = async {
        while told(&**provider, mark).await.0.is_empty() {
            provider.wait_for_changes(Duration::from_secs(60)).await;
        }
    };
    let changing = async {
        tokio::task::yield_now().await;
        provider.update_user(&alice).await.unwrap();
    };
    let both = async { tokio::join!(waiting, changing) };
    timeout(Duration::from_secs(10), both).await.unwrap();
}

pub(crate) async fn changes_of_one_server_are_told_by_the_other(pair: &Pair) {
    let alice = pair.first.add_user(&user("alice")).await.unwrap();
    let mark = pair.second.change_mark().await.unwrap();
    pair.first.update_user(&alice).await.unwrap();
    let (names, mark) = told(&*pair.second, mark).await;
    assert_eq!(names, ["alice"]);
    let waiting = async {
        while told(&*pair.second, mark).await.0.is_empty() {
            pair.second.wait_for_changes(Duration::from_secs(60)).await;
        }
    };
    let both = async { tokio::join!(waiting, pair.first.delete_user(alice.id)) };
    let (_, deleted) = timeout(Duration::from_secs(10), both).await.unwrap();
    deleted.unwrap();
}

pub(crate) async fn of_changes_by_several_servers_none_is_missed(pair: &Pair) {
    let mut records = Vec::new();
    for number in 0..40 {
        let record = user(&format!("user{number}"));
        records.push(pair.first.add_user(&record).await.unwrap());
    }
    let mut mark = pair.first.change_mark().await.unwrap();
    let mut tasks = JoinSet::new();
    for (number, record) in records.iter().cloned().enumerate() {
        let providers = [&pair.first, &pair.second];
        let provider = Arc::clone(providers[number % 2]);
        tasks.spawn(async move { provider.update_user(&record).await.unwrap() });
    }
    let mut seen = HashSet::new();
    let reading = async {
        while seen.len() < records.len() {
            let (names, now) = told(&*pair.first, mark).await;
            assert!(now >= mark);
            mark = now;
            seen.extend(names);
            pair.first.wait_for_changes(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(60), reading).await.unwrap();
    tasks.join_all().await;
}
