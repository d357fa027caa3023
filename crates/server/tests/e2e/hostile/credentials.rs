//! Credentials that are none, or of somebody else: keys that were only offered, names with control characters, methods that
//! are not served, keys and signatures that are damaged.

use std::net::SocketAddr;

use sftpgo_testkit::{Account, PASSWORD, TestKey, TestServer};

use super::alice;
use super::peer::{Message, Peer};
use super::until_all_left;

const FAILURE: u8 = 51;
const SUCCESS: u8 = 52;
const KEY_OK: u8 = 60;

async fn served(address: SocketAddr) -> Peer {
    let mut peer = Peer::connect(address).await;
    peer.service().await;
    peer
}

fn attempt(user: &str, method: &str) -> Message {
    Message::new(50)
        .string(user.as_bytes())
        .string(b"ssh-connection")
        .string(method.as_bytes())
}

fn password(user: &str, password: &str) -> Message {
    attempt(user, "password")
        .byte(0)
        .string(password.as_bytes())
}

/// A request to log in with a key, up to the signature.
fn key(user: &str, algorithm: &str, blob: &[u8], signed: bool) -> Message {
    attempt(user, "publickey")
        .byte(signed.into())
        .string(algorithm.as_bytes())
        .string(blob)
}

fn offer(user: &str, offered: &TestKey) -> Message {
    key(user, "ssh-ed25519", &offered.blob(), false)
}

/// A request with the key `shown`, signed with `signer`.
fn signed_by(peer: &Peer, user: &str, shown: &TestKey, signer: &TestKey) -> Message {
    let request = key(user, "ssh-ed25519", &shown.blob(), true);
    let data = [
        &Message::default().string(&peer.session_id).0[..],
        &request.0,
    ]
    .concat();
    request.string(&signer.signature(&data))
}

/// The number of the answer; 0 if the connection ended.
async fn answer(peer: &mut Peer, request: &Message) -> u8 {
    peer.send(request).await;
    match peer.receive().await {
        Some(message) => message[0],
        None => 0,
    }
}

/// russh bca12c7: the answer for one key counted for the next one.
#[tokio::test]
async fn a_key_that_would_do_is_no_leave_for_another_one() {
    let (server, _sftp) = alice().await;
    let (alices, stranger) = (Account::key("alice"), TestKey::numbered(9));
    for (shown, signer) in [
        // Another key, which signs for itself, and keys that sign for each other.
        (&stranger, &stranger),
        (&alices, &stranger),
        (&stranger, &alices),
    ] {
        let mut peer = served(server.ssh_address()).await;
        assert_eq!(answer(&mut peer, &offer("alice", &alices)).await, KEY_OK);
        let request = signed_by(&peer, "alice", shown, signer);
        assert_eq!(answer(&mut peer, &request).await, FAILURE);
        // And the right one is not spoiled by it.
        let request = signed_by(&peer, "alice", &alices, &alices);
        assert_eq!(answer(&mut peer, &request).await, SUCCESS);
    }
}

/// CVE-2024-45337: who signed, and not whose key was asked about last.
#[tokio::test]
async fn a_victims_key_that_is_offered_in_between_changes_nothing() {
    let (server, _sftp) = alice().await;
    server.add(Account::new("bob")).await;
    let (alices, bobs) = (Account::key("alice"), Account::key("bob"));
    let mut peer = served(server.ssh_address()).await;
    assert_eq!(answer(&mut peer, &offer("alice", &alices)).await, KEY_OK);
    assert_eq!(answer(&mut peer, &offer("bob", &bobs)).await, KEY_OK);
    // Neither for the one nor for the other with the key of the other.
    for (user, shown) in [("bob", &alices), ("alice", &bobs)] {
        let request = signed_by(&peer, user, shown, shown);
        assert_eq!(answer(&mut peer, &request).await, FAILURE);
    }
    let request = signed_by(&peer, "alice", &alices, &alices);
    assert_eq!(answer(&mut peer, &request).await, SUCCESS);
    let channel = peer.open(0, 1 << 20).await;
    assert!(peer.subsystem(channel, "sftp").await);
    sftpgo_testkit::until("both sessions", async || {
        server.core().registry().connections().len() == 2
    })
    .await;
    let connections = server.core().registry().connections();
    assert!(
        connections
            .iter()
            .all(|connection| connection.username == "alice")
    );
}

/// A signature is of this connection, this user, this service, this key.
#[tokio::test]
async fn a_signature_for_something_else_is_refused() {
    let (server, _sftp) = alice().await;
    let alices = Account::key("alice");
    let whole = |peer: &Peer, signed: &Message| {
        let data = [
            &Message::default().string(&peer.session_id).0[..],
            &signed.0,
        ]
        .concat();
        let request = key("alice", "ssh-ed25519", &alices.blob(), true);
        request.string(&alices.signature(&data))
    };
    let another = served(server.ssh_address()).await;
    let mut peer = served(server.ssh_address()).await;
    let right = key("alice", "ssh-ed25519", &alices.blob(), true);
    let elsewhere = whole(&another, &right);
    assert_eq!(answer(&mut peer, &elsewhere).await, FAILURE);
    let others = [
        key("bob", "ssh-ed25519", &alices.blob(), true),
        key("alice", "ssh-ed25519", &alices.blob(), false),
        key("alice", "ssh-ed25519", &TestKey::numbered(9).blob(), true),
        Message(right.0[1..].to_vec()),
        Message::default(),
    ];
    for signed in others {
        let request = whole(&peer, &signed);
        assert_eq!(answer(&mut peer, &request).await, FAILURE);
    }
    let request = whole(&peer, &right);
    assert_eq!(answer(&mut peer, &request).await, SUCCESS);
}

/// What Wing FTP (CVE-2025-47812) and others made of a name with a NUL: two names.
#[tokio::test]
async fn names_with_control_characters_are_nobodys() {
    let (server, sftp) = alice().await;
    for name in [
        "alice\0",
        "alice\0bob",
        "\0alice",
        "alice\n",
        "alice\r\n",
        "\talice",
        "alice\x7f",
        "alice\u{85}",
        // And what SQL, LDAP, paths and templates are made of.
        "alice' OR '1'='1",
        "alice'--",
        "*)(uid=*",
        "../alice",
        "alice/",
        "%username%",
        "{{alice}}",
    ] {
        let mut peer = served(server.ssh_address()).await;
        assert_eq!(
            answer(&mut peer, &password(name, PASSWORD)).await,
            FAILURE,
            "{name:?}"
        );
        let alices = Account::key("alice");
        assert_eq!(
            answer(&mut peer, &offer(name, &alices)).await,
            FAILURE,
            "{name:?}"
        );
        let request = signed_by(&peer, name, &alices, &alices);
        assert_eq!(answer(&mut peer, &request).await, FAILURE, "{name:?}");
    }
    drop(sftp);
    until_all_left(&server).await;
}

/// CrushFTP (CVE-2025-31161): a name was a login where the rest of the credential was missing.
#[tokio::test]
async fn a_name_alone_never_logs_in() {
    let (server, _sftp) = alice().await;
    server.add(Account::new("keys").with("password", "")).await;
    let none: Vec<String> = Vec::new();
    server
        .add(Account::new("words").with("public_keys", none))
        .await;
    for name in ["alice", "keys", "words", ""] {
        let mut peer = served(server.ssh_address()).await;
        let requests = [
            attempt(name, "none"),
            password(name, ""),
            key(name, "ssh-ed25519", b"", false),
            key(name, "", b"", true).string(b""),
            attempt(name, "keyboard-interactive")
                .string(b"")
                .string(b""),
        ];
        for request in requests {
            let answer = answer(&mut peer, &request).await;
            // What is no key at all may end the connection.
            if answer == 0 || answer == 1 {
                peer = served(server.ssh_address()).await;
            } else {
                assert_eq!(answer, FAILURE, "{name:?}: {request:?}");
            }
        }
    }
}

/// CVE-2020-29652 and CVE-2025-58181: counts in a request of a method that is not served, and a handler that was not there.
#[tokio::test]
async fn methods_that_are_not_served_are_refused_unread() {
    let (server, _sftp) = alice().await;
    let mut peer = served(server.ssh_address()).await;
    let requests = [
        attempt("alice", "gssapi-with-mic").u32(u32::MAX),
        attempt("alice", "gssapi-with-mic").u32(1).u32(0xffff_fff0),
        attempt("alice", "gssapi-keyex").u32(u32::MAX),
        attempt("alice", "hostbased")
            .string(b"ssh-rsa")
            .u32(0xffff_fff0),
    ];
    for request in &requests {
        assert_eq!(answer(&mut peer, request).await, FAILURE);
    }
    assert_eq!(answer(&mut peer, &attempt("alice", "")).await, FAILURE);
    assert_eq!(
        answer(&mut peer, &password("alice", PASSWORD)).await,
        SUCCESS
    );
}

/// MOVEit (CVE-2024-5806) took the blob for the path of a key file.
#[tokio::test]
async fn a_public_key_is_never_taken_for_a_path() {
    let (server, _sftp) = alice().await;
    let file = server.home("alice").join("key.pub");
    std::fs::write(&file, Account::key("alice").line("")).unwrap();
    let blob = server.home("alice").join("blob");
    std::fs::write(&blob, Account::key("alice").blob()).unwrap();
    for path in [&file, &blob] {
        let path = path.to_str().unwrap();
        for value in [
            path.to_owned(),
            format!("file://{path}"),
            format!("@{path}"),
        ] {
            let named = Message::default()
                .string(b"ssh-ed25519")
                .string(value.as_bytes());
            for blob in [value.as_bytes(), &named.0] {
                for signed in [false, true] {
                    let mut peer = served(server.ssh_address()).await;
                    let mut request = key("alice", "ssh-ed25519", blob, signed);
                    if signed {
                        request = request.string(&Account::key("alice").signature(b""));
                    }
                    let answer = answer(&mut peer, &request).await;
                    assert!([0, 1, FAILURE].contains(&answer), "{answer}");
                }
            }
        }
    }
}

/// Keys and signatures of every type, cut and lengthened at every place, and under the name of another type (CVE-2020-9283,
/// CVE-2022-27191, ProFTPD 2102 to 2115): refused, or the end of their connection and no other.
#[tokio::test]
async fn damaged_keys_and_signatures_log_nobody_in() {
    let (server, mut sftp) = alice().await;
    let ed25519 = Account::key("alice");
    let rsa = TestKey::rsa();
    let point = [&[4][..], &[1; 64]].concat();
    let ecdsa = |point: &[u8]| {
        let named = Message::default().string(b"ecdsa-sha2-nistp256");
        named.string(b"nistp256").string(point).0
    };
    let mut keys = vec![
        ("ssh-ed25519", ed25519.blob()),
        ("ecdsa-sha2-nistp256", ecdsa(&point)),
        ("ecdsa-sha2-nistp256", ecdsa(&[0])),
        ("ecdsa-sha2-nistp256", ecdsa(&[])),
        ("rsa-sha2-256", rsa.blob()),
        // One type under the name of another.
        ("ssh-ed25519", rsa.blob()),
        ("rsa-sha2-512", ed25519.blob()),
        ("ecdsa-sha2-nistp384", ecdsa(&point)),
        ("ssh-ed25519-cert-v01@openssh.com", ed25519.blob()),
        ("no-such-algorithm", ed25519.blob()),
    ];
    let whole = ed25519.blob();
    for end in 0..whole.len() {
        keys.push(("ssh-ed25519", whole[..end].to_vec()));
    }
    keys.push(("ssh-ed25519", [&whole[..], b"x"].concat()));
    let rsa_numbers = |exponent: &[u8], modulus: &[u8]| {
        let named = Message::default().string(b"ssh-rsa");
        named.string(exponent).string(modulus).0
    };
    for (exponent, modulus) in [
        (&[][..], &[][..]),
        (&[0], &[0]),
        (&[1], &[1]),
        (&[3], &[0x80]),
        (&[0xff; 256], &[0x7f; 256]),
    ] {
        keys.push(("rsa-sha2-512", rsa_numbers(exponent, modulus)));
    }
    let right = ed25519.signature(b"something");
    let mut signatures = vec![Vec::new(), vec![0; 4], vec![0xff; 8], right.clone()];
    signatures.push(right[..right.len() - 1].to_vec());
    signatures.push([&right[..], b"x"].concat());
    signatures.push(Message::default().string(b"ssh-ed25519").u32(0xffff_fff0).0);
    signatures.push(
        Message::default()
            .string(b"rsa-sha2-512")
            .string(&[1; 600])
            .0,
    );
    let address = server.ssh_address();
    for (algorithm, blob) in &keys {
        let mut requests = vec![key("alice", algorithm, blob, false)];
        for signature in &signatures {
            requests.push(key("alice", algorithm, blob, true).string(signature));
        }
        futures_util::future::join_all(requests.iter().map(|request| async move {
            let mut peer = served(address).await;
            let answer = answer(&mut peer, request).await;
            assert!(
                [0, 1, FAILURE, KEY_OK].contains(&answer),
                "{answer}: {request:?}"
            );
        }))
        .await;
    }
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    drop(sftp);
    until_all_left(&server).await;
}

/// Requests that are cut anywhere, or that have something behind their end.
#[tokio::test]
async fn malformed_requests_to_log_in_end_their_connection_and_no_other() {
    let (server, mut sftp) = alice().await;
    let alices = Account::key("alice");
    let address = server.ssh_address();
    let mut requests = Vec::new();
    for whole in [
        attempt("alice", "none"),
        password("alice", PASSWORD),
        attempt("alice", "password")
            .byte(1)
            .string(b"old")
            .string(b"new"),
        offer("alice", &alices),
        key("alice", "ssh-ed25519", &alices.blob(), true).string(&alices.signature(b"")),
    ] {
        for end in 1..whole.0.len() {
            requests.push(Message(whole.0[..end].to_vec()));
        }
        requests.push(Message([&whole.0[..], b"x"].concat()));
    }
    for name in [&[0xff, 0xfe][..], &[b'a'; 60_000]] {
        let request = Message::new(50).string(name).string(b"ssh-connection");
        requests.push(
            request
                .string(b"password")
                .byte(0)
                .string(PASSWORD.as_bytes()),
        );
    }
    use futures_util::StreamExt as _;
    futures_util::stream::iter(&requests)
        .for_each_concurrent(32, |request| async move {
            let mut peer = served(address).await;
            let answer = answer(&mut peer, request).await;
            assert!([0, 1, FAILURE].contains(&answer), "{answer}: {request:?}");
        })
        .await;
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    drop(sftp);
    until_all_left(&server).await;
}

/// The service that is asked for behind the login is the one there is.
#[tokio::test]
async fn a_login_for_another_service_is_refused() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    for service in ["ssh-userauth", "", "ssh-connection\0", "x"] {
        let mut peer = served(server.ssh_address()).await;
        let request = Message::new(50)
            .string(b"alice")
            .string(service.as_bytes())
            .string(b"password")
            .byte(0)
            .string(PASSWORD.as_bytes());
        assert_eq!(answer(&mut peer, &request).await, 1, "{service}");
    }
}
