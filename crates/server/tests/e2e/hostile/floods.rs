//! Floods: what a client can make the real program hold, measured from outside.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use sftpgo_testkit::{Account, FileClient as _, request as rest};
use sftpgo_wire::sftp::{Attrs, FrameDecoder, OpenFlags, Reply, VERSION, client};
use tempfile::TempDir;

use super::super::running::{Serve, add_user, configured};
use super::CREATE;
use super::peer::{Message, Peer};

/// What a flood may cost, in MiB.
const BOUND: u64 = 48;
/// What as many requests as a connection may have open may cost, in MiB: some 40, and queues that double meanwhile.
const PAUSED_BOUND: u64 = 64;
/// Questions and answers beside a flood, so that the server gets to it.
const TURNS: usize = 500;
/// A window that fits the first answers of a session, and not the flood's.
const SMALL: u32 = 100_000;

/// The program, with a user and a file of 4 MiB in her home.
pub(super) async fn program(alice: Account) -> (TempDir, Serve) {
    let directory = configured(&Value::Null);
    let serve = Serve::start(directory.path(), &[]);
    let home = directory.path().join("alice");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("big"), vec![b'b'; 4 << 20]).unwrap();
    let user = alice.json(&home);
    let reply = rest(serve.http, "POST", "/api/v1/user", &user).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    (directory, serve)
}

fn alice() -> Account {
    Account::new("alice")
}

/// What the server takes in a new channel.
const WINDOW: usize = 1 << 20;

/// An SFTP channel of a client that opens its window as it likes.
struct Flood {
    peer: Peer,
    channel: u32,
    decoder: FrameDecoder,
    /// What the server lets us send; more would end the connection.
    window: usize,
    unsent: BytesMut,
}

impl Flood {
    async fn start(serve: &Serve, window: u32) -> Self {
        let mut peer = Peer::login(serve.ssh, "alice").await;
        let channel = peer.open(0, window).await;
        assert!(peer.subsystem(channel, "sftp").await);
        let mut flood = Self {
            peer,
            channel,
            decoder: FrameDecoder::new(),
            window: WINDOW,
            unsent: BytesMut::new(),
        };
        flood.send(|out| client::init(out, VERSION)).await;
        assert!(matches!(flood.reply().await, Reply::Version { .. }));
        flood
    }

    async fn send(&mut self, encode: impl FnOnce(&mut BytesMut)) {
        encode(&mut self.unsent);
        self.push().await;
    }

    /// Sends as much as the server takes; the rest follows its adjustments.
    async fn push(&mut self) {
        let now = self.unsent.split_to(self.window.min(self.unsent.len()));
        self.window -= now.len();
        self.peer.data(self.channel, &now).await;
    }

    /// Takes a message that is about the channel.
    async fn take(&mut self, message: &[u8]) {
        match message[0] {
            94 => self.decoder.push(message[9..].to_vec().into()),
            93 => {
                self.window += u32::from_be_bytes(message[5..9].try_into().unwrap()) as usize;
                self.push().await;
            }
            _ => {}
        }
    }

    async fn open(&mut self, path: &[u8], flags: OpenFlags) -> Bytes {
        self.send(|out| client::open(out, 1, path, flags, &Attrs::EMPTY))
            .await;
        match self.reply().await {
            Reply::Handle { handle, .. } => handle,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the server has read everything that was sent, which needs no window, and had many turns to work on it.
    async fn settle(&mut self) {
        for _ in 0..TURNS {
            self.turn().await;
        }
    }

    /// Waits until the server has read what was sent.
    async fn turn(&mut self) {
        let global = Message::new(80).string(b"no-such@example.com").byte(1);
        self.peer.send(&global).await;
        loop {
            let message = self.peer.receive().await.unwrap();
            if message[0] == 82 {
                break;
            }
            self.take(&message).await;
        }
    }

    async fn widen(&mut self, bytes: u32) {
        let adjust = Message::new(93).u32(self.channel).u32(bytes);
        self.peer.send(&adjust).await;
    }

    async fn reply(&mut self) -> Reply {
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return Reply::decode(frame).unwrap();
            }
            let message = self.peer.receive().await.unwrap();
            self.take(&message).await;
        }
    }
}

/// Fails if the program has grown by more than a flood may cost.
fn bounded(serve: &Serve, before: u64) {
    bounded_by(serve, before, BOUND);
}

fn bounded_by(serve: &Serve, before: u64, bound: u64) {
    let grown = serve.peak_kilobytes().saturating_sub(before) / 1024;
    assert!(grown < bound, "{grown} MiB more");
}

async fn still_serves(serve: &Serve, directory: &Path) {
    add_user(directory, "bob");
    let mut bob = serve.sftp("bob").await;
    bob.put(b"/a", b"x").await.unwrap();
}

#[tokio::test]
async fn a_hundred_thousand_reads_nobody_takes_cost_little_and_are_answered_later() {
    let (_directory, serve) = program(alice()).await;
    let mut flood = Flood::start(&serve, SMALL).await;
    let handle = flood.open(b"/big", OpenFlags::READ).await;
    let before = serve.peak_kilobytes();
    for round in 0..100_u32 {
        flood
            .send(|out| {
                for id in round * 1_000..(round + 1) * 1_000 {
                    client::read(out, id, &handle, u64::from(id), 64);
                }
            })
            .await;
    }
    flood.settle().await;
    bounded(&serve, before);
    flood.widen(1 << 30).await;
    for id in 0..100_000 {
        assert_eq!(flood.reply().await.id(), Some(id));
    }
}

/// More than a connection may have open: they are not sent before others are answered, and no channel is closed.
#[tokio::test]
async fn a_client_that_asks_for_ever_more_is_paused_until_it_takes_some() {
    const READS: u32 = 300_000;
    let (_directory, serve) = program(alice()).await;
    let mut flood = Flood::start(&serve, SMALL).await;
    let handle = flood.open(b"/big", OpenFlags::READ).await;
    let before = serve.peak_kilobytes();
    for round in 0..READS / 1_000 {
        flood
            .send(|out| {
                for id in round * 1_000..(round + 1) * 1_000 {
                    client::read(out, id, &handle, u64::from(id), 64);
                }
            })
            .await;
        // Its adjustments are taken.
        flood.turn().await;
    }
    flood.settle().await;
    assert!(!flood.unsent.is_empty(), "it may send as much as it likes");
    bounded_by(&serve, before, PAUSED_BOUND);
    flood.widen(1 << 30).await;
    for id in 0..READS {
        assert_eq!(flood.reply().await.id(), Some(id));
    }
}

#[tokio::test]
async fn large_reads_nobody_takes_cost_no_more_than_small_ones() {
    let (_directory, serve) = program(alice()).await;
    let mut flood = Flood::start(&serve, SMALL).await;
    let before = serve.peak_kilobytes();
    let mut handles = Vec::new();
    for _ in 0..20 {
        handles.push(flood.open(b"/big", OpenFlags::READ).await);
    }
    for handle in &handles {
        flood
            .send(|out| {
                for id in 0..50 {
                    client::read(out, id, handle, 0, 261_120);
                }
            })
            .await;
    }
    flood.settle().await;
    bounded(&serve, before);
}

#[tokio::test]
async fn reads_behind_a_write_that_takes_its_time_cost_little() {
    let (_directory, serve) = program(alice().with("upload_bandwidth", 1)).await;
    let mut flood = Flood::start(&serve, 1 << 30).await;
    let reading = flood.open(b"/big", OpenFlags::READ).await;
    let writing = flood.open(b"/slow", CREATE).await;
    let before = serve.peak_kilobytes();
    // Answers leave in the order of requests, so that all others wait for this one.
    flood
        .send(|out| client::write(out, 0, &writing, 0, &[b'w'; 100_000]))
        .await;
    flood
        .send(|out| {
            for id in 1..1_000 {
                client::read(out, id, &reading, 0, 261_120);
            }
        })
        .await;
    flood.settle().await;
    bounded(&serve, before);
}

#[tokio::test]
async fn answers_of_any_kind_that_nobody_takes_cost_little() {
    let (directory, serve) = program(alice()).await;
    let mut flood = Flood::start(&serve, SMALL).await;
    let before = serve.peak_kilobytes();
    // Eight kilobytes of answer for four of request.
    let path = [b"/", &b"n".repeat(200)[..]].concat().repeat(20);
    for round in 0..80_u32 {
        flood
            .send(|out| {
                for id in round * 200..(round + 1) * 200 {
                    client::realpath(out, id, &path);
                }
            })
            .await;
    }
    // Either they wait, or the channel was closed.
    flood.settle().await;
    bounded(&serve, before);
    still_serves(&serve, directory.path()).await;
}

#[tokio::test]
async fn requests_with_long_paths_behind_a_stalled_read_cost_little() {
    let (directory, serve) = program(alice()).await;
    let mut flood = Flood::start(&serve, SMALL).await;
    let handle = flood.open(b"/big", OpenFlags::READ).await;
    let before = serve.peak_kilobytes();
    flood
        .send(|out| {
            for id in 0..16 {
                client::read(out, id, &handle, 0, 261_120);
            }
        })
        .await;
    let path = vec![b'x'; 32_000];
    for _ in 0..100 {
        flood
            .send(|out| {
                for id in 0..64 {
                    client::remove(out, id, &path);
                }
            })
            .await;
    }
    flood.settle().await;
    bounded(&serve, before);
    still_serves(&serve, directory.path()).await;
}

#[tokio::test]
async fn data_in_a_channel_in_which_nothing_runs_costs_little() {
    let (directory, serve) = program(alice()).await;
    let mut peer = Peer::login(serve.ssh, "alice").await;
    let channel = peer.open(0, SMALL).await;
    let before = serve.peak_kilobytes();
    for _ in 0..100 {
        peer.data(channel, &vec![b'd'; 1 << 20]).await;
    }
    let global = Message::new(80).string(b"no-such@example.com").byte(1);
    peer.send(&global).await;
    peer.next(82).await;
    bounded(&serve, before);
    still_serves(&serve, directory.path()).await;
}

/// Sends messages of one kind that are answered by nothing, or by failures, and waits until the server has read them.
async fn flood_channel(peer: &mut Peer, message: &Message, count: usize) {
    for number in 0..count {
        peer.send(message).await;
        // Answers are read now and then, so that they do not fill the socket.
        if number % 64 == 63 {
            read_by_the_server(peer).await;
        }
    }
    read_by_the_server(peer).await;
}

/// Waits until the server has read everything that was sent; fails if it does nothing any more.
async fn read_by_the_server(peer: &mut Peer) {
    let global = Message::new(80).string(b"no-such@example.com").byte(1);
    peer.send(&global).await;
    assert!(peer.next(82).await.is_some(), "the connection ended");
}

#[tokio::test]
async fn requests_in_a_channel_in_which_nothing_runs_cost_little() {
    let (directory, serve) = program(alice()).await;
    let mut peer = Peer::login(serve.ssh, "alice").await;
    let channel = peer.open(0, SMALL).await;
    let before = serve.peak_kilobytes();
    let ask = |name: &[u8]| Message::new(98).u32(channel).string(name).byte(1);
    let env = ask(b"env").string(b"LANG").string(&vec![b'v'; 250_000]);
    flood_channel(&mut peer, &env, 400).await;
    let no_reply = Message::new(98).u32(channel);
    let size = no_reply.clone().string(b"window-change").byte(0);
    // More of each than a queue has room for.
    for message in [
        size.u32(80).u32(24).u32(0).u32(0),
        no_reply.string(b"signal").byte(0).string(b"TERM"),
        Message::new(93).u32(channel).u32(1),
        Message::new(96).u32(channel),
    ] {
        flood_channel(&mut peer, &message, 70_000).await;
    }
    bounded(&serve, before);
    let other = peer.open(1, 1 << 20).await;
    assert!(peer.subsystem(other, "sftp").await);
    still_serves(&serve, directory.path()).await;
}

/// While the session waits for room in the queue of a channel it does nothing else, such as opening the window that the
/// channel may be waiting for.
#[tokio::test]
async fn a_command_that_is_sent_a_flood_of_tiny_messages_does_not_hold_up_its_connection() {
    let (_directory, serve) = program(alice()).await;
    let mut peer = Peer::login(serve.ssh, "alice").await;
    let channel = peer.open(0, 0).await;
    peer.send(&super::peer::request(channel, b"exec", b"pwd"))
        .await;
    assert!(peer.answered().await);
    let tiny = Message::new(94).u32(channel).string(b"t");
    flood_channel(&mut peer, &tiny, 100_000).await;
    let adjust = Message::new(93).u32(channel).u32(100);
    peer.send(&adjust).await;
    let answer = peer.next(94).await.unwrap();
    assert_eq!(answer[9..], *b"/\n");
}

#[tokio::test]
async fn small_requests_do_not_keep_large_packets_alive() {
    let (_directory, serve) = program(alice().with("upload_bandwidth", 1)).await;
    let mut flood = Flood::start(&serve, 1 << 30).await;
    let handle = flood.open(b"/slow", CREATE).await;
    let before = serve.peak_kilobytes();
    flood
        .send(|out| client::write(out, 0, &handle, 0, &[b'w'; 100_000]))
        .await;
    // A byte to store, and much to throw away, in one packet of the transport.
    for id in 0..4_000 {
        let mut out = BytesMut::new();
        client::write(&mut out, id, &handle, 0, b"w");
        out.extend_from_slice(&31_000_u32.to_be_bytes());
        out.extend_from_slice(&[99; 31_000]);
        flood.send(|flood| flood.extend_from_slice(&out)).await;
    }
    flood.settle().await;
    bounded(&serve, before);
}

#[tokio::test]
async fn a_flood_of_writes_of_one_byte_is_stored() {
    const WRITES: u32 = 300_000;
    let (directory, serve) = program(alice()).await;
    let mut flood = Flood::start(&serve, 1 << 30).await;
    let handle = flood.open(b"/bytes", CREATE).await;
    let before = serve.peak_kilobytes();
    let mut answered = 0;
    for round in 0..WRITES / 10_000 {
        flood
            .send(|out| {
                for id in round * 10_000..(round + 1) * 10_000 {
                    client::write(out, id, &handle, u64::from(id), b"w");
                }
            })
            .await;
        // Half of them behind, so that both sides have much to do at any time.
        while answered + 5_000 < (round + 1) * 10_000 {
            assert_eq!(flood.reply().await.id(), Some(answered));
            answered += 1;
        }
    }
    while answered < WRITES {
        assert_eq!(flood.reply().await.id(), Some(answered));
        answered += 1;
    }
    bounded(&serve, before);
    let stored = std::fs::metadata(directory.path().join("alice/bytes")).unwrap();
    assert_eq!(stored.len(), u64::from(WRITES));
}

#[tokio::test]
async fn five_thousand_opens_are_answered_and_the_limit_is_a_refusal() {
    let (directory, serve) = program(alice()).await;
    let mut flood = Flood::start(&serve, 1 << 30).await;
    flood
        .send(|out| {
            for id in 0..5_000 {
                client::open(out, id, b"/big", OpenFlags::READ, &Attrs::EMPTY);
            }
        })
        .await;
    let mut handles = Vec::new();
    let mut refused = 0;
    for _ in 0..5_000 {
        match flood.reply().await {
            Reply::Handle { handle, .. } => handles.push(handle),
            Reply::Status { .. } => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(handles.len() + refused, 5_000);
    assert!((100..=1_024).contains(&handles.len()), "{}", handles.len());
    // One closed, one more may be opened; and directories count as well.
    flood.send(|out| client::close(out, 1, &handles[0])).await;
    assert!(matches!(flood.reply().await, Reply::Status { .. }));
    flood.open(b"/big", OpenFlags::READ).await;
    flood.send(|out| client::opendir(out, 1, b"/")).await;
    assert!(matches!(flood.reply().await, Reply::Status { .. }));
    still_serves(&serve, directory.path()).await;
}

/// CVE-2026-39827: places of refused channels that nobody gives back.
#[tokio::test]
async fn refused_channels_cost_nothing_and_are_not_refused_for_ever() {
    let (directory, serve) = program(alice()).await;
    let mut peer = Peer::login(serve.ssh, "alice").await;
    refuse_channels(&mut peer, 6_400).await;
    let before = serve.peak_kilobytes();
    refuse_channels(&mut peer, 92_800).await;
    let grown = serve.peak_kilobytes().saturating_sub(before);
    assert!(grown < 4 * 1024, "{grown} KiB more");
    let channel = peer.open(200_000, 1 << 20).await;
    assert!(peer.subsystem(channel, "sftp").await);
    // 99,200 so far, and this one has run something.
    refuse_channels(&mut peer, 768).await;
    for number in 0..100 {
        peer.send(&forbidden_channel(number)).await;
    }
    let answers = peer.rest().await;
    // Those that were on their way may be lost with the connection.
    let refused = answers.iter().filter(|answer| answer[0] == 92).count();
    assert!(refused <= 100_000 - 99_200 - 768, "{refused}");
    still_serves(&serve, directory.path()).await;
}

/// A channel that is refused, of one kind or another.
pub(super) fn forbidden_channel(number: u32) -> Message {
    let open = |kind: &[u8]| {
        let open = Message::new(90).string(kind).u32(number);
        open.u32(1 << 20).u32(32_768)
    };
    match number % 5 {
        0 => open(b"direct-tcpip")
            .string(b"host")
            .u32(80)
            .string(b"::1")
            .u32(1),
        1 => open(b"x11").string(b"::1").u32(1),
        2 => open(b"direct-streamlocal@openssh.com")
            .string(b"/run/socket")
            .string(b"")
            .u32(0),
        3 => open(b"auth-agent@openssh.com"),
        _ => open(b"no-such@example.com"),
    }
}

async fn refuse_channels(peer: &mut Peer, count: u32) {
    for number in 0..count {
        peer.send(&forbidden_channel(number)).await;
        // Answers are read now and then, so that they do not fill the socket.
        if number % 64 == 63 {
            for _ in 0..64 {
                assert!(peer.next(92).await.is_some(), "{number}");
            }
        }
    }
}
