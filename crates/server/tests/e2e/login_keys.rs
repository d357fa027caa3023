//! RSA keys of clients, and what the server says of its keys and signatures (RFC 8308, RFC 8332).

use serde_json::json;
use sftpgo_testkit::{Account, Builder, TestKey, TestServer};

use super::hostile::peer::{Message, Peer, split_string};

/// A server whose user `alice` has the RSA key.
async fn server() -> TestServer {
    server_with(TestServer::builder()).await
}

async fn server_with(builder: Builder) -> TestServer {
    let server = builder.start().await;
    let line = TestKey::rsa().line("");
    server
        .add(Account::new("alice").with("public_keys", vec![line]))
        .await;
    server
}

/// A request to log in with a key, up to the signature; the algorithm is the one that is announced.
fn asked(algorithm: &str, blob: &[u8], signed: bool) -> Message {
    Message::new(50)
        .string(b"alice")
        .string(b"ssh-connection")
        .string(b"publickey")
        .byte(signed.into())
        .string(algorithm.as_bytes())
        .string(blob)
}

/// The same with a signature by an algorithm that may be another one.
fn signed(peer: &Peer, announced: &str, used: &str) -> Message {
    let key = TestKey::rsa();
    let request = asked(announced, &key.blob(), true);
    let mut data = Message::default().string(&peer.session_id).0;
    data.extend_from_slice(&request.0);
    request.string(&key.rsa_signature(used, &data))
}

/// The number of the message that answers a request to log in.
async fn answer(server: &TestServer, request: impl FnOnce(&Peer) -> Message) -> u8 {
    let mut peer = Peer::connect(server.ssh_address()).await;
    peer.service().await;
    let request = request(&peer);
    peer.send(&request).await;
    peer.receive().await.unwrap()[0]
}

const SUCCESS: u8 = 52;
const FAILURE: u8 = 51;
const KEY_OK: u8 = 60;

#[tokio::test]
async fn an_rsa_key_logs_in_with_sha2_and_not_with_sha1() {
    let server = server().await;
    let key = TestKey::rsa();
    for (algorithm, accepted) in [
        ("rsa-sha2-256", true),
        ("rsa-sha2-512", true),
        ("ssh-rsa", false),
    ] {
        let mut client = server.connect().await;
        let tried = client.rsa_key("alice", &key, algorithm).await;
        assert_eq!(tried, accepted, "{algorithm}");
    }
}

#[tokio::test]
async fn a_signature_is_of_the_announced_algorithm() {
    let server = server().await;
    for (announced, used, expected) in [
        ("rsa-sha2-256", "rsa-sha2-256", SUCCESS),
        ("rsa-sha2-512", "rsa-sha2-512", SUCCESS),
        ("rsa-sha2-256", "rsa-sha2-512", FAILURE),
        ("rsa-sha2-512", "rsa-sha2-256", FAILURE),
        ("rsa-sha2-256", "ssh-rsa", FAILURE),
        ("rsa-sha2-512", "ssh-rsa", FAILURE),
        ("ssh-rsa", "ssh-rsa", FAILURE),
    ] {
        let answer = answer(&server, |peer| signed(peer, announced, used)).await;
        assert_eq!(answer, expected, "{announced} signed with {used}");
    }
}

/// The name of the key and that of its old signatures are one and the same.
#[tokio::test]
async fn a_request_that_names_ssh_rsa_and_signs_with_sha2_is_accepted() {
    let server = server().await;
    for used in ["rsa-sha2-256", "rsa-sha2-512"] {
        let answer = answer(&server, |peer| signed(peer, "ssh-rsa", used)).await;
        assert_eq!(answer, SUCCESS, "{used}");
    }
    // And no other key gets in by it: the signature is of what was sent.
    let answer = answer(&server, |_| {
        let request = asked("ssh-rsa", &TestKey::rsa().blob(), true);
        request.string(&TestKey::rsa().rsa_signature("rsa-sha2-256", b"something else"))
    })
    .await;
    assert_eq!(answer, FAILURE);
}

/// Nearly all who ask it sign with SHA-1, and their users would be asked for a passphrase for nothing.
#[tokio::test]
async fn a_question_that_names_ssh_rsa_is_refused() {
    let server = server().await;
    let blob = TestKey::rsa().blob();
    for (algorithm, expected) in [
        ("rsa-sha2-256", KEY_OK),
        ("rsa-sha2-512", KEY_OK),
        ("ssh-rsa", FAILURE),
    ] {
        let answer = answer(&server, |_| asked(algorithm, &blob, false)).await;
        assert_eq!(answer, expected, "{algorithm}");
    }
}

#[tokio::test]
async fn signatures_with_sha1_are_accepted_with_the_profile_for_them() {
    let builder = TestServer::builder().set("sftpd.algorithms_profile", "legacy");
    let server = server_with(builder).await;
    let blob = TestKey::rsa().blob();
    let question = answer(&server, |_| asked("ssh-rsa", &blob, false)).await;
    assert_eq!(question, KEY_OK);
    for (announced, used, expected) in [
        ("ssh-rsa", "ssh-rsa", SUCCESS),
        ("ssh-rsa", "rsa-sha2-256", SUCCESS),
        ("rsa-sha2-512", "rsa-sha2-512", SUCCESS),
        // Announced is announced.
        ("rsa-sha2-256", "ssh-rsa", FAILURE),
    ] {
        let answer = answer(&server, |peer| signed(peer, announced, used)).await;
        assert_eq!(answer, expected, "{announced} signed with {used}");
    }
}

#[tokio::test]
async fn only_the_named_signatures_of_users_keys_are_accepted() {
    let names = json!(["rsa-sha2-256", "ecdsa-sha2-nistp256"]);
    let builder = TestServer::builder().set("sftpd.public_key_algorithms", names);
    let server = server_with(builder).await;
    server.add(Account::new("bob")).await;
    let mut client = server.connect().await;
    assert!(!client.offer_key("bob", &Account::key("bob")).await);
    assert!(!client.key("bob", &Account::key("bob")).await);
    for (used, expected) in [("rsa-sha2-512", FAILURE), ("rsa-sha2-256", SUCCESS)] {
        let answer = answer(&server, |peer| signed(peer, used, used)).await;
        assert_eq!(answer, expected, "{used}");
    }
    let offered = b"curve25519-sha256,ext-info-c";
    let mut peer = Peer::connect_offering(server.ssh_address(), offered).await;
    let info = only(&mut peer, 7).await;
    assert!(info.ends_with(b"rsa-sha2-256,ecdsa-sha2-nistp256"));
}

#[tokio::test]
async fn keys_of_dsa_are_refused() {
    let server = server().await;
    let named = Message::default().string(b"ssh-dss");
    let blob = (0..4).fold(named, |blob, _| blob.string(&[0x7f; 128]));
    for is_signed in [false, true] {
        let answer = answer(&server, |_| {
            let request = asked("ssh-dss", &blob.0, is_signed);
            let signature = Message::default().string(b"ssh-dss").string(&[0x11; 40]);
            if is_signed {
                request.string(&signature.0)
            } else {
                request
            }
        })
        .await;
        assert_eq!(answer, FAILURE);
    }
}

/// CVE-2026-39829: numbers so large that a server has to do with one login for minutes.
#[tokio::test]
async fn rsa_keys_of_more_than_8192_bits_are_refused() {
    let server = server().await;
    // The largest is as much as fits into a packet before the login.
    for bits in [8_200, 16_384, 196_608] {
        let modulus = vec![0x7f; bits / 8];
        let blob = Message::default()
            .string(b"ssh-rsa")
            .string(&[1, 0, 1])
            .string(&modulus);
        let signature = Message::default()
            .string(b"rsa-sha2-512")
            .string(&vec![0x11; bits / 8]);
        let answer = answer(&server, |_| {
            asked("rsa-sha2-512", &blob.0, true).string(&signature.0)
        })
        .await;
        assert_eq!(answer, FAILURE, "{bits}");
    }
}

/// The next message, which has this number: nothing comes that nobody asked for.
async fn only(peer: &mut Peer, number: u8) -> Vec<u8> {
    let message = peer.receive().await.unwrap();
    assert_eq!(message[0], number, "{message:?}");
    message
}

/// Everything that a client is told that logs in and exchanges keys again.
async fn logs_in_and_exchanges_keys_again(peer: &mut Peer) {
    peer.send(&Message::new(5).string(b"ssh-userauth")).await;
    only(peer, 6).await;
    let request = signed(peer, "rsa-sha2-512", "rsa-sha2-512");
    peer.send(&request).await;
    only(peer, SUCCESS).await;
    for _ in 0..2 {
        assert!(peer.exchange_keys(None).await.is_empty());
        let request = Message::new(80).string(b"no-such@example.com").byte(1);
        peer.send(&request).await;
        only(peer, 82).await;
    }
}

/// OpenSSH since 8.8 signs with an RSA key only if it is told that SHA-2 is understood. `hostkeys-00@openssh.com`, a global
/// request, is not made: some clients break at it.
#[tokio::test]
async fn signature_algorithms_are_told_once_and_host_keys_never() {
    let server = server().await;
    let offered = b"curve25519-sha256,ext-info-c";
    let mut peer = Peer::connect_offering(server.ssh_address(), offered).await;
    let info = only(&mut peer, 7).await;
    assert_eq!(info[1..5], [0, 0, 0, 1], "one extension");
    let (name, rest) = split_string(&info[5..]);
    assert_eq!(name, b"server-sig-algs");
    let (value, rest) = split_string(rest);
    assert!(rest.is_empty());
    let value = std::str::from_utf8(value).unwrap();
    let mut names: Vec<&str> = value.split(',').collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp521",
            "rsa-sha2-256",
            "rsa-sha2-512",
            "sk-ecdsa-sha2-nistp256@openssh.com",
            "sk-ssh-ed25519@openssh.com",
            "ssh-ed25519",
        ]
    );
    logs_in_and_exchanges_keys_again(&mut peer).await;
}

#[tokio::test]
async fn signature_algorithms_are_not_told_to_who_does_not_ask() {
    let server = server().await;
    let mut peer = Peer::connect(server.ssh_address()).await;
    logs_in_and_exchanges_keys_again(&mut peer).await;
}
