//! Logins with security keys, and what stands in front of keys: raw requests, with signatures made here.

use sftpgo_testkit::{Account, SecurityKey, TOUCHED, TestKey, TestServer, VERIFIED};

use super::hostile::peer::{Message, Peer};

const SUCCESS: u8 = 52;
const FAILURE: u8 = 51;
const KEY_OK: u8 = 60;

/// A server whose user `alice` has these lines of keys.
async fn server(lines: Vec<String>) -> TestServer {
    let server = TestServer::start().await;
    server
        .add(Account::new("alice").with("public_keys", lines))
        .await;
    server
}

/// A request to log in with a key, up to the signature.
fn request(name: &str, blob: &[u8], signed: bool) -> Message {
    Message::new(50)
        .string(b"alice")
        .string(b"ssh-connection")
        .string(b"publickey")
        .byte(signed.into())
        .string(name.as_bytes())
        .string(blob)
}

/// What a signature is made of: the session, and the request up to the signature.
fn data(peer: &Peer, request: &Message) -> Vec<u8> {
    let mut data = Message::default().string(&peer.session_id).0;
    data.extend_from_slice(&request.0);
    data
}

async fn connected(server: &TestServer) -> Peer {
    let mut peer = Peer::connect(server.ssh_address()).await;
    peer.service().await;
    peer
}

/// The number of the message that answers.
async fn answer(peer: &mut Peer, request: &Message) -> u8 {
    peer.send(request).await;
    peer.receive().await.unwrap()[0]
}

/// What a login with these flags is answered with.
async fn login(server: &TestServer, key: &SecurityKey, flags: u8) -> u8 {
    let mut peer = connected(server).await;
    let request = request(key.name(), &key.blob(), true);
    let signature = key.signature(&data(&peer, &request), flags);
    answer(&mut peer, &request.string(&signature)).await
}

/// CVE-2026-39831.
#[tokio::test]
async fn a_security_key_logs_in_if_somebody_touched_it() {
    for key in SecurityKey::of_each_kind() {
        let server = server(vec![key.line("")]).await;
        let mut peer = connected(&server).await;
        let question = request(key.name(), &key.blob(), false);
        assert_eq!(answer(&mut peer, &question).await, KEY_OK);
        assert_eq!(login(&server, &key, TOUCHED).await, SUCCESS);
        assert_eq!(login(&server, &key, TOUCHED | VERIFIED).await, SUCCESS);
        assert_eq!(login(&server, &key, 0).await, FAILURE);
        assert_eq!(login(&server, &key, VERIFIED).await, FAILURE);
    }
}

#[tokio::test]
async fn a_line_may_do_without_the_touch_and_may_ask_for_more() {
    let [ed25519, ecdsa] = SecurityKey::of_each_kind();
    let lines = vec![
        ed25519.line("no-touch-required"),
        ecdsa.line("verify-required"),
    ];
    let server = server(lines).await;
    assert_eq!(login(&server, &ed25519, 0).await, SUCCESS);
    assert_eq!(login(&server, &ed25519, TOUCHED).await, SUCCESS);
    assert_eq!(login(&server, &ecdsa, TOUCHED).await, FAILURE);
    assert_eq!(login(&server, &ecdsa, VERIFIED).await, FAILURE);
    assert_eq!(login(&server, &ecdsa, TOUCHED | VERIFIED).await, SUCCESS);
}

#[tokio::test]
async fn flags_that_were_not_signed_are_not_believed() {
    for key in SecurityKey::of_each_kind() {
        let server = server(vec![key.line("")]).await;
        let mut peer = connected(&server).await;
        let request = request(key.name(), &key.blob(), true);
        let mut signature = key.signature(&data(&peer, &request), 0);
        let flags = signature.len() - 5;
        assert_eq!(signature[flags], 0);
        signature[flags] = TOUCHED;
        let request = request.string(&signature);
        assert_eq!(answer(&mut peer, &request).await, FAILURE);
    }
}

#[tokio::test]
async fn a_signature_for_another_session_logs_nobody_in() {
    let [key, _] = SecurityKey::of_each_kind();
    let server = server(vec![key.line("")]).await;
    let other = connected(&server).await;
    let request = request(key.name(), &key.blob(), true);
    let signature = key.signature(&data(&other, &request), TOUCHED);
    let mut peer = connected(&server).await;
    let request = request.string(&signature);
    assert_eq!(answer(&mut peer, &request).await, FAILURE);
}

/// russh 0.61.2 (bca12c7): a signature of one key was taken for that of another that was asked about.
#[tokio::test]
async fn a_signature_counts_for_the_key_that_made_it_whatever_was_asked_before() {
    let own = Account::key("alice");
    let other = TestKey::numbered(31);
    let server = server(vec![own.line("")]).await;
    let mut peer = connected(&server).await;
    let name = "ssh-ed25519";
    let question = request(name, &own.blob(), false);
    assert_eq!(answer(&mut peer, &question).await, KEY_OK);
    let with = |peer: &Peer, named: &TestKey, signer: &TestKey| {
        let request = request(name, &named.blob(), true);
        let signature = signer.signature(&data(peer, &request));
        request.string(&signature)
    };
    let theirs = with(&peer, &other, &other);
    assert_eq!(answer(&mut peer, &theirs).await, FAILURE);
    assert_eq!(answer(&mut peer, &question).await, KEY_OK);
    let forged = with(&peer, &own, &other);
    assert_eq!(answer(&mut peer, &forged).await, FAILURE);
    let right = with(&peer, &own, &own);
    assert_eq!(answer(&mut peer, &right).await, SUCCESS);
}

#[tokio::test]
async fn from_and_expiry_time_in_front_of_a_key_hold() {
    let key = TestKey::numbered(32);
    for (options, expected) in [
        ("from=\"127.0.0.1\"", true),
        ("from=\"127.0.0.0/8,!127.0.0.2\"", true),
        ("from=\"192.0.2.*\"", false),
        ("from=\"*,!127.0.0.*\"", false),
        ("from=\"localhost\"", false),
        ("expiry-time=\"99991231Z\"", true),
        ("expiry-time=\"20200101\"", false),
        ("restrict,no-pty", true),
        ("only-on-mondays", false),
    ] {
        let server = server(vec![format!("{options} {}", key.line("x"))]).await;
        let mut client = server.connect().await;
        assert_eq!(client.key("alice", &key).await, expected, "{options}");
    }
}

#[tokio::test]
async fn a_command_in_front_of_a_key_runs_instead_of_any_other() {
    let [pwd, sftp, script] = [33, 34, 35].map(TestKey::numbered);
    let line = |command: &str, key: &TestKey| format!("command=\"{command}\" {}", key.line("x"));
    let server = server(vec![
        line("pwd", &pwd),
        line("internal-sftp", &sftp),
        line("/usr/local/bin/backup", &script),
    ])
    .await;
    let mut client = server.connect().await;
    assert!(client.key("alice", &pwd).await);
    let ran = client.exec(b"md5sum /x", b"").await.unwrap();
    assert_eq!(ran.text(), "/\n");
    assert!(client.subsystem("sftp").await.is_none());

    let mut client = server.connect().await;
    assert!(client.key("alice", &sftp).await);
    assert!(client.exec(b"pwd", b"").await.is_none());
    assert!(client.subsystem("sftp").await.is_some());

    let mut client = server.connect().await;
    assert!(!client.key("alice", &script).await, "cannot be run");
}
