//! Channels: many of them, refused ones, ones that stall, and ones that end at a bad moment.

use std::sync::Arc;

use bytes::BytesMut;
use sftpgo_testkit::{Account, FileClient as _, Sftp, TestServer, until, within};
use sftpgo_wire::sftp::{Attrs, FrameDecoder, OpenFlags, Reply, VERSION, client};

use super::floods::forbidden_channel;
use super::peer::{Message, Peer, request};
use super::{CREATE, alice, until_all_left, until_counted};

/// Larger than everything that waits on the way to a client.
pub(super) const BIG: usize = 8 << 20;

/// A server with a big file, and a client that opens windows as it likes.
async fn stalling() -> (TestServer, Peer) {
    let (server, sftp) = alice().await;
    std::fs::write(server.home("alice").join("big"), vec![b'b'; BIG]).unwrap();
    drop(sftp);
    let peer = Peer::login(server.ssh_address(), "alice").await;
    (server, peer)
}

/// Starts SFTP in a channel, the only one in which the server says anything.
pub(super) async fn start_sftp(peer: &mut Peer, channel: u32) {
    ask_for_sftp(peer, channel).await;
    let version = peer.next(94).await.unwrap();
    assert_eq!(version[13], 2, "VERSION");
}

async fn ask_for_sftp(peer: &mut Peer, channel: u32) {
    assert!(peer.subsystem(channel, "sftp").await);
    let mut out = BytesMut::new();
    client::init(&mut out, VERSION);
    peer.data(channel, &out).await;
}

/// The next SFTP reply in the channel of our number; data of other channels is dropped.
pub(super) async fn reply_in(peer: &mut Peer, number: u32, decoder: &mut FrameDecoder) -> Reply {
    loop {
        if let Some(frame) = decoder.next_frame().unwrap() {
            return Reply::decode(frame).unwrap();
        }
        let message = peer.next(94).await.unwrap();
        if message[1..5] == number.to_be_bytes() {
            decoder.push(message[9..].to_vec().into());
        }
    }
}

/// Asks for all of the big file in a channel whose window takes little of it.
pub(super) async fn stall(peer: &mut Peer, number: u32, channel: u32) {
    start_sftp(peer, channel).await;
    let mut out = BytesMut::new();
    client::open(&mut out, 1, b"/big", OpenFlags::READ, &Attrs::EMPTY);
    peer.data(channel, &out).await;
    let mut decoder = FrameDecoder::new();
    let Reply::Handle { handle, .. } = reply_in(peer, number, &mut decoder).await else {
        panic!("no handle");
    };
    let mut out = BytesMut::new();
    for id in 0..64 {
        client::read(&mut out, id, &handle, u64::from(id) * 131_072, 131_072);
    }
    peer.data(channel, &out).await;
}

fn transfers(server: &TestServer) -> usize {
    let connections = server.core().registry().connections();
    connections.iter().map(|c| c.transfer_count()).sum()
}

#[tokio::test]
async fn two_thousand_channels_one_after_the_other_leave_nothing() {
    let (server, mut sftp) = alice().await;
    for _ in 0..2_000 {
        // On a busy machine the last ones may not have ended yet, and one more is refused.
        until("a new channel", async || {
            match sftp.ssh().subsystem("sftp").await {
                Some(channel) => channel.close().await.is_ok(),
                None => false,
            }
        })
        .await;
    }
    until("the end of the closed sessions", async || {
        server.core().registry().connections().len() == 1
    })
    .await;
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    drop(sftp);
    until_all_left(&server).await;
}

#[tokio::test]
async fn channels_in_which_nothing_is_started_do_not_use_up_the_places() {
    let (_server, mut sftp) = alice().await;
    for _ in 0..200 {
        let channel = sftp.ssh().channel().await.unwrap();
        channel.close().await.unwrap();
    }
    // Over the limit one is refused, and only that one.
    let mut open = Vec::new();
    while let Some(channel) = sftp.ssh().channel().await {
        open.push(channel);
        assert!(open.len() < 1_000);
    }
    open.pop().unwrap().close().await.unwrap();
    until("a free place", async || {
        sftp.ssh().channel().await.is_some()
    })
    .await;
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
}

#[tokio::test]
async fn commands_shells_and_unknown_subsystems_are_refused_while_sftp_works() {
    let (server, _sftp) = alice().await;
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    let channel = peer.open(0, 1 << 20).await;
    start_sftp(&mut peer, channel).await;
    let refused = [
        ("exec", "id"),
        ("exec", "rm -rf /"),
        ("exec", ""),
        ("shell", ""),
        ("auth-agent-req@openssh.com", ""),
        ("subsystem", "SFTP"),
        ("subsystem", "sftp\0"),
        ("subsystem", "netconf"),
        ("subsystem", ""),
        ("no-such-request@example.com", ""),
    ];
    for (number, (kind, value)) in (1..).zip(refused) {
        let other = peer.open(number, 1 << 20).await;
        let mut asked = request(other, kind.as_bytes(), value.as_bytes());
        if kind == "shell" || kind.starts_with("auth-agent") {
            // These have no value.
            asked.0.truncate(asked.0.len() - 4);
        }
        peer.send(&asked).await;
        assert!(!peer.answered().await, "{kind} {value}");
        peer.send(&Message::new(97).u32(other)).await;
    }
    let mut out = BytesMut::new();
    client::realpath(&mut out, 5, b".");
    peer.data(channel, &out).await;
    let reply = reply_in(&mut peer, 0, &mut FrameDecoder::new()).await;
    assert!(matches!(reply, Reply::Name { id: 5, .. }));
}

/// Clients take a second refusal for one of a channel that they do not have, and leave.
#[tokio::test]
async fn a_channel_of_any_kind_is_refused_once() {
    let (server, _sftp) = alice().await;
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    for number in 0..5 {
        peer.send(&forbidden_channel(number)).await;
        let answer = peer.receive().await.unwrap();
        assert_eq!((answer[0], &answer[1..5]), (92, &number.to_be_bytes()[..]));
        // Administratively prohibited, but for what nobody knows.
        let reason = u32::from_be_bytes(answer[5..9].try_into().unwrap());
        assert_eq!(reason, if number == 4 { 3 } else { 1 });
        let global = Message::new(80).string(b"no-such@example.com").byte(1);
        peer.send(&global).await;
        assert_eq!(peer.receive().await.unwrap(), [82]);
    }
}

#[tokio::test]
async fn a_channel_runs_one_thing_once() {
    let (server, _sftp) = alice().await;
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    let channel = peer.open(0, 1 << 20).await;
    start_sftp(&mut peer, channel).await;
    assert!(!peer.subsystem(channel, "sftp").await);
    peer.send(&request(channel, b"exec", b"id")).await;
    assert!(!peer.answered().await);
    let mut out = BytesMut::new();
    client::realpath(&mut out, 5, b".");
    peer.data(channel, &out).await;
    let reply = reply_in(&mut peer, 0, &mut FrameDecoder::new()).await;
    assert!(matches!(reply, Reply::Name { id: 5, .. }));
    assert_eq!(server.core().registry().connections().len(), 2);
}

#[tokio::test]
async fn a_stalled_download_leaves_the_other_channels_alone() {
    let (server, mut peer) = stalling().await;
    let stalled = peer.open(0, 100_000).await;
    stall(&mut peer, 0, stalled).await;
    let other = peer.open(1, 1 << 30).await;
    ask_for_sftp(&mut peer, other).await;
    let mut decoder = FrameDecoder::new();
    let version = reply_in(&mut peer, 1, &mut decoder).await;
    assert!(matches!(version, Reply::Version { .. }));
    let mut out = BytesMut::new();
    client::open(&mut out, 1, b"/big", OpenFlags::READ, &Attrs::EMPTY);
    for id in 2..1_000 {
        client::lstat(&mut out, id, b"/big");
    }
    peer.data(other, &out).await;
    let Reply::Handle { handle, .. } = reply_in(&mut peer, 1, &mut decoder).await else {
        panic!("no handle");
    };
    for id in 2..1_000 {
        assert_eq!(reply_in(&mut peer, 1, &mut decoder).await.id(), Some(id));
    }
    let mut got = 0;
    let mut out = BytesMut::new();
    client::read(&mut out, 1, &handle, 0, 262_144);
    while got < BIG / 2 {
        peer.data(other, &out).await;
        let Reply::Data { data, .. } = reply_in(&mut peer, 1, &mut decoder).await else {
            panic!("no data");
        };
        got += data.len();
    }
    assert_eq!(transfers(&server), 2, "the stalled one is still there");
}

#[tokio::test]
async fn a_channel_that_is_closed_while_it_stalls_gives_everything_back() {
    let (server, mut peer) = stalling().await;
    // More often than a connection may have channels.
    for number in 0..40 {
        let channel = peer.open(number, 100_000).await;
        stall(&mut peer, number, channel).await;
        peer.send(&Message::new(97).u32(channel)).await;
        until("the end of the closed session", async || {
            server.core().registry().connections().is_empty()
        })
        .await;
        assert_eq!(transfers(&server), 0);
    }
    let channel = peer.open(99, 1 << 20).await;
    start_sftp(&mut peer, channel).await;
}

#[tokio::test]
async fn an_upload_whose_channel_is_closed_behind_the_last_request_is_complete() {
    let (server, mut peer) = stalling().await;
    let channel = peer.open(0, 1 << 20).await;
    start_sftp(&mut peer, channel).await;
    let mut out = BytesMut::new();
    client::open(&mut out, 1, b"/up", CREATE, &Attrs::EMPTY);
    peer.data(channel, &out).await;
    let mut decoder = FrameDecoder::new();
    let Reply::Handle { handle, .. } = reply_in(&mut peer, 0, &mut decoder).await else {
        panic!("no handle");
    };
    let mut out = BytesMut::new();
    for id in 0..100 {
        client::write(&mut out, id, &handle, u64::from(id) * 1_000, &[b'u'; 1_000]);
    }
    client::close(&mut out, 100, &handle);
    peer.data(channel, &out).await;
    peer.send(&Message::new(97).u32(channel)).await;
    until("the end of the closed session", async || {
        server.core().registry().connections().is_empty()
    })
    .await;
    let stored = std::fs::read(server.home("alice").join("up")).unwrap();
    assert_eq!(stored.len(), 100_000);
    until("the count of the upload", async || {
        server.core().metrics().uploads.completed.value() == 1
    })
    .await;
}

#[tokio::test]
async fn requests_that_are_half_sent_in_many_channels_do_not_block_each_other() {
    let (server, sftp) = alice().await;
    let mut sessions = vec![sftp];
    for _ in 1..16 {
        let session = Sftp::open(Arc::clone(sessions[0].ssh())).await.unwrap();
        sessions.push(session);
    }
    let mut rests = Vec::new();
    for (number, sftp) in sessions.iter_mut().enumerate() {
        let path = format!("/{number}");
        let handle = sftp.open_file(path.as_bytes(), CREATE).await.unwrap();
        let mut out = BytesMut::new();
        client::write(&mut out, 9_000, &handle, 0, &[b'w'; 255 * 1024]);
        let rest = out.split_off(250 * 1024);
        sftp.send_bytes(out);
        rests.push((handle, rest));
    }
    for (sftp, (handle, rest)) in sessions.iter_mut().zip(rests) {
        sftp.send_bytes(rest);
        let reply = sftp.reply_to(9_000).await;
        assert!(matches!(reply, Reply::Status { .. }), "{reply:?}");
        sftp.close(&handle).await.unwrap();
    }
    assert_eq!(server.usage("alice").bytes, 16 * 255 * 1024);
    drop(sessions);
    until_counted(&server, "alice").await;
}

#[tokio::test]
async fn a_client_that_closes_the_window_and_vanishes_is_forgotten() {
    let (server, mut peer) = stalling().await;
    let channel = peer.open(0, 100_000).await;
    stall(&mut peer, 0, channel).await;
    drop(peer);
    until_all_left(&server).await;
    // And nobody else was harmed.
    server.add(Account::new("bob")).await;
    let mut bob = server.sftp("bob").await;
    bob.put(b"/a", b"x").await.unwrap();
}

/// What a client may send is the server's to say: without that nothing would bound what a stalled channel keeps.
#[tokio::test]
async fn a_client_that_overruns_its_window_is_disconnected() {
    let server = TestServer::start().await;
    let account = Account::new("alice").with("upload_bandwidth", 1);
    server.add(account).await;
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    let channel = peer.open(0, 1 << 20).await;
    start_sftp(&mut peer, channel).await;
    let mut out = BytesMut::new();
    client::open(&mut out, 1, b"/up", CREATE, &Attrs::EMPTY);
    peer.data(channel, &out).await;
    let Reply::Handle { handle, .. } = reply_in(&mut peer, 0, &mut FrameDecoder::new()).await
    else {
        panic!("no handle");
    };
    let overrun = async {
        // The limit of the account lets a thousand bytes a second through.
        for id in 0..1_000 {
            let mut out = BytesMut::new();
            client::write(&mut out, id, &handle, 0, &[b'u'; 30_000]);
            peer.data(channel, &out).await;
        }
        while peer.receive().await.is_some() {}
    };
    within("the end of the connection", overrun).await;
    until("the end of the session", async || {
        server.core().registry().connections().is_empty()
    })
    .await;
}
