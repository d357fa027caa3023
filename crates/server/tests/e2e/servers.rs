//! Several servers on one database: what one is told holds for all.

use std::time::Duration;

use serde_json::{Value, json};
use sftpgo_testkit::{Account, FileClient as _, Refusal, SshClient, TestServer, until};

/// Two servers on one database.
async fn two() -> (TestServer, TestServer) {
    let first = TestServer::builder().driver("sqlite").start().await;
    let second = TestServer::builder().beside(&first).start().await;
    (first, second)
}

async fn logs_in(server: &TestServer, name: &str) -> bool {
    server.connect().await.key(name, &Account::key(name)).await
}

async fn until_closed(client: &SshClient) {
    until("the end of the connection", async || client.is_closed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_of_a_user_are_counted_on_all_servers() {
    let (first, second) = two().await;
    first
        .add(Account::new("alice").with("max_sessions", 2))
        .await;
    let one = first.login("alice").await;
    let other = second.login("alice").await;
    assert!(!logs_in(&first, "alice").await);
    assert!(!logs_in(&second, "alice").await);
    drop(one);
    until("a free session", async || logs_in(&second, "alice").await).await;
    drop(other);
    until("another one", async || logs_in(&first, "alice").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_at_once_on_several_servers_never_exceed_the_limit() {
    let (first, second) = two().await;
    first
        .add(Account::new("alice").with("max_sessions", 3))
        .await;
    let attempts = (0..12).map(async |number| {
        let server = [&first, &second][number % 2];
        let mut client = server.connect().await;
        let accepted = client.key("alice", &Account::key("alice")).await;
        (accepted, client)
    });
    let clients = futures_util::future::join_all(attempts).await;
    assert_eq!(clients.iter().filter(|(accepted, _)| *accepted).count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_gives_its_sessions_back() {
    let (first, second) = two().await;
    first
        .add(Account::new("alice").with("max_sessions", 1))
        .await;
    let _client = first.login("alice").await;
    assert!(!logs_in(&second, "alice").await);
    first.drain(Duration::ZERO).await;
    assert!(logs_in(&second, "alice").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_disabled_through_one_server_is_disconnected_from_the_other() {
    let (first, second) = two().await;
    first.add(Account::new("alice")).await;
    first.add(Account::new("bob")).await;
    let alice = second.login("alice").await;
    let bob = second.login("bob").await;
    first.change("alice", &json!({ "status": 0 })).await;
    until_closed(&alice).await;
    assert!(!bob.is_closed());
    first
        .users()
        .delete(user_id(&first, "bob").await)
        .await
        .unwrap();
    until_closed(&bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_that_are_changed_through_one_server_hold_on_the_other() {
    let (first, second) = two().await;
    first.add(Account::new("alice")).await;
    let mut sftp = second.sftp("alice").await;
    sftp.put(b"/file", b"content").await.unwrap();
    let list = json!({ "permissions": { "/": ["list"] } });
    first.change("alice", &list).await;
    until("the new rules", async || {
        sftp.remove(b"/nothing").await.unwrap_err().kind == Refusal::Denied
    })
    .await;
    let refused = sftp.remove(b"/file").await.unwrap_err();
    assert_eq!(refused.kind, Refusal::Denied);
    sftp.realpath(b".").await.unwrap();
}

#[tokio::test]
async fn who_may_no_longer_be_logged_in_is_disconnected() {
    let server = TestServer::start().await;
    let elsewhere = server.config_dir();
    let elsewhere = elsewhere.to_str().unwrap();
    let folder = json!([{ "virtual_path": "/more", "mapped_path": elsewhere }]);
    let cases = [
        ("disabled", json!({ "status": 0 })),
        ("expired", json!({ "expiration_date": 1 })),
        ("moved", json!({ "home_dir": elsewhere })),
        ("folder", json!({ "virtual_folders": folder })),
        (
            "denied",
            json!({ "filters": { "denied_ip": ["127.0.0.0/8"] } }),
        ),
        (
            "method",
            json!({ "filters": { "denied_login_methods": ["publickey"] } }),
        ),
        ("removed", Value::Null),
    ];
    server.add(Account::new("stays")).await;
    let stays = server.login("stays").await;
    for (name, change) in cases {
        server.add(Account::new(name)).await;
        // Whether it does something or not.
        let sftp = server.sftp(name).await;
        let idle = server.login(name).await;
        match change {
            Value::Null => {
                let id = user_id(&server, name).await;
                server.users().delete(id).await.unwrap();
            }
            change => server.change(name, &change).await,
        }
        until_closed(sftp.ssh()).await;
        until_closed(&idle).await;
    }
    assert!(!stays.is_closed());
    server
        .change(
            "stays",
            &json!({ "filters": { "denied_login_methods": ["password"] } }),
        )
        .await;
    server
        .change(
            "stays",
            &json!({ "password": "another", "public_keys": [] }),
        )
        .await;
    let change = json!({ "upload_bandwidth": 10 });
    server.change("stays", &change).await;
    assert!(stays.channel().await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_shows_what_all_of_them_have() {
    let (first, second) = two().await;
    first.add(Account::new("alice")).await;
    let _one = first.login("alice").await;
    let _other = second.login("alice").await;
    let _third = second.login("alice").await;
    for server in [&first, &second] {
        let sessions = &server.core().metrics().cluster_sessions;
        until("the sum", async || sessions.value() == 3).await;
    }
}

async fn user_id(server: &TestServer, name: &str) -> i64 {
    server.users().by_name(name).await.unwrap().id
}
