//! Backups: written on the server, listed, restored from there or from a file that is sent.

use std::fs;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Fields, assert_page, post, post_multipart};
use crate::support::{PATIENCE, TestServer};

fn restore(server: &TestServer) -> Fields {
    // Nothing but what the form of the page has.
    let mut fields = Fields::of(server, "");
    for name in [
        "username",
        "home_dir",
        "password",
        "status",
        "expiration_date",
        "permissions",
        "sub_dirs_permissions",
        "fs_provider",
        "uid",
        "gid",
        "max_sessions",
        "quota_size",
        "quota_files",
        "upload_bandwidth",
        "download_bandwidth",
    ] {
        fields = fields.without(name);
    }
    fields.with("mode", "0").with("scan_quota", "0")
}

#[tokio::test]
async fn a_backup_is_written_listed_and_restored_and_never_sent() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    let saved = restore(&server)
        .with("output_file", "one.json")
        .with("indent", "1");
    let reply = post(&server, "/web/backup", &saved).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/web/backup"))
    );
    let dump = fs::read_to_string(server.backups().join("one.json")).unwrap();
    assert!(dump.contains("$argon2id$none"));
    let page = server.get("/web/backup").await;
    assert_page(&page, 200, "Backup");
    assert!(page.body.contains(">one.json</option>") && !page.body.contains("argon2id"));
    assert_eq!(server.get("/static/one.json").await.status, 404);

    server.call("DELETE", "/api/v1/user/1", "").await;
    let wanted = restore(&server).with("backup", "one.json");
    let reply = post(&server, "/web/restore", &wanted).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/web/backup"))
    );
    assert!(server.stored("u").await.is_some());

    server.call("DELETE", "/api/v1/user/2", "").await;
    let reply = post_multipart(
        &server,
        "/web/restore",
        &restore(&server),
        Some(("file", &dump)),
    )
    .await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    assert!(server.stored("u").await.is_some());
}

#[tokio::test]
async fn users_that_are_there_stay_or_become_what_the_backup_says() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    let mut changed = server.user("u");
    changed["quota_files"] = json!(7);
    let dump = json!({"users": [changed]}).to_string();
    for (mode, files) in [("1", 0), ("0", 7)] {
        let fields = restore(&server).with("mode", mode);
        let reply = post_multipart(&server, "/web/restore", &fields, Some(("file", &dump))).await;
        assert_eq!(reply.status, 303, "{}", reply.body);
        assert_eq!(server.stored("u").await.unwrap().quota_files, files);
    }
}

#[tokio::test]
async fn what_cannot_be_restored_is_told_and_changes_nothing() {
    let server = TestServer::start();
    let dump = json!({"users": [server.user("u")]}).to_string();
    let fields = restore(&server);
    for (fields, file) in [
        (fields.clone(), None),
        (fields.clone(), Some("no dump")),
        (fields.clone().with("mode", "2"), Some(dump.as_str())),
        (fields.clone().with("scan_quota", "x"), Some(dump.as_str())),
        (fields.clone().with("backup", "x.json"), Some(dump.as_str())),
        (fields.clone().with("backup", "missing.json"), None),
        (fields.clone().with("backup", "../../etc/x.json"), None),
        (fields.clone().with("backup", "/etc/passwd"), None),
    ] {
        let file = file.map(|file| ("file", file));
        let reply = post_multipart(&server, "/web/restore", &fields, file).await;
        assert_page(&reply, 200, "Backup");
        assert!(reply.body.contains("role=\"alert\""), "{}", reply.body);
    }
    assert_eq!(server.stored("u").await, None);
    for name in ["", "../x.json", "/x.json", "x", "a/b.json"] {
        let reply = post(
            &server,
            "/web/backup",
            &fields.clone().with("output_file", name),
        )
        .await;
        assert_page(&reply, 200, "Backup");
    }
    assert!(!server.backups().exists());
}

/// Each is in memory as a whole.
#[tokio::test]
async fn no_more_than_two_dumps_are_taken_at_a_time() {
    let server = TestServer::start();
    let address = server.address();
    let head = format!(
        "POST /web/restore HTTP/1.1\r\nHost: {address}\r\nContent-Type: multipart/form-data; boundary=X\r\n\
         Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"
    );
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        // It has a place when it is told to go on.
        let mut told = [0; 12];
        stream.read_exact(&mut told).await.unwrap();
        assert_eq!(&told, b"HTTP/1.1 100");
        waiting.push(stream);
    }
    let fields = restore(&server).with("backup", "one.json");
    let reply = post(&server, "/web/restore", &fields).await;
    assert_page(&reply, 503, "Service Unavailable");
    drop(waiting);
    let free = async { while post(&server, "/web/restore", &fields).await.status != 200 {} };
    tokio::time::timeout(PATIENCE, free).await.unwrap();
}

#[tokio::test]
async fn a_dump_that_is_sent_may_be_larger_than_other_forms_and_no_larger_than_a_dump() {
    let server = TestServer::start();
    let dump = json!({"users": [server.user("u")]}).to_string();
    let fields = restore(&server);
    let allowed = format!("{dump}{}", " ".repeat(3 * 1024 * 1024));
    let reply = post_multipart(&server, "/web/restore", &fields, Some(("file", &allowed))).await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    let large = format!("{dump}{}", " ".repeat(10 * 1024 * 1024));
    let reply = post_multipart(&server, "/web/restore", &fields, Some(("file", &large))).await;
    assert_page(&reply, 200, "Backup");
    assert!(reply.body.contains("larger than 10485760 bytes"));
    let larger = "x".repeat(11 * 1024 * 1024);
    let reply = post_multipart(&server, "/web/restore", &fields, Some(("file", &larger))).await;
    assert_page(&reply, 400, "Bad request");
}
