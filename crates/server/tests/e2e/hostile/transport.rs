//! The SSH layer below: bytes that are no SSH, messages at the wrong time, connections that never log in.

use std::time::Duration;

use serde_json::Value;
use sftpgo_testkit::{Account, FileClient as _, TestServer, until, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::running::{Serve, add_user, configured};
use super::peer::{Message, Peer, kex_init, request};
use super::{alice, until_all_left};

/// Sends bytes that are no SSH to the program, and reads until it ends the connection.
async fn refused(serve: &Serve, bytes: &[u8]) {
    let mut stream = TcpStream::connect(serve.ssh).await.unwrap();
    // It may end the connection at any of them.
    let _ = within("room in the socket", stream.write_all(bytes)).await;
    let mut said = Vec::new();
    let shown = String::from_utf8_lossy(&bytes[..40]).into_owned();
    let _ = within(&shown, stream.read_to_end(&mut said)).await;
    assert!(said.starts_with(b"SSH-2.0-") || said.is_empty());
}

#[tokio::test]
async fn what_is_no_ssh_is_cut_off_and_costs_nothing() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let serve = Serve::start(directory.path(), &[]);
    let before = serve.peak_kilobytes();
    let greeting = b"SSH-2.0-x\r\n";
    let attacks: [Vec<u8>; 7] = [
        // A megabyte of banner: one line, and many.
        vec![b'b'; 1 << 20],
        b"line\r\n".repeat(1 << 18),
        [b"SSH-2.0-", &vec![b'v'; 1 << 20][..]].concat(),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000),
        // A first packet of nearly four gigabytes (CVE-2024-43410), of none, and of noise.
        [&greeting[..], &[0xff, 0xff, 0xff, 0xf0], &[0; 1 << 16]].concat(),
        [&greeting[..], &[0; 64]].concat(),
        [
            &greeting[..],
            &(0..=255).rev().collect::<Vec<u8>>().repeat(256),
        ]
        .concat(),
    ];
    for bytes in attacks {
        refused(&serve, &bytes).await;
    }
    let grown = serve.peak_kilobytes() - before;
    assert!(grown < 16 * 1024, "{grown} KiB more");
    let mut sftp = serve.sftp("alice").await;
    sftp.put(b"/a", b"x").await.unwrap();
}

#[tokio::test]
async fn connections_that_never_log_in_have_a_limit_and_give_their_places_back() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let serve = Serve::start(directory.path(), &[]);
    let mut open = Vec::new();
    let mut cut = 0;
    for _ in 0..300 {
        let mut stream = TcpStream::connect(serve.ssh).await.unwrap();
        // Greeted or cut off at once.
        let mut first = [0; 4];
        match within("an answer", stream.read_exact(&mut first)).await {
            Ok(_) => open.push(stream),
            Err(_) => cut += 1,
        }
    }
    assert_eq!((open.len(), cut), (256, 44));
    drop(open);
    until("a free place", async || {
        let mut stream = TcpStream::connect(serve.ssh).await.unwrap();
        stream.read_exact(&mut [0; 4]).await.is_ok()
    })
    .await;
    serve.sftp("alice").await.put(b"/a", b"x").await.unwrap();
}

/// Messages that mean something only later: requests, channels, and answers that only a server gives.
fn too_early() -> Vec<Message> {
    let session = Message::new(90).string(b"session");
    vec![
        Message::new(80).string(b"tcpip-forward").byte(1),
        session.u32(0).u32(1 << 20).u32(32_768),
        request(0, b"subsystem", b"sftp"),
        request(0, b"exec", b"id"),
        Message::new(94).u32(0).string(b"\0\0\0\x05\x01\0\0\0\x03"),
        Message::new(93).u32(0).u32(u32::MAX),
        Message::new(97).u32(0),
        Message::new(81),
        Message::new(91).u32(0).u32(0).u32(1).u32(1),
        Message::new(99).u32(0),
        // "You are logged in" (CVE-2018-10933), "you are not", "that key will do".
        Message::new(52),
        Message::new(51).string(b"password").byte(1),
        Message::new(60).string(b"ssh-ed25519").string(b"key"),
        Message::new(61).u32(u32::MAX),
        Message::new(255),
    ]
}

fn serves_something(message: &[u8]) -> bool {
    // A login, a channel, a success in a channel or beside it, or data.
    matches!(message[0], 52 | 81 | 91 | 94 | 99)
}

#[tokio::test]
async fn nothing_is_served_before_the_keys_are_exchanged() {
    let (server, _sftp) = alice().await;
    for message in too_early() {
        let mut peer = Peer::greet(server.ssh_address()).await;
        peer.send(&message).await;
        peer.send(&kex_init()).await;
        peer.shut().await;
        assert!(!peer.rest().await.iter().any(|m| serves_something(m)));
    }
}

#[tokio::test]
async fn nothing_is_served_before_the_login() {
    let (server, sftp) = alice().await;
    for message in too_early() {
        for service in [false, true] {
            let mut peer = Peer::connect(server.ssh_address()).await;
            if service {
                peer.send(&Message::new(5).string(b"ssh-userauth")).await;
                peer.next(6).await.unwrap();
            }
            peer.send(&message).await;
            // A session at once, should the message have opened the door.
            let session = Message::new(90).string(b"session");
            peer.send(&session.u32(0).u32(1 << 20).u32(32_768)).await;
            peer.shut().await;
            let answers = peer.rest().await;
            let number = message.0[0];
            assert!(
                !answers.iter().any(|m| serves_something(m)),
                "{number}: {answers:?}"
            );
        }
    }
    assert_eq!(server.core().registry().connections().len(), 1);
    drop(sftp);
    until_all_left(&server).await;
}

#[tokio::test]
async fn messages_for_channels_that_do_not_exist_harm_nobody() {
    let (server, mut sftp) = alice().await;
    let messages = [
        Message::new(93).u32(999).u32(u32::MAX),
        Message::new(94).u32(999).string(b"data"),
        Message::new(95).u32(999).u32(1).string(b"data"),
        Message::new(96).u32(999),
        Message::new(97).u32(999),
        request(999, b"subsystem", b"sftp"),
        request(u32::MAX, b"exec", b"id"),
        Message::new(99).u32(999),
    ];
    for message in messages {
        let mut peer = Peer::login(server.ssh_address(), "alice").await;
        peer.send(&message).await;
        peer.shut().await;
        let answers = peer.rest().await;
        assert!(!answers.iter().any(|m| serves_something(m)), "{answers:?}");
    }
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
}

#[tokio::test]
async fn a_window_that_overflows_harms_nobody() {
    let (server, mut sftp) = alice().await;
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    let channel = peer.open(0, u32::MAX).await;
    assert!(peer.subsystem(channel, "sftp").await);
    for _ in 0..3 {
        peer.send(&Message::new(93).u32(channel).u32(u32::MAX))
            .await;
    }
    peer.shut().await;
    peer.rest().await;
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    until("the end of the other session", async || {
        server.core().registry().connections().len() == 1
    })
    .await;
}

#[tokio::test]
async fn answers_nobody_asked_for_and_pings_harm_nobody() {
    let (server, mut sftp) = alice().await;
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    for _ in 0..10_000 {
        peer.send(&Message::new(81)).await;
        peer.send(&Message::new(82)).await;
        peer.send(&Message::new(2).string(b"ignored")).await;
    }
    let channel = peer.open(0, 1 << 20).await;
    assert!(peer.subsystem(channel, "sftp").await);
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
}

#[tokio::test]
async fn a_login_cannot_be_changed_by_a_later_one() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    server.add(Account::new("bob")).await;
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    let again = Message::new(50)
        .string(b"bob")
        .string(b"ssh-connection")
        .string(b"password")
        .byte(0)
        .string(sftpgo_testkit::PASSWORD.as_bytes());
    peer.send(&again).await;
    let channel = peer.open(0, 1 << 20).await;
    assert!(peer.subsystem(channel, "sftp").await);
    until("the session", async || {
        !server.core().registry().connections().is_empty()
    })
    .await;
    let connections = server.core().registry().connections();
    assert_eq!(connections[0].username, "alice");
}

#[tokio::test]
async fn a_server_that_stops_waits_for_no_half_open_connection() {
    let server = TestServer::start().await;
    let silent = TcpStream::connect(server.ssh_address()).await.unwrap();
    let greeted = Peer::greet(server.ssh_address()).await;
    let unknown = Peer::connect(server.ssh_address()).await;
    server.drain(Duration::from_millis(50)).await;
    drop((silent, greeted, unknown));
}
