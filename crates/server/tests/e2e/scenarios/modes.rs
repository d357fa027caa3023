//! The three upload modes: what is visible while an upload runs, and what stays of one that failed.
//!
//! Holding a file open needs more than `FileClient`, so these speak SFTP.

use std::fs;

use sftpgo_testkit::{Account, FileClient as _, Refusal, TestServer, until};
use sftpgo_wire::sftp::{OpenFlags, client};

use super::{content, refusal};

const REPLACE: OpenFlags =
    OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0 | OpenFlags::TRUNCATE.0);

async fn server(mode: u8) -> TestServer {
    let server = TestServer::builder().upload_mode(mode).start().await;
    server.add(Account::new("alice")).await;
    server
}

/// Names in the home, temporary files included.
fn names(server: &TestServer) -> Vec<String> {
    let entries = fs::read_dir(server.home("alice")).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.map(|entry| name(entry.unwrap())).collect()
}

async fn failed_uploads(server: &TestServer, count: u64) {
    let failed = &server.core().metrics().uploads.failed;
    until("the end of the upload", async || failed.value() == count).await;
}

#[tokio::test]
async fn a_new_file_is_seen_at_once_in_place_and_at_the_end_otherwise() {
    for mode in 0..3 {
        let server = server(mode).await;
        let mut client = server.sftp("alice").await;
        let mut other = server.sftp("alice").await;
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        client.write(&handle, 0, b"content").await.unwrap();
        assert_eq!(other.get(b"/file").await.is_ok(), mode == 0, "mode {mode}");
        // Through its own handle the client sees it in every mode.
        assert_eq!(client.fstat(&handle).await.unwrap().size, Some(7));
        client.close(&handle).await.unwrap();
        assert_eq!(other.get(b"/file").await.unwrap(), b"content");
        assert_eq!(names(&server), ["file"], "mode {mode}");
    }
}

/// sshfs looks by name as soon as it has a handle, and gives up if there is nothing.
#[tokio::test]
async fn who_uploads_a_file_sees_it_under_its_name_before_others_do() {
    for mode in 0..3 {
        let server = server(mode).await;
        let mut client = server.sftp("alice").await;
        let mut other = server.sftp("alice").await;
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        client.write(&handle, 0, b"content").await.unwrap();
        for path in [&b"/file"[..], b"//./file"] {
            let seen = client.lstat(path).await.unwrap();
            assert_eq!(seen, client.fstat(&handle).await.unwrap());
            assert_eq!(seen, client.stat_attrs(path).await.unwrap());
            assert_eq!(seen.size, Some(7), "mode {mode}");
        }
        // Behind writes that are on their way.
        let write = client.send(|out, id| client::write(out, id, &handle, 7, b"more"));
        let seen = client.lstat(b"/file").await.unwrap();
        assert_eq!(seen.size, Some(11));
        client.reply_to(write).await;
        client.close(&handle).await.unwrap();
        assert_eq!(other.stat(b"/file").await.unwrap().size, 11);
        // Nor is it shown what was there before.
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        assert_eq!(client.stat(b"/file").await.unwrap().size, 0);
        let size = other.stat(b"/file").await.unwrap().size;
        assert_eq!(size, if mode == 0 { 0 } else { 11 });
        client.close(&handle).await.unwrap();
        // Nobody else sees more than there is.
        let handle = client.open_file(b"/new", REPLACE).await.unwrap();
        assert_eq!(other.stat(b"/new").await.is_ok(), mode == 0);
        client.close(&handle).await.unwrap();
        client.remove(b"/new").await.unwrap();
        assert_eq!(refusal(client.stat(b"/new").await), Refusal::NotFound);
    }
}

#[tokio::test]
async fn readers_have_the_old_file_until_an_atomic_upload_ends() {
    for mode in 1..3 {
        let server = server(mode).await;
        let mut client = server.sftp("alice").await;
        let mut other = server.sftp("alice").await;
        client.put(b"/file", b"old").await.unwrap();
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        client.write(&handle, 0, b"new and longer").await.unwrap();
        assert_eq!(other.get(b"/file").await.unwrap(), b"old");
        client.close(&handle).await.unwrap();
        assert_eq!(other.get(b"/file").await.unwrap(), b"new and longer");
        assert_eq!(names(&server), ["file"]);
    }
}

#[tokio::test]
async fn what_stays_of_a_broken_upload_depends_on_the_mode() {
    let expected: [&[&str]; 3] = [&["file"], &[], &["file"]];
    for (mode, expected) in (0..).zip(expected) {
        let server = server(mode).await;
        let mut client = server.sftp("alice").await;
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        client.write(&handle, 0, &content(50_000)).await.unwrap();
        client.vanish();
        failed_uploads(&server, 1).await;
        assert_eq!(names(&server), expected, "mode {mode}");
        if !expected.is_empty() {
            // Resumed, it is whole.
            let mut client = server.sftp("alice").await;
            client
                .append(b"/file", &content(90_000)[50_000..])
                .await
                .unwrap();
            assert!(client.get(b"/file").await.unwrap() == content(90_000));
        }
    }
}

#[tokio::test]
async fn a_broken_overwrite_in_mode_one_leaves_the_old_file() {
    let server = server(1).await;
    let mut client = server.sftp("alice").await;
    client.put(b"/file", b"old").await.unwrap();
    let handle = client.open_file(b"/file", REPLACE).await.unwrap();
    client.write(&handle, 0, b"new").await.unwrap();
    client.vanish();
    failed_uploads(&server, 1).await;
    assert_eq!(fs::read(server.home("alice").join("file")).unwrap(), b"old");
    assert_eq!(names(&server), ["file"]);
}

#[tokio::test]
async fn the_end_of_the_channel_without_a_close_is_a_failed_upload() {
    let server = server(1).await;
    let mut client = server.sftp("alice").await;
    let handle = client.open_file(b"/file", REPLACE).await.unwrap();
    client.write(&handle, 0, b"content").await.unwrap();
    client.send_eof();
    client.finish().await;
    failed_uploads(&server, 1).await;
    assert!(names(&server).is_empty());
}

#[tokio::test]
async fn a_file_that_is_not_truncated_is_changed_in_place_in_every_mode() {
    for mode in 0..3 {
        let server = server(mode).await;
        let mut client = server.sftp("alice").await;
        client.put(b"/file", b"0123456789").await.unwrap();
        let handle = client.open_file(b"/file", OpenFlags::WRITE).await.unwrap();
        client.write(&handle, 3, b"abc").await.unwrap();
        client.close(&handle).await.unwrap();
        assert_eq!(
            client.get(b"/file").await.unwrap(),
            b"012abc6789",
            "mode {mode}"
        );
    }
}

#[tokio::test]
async fn the_longest_name_can_be_uploaded_in_every_mode() {
    for mode in 0..3 {
        let server = server(mode).await;
        let mut client = server.sftp("alice").await;
        let path = [b"/", &[b'n'; 255][..]].concat();
        client.put(&path, b"content").await.unwrap();
        assert_eq!(client.get(&path).await.unwrap(), b"content", "mode {mode}");
        let longer = [b"/", &[b'n'; 256][..]].concat();
        let kind = refusal(client.put(&longer, b"").await);
        assert!(
            matches!(kind, Refusal::Failed | Refusal::BadMessage),
            "{kind:?}"
        );
    }
}
