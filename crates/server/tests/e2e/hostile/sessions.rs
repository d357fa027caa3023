//! Sessions that are ended from outside, and those that must not be.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use sftpgo_testkit::{
    Account, FileClient as _, Refusal, Scp, Sftp, TestServer, request, until, within,
};
use sftpgo_wire::sftp::{OpenFlags, client};

use super::{REPLACE, names_in, until_all_left, until_counted};

const IDLE: Duration = Duration::from_millis(800);

/// Closes the only connection as an administrator does.
pub(super) async fn close_the_connection(server: &TestServer) {
    let list = request(
        server.http_address(),
        "GET",
        "/api/v1/connection",
        &Value::Null,
    )
    .await;
    let id = list.json()[0]["connection_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/connection/{id}");
    let reply = request(server.http_address(), "DELETE", &path, &Value::Null).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// A server with that pace for `alice`, and her session.
async fn paced(direction: &str, kilobytes: u32, idle: Option<Duration>) -> (TestServer, Sftp) {
    let mut builder = TestServer::builder().upload_mode(1);
    if let Some(idle) = idle {
        builder = builder.idle_timeout(idle);
    }
    let server = builder.start().await;
    server
        .add(Account::new("alice").with(direction, kilobytes))
        .await;
    let sftp = server.sftp("alice").await;
    (server, sftp)
}

#[tokio::test]
async fn closing_a_connection_ends_its_running_upload_and_cleans_up() {
    let (server, mut sftp) = paced("upload_bandwidth", 1, None).await;
    let handle = sftp.open_file(b"/slow", REPLACE).await.unwrap();
    sftp.send(|out, id| client::write(out, id, &handle, 0, &[b'w'; 100_000]));
    close_the_connection(&server).await;
    until("the end of the connection", async || sftp.ssh().is_closed()).await;
    until_all_left(&server).await;
    until("the end of the clean-up", async || {
        names_in(&server.home("alice")).is_empty()
    })
    .await;
    until_counted(&server, "alice").await;
    let uploads = &server.core().metrics().uploads;
    until("the count of the upload", async || {
        uploads.failed.value() > 0
    })
    .await;
    assert_eq!((uploads.failed.value(), uploads.completed.value()), (1, 0));
}

#[tokio::test]
async fn closing_a_connection_ends_its_running_download() {
    let (server, mut sftp) = paced("download_bandwidth", 1, None).await;
    std::fs::write(server.home("alice").join("big"), [b'b'; 200_000]).unwrap();
    let handle = sftp.open_file(b"/big", OpenFlags::READ).await.unwrap();
    sftp.send(|out, id| client::read(out, id, &handle, 0, 100_000));
    close_the_connection(&server).await;
    until("the end of the connection", async || sftp.ssh().is_closed()).await;
    until_all_left(&server).await;
    until("the end of the download", async || {
        server.core().metrics().downloads.failed.value() == 1
    })
    .await;
}

/// Runs slow work that takes longer than a client may do nothing.
async fn outlasts(work: impl Future<Output = ()>) {
    let begun = tokio::time::Instant::now();
    within("slow work", work).await;
    assert!(begun.elapsed() > 2 * IDLE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_slow_upload_is_not_idle() {
    let (server, mut sftp) = paced("upload_bandwidth", 100, Some(IDLE)).await;
    outlasts(async { sftp.put(b"/slow", &[b'w'; 200_000]).await.unwrap() }).await;
    assert_eq!(server.usage("alice").bytes, 200_000);
    // And when it is over, the session is.
    until("the close of an idle session", async || {
        sftp.ssh().is_closed()
    })
    .await;
    until_all_left(&server).await;
}

#[tokio::test]
async fn a_slow_download_is_not_idle() {
    let (server, mut sftp) = paced("download_bandwidth", 100, Some(IDLE)).await;
    std::fs::write(server.home("alice").join("big"), vec![b'b'; 200_000]).unwrap();
    let handle = sftp.open_file(b"/big", OpenFlags::READ).await.unwrap();
    outlasts(async {
        // One answer that is two seconds on its way.
        let read = sftp.read(&handle, 0, 200_000).await.unwrap();
        assert_eq!(read.map(|data: Bytes| data.len()), Some(200_000));
    })
    .await;
    until("the close of an idle session", async || {
        sftp.ssh().is_closed()
    })
    .await;
    until_all_left(&server).await;
}

/// ProFTPD #1964: slow downloads by SCP were cut off by a timer that did not know of them.
#[tokio::test]
async fn a_slow_scp_is_not_idle_in_either_direction() {
    let server = TestServer::builder()
        .set("sftpd.enabled_ssh_commands", vec!["scp"])
        .idle_timeout(IDLE)
        .start()
        .await;
    let account = Account::new("alice").with("upload_bandwidth", 100);
    server.add(account.with("download_bandwidth", 100)).await;
    let ssh = server.login("alice").await;
    outlasts(async {
        let mut scp = Scp::start(&ssh, "-t /file").await.unwrap();
        scp.agreed(&b""[..]).await;
        scp.agreed("C0644 200000 file\n").await;
        scp.agreed([vec![b'w'; 200_000], vec![0]].concat()).await;
        scp.ends_with(0).await;
    })
    .await;
    outlasts(async {
        let mut scp = Scp::start(&ssh, "-f /file").await.unwrap();
        scp.send(&b"\0"[..]);
        assert_eq!(scp.line().await, b"C0644 200000 file\n");
        scp.send(&b"\0"[..]);
        assert_eq!(scp.take(200_001).await.len(), 200_001);
        scp.send(&b"\0"[..]);
        scp.ends_with(0).await;
    })
    .await;
    until("the close of an idle session", async || ssh.is_closed()).await;
}

#[tokio::test]
async fn a_user_who_is_disabled_logs_in_no_more_and_is_disconnected() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let sftp = server.sftp("alice").await;
    let mut user = request(
        server.http_address(),
        "GET",
        "/api/v1/user?username=alice",
        &Value::Null,
    )
    .await
    .json()[0]
        .clone();
    user["status"] = 0.into();
    let path = format!("/api/v1/user/{}", user["id"]);
    let reply = request(server.http_address(), "PUT", &path, &user).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut client = server.connect().await;
    assert!(!client.key("alice", &Account::key("alice")).await);
    until("the end of the session", async || sftp.ssh().is_closed()).await;
}

#[tokio::test]
async fn a_home_that_is_removed_under_a_session_is_not_found() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    let handle = sftp.open_file(b"/open", REPLACE).await.unwrap();
    std::fs::remove_dir_all(server.home("alice")).unwrap();
    assert_eq!(
        sftp.put(b"/a", b"x").await.unwrap_err().kind,
        Refusal::NotFound
    );
    assert!(sftp.list(b"/").await.is_ok_and(|names| names.is_empty()));
    // The open file is there until it is closed; that its name is gone only a scan of the quota can notice.
    sftp.write(&handle, 0, b"into nothing").await.unwrap();
    sftp.close(&handle).await.unwrap();
}
