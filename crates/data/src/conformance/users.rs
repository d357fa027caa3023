//! The sentences of [`crate::UserStore`].

use std::sync::Arc;

use sftpgo_model::{Secret, UnixMillis, UserRecord};
use tokio::task::JoinSet;

use super::samples::{as_added, change, everybody, full_user, stored, user};
use crate::error::DataErrorKind;
use crate::provider::{DataProvider, QuotaDelta, SortOrder, UserQuery};

type Provider = Arc<dyn DataProvider>;

pub(crate) async fn added_users_are_found_by_name_and_id(provider: &Provider) {
    assert_eq!(provider.user_by_name("alice").await.unwrap(), None);
    assert_eq!(provider.user_by_id(1).await.unwrap(), None);
    let added = provider.add_user(&user("alice")).await.unwrap();
    provider.add_user(&user("bob")).await.unwrap();
    assert!(added.id > 0);
    assert_eq!(
        provider.user_by_name("alice").await.unwrap(),
        Some(added.clone())
    );
    assert_eq!(provider.user_by_id(added.id).await.unwrap(), Some(added));
}

pub(crate) async fn every_field_survives_storing(provider: &Provider) {
    let record = full_user("full");
    let added = provider.add_user(&record).await.unwrap();
    assert_eq!(added, as_added(&record, added.id));
    assert_eq!(stored(provider, "full").await, added);

    let mut hidden = full_user("hidden");
    hidden.filesystem.s3config.access_secret = Secret::from_text("$aes$64617461");
    let added = provider.add_user(&hidden).await.unwrap();
    let secret = stored(provider, "hidden")
        .await
        .filesystem
        .s3config
        .access_secret;
    assert_eq!(secret, added.filesystem.s3config.access_secret);
    assert_eq!(secret, Secret::Hidden("$aes$64617461".to_owned()));
}

pub(crate) async fn empty_lists_and_objects_survive_storing(provider: &Provider) {
    let record = UserRecord {
        username: "empty".to_owned(),
        ..UserRecord::default()
    };
    let added = provider.add_user(&record).await.unwrap();
    assert_eq!(stored(provider, "empty").await, as_added(&record, added.id));
}

pub(crate) async fn adding_starts_counters_and_logins_at_zero(provider: &Provider) {
    let record = full_user("full");
    assert_ne!(record.used_quota_files, 0);
    let added = provider.add_user(&record).await.unwrap();
    for record in [added, stored(provider, "full").await] {
        assert_eq!((record.used_quota_files, record.used_quota_size), (0, 0));
        assert_eq!((record.last_quota_update, record.last_login), (0, 0));
    }
}

pub(crate) async fn adding_ignores_the_id_and_gives_a_new_one(provider: &Provider) {
    let first = provider.add_user(&user("first")).await.unwrap();
    let second = UserRecord {
        id: first.id,
        ..user("second")
    };
    let second = provider.add_user(&second).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(
        provider
            .user_by_id(first.id)
            .await
            .unwrap()
            .unwrap()
            .username,
        "first"
    );
}

pub(crate) async fn ids_are_not_given_twice(provider: &Provider) {
    provider.add_user(&user("stays")).await.unwrap();
    let goes = provider.add_user(&user("goes")).await.unwrap();
    provider.delete_user(goes.id).await.unwrap();
    assert!(provider.add_user(&user("comes")).await.unwrap().id > goes.id);
}

pub(crate) async fn a_name_can_be_taken_once(provider: &Provider) {
    let added = provider.add_user(&user("alice")).await.unwrap();
    let other = UserRecord {
        home_dir: "/other".to_owned(),
        ..user("alice")
    };
    let error = provider.add_user(&other).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Duplicate);
    assert_eq!(stored(provider, "alice").await, added);
}

pub(crate) async fn of_many_who_want_a_name_one_gets_it(provider: &Provider) {
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let provider = Arc::clone(provider);
        tasks.spawn(async move { provider.add_user(&user("wanted")).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused = results.iter().filter_map(|result| result.as_ref().err());
    assert!(
        refused
            .into_iter()
            .all(|error| error.kind() == DataErrorKind::Duplicate)
    );
    assert_eq!(provider.users(&everybody()).await.unwrap().len(), 1);
}

pub(crate) async fn names_are_case_sensitive_and_any_text(provider: &Provider) {
    let names = [
        "alice",
        "Alice",
        "ålice",
        "a\u{30a}lice",
        "李雷",
        "'; DROP TABLE users; --",
        "%",
        "a b",
        "?",
    ];
    for name in names {
        provider.add_user(&user(name)).await.unwrap();
    }
    for name in names {
        assert_eq!(
            stored(provider, name).await.home_dir,
            format!("/srv/{name}")
        );
    }
    assert_eq!(provider.user_by_name("ALICE").await.unwrap(), None);
    assert_eq!(
        provider.users(&everybody()).await.unwrap().len(),
        names.len()
    );
}

pub(crate) async fn an_update_replaces_all_but_what_the_server_keeps(provider: &Provider) {
    let added = provider.add_user(&user("alice")).await.unwrap();
    let delta = QuotaDelta {
        files: 5,
        bytes: 50,
    };
    provider
        .add_quota(&change("alice", delta, UnixMillis(10)))
        .await
        .unwrap();
    provider
        .set_last_login("alice", UnixMillis(20))
        .await
        .unwrap();

    let update = UserRecord {
        id: added.id,
        ..full_user("renamed")
    };
    provider.update_user(&update).await.unwrap();
    let expected = UserRecord {
        username: "alice".to_owned(),
        used_quota_files: 5,
        used_quota_size: 50,
        last_quota_update: 10,
        last_login: 20,
        ..update
    };
    assert_eq!(stored(provider, "alice").await, expected);
    assert_eq!(provider.user_by_name("renamed").await.unwrap(), None);
}

pub(crate) async fn an_update_can_empty_every_field(provider: &Provider) {
    let added = provider.add_user(&full_user("full")).await.unwrap();
    let empty = UserRecord {
        id: added.id,
        ..UserRecord::default()
    };
    provider.update_user(&empty).await.unwrap();
    let expected = UserRecord {
        username: "full".to_owned(),
        ..empty
    };
    assert_eq!(stored(provider, "full").await, expected);
}

pub(crate) async fn updating_or_deleting_nobody_is_not_found(provider: &Provider) {
    let added = provider.add_user(&user("alice")).await.unwrap();
    let nobody = UserRecord {
        id: added.id + 1,
        ..user("alice")
    };
    let error = provider.update_user(&nobody).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::NotFound);
    for id in [added.id + 1, 0, -1, i64::MAX, i64::MIN] {
        let error = provider.delete_user(id).await.unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::NotFound);
    }
    assert_eq!(stored(provider, "alice").await, added);
}

pub(crate) async fn deleted_users_are_gone_and_their_name_is_free(provider: &Provider) {
    let added = provider.add_user(&user("alice")).await.unwrap();
    provider.add_user(&user("bob")).await.unwrap();
    provider.delete_user(added.id).await.unwrap();
    assert_eq!(provider.user_by_name("alice").await.unwrap(), None);
    assert_eq!(provider.user_by_id(added.id).await.unwrap(), None);
    let error = provider.delete_user(added.id).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::NotFound);
    provider.add_user(&user("alice")).await.unwrap();
    assert_eq!(provider.users(&everybody()).await.unwrap().len(), 2);
}

pub(crate) async fn lists_are_ordered_byte_by_byte_and_paged(provider: &Provider) {
    // In bytes: capitals, small letters, two-byte letters, three-byte letters, four-byte signs.
    let ordered = ["B", "a", "ab", "b", "é", "李", "🦀"];
    for name in ["b", "李", "a", "🦀", "B", "ab", "é"] {
        provider.add_user(&user(name)).await.unwrap();
    }
    let names = async |limit, offset, order| -> Vec<String> {
        let query = UserQuery {
            limit,
            offset,
            order,
            ..UserQuery::default()
        };
        let page = provider.users(&query).await.unwrap();
        page.into_iter().map(|record| record.username).collect()
    };
    assert_eq!(names(100, 0, SortOrder::Ascending).await, ordered);
    assert_eq!(names(3, 2, SortOrder::Ascending).await, ordered[2..5]);
    assert_eq!(names(3, 6, SortOrder::Ascending).await, ordered[6..]);
    assert_eq!(names(3, 7, SortOrder::Ascending).await, [""; 0]);
    assert_eq!(names(0, 0, SortOrder::Ascending).await, [""; 0]);
    assert_eq!(
        names(u32::MAX, u32::MAX, SortOrder::Ascending).await,
        [""; 0]
    );
    assert_eq!(names(2, 0, SortOrder::Descending).await, ["🦀", "李"]);
    assert_eq!(names(u32::MAX, 5, SortOrder::Descending).await, ["a", "B"]);
}

pub(crate) async fn a_list_can_be_of_one_name(provider: &Provider) {
    for name in ["alice", "Alice", "alicea"] {
        provider.add_user(&user(name)).await.unwrap();
    }
    let count = async |username: &str, limit, offset| {
        let username = Some(username.to_owned());
        let query = UserQuery {
            limit,
            offset,
            order: SortOrder::Descending,
            username,
            ..UserQuery::default()
        };
        provider.users(&query).await.unwrap().len()
    };
    assert_eq!(count("alice", 10, 0).await, 1);
    assert_eq!(count("alic", 10, 0).await, 0);
    assert_eq!(count("alice%", 10, 0).await, 0);
    assert_eq!(count("alice", 0, 0).await, 0);
    assert_eq!(count("alice", 10, 1).await, 0);
}

/// The names that a query finds.
async fn found(provider: &Provider, query: UserQuery) -> Vec<String> {
    let page = provider.users(&query).await.unwrap();
    page.into_iter().map(|record| record.username).collect()
}

pub(crate) async fn a_list_can_go_on_after_a_name(provider: &Provider) {
    let ordered = ["B", "a", "ab", "b", "é", "李", "🦀"];
    for name in ordered {
        provider.add_user(&user(name)).await.unwrap();
    }
    let after = async |name: &str, order, limit, offset| {
        let query = UserQuery {
            limit,
            offset,
            order,
            after: Some(name.to_owned()),
            ..UserQuery::default()
        };
        found(provider, query).await
    };
    let (up, down) = (SortOrder::Ascending, SortOrder::Descending);
    assert_eq!(after("a", up, 2, 0).await, ["ab", "b"]);
    assert_eq!(after("a", up, 2, 3).await, ["李", "🦀"]);
    assert_eq!(after("aa", up, 1, 0).await, ["ab"]);
    assert_eq!(after("", up, 1, 0).await, ["B"]);
    assert_eq!(after("🦀", up, 9, 0).await, [""; 0]);
    assert_eq!(after("é", down, 2, 0).await, ["b", "ab"]);
    assert_eq!(after("é", down, 9, 3).await, ["B"]);
    assert_eq!(after("", down, 9, 0).await, [""; 0]);
    // Page after page, everybody comes once, also if somebody is removed between two.
    let mut names: Vec<String> = Vec::new();
    loop {
        let last = names.last().cloned().unwrap_or_default();
        let page = after(&last, up, 2, 0).await;
        if page.is_empty() {
            break;
        }
        let first = stored(provider, &page[0]).await;
        provider.delete_user(first.id).await.unwrap();
        names.extend(page);
    }
    assert_eq!(names, ordered);
}

pub(crate) async fn a_list_can_be_of_names_that_begin_with_a_text(provider: &Provider) {
    let names = [
        "al",
        "alice",
        "alicia",
        "bob",
        "Al",
        "a%",
        "a_x",
        "zz\u{10ffff}a",
        "zz\u{10ffff}",
        "z",
    ];
    for name in names {
        provider.add_user(&user(name)).await.unwrap();
    }
    let search = async |text: &str, order, after: Option<&str>| {
        let query = UserQuery {
            limit: 100,
            order,
            after: after.map(str::to_owned),
            search: Some(text.to_owned()),
            ..UserQuery::default()
        };
        found(provider, query).await
    };
    let (up, down) = (SortOrder::Ascending, SortOrder::Descending);
    assert_eq!(search("al", up, None).await, ["al", "alice", "alicia"]);
    assert_eq!(search("al", down, None).await, ["alicia", "alice", "al"]);
    assert_eq!(search("al", up, Some("alice")).await, ["alicia"]);
    assert_eq!(search("al", down, Some("alice")).await, ["al"]);
    assert_eq!(search("al", up, Some("b")).await, [""; 0]);
    assert_eq!(search("al", up, Some("a")).await.len(), 3);
    assert_eq!(search("a%", up, None).await, ["a%"]);
    assert_eq!(search("a_", up, None).await, ["a_x"]);
    assert_eq!(search("zz\u{10ffff}", up, None).await.len(), 2);
    assert_eq!(search("", up, None).await.len(), names.len());
    assert_eq!(search("c", up, None).await, [""; 0]);
}

pub(crate) async fn logins_are_noted_and_nobody_is_no_error(provider: &Provider) {
    let added = provider.add_user(&user("alice")).await.unwrap();
    provider
        .set_last_login("alice", UnixMillis(1_700_000_000_123))
        .await
        .unwrap();
    provider
        .set_last_login("nobody", UnixMillis(1))
        .await
        .unwrap();
    let expected = UserRecord {
        last_login: 1_700_000_000_123,
        ..added
    };
    assert_eq!(stored(provider, "alice").await, expected);
}

pub(crate) async fn a_plain_secret_is_not_stored(provider: &Provider) {
    let id = provider.add_user(&full_user("plain")).await.unwrap().id;
    for (_, field, _) in full_user("plain").filesystem.secrets() {
        let mut record = full_user("another");
        field.set(&mut record.filesystem, "hunter2").unwrap();
        let error = provider.add_user(&record).await.unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Internal, "{}", field.flag);
        assert!(!format!("{error} {error:?}").contains("hunter2"));

        let record = UserRecord { id, ..record };
        let error = provider.update_user(&record).await.unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Internal, "{}", field.flag);
    }
    assert!(provider.user_by_name("another").await.unwrap().is_none());
    let expected = as_added(&full_user("plain"), id);
    assert_eq!(stored(provider, "plain").await, expected);
}
