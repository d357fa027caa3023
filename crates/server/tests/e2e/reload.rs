//! SIGHUP with users in memory: their file is read again (reference 5.5).
#![cfg(unix)]

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};
use sftpgo_testkit::{Account, FileClient as _, SshClient, request, until};
use tempfile::TempDir;

use super::running::{Serve, configured};

const FILE: &str = "users.json";

/// A directory whose settings name a dump file.
fn with_users(users: &[Value]) -> TempDir {
    let directory = configured(&json!({
        "data_provider": { "driver": "memory", "name": FILE }
    }));
    write(directory.path(), users);
    directory
}

fn write(directory: &Path, users: &[Value]) {
    let text = json!({ "users": users }).to_string();
    fs::write(directory.join(FILE), text).unwrap();
}

fn user(directory: &Path, name: &str) -> Value {
    Account::new(name).json(&directory.join("homes").join(name))
}

/// Asks for a reload, and waits for what the server says of it.
#[track_caller]
fn reload(serve: &mut Serve) -> String {
    serve.signal(Signal::HUP);
    serve.line_with("asked to reload").unwrap()
}

async fn logs_in(serve: &Serve, name: &str) -> bool {
    let mut client = SshClient::connect(serve.ssh, None).await;
    client.key(name, &Account::key(name)).await
}

async fn record(serve: &Serve, name: &str) -> Value {
    let path = format!("/api/v1/user?username={name}");
    let reply = request(serve.http, "GET", &path, &Value::Null).await;
    reply.json()[0].clone()
}

#[tokio::test]
async fn users_of_the_file_come_and_go_with_a_hang_up_and_counters_stay() {
    let directory = with_users(&[]);
    let at = directory.path();
    write(at, &[user(at, "goes"), user(at, "stays")]);
    let mut serve = Serve::start(at, &[]);
    let mut sftp = serve.sftp("stays").await;
    sftp.put(b"/file", b"12345").await.unwrap();
    until("the upload to be counted", async || {
        record(&serve, "stays").await["used_quota_files"] == 1
    })
    .await;
    let before = record(&serve, "stays").await;
    assert!(!logs_in(&serve, "comes").await);

    let mut changed = user(at, "stays");
    changed["max_sessions"] = 7.into();
    write(at, &[user(at, "comes"), changed]);
    let said = reload(&mut serve);
    assert!(said.contains("the 2 users"), "{said}");

    assert!(logs_in(&serve, "comes").await);
    assert!(!logs_in(&serve, "goes").await);
    let mut after = record(&serve, "stays").await;
    assert_eq!(after["max_sessions"], 7);
    after["max_sessions"] = before["max_sessions"].clone();
    assert_eq!(after, before, "id, used quota and last login are kept");
    // Who was logged in still is.
    assert_eq!(sftp.get(b"/file").await.unwrap(), b"12345");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_leaves_the_users_as_they_were() {
    let directory = with_users(&[]);
    let at = directory.path();
    write(at, &[user(at, "alice")]);
    let mut serve = Serve::start(at, &[]);
    let twice = json!({ "users": [user(at, "bob"), user(at, "bob")] }).to_string();
    let invalid = json!({ "users": [user(at, "bob"), { "username": "carol" }] }).to_string();
    for (text, reason) in [
        ("{\"users\":[", FILE),
        ("", FILE),
        (twice.as_str(), "bob"),
        (invalid.as_str(), "carol"),
    ] {
        fs::write(at.join(FILE), text).unwrap();
        let said = reload(&mut serve);
        assert!(
            said.contains("stay as they were") && said.contains(reason),
            "{said}"
        );
        assert!(logs_in(&serve, "alice").await);
        assert!(!logs_in(&serve, "bob").await);
    }
    fs::remove_file(at.join(FILE)).unwrap();
    assert!(reload(&mut serve).contains("stay as they were"));
    assert!(logs_in(&serve, "alice").await);

    write(at, &[user(at, "alice"), user(at, "bob")]);
    assert!(reload(&mut serve).contains("the 2 users"));
    assert!(logs_in(&serve, "bob").await);
}

#[tokio::test]
async fn a_plain_password_in_the_file_logs_in() {
    let directory = with_users(&[]);
    let at = directory.path();
    let mut alice = user(at, "alice");
    alice["password"] = "plain text".into();
    write(at, &[alice]);
    let serve = Serve::start(at, &[]);
    let mut client = SshClient::connect(serve.ssh, None).await;
    assert!(!client.password("alice", "plain").await);
    assert!(client.password("alice", "plain text").await);
}
