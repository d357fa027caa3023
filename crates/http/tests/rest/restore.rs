//! `GET /api/v1/loaddata` (reference 11.9, TestLoaddata, TestLoaddataMode).

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sftpgo_core::CoreSettings;
use sftpgo_core::model::{UnixMillis, UserRecord};
use sftpgo_data::{DataProvider as _, QuotaStore as _, UserStore as _};
use sftpgo_http::HttpLimits;

use crate::support::{PATIENCE, Reply, TestServer};

const RESTORED: &str = "{\"error\":\"\",\"message\":\"Data restored\",\"status\":200}\n";

fn file(server: &TestServer, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = server.homes.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

fn dump(users: &[Value]) -> String {
    json!({ "users": users }).to_string()
}

async fn load(server: &TestServer, path: &std::path::Path, more: &str) -> Reply {
    let path = path.display();
    server
        .get(&format!("/api/v1/loaddata?input_file={path}{more}"))
        .await
}

#[tokio::test]
async fn users_are_added_and_then_updated_and_keep_what_the_server_knows() {
    let server = TestServer::start();
    let mut alice = server.user("alice");
    for (key, value) in [
        ("id", 77),
        ("used_quota_files", 5),
        ("used_quota_size", 6),
        ("last_login", 7),
    ] {
        alice[key] = value.into();
    }
    let path = file(
        &server,
        "dump.json",
        dump(&[alice.clone(), server.user("bob")]),
    );
    let reply = load(&server, &path, "").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, RESTORED));
    let added = server.stored("alice").await.unwrap();
    assert_eq!(added.id, 1, "the id in the file is not taken");
    assert_eq!(
        (
            added.used_quota_files,
            added.used_quota_size,
            added.last_login
        ),
        (0, 0, 0)
    );
    assert_eq!(
        added.password, "$argon2id$none",
        "a hash is stored as it is"
    );

    let at = UnixMillis(9);
    server.provider.set_quota("alice", 1, 2, at).await.unwrap();
    server.provider.set_last_login("alice", at).await.unwrap();
    alice["quota_files"] = 100.into();
    let path = file(&server, "dump.json", dump(&[alice]));
    assert_eq!(load(&server, &path, "&mode=0").await.status, 200);
    let expected = UserRecord {
        quota_files: 100,
        used_quota_files: 1,
        used_quota_size: 2,
        last_quota_update: 9,
        last_login: 9,
        ..added
    };
    assert_eq!(server.stored("alice").await.unwrap(), expected);
    assert!(server.stored("bob").await.is_some(), "nobody is removed");
}

#[tokio::test]
async fn in_mode_1_users_that_exist_stay_as_they_are() {
    let server = TestServer::start();
    let before = server.added(&server.user("alice")).await;
    let mut changed = server.user("alice");
    changed["max_sessions"] = 3.into();
    let path = file(&server, "dump.json", dump(&[changed, server.user("bob")]));
    let reply = load(&server, &path, "&mode=1").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, RESTORED));
    assert_eq!(server.get("/api/v1/user/1").await.json(), before);
    assert!(server.stored("bob").await.is_some());
}

#[tokio::test]
async fn a_dump_of_this_server_restores_it() {
    let server = TestServer::start();
    for name in ["alice", "bob", "café \"☂\" <&>"] {
        server.added(&server.user(name)).await;
    }
    let dumped = server.get("/api/v1/dumpdata?output_file=d&indent=1").await;
    assert_eq!(dumped.status, 200);
    let before = server.get("/api/v1/user").await.json();
    for user in before.as_array().unwrap() {
        let removed = server
            .call("DELETE", &format!("/api/v1/user/{}", user["id"]), "")
            .await;
        assert_eq!(removed.status, 200);
    }
    assert_eq!(
        load(&server, &server.backups().join("d"), "").await.status,
        200
    );
    let mut after = server.get("/api/v1/user").await.json();
    for (user, was) in after
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .zip(before.as_array().unwrap())
    {
        user["id"] = was["id"].clone();
    }
    assert_eq!(after, before);
}

#[tokio::test]
async fn mistakes_in_the_request_are_400_and_change_nothing() {
    let server = TestServer::start();
    let good = file(&server, "good.json", dump(&[server.user("alice")]));
    let good = good.display();
    for query in [
        String::new(),
        "?input_file=".to_owned(),
        "?input_file=good.json".to_owned(),
        "?input_file=../good.json".to_owned(),
        format!("?input_file={good}&scan_quota=a"),
        format!("?input_file={good}&scan_quota=a&mode=1"),
        format!("?input_file={good}&scan_quota=3"),
        format!("?input_file={good}&mode=b"),
        format!("?input_file={good}&mode=2"),
        format!("?input_file={good}x"),
        format!("?input_file={good}/x"),
        format!("?input_file=/{}", "x".repeat(300)),
        format!("?input_file=/{}", "x/".repeat(3000)),
        format!("?input_file={}", server.homes.path().display()),
    ] {
        let reply = server.get(&format!("/api/v1/loaddata{query}")).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.body);
        assert_ne!(reply.error(), "", "{query}");
    }
    assert_eq!(server.get("/api/v1/user").await.body, "[]\n");
}

#[tokio::test]
async fn what_is_no_dump_is_a_400_that_shows_no_value() {
    let server = TestServer::start();
    let alice = server.user("alice").to_string();
    for text in [
        String::new(),
        "not JSON".to_owned(),
        "[]".to_owned(),
        format!("{{\"users\":[{alice}"),
        format!("{{\"users\":[{alice},{{\"username\":\"b\",\"password\":86753}}]}}"),
    ] {
        let path = file(&server, "dump.json", &text);
        let reply = load(&server, &path, "").await;
        assert_eq!(reply.status, 400, "{text}");
        assert!(reply.error().contains("dump.json"), "{}", reply.body);
        assert!(!reply.body.contains("86753"));
    }
    assert_eq!(
        server.get("/api/v1/user").await.body,
        "[]\n",
        "nothing of it was stored"
    );
}

#[tokio::test]
async fn a_file_over_ten_mebibytes_is_a_400_with_its_reason_in_the_message() {
    let server = TestServer::start();
    let path = file(&server, "dump.json", vec![b' '; 11 << 20]);
    let reply = load(&server, &path, "").await;
    assert_eq!((reply.status, reply.error().as_str()), (400, ""));
    let message = reply.json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("larger than 10485760 bytes"), "{message}");
    let mut text = dump(&[server.user("alice")]);
    text.push_str(&" ".repeat(10_485_760 - text.len()));
    let path = file(&server, "dump.json", text);
    assert_eq!(load(&server, &path, "").await.status, 200, "at the limit");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_cannot_be_read_is_a_500() {
    let server = TestServer::start();
    // Even root gets an error from the memory at address 0.
    let reply = load(&server, "/proc/self/mem".as_ref(), "").await;
    assert_eq!(reply.status, 500, "{}", reply.body);
    assert!(reply.error().contains("/proc/self/mem"));
}

#[tokio::test]
async fn the_first_user_that_fails_ends_it_and_those_before_it_stay() {
    let server = TestServer::start();
    let mut bad = server.user("bad");
    bad["home_dir"] = "relative".into();
    let path = file(
        &server,
        "dump.json",
        dump(&[server.user("first"), bad, server.user("last")]),
    );
    let reply = load(&server, &path, "").await;
    assert_eq!(reply.status, 400);
    assert!(
        reply
            .error()
            .starts_with("Validation error: user \"bad\": home_dir"),
        "{}",
        reply.body
    );
    assert!(server.stored("first").await.is_some());
    assert!(server.stored("bad").await.is_none() && server.stored("last").await.is_none());
}

#[tokio::test]
async fn a_secret_in_the_form_of_a_reply_is_refused_and_the_stored_one_stays() {
    let server = TestServer::start();
    let mut user = server.user("alice");
    user["filesystem"] = json!({ "provider": 1, "s3config": {
        "bucket": "b", "region": "r", "access_key": "k", "access_secret": "plain",
    }});
    let shown = server.added(&user).await;
    let stored = server.stored("alice").await.unwrap();
    user["filesystem"] = shown["filesystem"].clone();
    let path = file(&server, "dump.json", dump(&[user]));
    let reply = load(&server, &path, "").await;
    assert_eq!(reply.status, 400);
    assert!(reply.error().contains("access_secret"), "{}", reply.body);
    assert_eq!(server.stored("alice").await.unwrap(), stored);
}

#[tokio::test]
async fn without_management_of_users_nothing_is_restored_and_dumps_are_written() {
    let settings = CoreSettings {
        manage_users: false,
        ..CoreSettings::default()
    };
    let server = TestServer::with(settings, HttpLimits::default());
    let path = file(&server, "dump.json", dump(&[server.user("alice")]));
    let reply = load(&server, &path, "").await;
    assert_eq!(reply.status, 403);
    assert!(
        reply.error().starts_with("Method disabled error: "),
        "{}",
        reply.body
    );
    assert_eq!(
        server.get("/api/v1/dumpdata?output_file=x").await.status,
        200
    );
}

#[tokio::test]
async fn a_closed_provider_is_a_500_for_a_restore_too() {
    let server = TestServer::start();
    let path = file(&server, "dump.json", dump(&[server.user("alice")]));
    server.provider.close().await;
    assert_eq!(load(&server, &path, "").await.status, 500);
}

/// Waits until no scan is under way.
async fn scanned(server: &TestServer) {
    let begun = Instant::now();
    while server.get("/api/v1/quota_scan").await.body != "[]\n" {
        assert!(begun.elapsed() < PATIENCE, "the scans do not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn used(server: &TestServer, name: &str) -> i64 {
    server.stored(name).await.unwrap().used_quota_files
}

#[tokio::test]
async fn scans_follow_for_whom_they_are_asked() {
    for (scan_quota, expected) in [(0, (0, 0, 0)), (1, (1, 1, 0)), (2, (0, 1, 0))] {
        let server = TestServer::start();
        let users = ["unlimited", "limited", "kept"].map(|name| {
            let home = server.homes.path().join(name);
            fs::create_dir(&home).unwrap();
            fs::write(home.join("file"), "content").unwrap();
            let mut user = server.user(name);
            user["quota_size"] = if name == "limited" { 1000 } else { 0 }.into();
            user
        });
        server.added(&users[2]).await;
        let path = file(&server, "dump.json", dump(&users));
        let reply = load(&server, &path, &format!("&mode=1&scan_quota={scan_quota}")).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let counted = async || {
            (
                used(&server, "unlimited").await,
                used(&server, "limited").await,
                used(&server, "kept").await,
            )
        };
        let begun = Instant::now();
        while counted().await != expected {
            assert!(
                begun.elapsed() < PATIENCE,
                "{scan_quota}: {:?}",
                counted().await
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scanned(&server).await;
        assert_eq!(counted().await, expected, "{scan_quota}");
    }
}

#[tokio::test]
async fn a_web_page_elsewhere_can_neither_dump_nor_restore() {
    let server = TestServer::start();
    let address = server.address();
    let path = file(&server, "dump.json", dump(&[server.user("mallory")]));
    let targets = [
        "/api/v1/dumpdata?output_file=x".to_owned(),
        format!("/api/v1/loaddata?input_file={}", path.display()),
    ];
    for target in &targets {
        for headers in [
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Site: same-site",
            "Origin: http://evil.example",
            "Origin: null",
            "User-Agent: Mozilla/5.0",
            "User-Agent: Mozilla/5.0\r\nReferer: http://evil.example/",
        ] {
            for method in ["GET", "HEAD"] {
                let request = format!(
                    "{method} {target} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\nConnection: close\r\n\r\n"
                );
                let reply = server.raw(request.as_bytes()).await;
                assert_eq!(reply.status, 403, "{request}");
            }
        }
        let other_spelling = target.replace("data?", "d%61ta?");
        assert_eq!(server.get(&other_spelling).await.status, 404);
        let doubled = target.replace("/api", "//api");
        assert_eq!(server.get(&doubled).await.status, 404);
    }
    assert!(!server.backups().exists());
    assert_eq!(server.get("/api/v1/user").await.body, "[]\n");
}

#[tokio::test]
async fn a_restore_that_takes_longer_than_a_request_goes_on() {
    let server = TestServer::with_limits(HttpLimits {
        handling: Duration::from_millis(20),
        ..HttpLimits::default()
    });
    // Each plain password takes a while to be hashed.
    let users: Vec<Value> = (0..4)
        .map(|number| {
            let mut user = server.user(&format!("user{number}"));
            user["password"] = "plain".into();
            user
        })
        .collect();
    let path = file(&server, "dump.json", dump(&users));
    let reply = load(&server, &path, "").await;
    assert_eq!(reply.status, 503);
    assert!(reply.error().contains("goes on"), "{}", reply.body);
    let begun = Instant::now();
    while server.stored("user3").await.is_none() {
        assert!(begun.elapsed() < PATIENCE, "it was given up");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_a_restore_between_two_users() {
    let server = TestServer::with_limits(HttpLimits {
        handling: Duration::from_millis(20),
        ..HttpLimits::default()
    });
    let users: Vec<Value> = (0..2000)
        .map(|number| {
            let mut user = server.user(&format!("user{number}"));
            user["password"] = "plain".into();
            user
        })
        .collect();
    let path = file(&server, "dump.json", dump(&users));
    assert_eq!(load(&server, &path, "").await.status, 503);
    let begun = Instant::now();
    server.core.stop(PATIENCE).await;
    assert!(begun.elapsed() < PATIENCE / 2);
}
