//! Scans of quotas on request (reference 5.6, 11.10; TestQuotaScan, TestMultipleQuotaScans): what they count, and that they
//! are right while clients work.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sftpgo_testkit::{Account, FileClient as _, Response, TestServer, Usage, request, until};
use sftpgo_wire::sftp::OpenFlags;

const CREATE: OpenFlags = OpenFlags(0x02 | 0x08);

async fn post(server: &TestServer, name: &str) -> Response {
    let body = json!({ "username": name });
    request(server.http_address(), "POST", "/api/v1/quota_scan", &body).await
}

/// Whose files are being scanned.
async fn scans(server: &TestServer) -> Vec<String> {
    let listed = request(
        server.http_address(),
        "GET",
        "/api/v1/quota_scan",
        &Value::Null,
    )
    .await;
    assert_eq!(listed.status, 200);
    let listed = listed.json();
    let name = |scan: &Value| scan["username"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(name).collect()
}

/// Starts a scan and waits for its end.
async fn scan(server: &TestServer, name: &str) {
    let reply = post(server, name).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    until("the end of the scan", async || {
        !scans(server).await.iter().any(|listed| listed == name)
    })
    .await;
}

fn write(path: &Path, size: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, vec![b'x'; size]).unwrap();
}

#[tokio::test]
async fn a_scan_finds_the_files_of_an_earlier_account_with_the_same_home() {
    for driver in ["memory", "sqlite"] {
        let server = TestServer::builder().driver(driver).start().await;
        server.add(Account::new("alice")).await;
        let mut sftp = server.sftp("alice").await;
        sftp.put(b"/file", &[1; 65_535]).await.unwrap();
        let there = Usage {
            files: 1,
            bytes: 65_535,
        };
        assert_eq!(server.quota("alice").await, there);
        let id = server.users().by_name("alice").await.unwrap().id;
        server.users().delete(id).await.unwrap();
        server.add(Account::new("alice")).await;
        assert_eq!(server.quota("alice").await, Usage::default());
        scan(&server, "alice").await;
        assert_eq!(server.quota("alice").await, there);
        let user = server.users().by_name("alice").await.unwrap();
        assert!(user.last_quota_update > 0);
    }
}

#[tokio::test]
async fn a_user_has_one_scan_at_a_time_and_others_have_theirs_beside_it() {
    let server = TestServer::start().await;
    for name in ["alice", "bob"] {
        server.add(Account::new(name)).await;
    }
    // A scan with an upload open is not done before the upload is.
    let mut sftp = server.sftp("alice").await;
    let upload = sftp.open_file(b"/file", CREATE).await.unwrap();
    assert_eq!(post(&server, "alice").await.status, 201);
    for _ in 0..3 {
        let second = post(&server, "alice").await;
        let refused =
            "{\"error\":\"\",\"message\":\"Another scan is already in progress\",\"status\":409}\n";
        assert_eq!((second.status, second.body.as_str()), (409, refused));
    }
    drop(server.sftp("bob").await);
    scan(&server, "bob").await;
    assert_eq!(scans(&server).await, ["alice"]);
    sftp.close(&upload).await.unwrap();
    until("the end of the scan", async || {
        scans(&server).await.is_empty()
    })
    .await;
    scan(&server, "alice").await;
}

#[tokio::test]
async fn a_scan_counts_regular_files_in_the_home_and_in_virtual_folders() {
    let server = TestServer::start().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let folders = json!([
        { "virtual_path": "/v", "mapped_path": elsewhere.path().join("v") },
        { "virtual_path": "/missing", "mapped_path": elsewhere.path().join("missing") },
    ]);
    server
        .add(Account::new("alice").with("virtual_folders", folders))
        .await;
    let home = server.home("alice");
    write(&home.join("a"), 10);
    write(&home.join("deep/er/b"), 20);
    // Hidden by the folder of that name, and there all the same.
    write(&home.join("v/c"), 40);
    write(&elsewhere.path().join("v/sub/d"), 80);
    write(&elsewhere.path().join("outside/e"), 160);
    symlink(home.join("a"), home.join("link")).unwrap();
    symlink(elsewhere.path().join("outside"), home.join("out")).unwrap();
    symlink("..", home.join("deep/round")).unwrap();
    fs::hard_link(home.join("a"), home.join("second")).unwrap();
    scan(&server, "alice").await;
    let expected = Usage {
        files: 5,
        bytes: 160,
    };
    assert_eq!(server.quota("alice").await, expected);
    assert!(!elsewhere.path().join("missing").exists());
}

#[tokio::test]
async fn a_home_that_is_not_there_or_cannot_be_scanned_leaves_the_counters() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", b"content").await.unwrap();
    let counted = server.quota("alice").await;
    let home = server.home("alice");
    fs::rename(&home, home.with_extension("gone")).unwrap();
    scan(&server, "alice").await;
    assert_eq!(server.quota("alice").await, counted);
    assert!(!home.exists());
    fs::write(&home, "a file where the home should be").unwrap();
    scan(&server, "alice").await;
    assert_eq!(server.quota("alice").await, counted);
}

async fn scan_with_an_upload_open(mode: u8, (files, bytes): (i64, i64)) {
    let server = TestServer::builder().upload_mode(mode).start().await;
    server.add(Account::new("alice").quota(files, bytes)).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/whole", &[1; 50_000]).await.unwrap();
    let upload = sftp.open_file(b"/part", CREATE).await.unwrap();
    sftp.write(&upload, 0, &[1; 30_000]).await.unwrap();
    // Nobody counted this one.
    write(&server.home("alice").join("uncounted"), 20_000);
    assert_eq!(post(&server, "alice").await.status, 201);
    until("what was not counted is", async || {
        server.quota("alice").await.bytes >= 70_000
    })
    .await;
    sftp.write(&upload, 30_000, &[1; 30_000]).await.unwrap();
    assert_eq!(scans(&server).await, ["alice"]);
    sftp.close(&upload).await.unwrap();
    until("the end of the scan", async || {
        scans(&server).await.is_empty()
    })
    .await;
    let real = Usage {
        files: 3,
        bytes: 130_000,
    };
    assert_eq!(server.usage("alice"), real);
    assert_eq!(
        server.quota("alice").await,
        real,
        "mode {mode}, limit {bytes}"
    );
}

#[tokio::test]
async fn an_upload_that_is_open_during_a_scan_is_counted_once() {
    let limits = [(0, 0), (100, 10_000_000)];
    let cases = limits
        .into_iter()
        .flat_map(|limit| (0..3).map(move |mode| (mode, limit)));
    // Side by side, for a scan waits in between.
    let scans = cases.map(|(mode, limit)| scan_with_an_upload_open(mode, limit));
    futures_util::future::join_all(scans).await;
}

#[tokio::test]
async fn scans_in_the_middle_of_all_kinds_of_changes_leave_the_counters_right() {
    for (files, bytes) in [(0, 0), (1000, 100_000_000)] {
        let server = TestServer::start().await;
        server.add(Account::new("alice").quota(files, bytes)).await;
        let mut clients = Vec::new();
        for number in 0..4 {
            let mut sftp = server.sftp("alice").await;
            clients.push(tokio::spawn(async move {
                let name = |round: usize| format!("/{number}-{}", round % 3).into_bytes();
                for round in 0..60 {
                    sftp.put(&name(round), &vec![1; round * 100]).await.unwrap();
                    if round % 4 == 3 {
                        sftp.remove_file(&name(round)).await.unwrap();
                    }
                    if round % 10 == 9 {
                        let _ = sftp.rename(&name(round), &name(round + 1)).await;
                    }
                }
            }));
        }
        assert_eq!(post(&server, "alice").await.status, 201);
        for client in clients {
            client.await.unwrap();
        }
        until("the end of the scan", async || {
            scans(&server).await.is_empty()
        })
        .await;
        assert_eq!(server.quota("alice").await, server.usage("alice"));
    }
}

#[tokio::test]
async fn a_scan_ends_with_the_server() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    let upload = sftp.open_file(b"/file", CREATE).await.unwrap();
    sftp.write(&upload, 0, b"content").await.unwrap();
    assert_eq!(post(&server, "alice").await.status, 201);
    let begun = Instant::now();
    server.drain(Duration::ZERO).await;
    // A scan that goes on is given up only after ten seconds.
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(server.core().quota_scans().is_empty());
}
