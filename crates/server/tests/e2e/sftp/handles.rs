//! Open files and directories.

use std::time::{Duration, Instant};

use sftpgo_testkit::{Account, FileClient as _, Refusal, TestServer, until};
use sftpgo_wire::sftp::{OpenFlags, Reply, StatusCode, client};

use super::{Lab, READ, REPLACE, WRITE, refused, size};

#[tokio::test]
async fn an_unknown_handle_is_a_failure_for_every_request() {
    let mut lab = Lab::new().await;
    for handle in [&b""[..], b"x", b"0", &[0; 8], &[255; 256]] {
        refused(lab.sftp.close(handle).await, Refusal::Failed);
        refused(lab.sftp.read(handle, 0, 10).await, Refusal::Failed);
        refused(lab.sftp.write(handle, 0, b"x").await, Refusal::Failed);
        refused(lab.sftp.fstat(handle).await, Refusal::Failed);
        refused(lab.sftp.fsetstat(handle, &size(0)).await, Refusal::Failed);
        refused(lab.sftp.readdir(handle).await, Refusal::Failed);
    }
}

#[tokio::test]
async fn a_closed_handle_is_unknown_and_so_is_one_of_another_session() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"content");
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    let mut other = lab.server.sftp("alice").await;
    refused(other.read(&handle, 0, 10).await, Refusal::Failed);
    lab.sftp.close(&handle).await.unwrap();
    refused(lab.sftp.close(&handle).await, Refusal::Failed);
    // A handle is not used again at once: a late request must not reach another file.
    let next = lab.sftp.open_file(b"/file", READ).await.unwrap();
    assert_ne!(handle, next);
}

#[tokio::test]
async fn a_handle_of_one_kind_does_not_do_for_another() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"content");
    let directory = lab.sftp.opendir(b"/").await.unwrap();
    let reading = lab.sftp.open_file(b"/file", READ).await.unwrap();
    refused(lab.sftp.read(&directory, 0, 10).await, Refusal::Failed);
    refused(lab.sftp.write(&directory, 0, b"x").await, Refusal::Failed);
    refused(lab.sftp.readdir(&reading).await, Refusal::Failed);
    refused(lab.sftp.write(&reading, 0, b"x").await, Refusal::Failed);
    assert_eq!(lab.read_disk("file"), b"content");
}

#[tokio::test]
async fn reads_end_with_the_file() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"0123456789");
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    assert_eq!(
        lab.sftp.read(&handle, 8, 100).await.unwrap().unwrap(),
        b"89"[..]
    );
    assert_eq!(lab.sftp.read(&handle, 10, 100).await.unwrap(), None);
    assert_eq!(lab.sftp.read(&handle, 1 << 62, 100).await.unwrap(), None);
    assert!(lab.sftp.read(&handle, u64::MAX, 100).await.is_err());
    assert_eq!(
        lab.sftp.read(&handle, 3, 4).await.unwrap().unwrap(),
        b"3456"[..]
    );
}

/// Departure: the reference answers a READ on such a handle with a status.
#[tokio::test]
async fn a_file_opened_for_both_is_read_and_written() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"0123456789");
    let handle = lab.sftp.open_file(b"/file", READ | WRITE).await.unwrap();
    lab.sftp.write(&handle, 2, b"ab").await.unwrap();
    assert_eq!(
        lab.sftp.read(&handle, 0, 100).await.unwrap().unwrap(),
        b"01ab456789"[..]
    );
    lab.sftp.close(&handle).await.unwrap();
    assert_eq!(lab.read_disk("file"), b"01ab456789");
}

#[tokio::test]
async fn reading_back_keeps_to_the_bandwidth_of_downloads() {
    let mut lab = Lab::with(Account::new("alice").with("download_bandwidth", 400)).await;
    let handle = lab.sftp.open_file(b"/file", READ | REPLACE).await.unwrap();
    for offset in [0, 200_000] {
        let piece = [b'x'; 200_000];
        lab.sftp.write(&handle, offset, &piece).await.unwrap();
    }
    let start = Instant::now();
    for offset in [0, 200_000] {
        let read = lab.sftp.read(&handle, offset, 200_000).await.unwrap();
        assert_eq!(read.unwrap().len(), 200_000);
    }
    // A second at 400 KB a second, of which some goes at once.
    assert!(start.elapsed() >= Duration::from_millis(500));
    lab.sftp.close(&handle).await.unwrap();
}

/// Two programs that log into one file.
#[tokio::test]
async fn what_two_handles_append_stands_one_behind_the_other() {
    let mut lab = Lab::new().await;
    lab.sftp.put(b"/log", b"begin\n").await.unwrap();
    let appending = WRITE | OpenFlags::APPEND;
    let one = lab.sftp.open_file(b"/log", appending).await.unwrap();
    let mut other = lab.server.sftp("alice").await;
    let two = other.open_file(b"/log", appending).await.unwrap();
    let mut expected = b"begin\n".to_vec();
    for round in 0..20 {
        let (first, second) = (format!("one {round}\n"), format!("two {round}\n"));
        // Each counts from where it believes the end to be.
        lab.sftp.write(&one, 0, first.as_bytes()).await.unwrap();
        other.write(&two, 6, second.as_bytes()).await.unwrap();
        expected.extend_from_slice(first.as_bytes());
        expected.extend_from_slice(second.as_bytes());
    }
    lab.sftp.close(&one).await.unwrap();
    other.close(&two).await.unwrap();
    assert_eq!(lab.read_disk("log"), expected);
    let counted = lab.server.quota("alice").await;
    assert_eq!(counted, lab.server.usage("alice"));
}

#[tokio::test]
async fn reading_back_needs_download() {
    let mut lab = Lab::with(Account::new("alice").permit("/", "list,upload,overwrite")).await;
    let handle = lab.sftp.open_file(b"/file", READ | REPLACE).await.unwrap();
    lab.sftp.write(&handle, 0, b"content").await.unwrap();
    refused(lab.sftp.read(&handle, 0, 100).await, Refusal::Denied);
}

#[tokio::test]
async fn writes_may_come_in_any_order_and_leave_holes() {
    let mut lab = Lab::new().await;
    let handle = lab.sftp.open_file(b"/file", REPLACE).await.unwrap();
    lab.sftp.write(&handle, 6, b"cc").await.unwrap();
    lab.sftp.write(&handle, 0, b"aa").await.unwrap();
    lab.sftp.write(&handle, 2, b"").await.unwrap();
    lab.sftp.close(&handle).await.unwrap();
    assert_eq!(lab.read_disk("file"), b"aa\0\0\0\0cc");
    assert_eq!(lab.server.quota("alice").await.bytes, 8);
}

#[tokio::test]
async fn an_offset_beyond_what_a_file_can_have_is_refused() {
    let mut lab = Lab::new().await;
    let handle = lab.sftp.open_file(b"/file", REPLACE).await.unwrap();
    assert!(lab.sftp.write(&handle, u64::MAX - 1, b"abc").await.is_err());
    // A transfer that failed does not end well.
    assert!(lab.sftp.close(&handle).await.is_err());
}

#[tokio::test]
async fn a_failed_write_fails_the_close_too() {
    let mut lab = Lab::with(Account::new("alice").quota(0, 10)).await;
    let handle = lab.sftp.open_file(b"/file", REPLACE).await.unwrap();
    lab.sftp.write(&handle, 0, b"12345").await.unwrap();
    refused(
        lab.sftp.write(&handle, 5, b"6789012345").await,
        Refusal::Failed,
    );
    refused(lab.sftp.write(&handle, 5, b"6").await, Refusal::Failed);
    refused(lab.sftp.close(&handle).await, Refusal::Failed);
}

#[tokio::test]
async fn a_file_that_is_removed_while_open_can_be_read_to_its_end() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"content");
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    lab.sftp.remove(b"/file").await.unwrap();
    assert_eq!(
        lab.sftp.read(&handle, 0, 100).await.unwrap().unwrap(),
        b"content"[..]
    );
    lab.sftp.close(&handle).await.unwrap();
}

#[tokio::test]
async fn fstat_tells_what_the_handle_holds() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"content");
    lab.make_dir("dir");
    let reading = lab.sftp.open_file(b"/file", READ).await.unwrap();
    lab.write_disk("other", b"longer content");
    lab.sftp.rename(b"/other", b"/file").await.unwrap();
    assert_eq!(lab.sftp.fstat(&reading).await.unwrap().size, Some(7));
    let directory = lab.sftp.opendir(b"/dir").await.unwrap();
    let kind = lab
        .sftp
        .fstat(&directory)
        .await
        .unwrap()
        .permissions
        .unwrap()
        & 0o170_000;
    assert_eq!(kind, 0o040_000);
}

#[tokio::test]
async fn there_is_an_end_to_open_handles() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"");
    let mut handles = Vec::new();
    let refusal = loop {
        match lab.sftp.open_file(b"/file", READ).await {
            Ok(handle) => handles.push(handle),
            Err(refused) => break refused,
        }
        assert!(handles.len() < 5_000, "no limit");
    };
    assert_eq!(refusal.kind, Refusal::Failed);
    assert!(handles.len() >= 100, "{}", handles.len());
    // The session goes on, and a closed handle makes room.
    lab.sftp.close(&handles[0]).await.unwrap();
    lab.sftp.open_file(b"/file", READ).await.unwrap();
}

#[tokio::test]
async fn a_close_waits_for_the_writes_before_it() {
    let mut lab = Lab::new().await;
    let handle = lab.sftp.open_file(b"/file", REPLACE).await.unwrap();
    let block = vec![b'x'; 32_768];
    let mut ids = Vec::new();
    for number in 0..100_u64 {
        ids.push(
            lab.sftp
                .send(|out, id| client::write(out, id, &handle, number * 32_768, &block)),
        );
    }
    ids.push(lab.sftp.send(|out, id| client::close(out, id, &handle)));
    ids.push(lab.sftp.send(|out, id| client::stat(out, id, b"/file")));
    // Answers come in the order of the requests.
    for id in &ids {
        let reply = lab.sftp.reply().await.unwrap();
        assert_eq!(reply.id(), Some(*id));
        match reply {
            Reply::Status { code, .. } => assert_eq!(code, StatusCode::Ok),
            Reply::Attrs { attrs, .. } => assert_eq!(attrs.size, Some(3_276_800)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn requests_behind_a_close_find_no_handle() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"content");
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    let close = lab.sftp.send(|out, id| client::close(out, id, &handle));
    let read = lab
        .sftp
        .send(|out, id| client::read(out, id, &handle, 0, 10));
    assert!(matches!(
        lab.sftp.reply_to(close).await,
        Reply::Status {
            code: StatusCode::Ok,
            ..
        }
    ));
    assert!(matches!(
        lab.sftp.reply_to(read).await,
        Reply::Status {
            code: StatusCode::Failure,
            ..
        }
    ));
}

#[tokio::test]
async fn what_is_left_open_is_let_go_with_the_session() {
    let server = TestServer::start().await;
    let mut lab = Lab::on(server, Account::new("alice")).await;
    lab.write_disk("file", b"content");
    lab.sftp.open_file(b"/file", READ).await.unwrap();
    lab.sftp
        .open_file(b"/new", WRITE | OpenFlags::CREATE)
        .await
        .unwrap();
    lab.sftp.opendir(b"/").await.unwrap();
    lab.sftp.ssh().vanish();
    let core = lab.server.core();
    until("the end of the transfers", async || {
        core.metrics().uploads.failed.value() == 1 && core.metrics().downloads.failed.value() == 1
    })
    .await;
    until("the end of the session", async || {
        core.registry().connections().is_empty()
    })
    .await;
}
