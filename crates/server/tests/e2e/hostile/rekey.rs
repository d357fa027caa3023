//! Keys that are exchanged anew while channels work, and clients that use that to make the server wait, or queue.

use std::time::Duration;

use bytes::BytesMut;
use sftpgo_testkit::{Account, Builder, TestServer, until};
use sftpgo_wire::sftp::{Attrs, FrameDecoder, OpenFlags, Reply, StatusCode, VERSION, client};

use super::peer::{Message, Peer};

const FILE: usize = 3 << 20;
const PIECE: u32 = 128 * 1024;

/// A server with a file, and an SFTP channel of a client that takes whatever comes.
async fn reading(builder: Builder) -> (TestServer, Peer, u32, bytes::Bytes) {
    let server = builder.start().await;
    server.add(Account::new("alice")).await;
    let home = server.home("alice");
    std::fs::create_dir_all(&home).unwrap();
    let content: Vec<u8> = (0..FILE).map(|at| (at / 997) as u8).collect();
    std::fs::write(home.join("file"), content).unwrap();
    let mut peer = Peer::login(server.ssh_address(), "alice").await;
    // As large as that of clients of PuTTY's family.
    let channel = peer.open(0, 0x7fff_ffff).await;
    assert!(peer.subsystem(channel, "sftp").await);
    let mut out = BytesMut::new();
    client::init(&mut out, VERSION);
    client::open(&mut out, 1, b"/file", OpenFlags::READ, &Attrs::EMPTY);
    peer.data(channel, &out).await;
    let mut replies = Replies::default();
    let version = replies.next(&mut peer).await;
    assert!(matches!(version, Reply::Version { .. }));
    let Reply::Handle { handle, .. } = replies.next(&mut peer).await else {
        panic!("no handle");
    };
    (server, peer, channel, handle)
}

/// The replies of a channel; whenever the server wants new keys it gets them.
#[derive(Default)]
struct Replies {
    decoder: FrameDecoder,
    exchanges: usize,
    /// Bytes by which the server has let the client's window grow.
    grown: usize,
}

impl Replies {
    async fn next(&mut self, peer: &mut Peer) -> Reply {
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return Reply::decode(frame).unwrap();
            }
            let message = peer.receive().await.unwrap();
            if message[0] == 20 {
                self.exchanges += 1;
                peer.exchange_keys(Some(message)).await;
            } else {
                self.take(&message);
            }
        }
    }

    fn take(&mut self, message: &[u8]) {
        if message[0] == 94 {
            self.decoder.push(message[9..].to_vec().into());
        } else if message[0] == 93 {
            self.grown += u32::from_be_bytes(message[5..9].try_into().unwrap()) as usize;
        }
    }
}

/// Asks for all of the file at once.
async fn ask_for_everything(peer: &mut Peer, channel: u32, handle: &[u8]) {
    let mut out = BytesMut::new();
    for (id, at) in (2..).zip((0..FILE as u64).step_by(PIECE as usize)) {
        client::read(&mut out, id, handle, at, PIECE);
    }
    peer.data(channel, &out).await;
}

async fn everything_comes(peer: &mut Peer, replies: &mut Replies) {
    let mut got = 0;
    while got < FILE {
        let Reply::Data { data, .. } = replies.next(peer).await else {
            panic!("no data");
        };
        for byte in data.to_bytes().iter() {
            assert_eq!(*byte, (got / 997) as u8, "at {got}");
            got += 1;
        }
    }
}

#[tokio::test]
async fn a_client_may_exchange_keys_in_the_middle_of_a_download() {
    let (_server, mut peer, channel, handle) = reading(TestServer::builder()).await;
    let mut replies = Replies::default();
    for _ in 0..5 {
        ask_for_everything(&mut peer, channel, &handle).await;
        for message in peer.exchange_keys(None).await {
            replies.take(&message);
        }
        everything_comes(&mut peer, &mut replies).await;
    }
}

#[tokio::test]
async fn keys_that_the_server_exchanges_again_and_again_lose_nothing() {
    let builder = TestServer::builder().rekey_bytes(200_000);
    let (_server, mut peer, channel, handle) = reading(builder).await;
    let mut replies = Replies::default();
    for _ in 0..5 {
        ask_for_everything(&mut peer, channel, &handle).await;
        everything_comes(&mut peer, &mut replies).await;
    }
    assert!(replies.exchanges >= 20, "{}", replies.exchanges);
}

/// What is on its way when the server begins may be a whole window, however large that has grown.
#[tokio::test]
async fn a_fast_upload_goes_on_through_exchanges_of_keys() {
    const WRITE: usize = 32 << 10;
    let builder = TestServer::builder().rekey_bytes(6 << 20);
    let (server, mut peer, channel, _) = reading(builder).await;
    let mut replies = Replies::default();
    let mut out = BytesMut::new();
    let flags = OpenFlags::WRITE | OpenFlags::CREATE;
    client::open(&mut out, 2, b"/new", flags, &Attrs::EMPTY);
    peer.data(channel, &out).await;
    let Reply::Handle { handle, .. } = replies.next(&mut peer).await else {
        panic!("no handle");
    };
    let (mut at, mut sent, mut bursts) = (0_u64, out.len() + 1000, 0);
    while bursts < 12 {
        // As much as the window lets through, less what the last messages took.
        let room = ((1 << 20) + replies.grown).saturating_sub(sent);
        let count = if room > 3 << 20 {
            room / (WRITE + 100)
        } else {
            1
        };
        bursts += usize::from(count > 1);
        for _ in 0..count {
            let mut out = BytesMut::new();
            client::write(&mut out, 3, &handle, at, &[bursts as u8; WRITE]);
            peer.data(channel, &out).await;
            sent += out.len();
            at += WRITE as u64;
        }
        for _ in 0..count {
            let reply = replies.next(&mut peer).await;
            assert!(
                matches!(
                    reply,
                    Reply::Status {
                        code: StatusCode::Ok,
                        ..
                    }
                ),
                "{reply:?}"
            );
        }
    }
    assert!(replies.exchanges >= 5, "{}", replies.exchanges);
    let written = std::fs::metadata(server.home("alice").join("new")).unwrap();
    assert_eq!(written.len(), at);
}

/// CVE-2025-22869: a server that goes on queueing what it cannot send. What it has read is bounded by the budget of a
/// channel, and that it waits by a deadline, whatever else the client says meanwhile.
#[tokio::test]
async fn a_client_that_stalls_an_exchange_of_keys_with_reads_queued_is_cut_off() {
    let builder = TestServer::builder().key_exchange_deadline(Duration::from_millis(300));
    let (server, mut peer, channel, handle) = reading(builder).await;
    ask_for_everything(&mut peer, channel, &handle).await;
    peer.begin_exchange().await;
    peer.next(20).await.unwrap();
    until("the end of the connection", async || {
        peer.send(&Message::new(2).string(b"still there")).await;
        server.core().registry().connections().is_empty()
    })
    .await;
    assert!(peer.rest().await.is_empty(), "only keys may come here");
}

/// J2SSH Maverick is one: it is served as long as the keys are good for, and ended then and not waited for.
#[tokio::test]
async fn a_client_that_cannot_exchange_keys_again_is_served_until_it_has_to() {
    let builder = TestServer::builder()
        .rekey_bytes(FILE / 2)
        .key_exchange_deadline(Duration::from_millis(300));
    let (server, mut peer, channel, handle) = reading(builder).await;
    ask_for_everything(&mut peer, channel, &handle).await;
    let mut got = 0;
    for message in peer.rest().await {
        if message[0] == 94 {
            got += message.len();
        }
    }
    assert!(got >= FILE / 4, "{got}");
    until("the end of the session", async || {
        server.core().registry().connections().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_client_that_begins_to_exchange_keys_and_goes_on_with_data_is_cut_off() {
    let messages = [
        Message::new(94).u32(0).string(b"data"),
        Message::new(80).string(b"keepalive@openssh.com").byte(1),
        Message::new(90).string(b"session").u32(7).u32(1).u32(1),
        Message::new(50),
    ];
    for message in messages {
        let (server, mut peer, ..) = reading(TestServer::builder()).await;
        peer.begin_exchange().await;
        peer.send(&message).await;
        let answers = peer.rest().await;
        let numbers: Vec<u8> = answers.iter().map(|answer| answer[0]).collect();
        assert_eq!(numbers, [20, 1], "KEXINIT and DISCONNECT");
        until("the end of the session", async || {
            server.core().registry().connections().is_empty()
        })
        .await;
    }
}

/// What was on its way when the server began is taken, and no more.
#[tokio::test]
async fn a_client_that_does_not_answer_an_exchange_of_keys_may_not_send_without_end() {
    let builder = TestServer::builder().rekey_bytes(200_000);
    let (server, mut peer, channel, handle) = reading(builder).await;
    ask_for_everything(&mut peer, channel, &handle).await;
    peer.next(20).await.unwrap();
    let request = Message::new(80).string(b"no-such@example.com").byte(0);
    let request = request.string(&[b'x'; 30_000]);
    // What fits into a window, and some.
    for _ in 0..30 {
        peer.send(&request).await;
    }
    assert_eq!(server.core().registry().connections().len(), 1);
    for _ in 0..100 {
        peer.send(&request).await;
    }
    until("the end of the session", async || {
        server.core().registry().connections().is_empty()
    })
    .await;
    peer.rest().await;
}
