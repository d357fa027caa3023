//! Clients that break the protocol, or try to make it cost too much.

use std::fs;

use sftpgo_testkit::{Account, until};

use super::{Scene, names_in, put_file};

#[tokio::test]
async fn what_is_no_record_ends_the_channel_at_once() {
    let scene = Scene::plain().await;
    for bytes in [
        &b"X0644 5 f\n"[..],
        b"X",
        b"\0",
        b"\n",
        b"hello",
        b"C0644 f\n",
        b"C 5 f\n",
        b"C0644 -5 f\n",
        b"C0644 9223372036854775808 f\n",
        b"C0644 18446744073709551616 f\n",
        b"C0644 0x10 f\n",
        b"T garbage\n",
        b"T1 2 3 4 5\n",
        b"E0\n",
        b"E\n",
    ] {
        let mut scp = scene.sink("-r -t /").await;
        let (error, fatal) = scp.refused(bytes).await;
        assert!(fatal && error.starts_with("scp: protocol error"), "{error}");
        scp.ends_with(1).await;
    }
    assert!(names_in(&scene.home()).is_empty());
}

/// A client that was not asked for a tree does not send one.
#[tokio::test]
async fn a_directory_that_was_not_asked_for_ends_the_channel() {
    let scene = Scene::plain().await;
    let mut scp = scene.sink("-t /").await;
    let (error, fatal) = scp.refused("D0755 0 d\n").await;
    assert!(fatal && error.contains("without -r"), "{error}");
    scp.ends_with(1).await;
    assert!(names_in(&scene.home()).is_empty());
}

#[tokio::test]
async fn a_line_without_end_is_cut_off_at_once() {
    let scene = Scene::plain().await;
    for first in ["C", "T", "D", "\x01"] {
        let mut scp = scene.sink("-r -t /").await;
        for _ in 0..16 {
            scp.send(first.repeat(1000));
        }
        let (error, fatal) = scp.refused(&b""[..]).await;
        assert!(fatal && error.contains("too long"), "{error}");
        assert_eq!(scp.rest().await, (Vec::new(), Some(1)));
    }
    // The connection goes on.
    scene.put("f", b"x").await.unwrap();
}

#[tokio::test]
async fn a_gigabyte_of_line_costs_nothing() {
    let scene = Scene::plain().await;
    let mut scp = scene.scp("-t /").await;
    let before = resident();
    let block = bytes::Bytes::from(vec![b'C'; 1 << 20]);
    for _ in 0..1024 {
        scp.send(block.clone());
    }
    let (answer, status) = scp.rest().await;
    assert_eq!(answer.first(), Some(&0));
    assert_eq!((answer.get(1), status), (Some(&2), Some(1)));
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
    scene.put("f", b"x").await.unwrap();
}

/// Bytes of memory of this process, which is the server too.
fn resident() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[tokio::test]
async fn directories_within_each_other_are_bounded() {
    let scene = Scene::plain().await;
    let mut scp = scene.sink("-r -t /").await;
    for _ in 0..256 {
        scp.agreed("D0755 0 d\n").await;
    }
    let (error, fatal) = scp.refused("D0755 0 d\n").await;
    assert!(error.contains("too many directories") && !fatal, "{error}");
    for _ in 0..256 {
        scp.agreed("E\n").await;
    }
    put_file(&mut scp, "f", b"x").await.unwrap();
    scp.ends_with(1).await;
    // Nor does a path that is too long for the disk do any harm.
    let mut scp = scene.sink("-r -t /").await;
    let name = "n".repeat(255);
    for _ in 0..15 {
        scp.agreed(format!("D0755 0 {name}\n")).await;
    }
    let (error, fatal) = scp.refused(format!("D0755 0 {name}\n")).await;
    assert!(error.contains("Invalid path") && !fatal, "{error}");
    let (error, _) = scp.refused(format!("C0644 0 {}\n", "n".repeat(256))).await;
    assert!(error.contains("Invalid path"), "{error}");
}

#[tokio::test]
async fn an_input_that_ends_too_early_is_a_failure() {
    let scene = Scene::plain().await;
    for bytes in [
        &b"C0644 5 f"[..],
        b"C0644 5 f\n",
        b"C0644 5 f\nhel",
        b"C0644 5 f\nhello\x01no",
        b"D0755 0 d\n",
        b"T1 0 1 0\nC",
    ] {
        let mut scp = scene.sink("-r -t /").await;
        scp.send(bytes);
        scp.eof();
        let (answer, status) = scp.rest().await;
        assert_eq!(status, Some(1));
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.contains("the input ends"), "{text:?}");
    }
    until("the end of the transfers", async || {
        let connections = scene.server.core().registry().connections();
        connections
            .iter()
            .all(|connection| connection.transfer_count() == 0)
    })
    .await;
    assert_eq!(scene.server.core().metrics().uploads.completed.value(), 0);
    // A download whose client says nothing more, too.
    fs::write(scene.disk("whole"), b"x").unwrap();
    for bytes in [&b""[..], b"\0", b"\0\0\x01no"] {
        let mut scp = scene.scp("-f whole").await;
        scp.send(bytes);
        scp.eof();
        assert_eq!(scp.rest().await.1, Some(1));
    }
}

#[tokio::test]
async fn a_client_that_copies_one_file_and_leaves_need_not_say_that_all_is_well() {
    let scene = Scene::of(super::builder().upload_mode(1), Account::new("alice")).await;
    let mut scp = scene.sink("-pt /f").await;
    scp.agreed("T1000000000 0 1000000000 0\n").await;
    scp.agreed("C0644 5 f\n").await;
    scp.send(&b"hello"[..]);
    scp.eof();
    assert_eq!(scp.rest().await, (vec![0], Some(0)));
    assert_eq!(fs::read(scene.disk("f")).unwrap(), b"hello");
    let mut scp = scene.source("-f f").await;
    assert_eq!(scp.line().await, b"C0644 5 f\n");
    scp.send(&b"\0"[..]);
    assert_eq!(scp.take(5).await, b"hello");
    scp.eof();
    assert_eq!(scp.rest().await, (vec![0], Some(0)));
    let metrics = scene.server.core().metrics();
    assert_eq!(metrics.uploads.completed.value(), 1);
    assert_eq!(metrics.downloads.completed.value(), 1);
    assert_eq!(metrics.ssh_command_errors.value(), 0);
}

#[tokio::test]
async fn a_file_that_is_longer_than_announced_ends_the_channel_and_is_not_kept() {
    let scene = Scene::of(super::builder().upload_mode(1), Account::new("alice")).await;
    let mut scp = scene.sink("-t /").await;
    scp.agreed("C0644 5 f\n").await;
    let (error, fatal) = scp.refused(&b"hello, this is too much"[..]).await;
    assert!(fatal && error.contains("protocol error"), "{error}");
    scp.ends_with(1).await;
    super::ending::until_failed_uploads(&scene.server, 1).await;
    assert!(names_in(&scene.home()).is_empty());
}

#[tokio::test]
async fn an_upload_of_an_impossible_size_costs_what_arrives() {
    let scene = Scene::of(super::builder().upload_mode(1), Account::new("alice")).await;
    let mut scp = scene.sink("-t /").await;
    scp.agreed("C0644 9223372036854775807 f\n").await;
    for _ in 0..4 {
        scp.send(vec![b'x'; 500_000]);
    }
    scp.eof();
    let (answer, status) = scp.rest().await;
    assert_eq!((answer.first(), status), (Some(&2), Some(1)));
    super::ending::until_failed_uploads(&scene.server, 1).await;
    assert!(names_in(&scene.home()).is_empty());
}

#[tokio::test]
async fn a_client_that_sends_where_it_should_listen_is_cut_off() {
    let scene = Scene::plain().await;
    fs::File::create(scene.disk("large"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let mut scp = scene.source("-f large").await;
    scp.send(&b"\0"[..]);
    for _ in 0..200 {
        scp.send(vec![0; 10_000]);
    }
    let (answer, status) = scp.rest().await;
    assert_eq!(status, Some(1));
    assert!(
        answer.len() < 1 << 29,
        "{} bytes were sent all the same",
        answer.len()
    );
    for bytes in [&b"x"[..], b"C0644 5 f\n", b"\n"] {
        let mut scp = scene.scp("-f large").await;
        scp.send(bytes);
        assert_eq!(scp.take(1).await, b"\x02");
        assert_eq!(scp.rest().await.1, Some(1));
    }
}
