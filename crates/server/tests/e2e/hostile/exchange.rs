//! The exchange of keys: what is offered, what a client may not send, and messages slipped into it.

use serde_json::json;
use sftpgo_testkit::TestServer;

use super::super::running::{Serve, add_user, configured};
use super::peer::{Message, Peer, kex_init_offering, kex_init_with, split_string};

/// The lists of the server's KEXINIT: key exchange, host keys, ciphers and MACs each way, compression each way.
async fn offered(server: &TestServer) -> Vec<Vec<String>> {
    let mut peer = Peer::greet(server.ssh_address()).await;
    let message = peer.next(20).await.unwrap();
    let mut rest = &message[17..];
    let mut lists = Vec::new();
    for _ in 0..8 {
        let (list, behind) = split_string(rest);
        let names = std::str::from_utf8(list).unwrap().split(',');
        lists.push(names.map(str::to_owned).collect());
        rest = behind;
    }
    lists
}

async fn with_profile(profile: &str) -> TestServer {
    let builder = TestServer::builder();
    builder
        .set("sftpd.algorithms_profile", profile)
        .start()
        .await
}

/// The reason of the DISCONNECT that ends the connection.
async fn disconnected(peer: &mut Peer) -> u32 {
    let last = peer.rest().await.pop().unwrap();
    assert_eq!(last[0], 1, "DISCONNECT");
    u32::from_be_bytes(last[1..5].try_into().unwrap())
}

const PROTOCOL_ERROR: u32 = 2;
const KEY_EXCHANGE_FAILED: u32 = 3;

#[tokio::test]
async fn each_profile_offers_its_algorithms_and_the_marks_of_a_strict_exchange() {
    for (profile, first, last, macs) in [
        (
            "modern",
            "mlkem768x25519-sha256",
            "sntrup761x25519-sha512@openssh.com",
            2,
        ),
        (
            "compat",
            "mlkem768x25519-sha256",
            "diffie-hellman-group14-sha256",
            4,
        ),
        (
            "legacy",
            "mlkem768x25519-sha256",
            "diffie-hellman-group-exchange-sha1",
            6,
        ),
    ] {
        let server = with_profile(profile).await;
        let lists = offered(&server).await;
        let (marks, methods): (Vec<&String>, Vec<_>) = lists[0]
            .iter()
            .partition(|name| name.starts_with("ext-info") || name.starts_with("kex-strict"));
        assert_eq!(marks, ["ext-info-s", "kex-strict-s-v00@openssh.com"]);
        assert_eq!(
            (methods[0].as_str(), methods[methods.len() - 1].as_str()),
            (first, last)
        );
        assert_eq!(lists[1], ["ssh-ed25519"], "there is one key");
        assert_eq!(lists[2], lists[3]);
        assert_eq!(
            lists[2].contains(&"aes128-cbc".to_owned()),
            profile == "legacy"
        );
        assert_eq!(lists[4], lists[5]);
        assert_eq!(lists[4].len(), macs, "{profile}");
    }
}

#[tokio::test]
async fn named_algorithms_are_offered_and_no_others() {
    let server = TestServer::builder()
        .set("sftpd.kex_algorithms", json!(["curve25519-sha256"]))
        .set("sftpd.ciphers", json!(["aes256-ctr", "aes128-ctr"]))
        .set("sftpd.macs", json!(["hmac-sha2-512"]))
        .start()
        .await;
    let lists = offered(&server).await;
    assert_eq!(lists[0].len(), 3);
    assert_eq!(lists[0][0], "curve25519-sha256");
    assert_eq!(lists[2], ["aes256-ctr", "aes128-ctr"]);
    assert_eq!(lists[4], ["hmac-sha2-512"]);
}

/// Terrapin (CVE-2023-48795): a message more at the start, which the server would not miss at the end. With a strict client any
/// such message ends the connection; `states.rs` has the places behind the client's KEXINIT.
#[tokio::test]
async fn a_message_before_the_exchange_of_a_strict_client_ends_the_connection() {
    let server = with_profile("compat").await;
    let strict = b"curve25519-sha256,kex-strict-c-v00@openssh.com";
    for extra in [
        Message::new(2).string(b""),
        Message::new(3).u32(0),
        Message::new(4).byte(0).string(b"").string(b""),
    ] {
        let mut peer = Peer::greet(server.ssh_address()).await;
        peer.send(&extra).await;
        peer.send(&kex_init_offering(strict)).await;
        assert_eq!(disconnected(&mut peer).await, KEY_EXCHANGE_FAILED);
    }
}

/// What is compressed may be a thousand times as large, and its length gives secrets away.
#[tokio::test]
async fn compression_is_not_offered_and_who_insists_on_it_is_refused() {
    let server = with_profile("legacy").await;
    let lists = offered(&server).await;
    assert_eq!(
        (&lists[6][..], &lists[7][..]),
        (&["none".to_owned()][..], &["none".to_owned()][..])
    );
    for compression in [&b"zlib"[..], b"zlib@openssh.com,zlib", b""] {
        let mut peer = Peer::greet(server.ssh_address()).await;
        let init = kex_init_with(b"curve25519-sha256", compression);
        peer.send(&init).await;
        assert_eq!(disconnected(&mut peer).await, KEY_EXCHANGE_FAILED);
    }
}

/// Who sends such a value knows the secret without having exchanged anything; and what is no value at all must harm nobody.
#[tokio::test]
async fn values_that_make_the_secret_known_are_refused() {
    let server = with_profile("compat").await;
    // Of order 4 on curve25519.
    let mut one = [0; 32];
    one[0] = 1;
    // p - 1 of group 14 begins and ends so; as large as the prime is too large already.
    let large = [0xff; 257];
    // A point is 4 and its coordinates; this one is not on the curve.
    let off_curve = [&[4][..], &[1; 64]].concat();
    let hybrid = |length: usize, point: &[u8]| [&vec![1; length][..], point].concat();
    let cases: [(&[u8], Vec<Vec<u8>>); 6] = [
        (
            b"curve25519-sha256",
            vec![vec![0; 32], one.to_vec(), vec![9; 31], vec![9; 33], vec![]],
        ),
        (
            b"mlkem768x25519-sha256",
            vec![
                hybrid(1184, &[0; 32]),
                vec![0; 1216],
                vec![0xff; 1216],
                vec![1; 100],
                vec![],
            ],
        ),
        (
            b"sntrup761x25519-sha512",
            vec![
                hybrid(1158, &[0; 32]),
                hybrid(1158, &one),
                vec![1; 100],
                vec![],
            ],
        ),
        (
            b"ecdh-sha2-nistp256",
            vec![vec![0], off_curve, vec![4; 33], vec![]],
        ),
        (
            b"diffie-hellman-group14-sha256",
            vec![vec![], vec![0], vec![1], large.to_vec()],
        ),
        (
            b"diffie-hellman-group16-sha512",
            vec![vec![0], vec![1], [0; 600].to_vec()],
        ),
    ];
    for (kex, values) in cases {
        for value in values {
            let mut peer = Peer::greet_offering(server.ssh_address(), kex).await;
            peer.begin_exchange().await;
            peer.next(20).await.unwrap();
            peer.send(&Message::new(30).string(&value)).await;
            let reason = disconnected(&mut peer).await;
            let shown = String::from_utf8_lossy(kex);
            assert!(
                [PROTOCOL_ERROR, KEY_EXCHANGE_FAILED].contains(&reason),
                "{shown}: {value:?}"
            );
        }
    }
}

/// A key of ours for any polynomial that a client sends: whatever its coefficients.
#[tokio::test]
async fn any_public_key_of_sntrup761_is_answered() {
    let server = with_profile("modern").await;
    for byte in [0, 1, 0x55, 0x80, 0xff] {
        let kex = b"sntrup761x25519-sha512@openssh.com";
        let mut peer = Peer::greet_offering(server.ssh_address(), kex).await;
        peer.begin_exchange().await;
        peer.next(20).await.unwrap();
        let value = [&[byte; 1158][..], &[9; 32]].concat();
        peer.send(&Message::new(30).string(&value)).await;
        assert_eq!(peer.receive().await.unwrap()[0], 31, "{byte}");
    }
}

#[tokio::test]
async fn groups_that_are_too_small_are_refused() {
    let server = with_profile("compat").await;
    for (min, preferred, max) in [
        (1, 512, 1024),
        (1024, 1024, 1024),
        (8192, 8192, 8192),
        (9, 8, 7),
    ] {
        let kex = b"diffie-hellman-group-exchange-sha256";
        let mut peer = Peer::greet_offering(server.ssh_address(), kex).await;
        peer.begin_exchange().await;
        peer.next(20).await.unwrap();
        let request = Message::new(34).u32(min).u32(preferred).u32(max);
        peer.send(&request).await;
        disconnected(&mut peer).await;
    }
}

/// The log says what to set, and what the client knows.
#[tokio::test]
async fn who_knows_nothing_that_is_offered_is_told_and_logged() {
    let directory = configured(&json!({ "sftpd": { "algorithms_profile": "modern" } }));
    add_user(directory.path(), "alice");
    let mut serve = Serve::start_logging(directory.path());
    let mut peer = Peer::greet(serve.ssh).await;
    peer.begin_exchange().await;
    let last = peer.rest().await.pop().unwrap();
    assert_eq!(last[..5], [1, 0, 0, 0, 3]);
    let (text, _) = split_string(&last[5..]);
    let told = std::str::from_utf8(text).unwrap();
    assert!(
        told.contains("this server has mlkem768x25519-sha256,"),
        "{told}"
    );
    let line = serve.line_with("no_auth_tryed").unwrap();
    assert!(line.contains("the client has curve25519-sha256"), "{line}");
    assert!(line.contains("sftpd.algorithms_profile"), "{line}");
    // One that knows better is served.
    serve.login("alice").await;
}
