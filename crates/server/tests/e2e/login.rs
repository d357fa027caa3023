//! Who may log in, and as whom.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use sftpgo_testkit::{Account, FileClient as _, PASSWORD, Sftp, TestKey, TestServer, until};

async fn server_with(account: Account) -> TestServer {
    let server = TestServer::start().await;
    server.add(account).await;
    server
}

async fn password_works(server: &TestServer, name: &str, password: &str) -> bool {
    server.connect().await.password(name, password).await
}

async fn key_works(server: &TestServer, name: &str, key: &TestKey) -> bool {
    server.connect().await.key(name, key).await
}

fn milliseconds_from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap() + 1000 * seconds
}

#[tokio::test]
async fn a_password_and_a_key_each_open_a_session() {
    let server = server_with(Account::new("alice")).await;
    let mut client = server.connect().await;
    assert!(client.password("alice", PASSWORD).await);
    let mut sftp = Sftp::open(Arc::new(client)).await.unwrap();
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    assert!(key_works(&server, "alice", &Account::key("alice")).await);
}

#[tokio::test]
async fn a_wrong_credential_is_refused_and_the_next_one_may_be_right() {
    let server = server_with(Account::new("alice")).await;
    let mut client = server.connect().await;
    assert!(!client.password("alice", "wrong").await);
    assert!(!client.key("alice", &TestKey::numbered(7)).await);
    assert!(!client.password("alice", "").await);
    assert!(client.password("alice", PASSWORD).await);
}

#[tokio::test]
async fn who_does_not_exist_gets_in_with_nothing() {
    let server = server_with(Account::new("alice")).await;
    for name in ["bob", "", "ALICE", "alice ", "../alice"] {
        assert!(!password_works(&server, name, PASSWORD).await, "{name:?}");
        assert!(
            !key_works(&server, name, &Account::key("alice")).await,
            "{name:?}"
        );
    }
}

#[tokio::test]
async fn only_password_and_public_key_are_offered() {
    let server = server_with(Account::new("alice")).await;
    let methods = server.connect().await.methods("alice").await;
    let mut names: Vec<String> = methods.iter().map(String::from).collect();
    names.sort();
    assert_eq!(names, ["password", "publickey"]);
}

#[tokio::test]
async fn a_disabled_account_is_refused() {
    let server = server_with(Account::new("alice").with("status", 0)).await;
    assert!(!password_works(&server, "alice", PASSWORD).await);
    assert!(!key_works(&server, "alice", &Account::key("alice")).await);
}

#[tokio::test]
async fn an_account_expires_at_its_date() {
    let server = TestServer::start().await;
    for (name, seconds, works) in [("past", -1, false), ("future", 3600, true)] {
        let date = milliseconds_from_now(seconds);
        server
            .add(Account::new(name).with("expiration_date", date))
            .await;
        assert_eq!(
            password_works(&server, name, PASSWORD).await,
            works,
            "{name}"
        );
        assert_eq!(
            key_works(&server, name, &Account::key(name)).await,
            works,
            "{name}"
        );
    }
}

#[tokio::test]
async fn addresses_are_filtered() {
    let cases = [
        ("denied", json!({ "denied_ip": ["127.0.0.0/8"] }), false),
        (
            "elsewhere",
            json!({ "allowed_ip": ["192.0.2.0/24"] }),
            false,
        ),
        ("here", json!({ "allowed_ip": ["127.0.0.1/32"] }), true),
        ("others", json!({ "denied_ip": ["192.0.2.0/24"] }), true),
        (
            "both",
            json!({ "allowed_ip": ["127.0.0.0/8"], "denied_ip": ["127.0.0.1/32"] }),
            false,
        ),
    ];
    let server = TestServer::start().await;
    for (name, filters, works) in cases {
        server
            .add(Account::new(name).with("filters", filters))
            .await;
        assert_eq!(
            password_works(&server, name, PASSWORD).await,
            works,
            "{name}"
        );
        assert_eq!(
            key_works(&server, name, &Account::key(name)).await,
            works,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_denied_method_is_refused_and_the_other_one_works() {
    let server = TestServer::start().await;
    for (name, denied) in [("keys", "password"), ("words", "publickey")] {
        let filters = json!({ "denied_login_methods": [denied] });
        server
            .add(Account::new(name).with("filters", filters))
            .await;
        assert_eq!(
            password_works(&server, name, PASSWORD).await,
            denied != "password"
        );
        assert_eq!(
            key_works(&server, name, &Account::key(name)).await,
            denied != "publickey"
        );
    }
}

#[tokio::test]
async fn sessions_are_counted_in_one_step_and_given_back() {
    let server = server_with(Account::new("alice").with("max_sessions", 3)).await;
    let attempts = (0..20).map(|_| async {
        let mut client = server.connect().await;
        let accepted = client.key("alice", &Account::key("alice")).await;
        (accepted, client)
    });
    let mut clients = futures_util::future::join_all(attempts).await;
    assert_eq!(clients.iter().filter(|(accepted, _)| *accepted).count(), 3);
    assert!(!password_works(&server, "alice", PASSWORD).await);
    clients.clear();
    until("a free session", async || {
        key_works(&server, "alice", &Account::key("alice")).await
    })
    .await;
}

#[tokio::test]
async fn a_refused_login_takes_no_session() {
    let filters = json!({ "denied_login_methods": ["password"] });
    let server = server_with(
        Account::new("alice")
            .with("max_sessions", 1)
            .with("filters", filters),
    )
    .await;
    for _ in 0..3 {
        assert!(!password_works(&server, "alice", PASSWORD).await);
    }
    let mut client = server.connect().await;
    assert!(!client.password("alice", PASSWORD).await);
    assert!(client.key("alice", &Account::key("alice")).await);
}

/// What a server must not do that remembers the last key it was asked about (CVE-2024-45337).
#[tokio::test]
async fn the_key_that_signed_says_who_it_is_and_not_the_one_that_was_offered() {
    let server = server_with(Account::new("alice")).await;
    server.add(Account::new("bob")).await;
    let (alice, bob) = (Account::key("alice"), Account::key("bob"));

    let mut client = server.connect().await;
    assert!(client.offer_key("bob", &bob).await);
    assert!(
        !client.key("bob", &alice).await,
        "an offered key is no login"
    );
    assert!(client.key("alice", &alice).await);
    let mut sftp = Sftp::open(Arc::new(client)).await.unwrap();
    sftp.put(b"/whose", b"").await.unwrap();
    assert!(server.home("alice").join("whose").exists());
    assert!(!server.home("bob").join("whose").exists());
}

#[tokio::test]
async fn a_key_of_somebody_else_is_not_accepted_when_offered() {
    let server = server_with(Account::new("alice")).await;
    let mut client = server.connect().await;
    assert!(!client.offer_key("alice", &TestKey::numbered(9)).await);
    assert!(client.offer_key("alice", &Account::key("alice")).await);
    assert!(
        Sftp::open(Arc::new(client)).await.is_none(),
        "nobody is logged in"
    );
}

#[tokio::test]
async fn too_many_wrong_passwords_end_the_connection() {
    let server = TestServer::builder()
        .set("sftpd.max_auth_tries", 2)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut client = server.connect().await;
    // As every client begins; that one is free.
    client.methods("alice").await;
    for _ in 0..2 {
        assert!(!client.password("alice", "wrong").await);
    }
    assert!(!client.password("alice", PASSWORD).await);
    assert!(client.is_closed());
}

#[tokio::test]
async fn the_last_login_is_noted() {
    let server = server_with(Account::new("alice")).await;
    let before = milliseconds_from_now(0);
    let _session = server.sftp("alice").await;
    let user = server.users().by_name("alice").await.unwrap();
    assert!(user.last_login >= before, "{}", user.last_login);
}

#[tokio::test]
async fn a_session_that_does_nothing_is_closed() {
    let server = TestServer::builder()
        .idle_timeout(Duration::from_millis(200))
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let sftp = server.sftp("alice").await;
    until("the close of an idle session", async || {
        sftp.ssh().is_closed()
    })
    .await;
    until("the end of the session", async || {
        server.core().registry().connections().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_login_that_starts_nothing_is_closed_and_gives_its_session_back() {
    let server = TestServer::builder()
        .idle_timeout(Duration::from_millis(200))
        .start()
        .await;
    server
        .add(Account::new("alice").with("max_sessions", 1))
        .await;
    let mut idle = server.connect().await;
    assert!(idle.password("alice", PASSWORD).await);
    until("the close of an unused connection", async || {
        idle.is_closed()
    })
    .await;
    until("the session to be free again", async || {
        let mut next = server.connect().await;
        next.password("alice", PASSWORD).await
    })
    .await;
}

#[tokio::test]
async fn logins_are_counted() {
    let server = server_with(Account::new("alice")).await;
    let mut client = server.connect().await;
    assert!(!client.password("alice", "wrong").await);
    assert!(client.key("alice", &Account::key("alice")).await);
    let metrics = server.core().metrics();
    assert_eq!(metrics.password_logins.failed.value(), 1);
    assert_eq!(metrics.public_key_logins.ok.value(), 1);
}

#[tokio::test]
async fn every_key_of_a_value_with_several_lines_opens_a_session() {
    let keys = [7, 8, 9].map(TestKey::numbered);
    let lines: Vec<_> = keys.iter().map(|key| key.line("comment")).collect();
    let account = Account::new("alice").with("public_keys", vec![lines.join("\r\n")]);
    let server = server_with(account).await;
    for key in &keys {
        assert!(key_works(&server, "alice", key).await);
    }
    assert!(!key_works(&server, "alice", &TestKey::numbered(10)).await);
}

/// New connections wait for their turn while bytes move (`sftpgo_net::Pace`, whose tests say how long); nobody is refused, and
/// the bytes are right.
#[tokio::test]
async fn a_storm_of_handshakes_gives_way_to_a_transfer() {
    const ROUND: usize = 50;
    let server = Arc::new(server_with(Account::new("alice")).await);
    let content: Vec<u8> = (0..4_u32 << 20).map(|at| (at >> 8) as u8).collect();
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", &content).await.unwrap();
    let storm = async {
        for _ in 0..4 {
            let logins = (0..ROUND).map(|_| {
                let server = Arc::clone(&server);
                tokio::spawn(async move { server.login("alice").await })
            });
            for login in logins.collect::<Vec<_>>() {
                login.await.unwrap();
            }
        }
    };
    let transfers = async {
        loop {
            assert!(sftp.get(b"/file").await.unwrap() == content);
        }
    };
    tokio::select! {
        () = storm => {}
        () = transfers => {}
    }
}
