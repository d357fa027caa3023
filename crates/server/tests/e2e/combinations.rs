//! Accounts that ask for several login methods, one after the other.

use std::sync::Arc;

use serde_json::json;
use sftpgo_testkit::{
    Account, Asked, Attempted, PASSWORD, Sftp, SshClient, TestKey, TestServer, request, until,
};

use super::hostile::peer::{Message, Peer};

const OFFERED: [&str; 2] = ["publickey", "password"];

fn asking_for(name: &str, sequences: &[&str]) -> Account {
    Account::new(name).with("filters", json!({ "required_login_methods": sequences }))
}

async fn server_with(account: Account) -> TestServer {
    let server = TestServer::start().await;
    server.add(account).await;
    server
}

async fn with_key(client: &mut SshClient, name: &str) -> Attempted {
    client.try_key(name, &Account::key(name)).await
}

#[tokio::test]
async fn a_key_and_then_a_password_log_in_and_neither_does_alone() {
    let server = server_with(asking_for("alice", &["publickey,password"])).await;
    let mut client = server.connect().await;
    assert_eq!(
        with_key(&mut client, "alice").await,
        Attempted::partial(&["password"])
    );
    assert!(
        Sftp::open(Arc::new(client)).await.is_none(),
        "nobody is logged in"
    );

    let mut client = server.connect().await;
    let refused = Attempted::refused(&OFFERED);
    assert_eq!(client.try_password("alice", PASSWORD).await, refused);
    assert_eq!(
        with_key(&mut client, "alice").await,
        Attempted::partial(&["password"])
    );
    let once_more = Attempted::refused(&["password"]);
    assert_eq!(client.try_password("alice", "wrong").await, once_more);
    assert_eq!(with_key(&mut client, "alice").await, once_more);
    assert_eq!(
        client.try_password("alice", PASSWORD).await,
        Attempted::LoggedIn
    );
    let sftp = Sftp::open(Arc::new(client)).await;
    assert!(sftp.is_some());
}

/// Before a proof, nothing tells what an account asks for, or that there is one.
#[tokio::test]
async fn whoever_has_proved_nothing_is_offered_the_same() {
    let server = server_with(asking_for("alice", &["publickey,password"])).await;
    let refused = Attempted::refused(&OFFERED);
    for name in ["alice", "bob"] {
        let mut client = server.connect().await;
        let methods = client.methods(name).await;
        let names: Vec<String> = methods.iter().map(String::from).collect();
        assert_eq!(names, OFFERED);
        assert_eq!(client.try_password(name, "wrong").await, refused, "{name}");
        assert_eq!(client.try_password(name, PASSWORD).await, refused, "{name}");
        assert_eq!(
            client.try_key(name, &TestKey::numbered(9)).await,
            refused,
            "{name}"
        );
    }
}

/// How long the answer takes would say that it is right: one that was right is known without a computation.
#[tokio::test]
async fn a_password_out_of_turn_is_not_looked_at() {
    let server = server_with(asking_for("alice", &["publickey,password"])).await;
    server.add(Account::new("bob")).await;
    let mut client = server.connect().await;
    for (name, password) in [
        ("alice", PASSWORD),
        ("alice", PASSWORD),
        ("alice", "wrong"),
        ("carol", PASSWORD),
    ] {
        let before = server.core().password_hashes();
        assert_ne!(
            client.try_password(name, password).await,
            Attempted::LoggedIn
        );
        assert_eq!(
            server.core().password_hashes() - before,
            1,
            "{name} {password}"
        );
    }
    assert_eq!(
        client.try_password("bob", PASSWORD).await,
        Attempted::LoggedIn
    );
}

/// Every sequence of three attempts with right credentials: who logs in, and with which of them.
#[tokio::test]
async fn combinations_hold_in_every_order() {
    const KEY: u8 = b'k';
    let cases: [(&str, &[&str], &[&str]); 5] = [
        ("either", &[], &["k", "p"]),
        ("key-first", &["publickey,password"], &["kp", "kkp", "pkp"]),
        (
            "password-first",
            &["password,publickey"],
            &["pk", "ppk", "kpk"],
        ),
        (
            "both",
            &["publickey,password", "password,publickey"],
            &["kp", "kkp", "pk", "ppk"],
        ),
        (
            "key-or-both",
            &["publickey", "password,publickey"],
            &["k", "pk", "ppk"],
        ),
    ];
    let server = TestServer::start().await;
    for (name, sequences, ways) in cases {
        server.add(asking_for(name, sequences)).await;
        for number in 0..8 {
            let attempts: Vec<u8> = (0..3)
                .map(|place| if number >> place & 1 == 0 { KEY } else { b'p' })
                .collect();
            let mut client = server.connect().await;
            let mut way = String::new();
            let mut logged_in = false;
            for attempt in &attempts {
                way.push(char::from(*attempt));
                let answer = match *attempt {
                    KEY => with_key(&mut client, name).await,
                    _ => client.try_password(name, PASSWORD).await,
                };
                logged_in = answer == Attempted::LoggedIn;
                if logged_in {
                    break;
                }
            }
            assert_eq!(logged_in, ways.contains(&way.as_str()), "{name}: {way}");
        }
    }
}

/// russh 0.61.0 kept the state.
#[tokio::test]
async fn what_alice_proved_is_nothing_for_bob_and_nothing_for_alice_after_him() {
    let server = server_with(asking_for("alice", &["publickey,password"])).await;
    server.add(asking_for("bob", &["publickey,password"])).await;
    server.add(Account::new("carol")).await;
    let mut client = server.connect().await;
    let partial = Attempted::partial(&["password"]);
    assert_eq!(with_key(&mut client, "alice").await, partial);
    assert_eq!(
        client.try_password("bob", PASSWORD).await,
        Attempted::refused(&OFFERED)
    );
    assert_eq!(
        client.try_password("alice", PASSWORD).await,
        Attempted::refused(&OFFERED)
    );
    assert_eq!(with_key(&mut client, "alice").await, partial);
    // Another name, by a method that proves nothing.
    client.methods("carol").await;
    assert_eq!(
        client.try_password("alice", PASSWORD).await,
        Attempted::refused(&OFFERED)
    );
    assert_eq!(with_key(&mut client, "alice").await, partial);
    // The same name, likewise: what was proved stays.
    client.methods("alice").await;
    assert_eq!(
        client.try_password("alice", PASSWORD).await,
        Attempted::LoggedIn
    );
    let sftp = Sftp::open(Arc::new(client)).await.unwrap();
    let connections = server.core().registry().connections();
    assert_eq!(connections[0].username, "alice");
    drop(sftp);
}

/// RFC 4252 section 5: a server that knows other services flushes its state; this one knows one, and ends the connection.
#[tokio::test]
async fn what_was_proved_for_one_service_is_nothing_for_another() {
    let server = server_with(asking_for("alice", &["password,publickey"])).await;
    let mut peer = Peer::connect(server.ssh_address()).await;
    peer.service().await;
    let request = |service: &str| {
        let request = Message::new(50).string(b"alice");
        let request = request.string(service.as_bytes()).string(b"password");
        request.byte(0).string(PASSWORD.as_bytes())
    };
    peer.send(&request("ssh-connection")).await;
    let failure = peer.receive().await.unwrap();
    let expected = Message::new(51).string(b"publickey").byte(1);
    assert_eq!(failure, expected.0, "a partial success");
    peer.send(&request("ssh-other")).await;
    let numbers: Vec<u8> = peer.rest().await.iter().map(|message| message[0]).collect();
    assert!(!numbers.contains(&52), "{numbers:?}");
}

#[tokio::test]
async fn a_proof_of_one_of_several_methods_is_no_failed_attempt() {
    let server = TestServer::builder()
        .set("sftpd.max_auth_tries", 1)
        .start()
        .await;
    server
        .add(asking_for("alice", &["publickey,password"]))
        .await;
    let mut client = server.connect().await;
    client.methods("alice").await;
    assert_eq!(
        with_key(&mut client, "alice").await,
        Attempted::partial(&["password"])
    );
    assert_eq!(
        client.try_password("alice", PASSWORD).await,
        Attempted::LoggedIn
    );
}

#[tokio::test]
async fn a_key_that_was_proved_does_not_count_twice() {
    let other = TestKey::numbered(9);
    let lines = vec![Account::key("alice").line("one"), other.line("two")];
    let account = asking_for("alice", &["publickey,publickey"]).with("public_keys", lines);
    let server = server_with(account).await;
    let mut client = server.connect().await;
    assert_eq!(
        with_key(&mut client, "alice").await,
        Attempted::partial(&["publickey"])
    );
    assert_eq!(
        with_key(&mut client, "alice").await,
        Attempted::refused(&["publickey"])
    );
    assert_eq!(client.try_key("alice", &other).await, Attempted::LoggedIn);
}

#[tokio::test]
async fn denied_methods_and_those_that_are_not_served_lead_nowhere() {
    let filters = json!({
        "required_login_methods": ["publickey,password", "publickey,keyboard-interactive"],
        "denied_login_methods": ["password"],
    });
    let server = server_with(Account::new("alice").with("filters", filters)).await;
    let mut client = server.connect().await;
    assert_eq!(
        with_key(&mut client, "alice").await,
        Attempted::refused(&OFFERED)
    );
    assert_eq!(
        client.try_password("alice", PASSWORD).await,
        Attempted::refused(&OFFERED)
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_dialogue_may_be_one_of_several_methods() {
    let scripts = super::hooks::Scripts::new();
    let asks = r#"echo '{"questions":["Code: "],"echos":[true]}'; read -r code; [ "$code" = 1 ] && echo '{"auth_result":1}'"#;
    let server = TestServer::builder()
        .set(
            "sftpd.keyboard_interactive_auth_program",
            scripts.script("asks", asks),
        )
        .start()
        .await;
    let sequences = [
        "publickey,keyboard-interactive",
        "keyboard-interactive,password",
    ];
    server.add(asking_for("alice", &sequences)).await;
    let all = ["publickey", "password", "keyboard-interactive"];

    let mut client = server.connect().await;
    assert_eq!(
        with_key(&mut client, "alice").await,
        Attempted::partial(&["keyboard-interactive"])
    );
    client.interactive("alice").await;
    let wrong = Asked::Over(Attempted::refused(&["keyboard-interactive"]));
    assert_eq!(client.answer(&["2"]).await, wrong);
    client.interactive("alice").await;
    assert_eq!(
        client.answer(&["1"]).await,
        Asked::Over(Attempted::LoggedIn)
    );

    let mut client = server.connect().await;
    client.interactive("alice").await;
    let partial = Asked::Over(Attempted::partial(&["password"]));
    assert_eq!(client.answer(&["1"]).await, partial);
    assert_eq!(
        client.try_password("alice", PASSWORD).await,
        Attempted::LoggedIn
    );

    let mut client = server.connect().await;
    assert_eq!(
        client.try_password("alice", PASSWORD).await,
        Attempted::refused(&all)
    );
}

#[tokio::test]
async fn half_a_login_takes_no_session_and_is_neither_a_success_nor_a_failure() {
    let account = asking_for("alice", &["publickey,password"]).with("max_sessions", 1);
    let server = server_with(account).await;
    let mut half = server.connect().await;
    assert_eq!(
        with_key(&mut half, "alice").await,
        Attempted::partial(&["password"])
    );
    let keys = &server.core().metrics().public_key_logins;
    assert_eq!((keys.ok.value(), keys.failed.value()), (0, 0));

    let mut whole = server.connect().await;
    with_key(&mut whole, "alice").await;
    assert_eq!(
        whole.try_password("alice", PASSWORD).await,
        Attempted::LoggedIn
    );
    // The other one comes too late.
    let refused = Attempted::refused(&["password"]);
    assert_eq!(half.try_password("alice", PASSWORD).await, refused);
    drop(whole);
    until("the session to be free again", async || {
        half.is_closed() || half.try_password("alice", PASSWORD).await == Attempted::LoggedIn
    })
    .await;
}

/// What an account allows is looked at with each proof, and what one proof allowed is not remembered.
#[tokio::test]
async fn restrictions_hold_with_every_proof() {
    let server = server_with(asking_for("alice", &["publickey,password"])).await;
    for change in [
        json!({ "status": 0 }),
        json!({ "filters": { "denied_ip": ["127.0.0.0/8"] } }),
        json!({ "filters": { "denied_login_methods": ["publickey"] } }),
    ] {
        let mut client = server.connect().await;
        assert_eq!(
            with_key(&mut client, "alice").await,
            Attempted::partial(&["password"])
        );
        // Else validation would not take the last one.
        let filters = json!({ "filters": {
            "required_login_methods": ["publickey,password", "password"],
            "denied_ip": [], "denied_login_methods": [],
        }});
        server.change("alice", &filters).await;
        server.change("alice", &change).await;
        let answer = client.try_password("alice", PASSWORD).await;
        assert_ne!(answer, Attempted::LoggedIn, "{change}");
        let before = json!({ "status": 1, "filters": {
            "required_login_methods": ["publickey,password"], "denied_ip": [], "denied_login_methods": [],
        }});
        server.change("alice", &before).await;
    }
}

#[tokio::test]
async fn an_account_that_was_made_anew_asks_for_everything_again() {
    let server = server_with(asking_for("alice", &["publickey,password"])).await;
    let mut client = server.connect().await;
    assert_eq!(
        with_key(&mut client, "alice").await,
        Attempted::partial(&["password"])
    );
    let id = server.users().by_name("alice").await.unwrap().id;
    server.users().delete(id).await.unwrap();
    server
        .add(asking_for("alice", &["publickey,password"]))
        .await;
    assert_eq!(
        client.try_password("alice", PASSWORD).await,
        Attempted::refused(&OFFERED)
    );
    with_key(&mut client, "alice").await;
    assert_eq!(
        client.try_password("alice", PASSWORD).await,
        Attempted::LoggedIn
    );
}

#[tokio::test]
async fn a_session_ends_when_its_account_asks_for_more_than_it_was_logged_in_with() {
    let server = server_with(Account::new("alice")).await;
    let mut client = server.connect().await;
    assert_eq!(with_key(&mut client, "alice").await, Attempted::LoggedIn);
    let required =
        |sequences: &[&str]| json!({ "filters": { "required_login_methods": sequences } });
    server.change("alice", &required(&["publickey"])).await;
    let sftp = Sftp::open(Arc::new(client)).await.unwrap();
    server
        .change("alice", &required(&["publickey,password"]))
        .await;
    until("the end of the connection", async || sftp.ssh().is_closed()).await;
}

#[tokio::test]
async fn required_methods_go_through_rest_and_back() {
    let server = server_with(Account::new("alice")).await;
    let id = server.users().by_name("alice").await.unwrap().id;
    let path = format!("/api/v1/user/{id}");
    let put = async |sequences: serde_json::Value| {
        let change = json!({ "filters": { "required_login_methods": sequences } });
        request(server.http_address(), "PUT", &path, &change).await
    };
    assert_eq!(put(json!(["publickey, password"])).await.status, 200);
    let reply = request(server.http_address(), "GET", &path, &json!(null)).await;
    let user: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(
        user["filters"]["required_login_methods"],
        json!(["publickey,password"])
    );
    for bad in [json!(["publickey+password"]), json!(["otp"]), json!([""])] {
        let reply = put(bad).await;
        assert_eq!(reply.status, 400, "{}", reply.body);
        assert!(
            reply.body.contains("required_login_methods"),
            "{}",
            reply.body
        );
    }
    assert_eq!(put(json!([])).await.status, 200);
    let reply = request(server.http_address(), "GET", &path, &json!(null)).await;
    assert!(
        !reply.body.contains("required_login_methods"),
        "{}",
        reply.body
    );
}
