//! The SSH layer below: bytes that are no SSH, messages at the wrong time, connections that never log in.

use std::time::Duration;

use bytes::BytesMut;
use serde_json::Value;
use sftpgo_testkit::{Account, FileClient as _, TestServer, until, within};
use sftpgo_wire::sftp::{VERSION, client, packet};
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

/// RFC 4253 section 11.4. The number is that of the packet, counted from the first of the connection: KEXINIT, the key, NEWKEYS,
/// and with strict key exchange from there on.
#[tokio::test]
async fn an_unknown_message_is_answered_with_its_number() {
    let (server, _sftp) = alice().await;
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    let mut number = peer.sent();
    for unknown in [
        8, 19, 22, 31, 49, 51, 52, 60, 79, 83, 89, 101, 127, 192, 255,
    ] {
        let message = Message::new(unknown).string(b"whatever");
        peer.send(&message).await;
        let answer = peer.next(3).await.unwrap();
        assert_eq!(answer[1..], number.to_be_bytes(), "{unknown}");
        number += 1;
    }
    // What is known and says nothing is not answered, and neither is an attempt to log in again.
    peer.send(&Message::new(99).u32(0)).await;
    peer.send(&Message::new(50)).await;
    peer.send(&Message::new(7).u32(0)).await;
    let channel = peer.open(0, 1 << 20).await;
    assert!(peer.subsystem(channel, "sftp").await);
    assert_eq!(peer.sent(), number + 5);
}

#[tokio::test]
async fn an_unknown_message_before_the_login_is_answered_too() {
    let (server, _sftp) = alice().await;
    for service in [false, true] {
        let mut peer = Peer::connect(server.ssh_address()).await;
        if service {
            peer.send(&Message::new(5).string(b"ssh-userauth")).await;
            peer.next(6).await.unwrap();
        }
        for unknown in [8, 22, 49, 62, 79] {
            let number = peer.sent();
            peer.send(&Message::new(unknown)).await;
            let answer = peer.next(3).await.unwrap();
            assert_eq!(answer[1..], number.to_be_bytes());
        }
    }
}

/// RFC 4252 section 6; libssh believed clients that said "you are logged in" (CVE-2018-10933), Erlang served channels
/// (CVE-2025-32433).
#[tokio::test]
async fn what_is_for_later_ends_a_connection_on_which_nobody_is_logged_in() {
    let (server, _sftp) = alice().await;
    let numbers = (80..=100).chain([6, 51, 52, 53, 60, 127, 255]);
    for number in numbers {
        for service in [false, true] {
            let mut peer = Peer::connect(server.ssh_address()).await;
            if service {
                peer.send(&Message::new(5).string(b"ssh-userauth")).await;
                peer.next(6).await.unwrap();
            }
            peer.send(&Message::new(number).u32(0).u32(0)).await;
            let last = within("the end", async {
                let mut last = None;
                while let Some(message) = peer.receive().await {
                    last = Some(message[0]);
                    peer.shut().await;
                }
                last
            })
            .await;
            assert_eq!(last, Some(1), "DISCONNECT for {number}");
        }
    }
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

/// CVE-2025-54804.
#[tokio::test]
async fn a_window_that_overflows_ends_its_connection_and_no_other() {
    let (server, mut sftp) = alice().await;
    for (window, more) in [(u32::MAX, 1), (1, u32::MAX), (u32::MAX, u32::MAX)] {
        let mut peer = Peer::login(server.ssh_address(), "alice").await;
        let channel = peer.open(0, window).await;
        assert!(peer.subsystem(channel, "sftp").await);
        peer.send(&Message::new(93).u32(channel).u32(more)).await;
        peer.rest().await;
        until("the end of the other session", async || {
            server.core().registry().connections().len() == 1
        })
        .await;
    }
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
}

/// As large as it may be, and what clients of 32 bits with a sign open at once (WS_FTP, PuTTY).
#[tokio::test]
async fn a_window_of_any_size_is_served() {
    let (server, _sftp) = alice().await;
    for (window, more) in [
        (0x7fff_ffff, 0x7fff_ffff),
        (0x7fff_ffff, 0x8000_0000),
        (0, u32::MAX),
    ] {
        let mut peer = Peer::login(server.ssh_address(), "alice").await;
        let channel = peer.open(0, window).await;
        peer.send(&Message::new(93).u32(channel).u32(more)).await;
        assert!(peer.subsystem(channel, "sftp").await);
        peer.data(channel, b"\0\0\0\x05\x01\0\0\0\x03").await;
        let version = peer.next(94).await.unwrap();
        assert_eq!(version[13], 2, "VERSION");
    }
}

/// A terminal: six fields and these modes.
fn pty(channel: u32, modes: &[u8]) -> Message {
    let request = Message::new(98).u32(channel).string(b"pty-req").byte(1);
    let sized = request.string(b"xterm").u32(80).u32(24).u32(0).u32(0);
    sized.string(modes)
}

#[tokio::test]
async fn a_terminal_is_refused_whatever_its_modes() {
    let (server, _sftp) = alice().await;
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    let channel = peer.open(0, 1 << 20).await;
    let unknown = [[200, 0, 0, 0, 1], [159, 255, 255, 255, 255]].concat();
    let many = [1, 0, 0, 0, 3].repeat(130);
    for modes in [&b""[..], b"\0", &[1, 0, 0, 0, 3, 0], &unknown, &many] {
        peer.send(&pty(channel, modes)).await;
        assert!(!peer.answered().await);
    }
    assert!(peer.subsystem(channel, "sftp").await, "and SFTP is served");
}

/// Every request is cut at every place, or has something behind its end (SFTPGo 760bf692, russh 7c5659f).
#[tokio::test]
async fn malformed_channel_requests_end_their_connection_and_no_other() {
    let (server, mut sftp) = alice().await;
    let mut malformed = vec![
        // Modes that are cut, that go on behind their end, that are too many.
        pty(0, &[1, 0, 0, 0]),
        pty(0, &[1, 0, 0, 0, 3, 0, 0]),
        pty(0, &[0, 1]),
        pty(0, &[1, 0, 0, 0, 3].repeat(131)),
    ];
    let requests = [
        request(0, b"subsystem", b"sftp"),
        request(0, b"exec", b"pwd"),
        pty(0, &[0]),
    ];
    for whole in requests {
        // Behind the number, the channel and the length of the name.
        for end in [9, 12, whole.0.len() - 5, whole.0.len() - 1] {
            malformed.push(Message(whole.0[..end].to_vec()));
        }
        malformed.push(Message([&whole.0[..], b"x"].concat()));
    }
    for name in [&b"subsystem"[..], b"exec", b"pty-req", b"env"] {
        let request = Message::new(98).u32(0).string(name).byte(1);
        // A string of nearly four gigabytes.
        malformed.push(request.u32(0xffff_fff0).byte(b'x'));
    }
    for mut message in malformed {
        let mut peer = Peer::login(server.ssh_address(), "alice").await;
        let channel = peer.open(0, 1 << 20).await;
        message.0[1..5].copy_from_slice(&channel.to_be_bytes());
        peer.send(&message).await;
        let answers = peer.rest().await;
        assert!(!answers.iter().any(|m| serves_something(m)), "{message:?}");
        assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    }
    until("the end of the other sessions", async || {
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

/// Apache MINA 3.0-M2 sent IGNORE without its string.
#[tokio::test]
async fn what_is_in_an_ignored_message_is_ignored() {
    let (server, _sftp) = alice().await;
    let mut peer = Peer::connect(server.ssh_address()).await;
    let ignored = [
        Message::new(2),
        Message::new(2).byte(1),
        Message::new(2).u32(u32::MAX),
        Message::new(3),
        Message::new(4).byte(1),
    ];
    for message in &ignored {
        peer.send(message).await;
    }
    peer.authenticate("alice").await;
    for message in &ignored {
        peer.send(message).await;
    }
    let channel = peer.open(0, 1 << 20).await;
    assert!(peer.subsystem(channel, "sftp").await);
}

/// What is announced is 64 KiB of data a message, to every client: nobody has to send as much. Some overrun it by their headers
/// (CoreFTP), and 256 KiB are what any message may have.
#[tokio::test]
async fn a_message_may_have_as_much_data_as_is_announced_and_a_little_more() {
    let (server, _sftp) = alice().await;
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    peer.send(
        &Message::new(90)
            .string(b"session")
            .u32(0)
            .u32(1 << 20)
            .u32(32_768),
    )
    .await;
    let opened = peer.next(91).await.unwrap();
    assert_eq!(opened[13..17], 65_536_u32.to_be_bytes());
    let channel = u32::from_be_bytes(opened[5..9].try_into().unwrap());
    assert!(peer.subsystem(channel, "sftp").await);
    let mut out = BytesMut::new();
    client::init(&mut out, VERSION);
    peer.data(channel, &out).await;
    assert_eq!(peer.next(94).await.unwrap()[13], packet::VERSION);
    let mut out = BytesMut::new();
    client::write(&mut out, 7, b"none", 0, &[b'x'; 65_000]);
    let rest = 65_536 + 28 - out.len();
    let mut out = BytesMut::new();
    client::write(&mut out, 7, b"none", 0, &vec![b'x'; 65_000 + rest]);
    assert_eq!(out.len(), 65_536 + 28);
    peer.send(&Message::new(94).u32(channel).string(&out)).await;
    let answer = peer.next(94).await.unwrap();
    assert_eq!(answer[13], packet::STATUS);
}

/// From the first byte to the login (ProFTPD bug 4299), however far the client has come, and no longer.
#[tokio::test]
async fn who_has_not_logged_in_by_the_deadline_is_cut_off() {
    let server = TestServer::builder()
        .login_deadline(Duration::from_secs(3))
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut silent = TcpStream::connect(server.ssh_address()).await.unwrap();
    let mut greeted = Peer::greet(server.ssh_address()).await;
    let mut exchanged = Peer::connect(server.ssh_address()).await;
    let mut asking = Peer::connect(server.ssh_address()).await;
    asking.service().await;
    let mut busy = Peer::connect(server.ssh_address()).await;
    busy.service().await;
    let mut alice = Peer::login(server.ssh_address(), "alice").await;
    // It goes on saying something, which moves no deadline.
    let chatter = until("the end of the busy one", async || {
        busy.send(&Message::new(2).string(b"x")).await;
        busy.is_closed()
    });
    let mut said = Vec::new();
    let read = within("the end of the silent one", silent.read_to_end(&mut said));
    let _ = futures_util::join!(
        chatter,
        read,
        greeted.rest(),
        exchanged.rest(),
        asking.rest()
    );
    // Who is logged in stays.
    let channel = alice.open(0, 1 << 20).await;
    assert!(alice.subsystem(channel, "sftp").await);
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
