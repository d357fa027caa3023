//! Every message number in every state before the login: what it means there is dealt with, what nobody knows is answered
//! with UNIMPLEMENTED, and everything else ends the connection. Nothing is executed in any case.
//!
//! libssh took "you are logged in" from clients (CVE-2018-10933), Erlang served channels to anybody (CVE-2025-32433).

use std::net::SocketAddr;

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use sftpgo_testkit::{Account, TestServer};

use super::super::hooks::Scripts;
use super::peer::{Message, Peer, kex_init, request};
use super::until_all_left;

/// Strict key exchange is offered by these clients, and the other way by the others.
const STRICT: &[u8] = b"curve25519-sha256,kex-strict-c-v00@openssh.com";
const LAX: &[u8] = b"curve25519-sha256";

/// Connections at a time; an address may have more, and as many dialogues.
const AT_A_TIME: usize = 24;

/// How far a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Identifications were exchanged.
    Greeted,
    /// The client has begun to exchange keys.
    KexBegun { strict: bool },
    /// The server has sent its key and NEWKEYS, the client not yet.
    KexAnswered { strict: bool },
    /// Everything is encrypted.
    NewKeys { strict: bool },
    /// The service of logins has begun.
    Service,
    /// A key would do.
    KeyOffered,
    /// A password was wrong.
    PasswordRefused,
    /// A question of keyboard-interactive waits for its answer.
    Asked,
    /// A key was right, and more is asked for.
    HalfLoggedIn,
    /// Keys are exchanged anew by the client.
    RekeyBegun,
    /// The server has answered that.
    RekeyAnswered,
}

use State::{
    Asked, Greeted, HalfLoggedIn, KexAnswered, KexBegun, KeyOffered, NewKeys, PasswordRefused,
    RekeyAnswered, RekeyBegun, Service,
};

const STATES: [State; 14] = [
    Greeted,
    KexBegun { strict: false },
    KexBegun { strict: true },
    KexAnswered { strict: false },
    KexAnswered { strict: true },
    NewKeys { strict: false },
    NewKeys { strict: true },
    Service,
    KeyOffered,
    PasswordRefused,
    Asked,
    HalfLoggedIn,
    RekeyBegun,
    RekeyAnswered,
];

/// What has to come of a message.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// The connection ends, by DISCONNECT where that can be told.
    End,
    /// This message is the answer.
    Answer(u8),
    /// UNIMPLEMENTED with its number is, and the connection goes on.
    Unimplemented,
    /// Nothing, and the connection goes on.
    Nothing,
    /// The next state.
    Progress,
}

use Expected::{Answer, End, Nothing, Progress, Unimplemented};

impl State {
    async fn reach(self, address: SocketAddr) -> Peer {
        match self {
            Greeted => Peer::greet(address).await,
            KexBegun { strict } => {
                let mut peer = Peer::greet_offering(address, kex(strict)).await;
                peer.begin_exchange().await;
                peer.next(20).await.unwrap();
                peer
            }
            KexAnswered { strict } => {
                let mut peer = Peer::greet_offering(address, kex(strict)).await;
                exchange_half(&mut peer).await;
                peer
            }
            NewKeys { strict } => Peer::connect_offering(address, kex(strict)).await,
            Service => served(address).await,
            KeyOffered => {
                let mut peer = served(address).await;
                peer.send(&key_of("alice", false)).await;
                peer.next(60).await.unwrap();
                peer
            }
            PasswordRefused => {
                let mut peer = served(address).await;
                let method = attempt(b"password").byte(0).string(b"wrong");
                peer.send(&method).await;
                peer.next(51).await.unwrap();
                peer
            }
            Asked => {
                let mut peer = served(address).await;
                let method = attempt(b"keyboard-interactive").string(b"").string(b"");
                peer.send(&method).await;
                peer.next(60).await.unwrap();
                peer
            }
            HalfLoggedIn => {
                let mut peer = served(address).await;
                let request = key_of("carol", true);
                let data = [
                    &Message::default().string(&peer.session_id).0[..],
                    &request.0,
                ];
                let signature = Account::key("carol").signature(&data.concat());
                peer.send(&request.string(&signature)).await;
                let answer = peer.next(51).await.unwrap();
                assert_eq!(answer.last(), Some(&1), "partial success");
                peer
            }
            RekeyBegun => {
                let mut peer = served(address).await;
                peer.begin_exchange().await;
                peer.next(20).await.unwrap();
                peer
            }
            RekeyAnswered => {
                let mut peer = served(address).await;
                exchange_half(&mut peer).await;
                peer
            }
        }
    }

    /// What RFC 4253 (sections 7.1, 10 and 11), RFC 4252 (section 6) and the rules of strict key exchange say.
    fn expected(self, number: u8) -> Expected {
        let exchanging = |progress: u8, strict: bool| match number {
            number if number == progress => Progress,
            2..=4 if !strict => Nothing,
            _ => End,
        };
        match self {
            // Whether the exchange is strict is known with the client's KEXINIT, which it must then begin with.
            Greeted => exchanging(20, false),
            KexBegun { .. } | RekeyBegun if number == 30 => Answer(31),
            KexBegun { strict } => exchanging(30, strict),
            RekeyBegun => exchanging(30, false),
            KexAnswered { strict } => exchanging(21, strict),
            RekeyAnswered => exchanging(21, false),
            Asked if number == 61 => Answer(51),
            NewKeys { .. } | Service | KeyOffered | PasswordRefused | Asked | HalfLoggedIn => {
                match number {
                    1 => End,
                    2..=4 | 7 => Nothing,
                    5 => Answer(6),
                    20 => Answer(20),
                    50 if !matches!(self, NewKeys { .. }) => Answer(51),
                    // Attempts and answers without the service, answers to no question, and what only a server says or who
                    // is logged in.
                    6 | 50..=53 | 60 | 61 | 80.. => End,
                    _ => Unimplemented,
                }
            }
        }
    }

    /// Whether the server still can tell why it goes: between its NEWKEYS and the client's it cannot.
    fn may_be_told(self) -> bool {
        !matches!(self, KexAnswered { .. } | RekeyAnswered)
    }

    /// Something that is answered in this state, and by what.
    fn question(self) -> (Message, u8) {
        match self {
            Greeted => (kex_init(), 20),
            KexBegun { .. } | RekeyBegun => (ecdh_init(), 31),
            // What comes behind would be encrypted.
            KexAnswered { .. } | RekeyAnswered => {
                (Message::new(1).u32(11).string(b"").string(b""), 0)
            }
            NewKeys { .. } => (Message::new(5).string(b"ssh-userauth"), 6),
            Service | KeyOffered | PasswordRefused | Asked | HalfLoggedIn => (attempt(b"none"), 51),
        }
    }
}

fn kex(strict: bool) -> &'static [u8] {
    if strict { STRICT } else { LAX }
}

async fn served(address: SocketAddr) -> Peer {
    let mut peer = Peer::connect_offering(address, STRICT).await;
    peer.service().await;
    peer
}

async fn exchange_half(peer: &mut Peer) {
    peer.begin_exchange().await;
    peer.next(20).await.unwrap();
    peer.send(&ecdh_init()).await;
    peer.next(31).await.unwrap();
    peer.next(21).await.unwrap();
}

fn ecdh_init() -> Message {
    let mut base_point = [0; 32];
    base_point[0] = 9;
    Message::new(30).string(&base_point)
}

fn attempt(method: &[u8]) -> Message {
    attempt_of("alice", method)
}

fn attempt_of(user: &str, method: &[u8]) -> Message {
    Message::new(50)
        .string(user.as_bytes())
        .string(b"ssh-connection")
        .string(method)
}

/// The own key of a user, up to the signature.
fn key_of(user: &str, signed: bool) -> Message {
    attempt_of(user, b"publickey")
        .byte(signed.into())
        .string(b"ssh-ed25519")
        .string(&Account::key(user).blob())
}

/// A well-formed message of that number: what is refused is refused for its number.
fn message(number: u8) -> Message {
    let message = Message::new(number);
    match number {
        1 => message.u32(11).string(b"").string(b""),
        2 => message.string(b"ignored"),
        3 => message.u32(0),
        4 => message.byte(1).string(b"debug").string(b""),
        5 | 6 => message.string(b"ssh-userauth"),
        7 => message.u32(1).string(b"no-flow-control").string(b"p"),
        20 => kex_init(),
        21 | 52 | 81 | 82 => message,
        30 => ecdh_init(),
        34 => message.u32(2048).u32(2048).u32(8192),
        50 => attempt(b"none"),
        51 => message.string(b"password").byte(1),
        53 => message.string(b"banner").string(b""),
        60 => message.string(b"ssh-ed25519").string(b"key"),
        61 => message.u32(1).string(b"answer"),
        80 => message.string(b"tcpip-forward").byte(1).string(b"").u32(0),
        90 => message.string(b"session").u32(0).u32(1 << 20).u32(32_768),
        91 => message.u32(0).u32(0).u32(1 << 20).u32(32_768),
        92 => message.u32(0).u32(1).string(b"").string(b""),
        93 => message.u32(0).u32(1),
        94 => message.u32(0).string(b"\0\0\0\x05\x01\0\0\0\x03"),
        95 => message.u32(0).u32(1).string(b"data"),
        96 | 97 | 99 | 100 => message.u32(0),
        98 => request(0, b"exec", b"pwd"),
        192 => message.string(b"ping"),
        _ => message.string(b"whatever"),
    }
}

async fn check(address: SocketAddr, state: State, number: u8) {
    let mut peer = state.reach(address).await;
    let sequence = peer.sent();
    peer.send(&message(number)).await;
    let shown = format!("{number} in {state:?}");
    match state.expected(number) {
        End => {
            let last: Vec<u8> = peer.rest().await.iter().map(|m| m[0]).collect();
            // Before it has read anything of ours, the server has begun to exchange keys.
            let said = last.iter().filter(|said| **said != 20).copied();
            let said: Vec<u8> = said.collect();
            if number == 1 || !state.may_be_told() {
                assert!(said.is_empty(), "{shown}: {said:?}");
            } else {
                assert_eq!(said, [1], "DISCONNECT: {shown}");
            }
        }
        Answer(answer) => assert_eq!(peer.receive().await.unwrap()[0], answer, "{shown}"),
        Unimplemented => {
            let answer = peer.receive().await.unwrap();
            let mut expected = vec![3];
            expected.extend(sequence_number(state, sequence).to_be_bytes());
            assert_eq!(answer, expected, "{shown}");
            goes_on(&mut peer, state, &shown).await;
        }
        Nothing => goes_on(&mut peer, state, &shown).await,
        Progress => {}
    }
}

/// The number of the packet as the server counts: with strict key exchange from the NEWKEYS on.
fn sequence_number(state: State, sent: u32) -> u32 {
    match state {
        NewKeys { strict: false } => sent,
        // KEXINIT, the key, NEWKEYS.
        _ => sent - 3,
    }
}

/// The connection is where it was, and nobody is logged in.
async fn goes_on(peer: &mut Peer, state: State, shown: &str) {
    let (question, answer) = state.question();
    peer.send(&question).await;
    if answer == 0 {
        peer.rest().await;
        return;
    }
    assert_eq!(peer.receive().await.unwrap()[0], answer, "behind {shown}");
    if matches!(state, Greeted | KexBegun { .. } | RekeyBegun) {
        return;
    }
    peer.send(&message(90)).await;
    let answers: Vec<u8> = peer.rest().await.iter().map(|m| m[0]).collect();
    assert_eq!(answers, [1], "a channel behind {shown}");
}

/// A question that has no right answer.
const DIALOGUE: &str = r#"
echo '{"questions":["Code: "],"echos":[false]}'
read -r code
echo '{"auth_result":-1}'
"#;

#[tokio::test]
async fn every_message_in_every_state_before_the_login_is_expected_answered_or_the_end() {
    let scripts = Scripts::new();
    // As many attempts as there are numbers come from one address.
    let server = TestServer::builder()
        .set("sftpd.max_auth_tries", -1)
        .set(
            "sftpd.keyboard_interactive_auth_program",
            scripts.script("dialogue", DIALOGUE),
        )
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let filters = json!({ "required_login_methods": ["publickey,password"] });
    let carol = Account::new("carol").with("filters", filters);
    server.add(carol).await;
    let address = server.ssh_address();
    for state in STATES {
        stream::iter(0..=255)
            .for_each_concurrent(AT_A_TIME, |number| check(address, state, number))
            .await;
    }
    until_all_left(&server).await;
    let metrics = server.core().metrics();
    assert_eq!(metrics.password_logins.ok.value(), 0);
    assert_eq!(metrics.public_key_logins.ok.value(), 0);
    // More connections than an address may have before their logins came and went: they gave their places back.
    Peer::login(address, "alice").await;
}

/// Who has not said who they are gets nothing but that of the server, whatever they say.
#[tokio::test]
async fn packets_before_the_identification_are_not_looked_at() {
    let server = TestServer::start().await;
    let address = server.ssh_address();
    stream::iter(0..=255)
        .for_each_concurrent(AT_A_TIME, |number| async move {
            let mut peer = Peer::silent(address).await;
            peer.send(&message(number)).await;
            peer.shut().await;
            let said = peer.rest_of_bytes().await;
            assert!(said.starts_with(b"SSH-2.0-"), "{number}");
            let end = said.iter().position(|byte| *byte == b'\n').unwrap();
            assert_eq!(end + 1, said.len(), "{number}");
        })
        .await;
    until_all_left(&server).await;
}
