//! Clients that open no window for what they asked for, and then go away, or are sent away: nothing of theirs may stay. Each
//! account here may log in once at a time, so that a login that is never given back keeps everybody out.

use std::time::Duration;

use bytes::BytesMut;
use sftpgo_testkit::{Account, Builder, PASSWORD, TestServer, until};
use sftpgo_wire::sftp::{VERSION, client};

use super::channels::{BIG, stall};
use super::peer::{Message, Peer, request};
use super::sessions::close_the_connection;

/// A server with an account that may log in once at a time, and its only login.
async fn only_login(builder: Builder) -> (TestServer, Peer) {
    let server = builder.start().await;
    server
        .add(Account::new("alice").with("max_sessions", 1))
        .await;
    let peer = Peer::login(server.ssh_address(), "alice").await;
    (server, peer)
}

/// Starts a command in a channel without a window, and waits until it runs.
async fn start(server: &TestServer, peer: &mut Peer, command: &[u8]) {
    let channel = peer.open(0, 0).await;
    peer.send(&request(channel, b"exec", command)).await;
    assert!(peer.answered().await);
    until("the row of the command", async || {
        !server.core().registry().connections().is_empty()
    })
    .await;
}

/// Waits until nobody is connected and somebody can log in again.
async fn nothing_is_left(server: &TestServer) {
    until("the end of the connection", async || {
        server.core().registry().connections().is_empty()
    })
    .await;
    until("the login to be free again", async || {
        server.connect().await.password("alice", PASSWORD).await
    })
    .await;
}

#[tokio::test]
async fn a_client_that_never_takes_the_answer_of_a_command_and_leaves_is_forgotten() {
    // Those that are refused say so on standard error.
    for command in [
        &b"pwd"[..],
        b"rsync --no-such-option",
        b"git-upload-pack /none",
    ] {
        let builder = TestServer::builder().set("sftpd.enabled_ssh_commands", vec!["*"]);
        let (server, mut peer) = only_login(builder).await;
        start(&server, &mut peer, command).await;
        drop(peer);
        nothing_is_left(&server).await;
    }
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_without_a_window_and_leaves_is_forgotten() {
    let (server, mut peer) = only_login(TestServer::builder()).await;
    let channel = peer.open(0, 0).await;
    assert!(peer.subsystem(channel, "sftp").await);
    let mut out = BytesMut::new();
    client::init(&mut out, VERSION);
    // A packet of no bytes ends the session; its answer to INIT is on its way for ever.
    out.extend_from_slice(&[0; 4]);
    peer.data(channel, &out).await;
    drop(peer);
    nothing_is_left(&server).await;
}

#[tokio::test]
async fn a_channel_that_is_closed_with_an_answer_on_its_way_gives_its_place_back() {
    let (server, mut peer) = only_login(TestServer::builder()).await;
    // More often than a connection may have channels.
    for number in 0..40 {
        let channel = peer.open(number, 0).await;
        assert!(peer.subsystem(channel, "sftp").await);
        let mut out = BytesMut::new();
        client::init(&mut out, VERSION);
        out.extend_from_slice(&[0; 4]);
        peer.data(channel, &out).await;
        let close = Message::new(97).u32(channel);
        peer.send(&close).await;
        until("the end of the session", async || {
            server.core().registry().connections().is_empty()
        })
        .await;
    }
    drop(peer);
    nothing_is_left(&server).await;
}

#[tokio::test]
async fn a_stalled_download_ends_with_the_idle_timeout() {
    let idle = Duration::from_secs(1);
    let (server, mut peer) = only_login(TestServer::builder().idle_timeout(idle)).await;
    stalled_download(&server, &mut peer).await;
    nothing_is_left(&server).await;
    assert!(!peer.rest().await.is_empty(), "the connection was ended");
}

#[tokio::test]
async fn a_stalled_download_ends_when_an_administrator_closes_the_connection() {
    let (server, mut peer) = only_login(TestServer::builder()).await;
    stalled_download(&server, &mut peer).await;
    close_the_connection(&server).await;
    nothing_is_left(&server).await;
    peer.rest().await;
}

async fn stalled_download(server: &TestServer, peer: &mut Peer) {
    let channel = peer.open(0, 100_000).await;
    std::fs::create_dir_all(server.home("alice")).unwrap();
    std::fs::write(server.home("alice").join("big"), vec![b'b'; BIG]).unwrap();
    stall(peer, 0, channel).await;
}
