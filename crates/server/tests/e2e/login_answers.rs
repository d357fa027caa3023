//! What a client is told of a login that failed says nothing about the account: not its words, not their order, not the work
//! that was done for it.
#![cfg(unix)]

use futures_util::future::join_all;
use serde_json::json;
use sftpgo_testkit::{Account, PASSWORD, TestKey, TestServer};

use super::hooks::Scripts;
use super::hostile::peer::{Message, Peer};

/// Accounts that have something to hide, and one that is not there.
const USERS: [&str; 6] = [
    "alice",
    "nobody",
    "disabled",
    "expired",
    "elsewhere",
    "denied",
];

/// Two questions to everybody, whoever they are.
const DIALOGUE: &str = r#"
echo '{"questions":["Pin: "],"echos":[false]}'
read -r pin
echo '{"instruction":"one more","questions":["Code: "],"echos":[true]}'
read -r code
echo '{"auth_result":-1}'
"#;

async fn server(scripts: &Scripts) -> TestServer {
    let dialogue = scripts.script("dialogue", DIALOGUE);
    let server = TestServer::builder()
        .set("sftpd.max_auth_tries", 3)
        .set("sftpd.keyboard_interactive_auth_program", dialogue)
        .start()
        .await;
    let accounts = [
        Account::new("alice"),
        Account::new("disabled").with("status", 0),
        Account::new("expired").with("expiration_date", 1),
        Account::new("elsewhere").with("filters", json!({ "allowed_ip": ["192.0.2.0/24"] })),
        Account::new("denied").with(
            "filters",
            json!({ "denied_login_methods": ["password", "publickey"] }),
        ),
    ];
    for account in accounts {
        server.add(account).await;
    }
    server
}

fn attempt(user: &str, method: &str) -> Message {
    Message::new(50)
        .string(user.as_bytes())
        .string(b"ssh-connection")
        .string(method.as_bytes())
}

/// A request to log in, made for a connection.
type Attempt<'a> = &'a dyn Fn(&Peer) -> Message;

/// A request to log in with a key that no account has.
fn strange_key(peer: &Peer, user: &str, signed: bool) -> Message {
    let stranger = TestKey::numbered(9);
    let request = attempt(user, "publickey")
        .byte(signed.into())
        .string(b"ssh-ed25519")
        .string(&stranger.blob());
    if !signed {
        return request;
    }
    let data = [
        &Message::default().string(&peer.session_id).0[..],
        &request.0,
    ]
    .concat();
    request.string(&stranger.signature(&data))
}

/// Everything that the server says to a client which makes these attempts one after the other, up to the end.
async fn said(server: &TestServer, attempts: &[Attempt<'_>]) -> Vec<Vec<u8>> {
    let mut peer = Peer::connect(server.ssh_address()).await;
    peer.service().await;
    let mut messages = Vec::new();
    for attempt in attempts {
        let request = attempt(&peer);
        peer.send(&request).await;
        messages.extend(peer.receive().await);
    }
    peer.shut().await;
    messages.extend(peer.rest().await);
    messages
}

#[tokio::test]
async fn every_account_and_none_are_refused_with_the_same_bytes_in_the_same_order() {
    let scripts = Scripts::new();
    let server = server(&scripts).await;
    let mut expected: Option<Vec<Vec<Vec<u8>>>> = None;
    for user in USERS {
        let none = |_: &Peer| attempt(user, "none");
        let wrong = |_: &Peer| attempt(user, "password").byte(0).string(b"wrong");
        let empty = |_: &Peer| attempt(user, "password").byte(0).string(b"");
        let changed = |_: &Peer| {
            let request = attempt(user, "password").byte(1);
            request.string(PASSWORD.as_bytes()).string(b"new")
        };
        let offered = |peer: &Peer| strange_key(peer, user, false);
        let signed = |peer: &Peer| strange_key(peer, user, true);
        let interactive = |_: &Peer| {
            attempt(user, "keyboard-interactive")
                .string(b"")
                .string(b"")
        };
        let answered = |_: &Peer| Message::new(61).u32(1).string(b"1234");
        let gssapi = |_: &Peer| attempt(user, "gssapi-with-mic").u32(1).string(b"oid");
        let conversations: [&[Attempt<'_>]; 9] = [
            &[&none],
            // Up to the limit of attempts, and over it.
            &[&none, &wrong, &wrong, &wrong, &wrong],
            &[&empty],
            &[&changed],
            &[&none, &offered, &wrong],
            &[&signed, &offered],
            &[&interactive, &answered, &answered],
            &[&interactive, &wrong, &interactive, &answered, &answered],
            &[&gssapi, &wrong],
        ];
        let all = join_all(conversations.map(|attempts| said(&server, attempts))).await;
        let expected = expected.get_or_insert_with(|| all.clone());
        assert_eq!(&all, expected, "{user}");
    }
}

/// With the right credential too, as long as something else forbids the login. Accounts for which only the address or the method
/// are wrong are checked first, and say no more by it.
#[tokio::test]
async fn the_right_password_of_who_may_not_log_in_is_refused_like_a_wrong_one() {
    let scripts = Scripts::new();
    let server = server(&scripts).await;
    let mut expected = None;
    for user in USERS {
        let wrong = if user == "alice" { "wrong" } else { PASSWORD };
        let tried = |_: &Peer| attempt(user, "password").byte(0).string(wrong.as_bytes());
        let all = said(&server, &[&tried, &tried]).await;
        let expected = expected.get_or_insert_with(|| all.clone());
        assert_eq!(&all, expected, "{user}");
    }
}

/// Counted and not timed: a name that nobody has costs what a wrong password costs.
#[tokio::test]
async fn a_name_that_nobody_has_costs_as_many_hashes_as_a_wrong_password() {
    let scripts = Scripts::new();
    let server = server(&scripts).await;
    for user in USERS {
        for (password, hashes) in [("wrong", 1), ("", 0), (&"x".repeat(2_000), 0)] {
            let tried = |_: &Peer| {
                attempt(user, "password")
                    .byte(0)
                    .string(password.as_bytes())
            };
            let before = server.core().password_hashes();
            said(&server, &[&tried]).await;
            let cost = server.core().password_hashes() - before;
            assert_eq!(cost, hashes, "{user} with {} bytes", password.len());
        }
        let signed = |peer: &Peer| strange_key(peer, user, true);
        let before = server.core().password_hashes();
        said(&server, &[&signed]).await;
        assert_eq!(server.core().password_hashes(), before, "{user}");
    }
}
