//! Dump and restore agree: whatever accounts there are, a dump of one data provider that is restored to another gives the
//! same dump there, but for what a restore does not take over (reference 5.7).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use sftpgo_core::admin::{AccountDirectories, Restore, UserAdmin};
use sftpgo_core::data::config::{DataProviderConfig, HiddenText};
use sftpgo_core::data::{DataProvider, MemoryProvider, dump};
use sftpgo_core::model::{RestoreOptions, UnixMillis, UserRecord};

/// A provider of each driver that a test can have without a server.
#[derive(Debug, Clone, Copy)]
enum Driver {
    Memory,
    Sqlite,
}

async fn open(driver: Driver) -> Arc<dyn DataProvider> {
    match driver {
        Driver::Memory => Arc::new(MemoryProvider::with_users(Vec::new()).unwrap()),
        Driver::Sqlite => {
            let config = DataProviderConfig {
                connection_string: HiddenText::new("file::memory:?cache=shared"),
                ..DataProviderConfig::default()
            };
            let (settings, _) = config.resolve("/nowhere".as_ref()).unwrap();
            sftpgo_core::data::open(&settings, Vec::new())
                .await
                .unwrap()
        }
    }
}

fn admin(provider: &Arc<dyn DataProvider>) -> UserAdmin {
    UserAdmin::new(Arc::clone(provider), true, AccountDirectories::default())
}

async fn dumped(provider: &Arc<dyn DataProvider>, indented: bool) -> String {
    let mut dump = admin(provider).dump(indented);
    let mut text = Vec::new();
    while let Some(piece) = dump.next_piece().await.unwrap() {
        text.extend_from_slice(&piece);
    }
    String::from_utf8(text).unwrap()
}

async fn restore(provider: &Arc<dyn DataProvider>, text: &str) {
    let mut restore = Restore::new(admin(provider), RestoreOptions::default());
    for user in dump::parse(text.as_bytes()).unwrap() {
        restore.user(user).await.unwrap();
    }
}

/// The accounts of a dump without what each server keeps for itself.
fn comparable(text: &str) -> Vec<Value> {
    let dump: Value = serde_json::from_str(text).unwrap();
    let users = dump["users"].as_array().expect("a list").iter();
    let own = [
        "id",
        "used_quota_size",
        "used_quota_files",
        "last_quota_update",
        "last_login",
    ];
    users
        .map(|user| {
            let mut user = user.clone();
            for key in own {
                assert!(user.as_object_mut().unwrap().remove(key).is_some(), "{key}");
            }
            user
        })
        .collect()
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z0-9 ._@-]{1,12}",
        1 => "[\"'\\\\<>&;%{}\\[\\]$`/]{1,8}",
        2 => "\\PC{1,10}",
        1 => Just("İıſK\u{2028}\u{feff}\u{202e}🦀e\u{301}".to_owned()),
    ]
}

/// An account that most rules accept.
fn any_user() -> impl Strategy<Value = UserRecord> {
    let number = || prop_oneof![Just(0_i64), 0..100_i64, any::<i64>()];
    let directories = proptest::collection::btree_map(
        any_text().prop_map(|name| format!("/{}", name.replace('/', "_"))),
        prop_oneof![
            Just(vec![]),
            Just(vec!["list", "download"]),
            Just(vec!["*"])
        ],
        0..4,
    );
    let password = prop_oneof![
        Just(""),
        Just("$2a$10$hash"),
        Just("$1$b5caebda$VODr/nyhGWgZaY8sJ4x05."),
        Just("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA"),
        Just("$6$rounds=1000$salt$hash"),
    ];
    let keys = proptest::collection::vec(any_text(), 0..3);
    let strings = (any_text(), any_text(), password, keys);
    let numbers = (number(), number(), number(), number(), any::<bool>());
    (strings, numbers, directories, 0..4_u8).prop_map(
        |((name, other, password, comments), numbers, directories, filesystem)| {
            let (expires, size, files, bandwidth, enabled) = numbers;
            let key =
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrT9dvvEBNGTYZ5q0ZTBzvSMwFWR5HBnSa8cQdKkZZn";
            let mut keys: Vec<_> = comments
                .iter()
                .map(|comment| format!("{key} {}", comment.trim()))
                .collect();
            if password.is_empty() && keys.is_empty() {
                keys.push(key.to_owned());
            }
            let mut permissions = json!(directories);
            permissions["/"] = json!(["*"]);
            let filesystem = match filesystem {
                0 | 1 => json!({}),
                2 => json!({ "provider": 1, "s3config": {
                    "bucket": other, "region": other, "key_prefix": "a/../b", "access_key": "k",
                    "access_secret": format!("plain {other}"),
                }}),
                _ => json!({ "provider": 2, "gcsconfig": {
                    "bucket": other, "credentials": "e30=",
                }}),
            };
            let mapped = format!("/mnt/{}", other.replace('/', "_"));
            let json = json!({
                "username": name, "password": password, "public_keys": keys,
                "home_dir": format!("/srv/{other}"), "status": i64::from(enabled),
                "expiration_date": expires, "permissions": permissions, "quota_size": size,
                "quota_files": files, "uid": files, "gid": size, "max_sessions": files,
                "upload_bandwidth": bandwidth, "download_bandwidth": size,
                "virtual_folders": [{ "virtual_path": "/v", "mapped_path": mapped }],
                "filters": {
                    "denied_ip": ["192.0.2.0/24"], "denied_login_methods": ["password"],
                    "file_extensions": [{ "path": "/x", "denied_extensions": [other] }],
                },
                "filesystem": filesystem,
            });
            UserRecord::from_json(json.to_string().as_bytes()).unwrap()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_dump_restored_to_another_driver_dumps_the_same(
        users in proptest::collection::vec(any_user(), 0..12)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for (from, to) in [(Driver::Sqlite, Driver::Memory), (Driver::Memory, Driver::Sqlite)] {
                let (old, new) = (open(from).await, open(to).await);
                let mut added = BTreeSet::new();
                for user in &users {
                    // Not every odd account is a valid one.
                    if admin(&old).add(user.clone()).await.is_ok() {
                        added.insert(user.username.clone());
                        old.set_quota(&user.username, 1, 2, UnixMillis(3)).await.unwrap();
                    }
                }
                let first = dumped(&old, true).await;
                prop_assert_eq!(comparable(&first).len(), added.len());
                restore(&new, &first).await;
                let second = dumped(&new, false).await;
                prop_assert_eq!(comparable(&first), comparable(&second));
                // Again, now over what is there.
                restore(&new, &second).await;
                prop_assert_eq!(&dumped(&new, false).await, &second);
                old.close().await;
                new.close().await;
            }
            Ok(())
        })?;
    }
}

/// Else the property above would be about nothing.
#[tokio::test]
async fn most_odd_accounts_are_valid() {
    let provider = open(Driver::Memory).await;
    let mut runner = TestRunner::deterministic();
    let mut refused = Vec::new();
    for number in 0..300 {
        let user = any_user().new_tree(&mut runner).unwrap().current();
        let username = format!("{number} {}", user.username);
        let user = UserRecord { username, ..user };
        if let Err(error) = admin(&provider).add(user).await {
            refused.push(error.to_string());
        }
    }
    assert!(refused.len() < 60, "{refused:#?}");
}

#[tokio::test]
async fn a_dump_of_many_pages_has_every_account_once() {
    let old = open(Driver::Sqlite).await;
    let mut expected = Vec::new();
    for number in 0..1234 {
        let name = format!("u{}", number * 7919 % 10_007);
        let user = json!({
            "username": name, "home_dir": "/srv/u", "status": 1, "password": "$1$x$y",
            "permissions": { "/": ["*"] },
        });
        let user = UserRecord::from_json(user.to_string().as_bytes()).unwrap();
        expected.push(name);
        old.add_user(&user).await.unwrap();
    }
    expected.sort();
    let users = dump::parse(dumped(&old, false).await.as_bytes()).unwrap();
    let names: Vec<_> = users.into_iter().map(|user| user.username).collect();
    assert_eq!(names, expected);
    old.close().await;
}
