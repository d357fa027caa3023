//! What nobody has to log in for: floods, endless exchanges of keys, services that do not exist, silence.

use std::time::Duration;

use sftpgo_testkit::{Account, FileClient as _, TestServer, until};

use super::floods::program;
use super::peer::{Message, Peer};
use super::{alice, until_all_left};

/// How a connection has to be ended by the server: with this as its last word.
async fn disconnected(peer: &mut Peer) -> u32 {
    let last = peer.rest().await.pop().unwrap();
    assert_eq!(last[0], 1, "DISCONNECT");
    u32::from_be_bytes(last[1..5].try_into().unwrap())
}

const PROTOCOL_ERROR: u32 = 2;
const SERVICE_NOT_AVAILABLE: u32 = 7;

async fn served(server: &TestServer) -> Peer {
    let mut peer = Peer::connect(server.ssh_address()).await;
    peer.service().await;
    peer
}

/// Sends copies of a message until the server goes, and no more than so many.
async fn flood(peer: &mut Peer, message: &Message, most: usize) {
    for _ in 0..most {
        peer.send(message).await;
    }
    assert_eq!(disconnected(peer).await, PROTOCOL_ERROR);
}

/// OpenSSH bounds it too, since 2026 (ca313fef2): what is ignored costs as well.
#[tokio::test]
async fn who_sends_too_much_before_the_login_is_cut_off() {
    let (server, mut sftp) = alice().await;
    let ignored = |length: usize| Message::new(2).string(&vec![b'x'; length]);
    // Packets, and bytes.
    flood(&mut served(&server).await, &ignored(0), 1_001).await;
    flood(&mut served(&server).await, &ignored(60_000), 20).await;
    // Before the keys are exchanged there is no other measure.
    let mut peer = Peer::greet(server.ssh_address()).await;
    flood(&mut peer, &ignored(0), 1_001).await;
    // As many attempts as anybody needs are served.
    let mut peer = served(&server).await;
    for _ in 0..500 {
        peer.send(&ignored(10)).await;
    }
    peer.authenticate("alice").await;
    // And whoever is logged in sends as much as they like.
    flood_after_login(&mut peer, &ignored(2_000)).await;
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    drop((peer, sftp));
    until_all_left(&server).await;
}

async fn flood_after_login(peer: &mut Peer, message: &Message) {
    for _ in 0..1_500 {
        peer.send(message).await;
    }
    peer.open(0, 1 << 20).await;
}

/// Each costs the server more than the client.
#[tokio::test]
async fn keys_are_not_exchanged_for_ever_before_the_login() {
    let (server, _sftp) = alice().await;
    let mut peer = served(&server).await;
    for _ in 0..3 {
        peer.exchange_keys(None).await;
    }
    peer.begin_exchange().await;
    assert_eq!(disconnected(&mut peer).await, PROTOCOL_ERROR);

    // After the login they are.
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    for _ in 0..20 {
        peer.exchange_keys(None).await;
    }
    peer.open(0, 1 << 20).await;
}

/// Memory is taken for a packet before it comes: before the login, no more than a login can need.
#[tokio::test]
async fn a_packet_before_the_login_has_64_kib_at_most() {
    let (server, _sftp) = alice().await;
    let mut peer = Peer::greet(server.ssh_address()).await;
    peer.send_raw(&65_536_u32.to_be_bytes()).await;
    // It waits for the rest.
    assert!(!peer.is_closed());
    for length in [65_537_u32, 262_144, 0xffff_fff0, u32::MAX] {
        let mut peer = Peer::greet(server.ssh_address()).await;
        peer.send_raw(&length.to_be_bytes()).await;
        peer.rest().await;
        // Encrypted too, where the length is in the clear.
        let mut peer = served(&server).await;
        peer.send_raw(&length.to_be_bytes()).await;
        peer.rest().await;
    }
}

#[tokio::test]
async fn connections_that_announce_large_packets_cost_little() {
    const CONNECTIONS: usize = 200;
    let (_directory, serve) = program(Account::new("alice")).await;
    serve.login("alice").await;
    let before = serve.peak_kilobytes();
    let mut peers = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut peer = Peer::greet(serve.ssh).await;
        peer.next(20).await.unwrap();
        peer.send_raw(&65_000_u32.to_be_bytes()).await;
        peers.push(peer);
    }
    // Whoever comes behind them is served behind them.
    serve.login("alice").await;
    let each = (serve.peak_kilobytes() - before) / CONNECTIONS as u64;
    assert!(each < 160, "{each} KiB each");
}

/// OpenSSH answered them and queued the answers (CVE-2025-26466).
#[tokio::test]
async fn pings_before_the_login_and_in_an_exchange_of_keys_cost_nothing() {
    let (_directory, serve) = program(Account::new("alice")).await;
    serve.login("alice").await;
    let before = serve.peak_kilobytes();
    for step in 0..4 {
        let mut peer = match step {
            0 => Peer::greet(serve.ssh).await,
            _ => Peer::connect(serve.ssh).await,
        };
        if step > 1 {
            peer.service().await;
        }
        if step == 3 {
            peer.begin_exchange().await;
        }
        let ping = Message::new(192).string(&[b'p'; 1000]);
        let many: Vec<u8> = (0..1_000).flat_map(|_| peer.packet(&ping.0)).collect();
        // A thousand times a thousand; the server is gone after the first.
        for _ in 0..1_000 {
            peer.send_raw(&many).await;
            if peer.is_closed() {
                break;
            }
        }
        peer.rest_of_bytes().await;
    }
    let grown = serve.peak_kilobytes() - before;
    assert!(grown < 16 * 1024, "{grown} KiB more");
    serve.sftp("alice").await.put(b"/a", b"x").await.unwrap();
}

/// Answers to what nobody knows were queued while keys were exchanged, which a client could go on with for ever.
#[tokio::test]
async fn unknown_messages_in_an_exchange_of_keys_are_not_answered_for_ever() {
    let (_directory, serve) = program(Account::new("alice")).await;
    let before = serve.peak_kilobytes();
    for logged_in in [false, true] {
        let mut peer = if logged_in {
            Peer::login(serve.ssh, "alice").await
        } else {
            let mut peer = Peer::connect(serve.ssh).await;
            peer.service().await;
            peer
        };
        peer.begin_exchange().await;
        let many: Vec<u8> = (0..1_000).flat_map(|_| peer.packet(&[8])).collect();
        for _ in 0..1_000 {
            peer.send_raw(&many).await;
            if peer.is_closed() {
                break;
            }
        }
        peer.rest_of_bytes().await;
    }
    let grown = serve.peak_kilobytes() - before;
    assert!(grown < 16 * 1024, "{grown} KiB more");
}

/// libssh and others read on for ever; some clients had a server spin on them.
#[tokio::test]
async fn a_packet_without_a_message_ends_the_connection() {
    let (server, sftp) = alice().await;
    for step in 0..3 {
        let mut peer = match step {
            0 => Peer::greet(server.ssh_address()).await,
            1 => served(&server).await,
            _ => Peer::login(server.ssh_address(), "alice").await,
        };
        let empty = peer.packet(&[]);
        peer.send_raw(&empty).await;
        peer.rest().await;
    }
    drop(sftp);
    until_all_left(&server).await;
}

/// Lengths that no packet has, and contents that were changed on the way (CVE-2026-39835, CVE-2021-43565).
#[tokio::test]
async fn damaged_packets_end_their_connection_and_no_other() {
    let (server, mut sftp) = alice().await;
    for length in (0..=48).chain([0xffff, 0x1_0000]) {
        let mut peer = served(&server).await;
        let bytes = [&u32::to_be_bytes(length)[..], &[0; 64]].concat();
        peer.send_raw(&bytes).await;
        peer.shut().await;
        peer.rest().await;
    }
    let whole = served(&server)
        .await
        .packet(&Message::new(2).string(b"x").0);
    for at in 0..whole.len() {
        let mut peer = served(&server).await;
        let mut packet = peer.packet(&Message::new(2).string(b"x").0);
        packet[at] ^= 1;
        peer.send_raw(&packet).await;
        peer.shut().await;
        peer.rest().await;
    }
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    drop(sftp);
    until_all_left(&server).await;
}

/// RFC 4253 section 10; the client was kept waiting.
#[tokio::test]
async fn another_service_is_refused_at_once() {
    let (server, _sftp) = alice().await;
    for name in ["ssh-connection", "ssh-userauth\0", "", "x"] {
        for again in [false, true] {
            let mut peer = Peer::connect(server.ssh_address()).await;
            if again {
                peer.service().await;
            }
            let request = Message::new(5).string(name.as_bytes());
            peer.send(&request).await;
            assert_eq!(disconnected(&mut peer).await, SERVICE_NOT_AVAILABLE);
        }
    }
}

/// paramiko does, and waits for the answer.
#[tokio::test]
async fn the_service_may_be_asked_for_before_each_attempt() {
    let server = TestServer::builder()
        .set("sftpd.max_auth_tries", 2)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let wrong = Message::new(50)
        .string(b"alice")
        .string(b"ssh-connection")
        .string(b"password")
        .byte(0)
        .string(b"wrong");
    let mut peer = served(&server).await;
    peer.send(&wrong).await;
    peer.next(51).await.unwrap();
    peer.authenticate("alice").await;

    // What was tried before stays counted; the first attempt of all is free.
    let mut peer = served(&server).await;
    for _ in 0..3 {
        peer.service().await;
        peer.send(&wrong).await;
        peer.next(51).await.unwrap();
    }
    peer.service().await;
    peer.send(&wrong).await;
    disconnected(&mut peer).await;
}

/// OpenSSH takes a question for a violation there, and leaves: whoever takes a minute to type a password was thrown out.
#[tokio::test]
async fn nobody_is_asked_whether_they_are_there_before_the_login() {
    let server = TestServer::builder()
        .login_deadline(Duration::from_secs(2))
        .keep_alive(Duration::from_millis(50))
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut waiting = served(&server).await;
    let mut logged_in = Peer::login(server.ssh_address(), "alice").await;
    let asked = logged_in.next(80).await.unwrap();
    assert!(asked.ends_with(b"keepalive@openssh.com\x01"));
    // Up to the deadline.
    assert!(waiting.rest().await.is_empty());
}

/// Who was told that it is over may read that, and is not waited for.
#[tokio::test]
async fn who_does_not_leave_after_the_disconnect_is_cut_off() {
    let (server, sftp) = alice().await;
    let mut peer = served(&server).await;
    peer.send(&Message::new(52)).await;
    peer.next(1).await.unwrap();
    // It does not close its side, and goes on sending.
    until("the end of the connection", async || peer.is_broken().await).await;
    drop(sftp);
    until_all_left(&server).await;
}
