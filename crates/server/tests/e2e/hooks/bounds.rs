//! What hooks may take: time, output, places; and that nothing of them stays when their client is gone.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use sftpgo_testkit::{Account, Asked, Attempted, PASSWORD, TestServer, until};

use super::{Scripts, key_works, password_works};
use crate::hostile::peer::{Message, Peer};

/// Far more than a program needs to start, far less than a test may take.
const LIMIT: Duration = Duration::from_secs(2);

/// Says who it is and what it has started, and hangs.
const HANGS: &str = r#"
trap '' TERM
sleep 1000 &
echo $! > "$here/child"
echo $$ > "$here/program"
wait
sleep 1000"#;

/// As [`HANGS`], once it has asked something.
const ASKS_AND_HANGS: &str = r#"
sleep 1000 &
echo $! > "$here/child"
echo $$ > "$here/program"
echo '{"questions":["a"],"echos":[true]}'
sleep 1000"#;

async fn both_gone(scripts: &Scripts) {
    scripts.until_gone("program").await;
    scripts.until_gone("child").await;
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended_with_all_it_has_started() {
    for setting in ["external_auth_program", "pre_login_program"] {
        let scripts = Scripts::new();
        let server = TestServer::builder()
            .set(
                &format!("data_provider.{setting}"),
                scripts.script("hangs", HANGS),
            )
            .hook_limit(LIMIT)
            .start()
            .await;
        server.add(Account::new("alice")).await;
        assert!(!password_works(&server, PASSWORD).await, "{setting}");
        both_gone(&scripts).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_takes_the_program_with_it() {
    let scripts = Scripts::new();
    let server = TestServer::builder()
        .set(
            "data_provider.external_auth_program",
            scripts.script("hangs", HANGS),
        )
        .start()
        .await;
    let mut client = server.connect().await;
    let attempt = async {
        client.password("alice", PASSWORD).await;
    };
    let started = until("the program to have started", async || {
        !scripts.text("program").is_empty()
    });
    tokio::select! {
        () = attempt => panic!("the program came to its end"),
        () = started => {}
    }
    client.vanish();
    both_gone(&scripts).await;
}

#[tokio::test]
async fn a_dialogue_that_nobody_answers_ends_in_time_and_with_its_connection() {
    let scripts = Scripts::new();
    let program = scripts.script("asks", ASKS_AND_HANGS);
    let server = TestServer::builder()
        .set("sftpd.keyboard_interactive_auth_program", program.as_str())
        .hook_limit(LIMIT)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut client = server.connect().await;
    assert!(matches!(
        client.interactive("alice").await,
        Asked::Questions(..)
    ));
    both_gone(&scripts).await;
    assert!(matches!(
        client.answer(&["late"]).await,
        Asked::Over(Attempted::Refused { .. })
    ));

    let server = TestServer::builder()
        .set("sftpd.keyboard_interactive_auth_program", program.as_str())
        .start()
        .await;
    server.add(Account::new("alice")).await;
    std::fs::remove_file(scripts.file("program")).unwrap();
    std::fs::remove_file(scripts.file("child")).unwrap();
    // While it is typing, and while the program is thinking.
    for answers in [false, true] {
        let mut client = server.connect().await;
        client.interactive("alice").await;
        if answers {
            let waits = tokio::time::timeout(Duration::from_millis(200), client.answer(&["b"]));
            assert!(waits.await.is_err());
        }
        client.vanish();
        both_gone(&scripts).await;
    }
}

/// A request to log in; fields of the method follow.
fn request(method: &[u8]) -> Message {
    let request = Message::new(50).string(b"alice");
    request.string(b"ssh-connection").string(method)
}

fn interactive() -> Message {
    request(b"keyboard-interactive").string(b"").string(b"")
}

fn password(password: &str) -> Message {
    request(b"password").byte(0).string(password.as_bytes())
}

#[tokio::test]
async fn another_attempt_ends_the_dialogue_and_few_may_be_given_up() {
    const FAILURE: u8 = 51;
    const SUCCESS: u8 = 52;
    const QUESTIONS: u8 = 60;
    let scripts = Scripts::new();
    let asks = r#"echo asked >> "$here/asked"
echo '{"questions":["a"],"echos":[true]}'
read -r a
echo '{"auth_result":1}'"#;
    let server = TestServer::builder()
        .set(
            "sftpd.keyboard_interactive_auth_program",
            scripts.script("asks", asks),
        )
        .set("sftpd.max_auth_tries", -1)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut peer = Peer::connect(server.ssh_address()).await;
    peer.service().await;
    let failed = &server.core().metrics().keyboard_interactive_logins.failed;
    for (sent, answer, failures) in [
        (interactive(), QUESTIONS, 0),
        (password("wrong"), FAILURE, 1),
        (interactive(), QUESTIONS, 1),
        (interactive(), QUESTIONS, 2),
        // That is the third that it gives up, and it gets no other.
        (interactive(), FAILURE, 4),
        (interactive(), FAILURE, 5),
        (password(PASSWORD), SUCCESS, 5),
    ] {
        peer.send(&sent).await;
        let number = peer.receive().await.unwrap()[0];
        assert_eq!((number, failed.value()), (answer, failures), "{sent:?}");
    }
    assert_eq!(scripts.lines("asked"), 3);

    // An answer to what is asked no more is a violation.
    let mut peer = Peer::connect(server.ssh_address()).await;
    peer.service().await;
    for sent in [interactive(), password("wrong")] {
        peer.send(&sent).await;
        peer.receive().await.unwrap();
    }
    peer.send(&Message::new(61).u32(1).string(b"a")).await;
    let numbers: Vec<u8> = peer.rest().await.iter().map(|message| message[0]).collect();
    assert_eq!(numbers, [1], "DISCONNECT");
}

#[tokio::test]
async fn what_a_program_says_of_errors_may_be_much() {
    let scripts = Scripts::new();
    let user = scripts.user("alice", &json!({}));
    let script = format!("head -c 3000000 /dev/zero | tr '\\0' '\\n' >&2\necho '{user}'");
    let server = TestServer::builder()
        .set(
            "data_provider.external_auth_program",
            scripts.script("loud", &script),
        )
        .start()
        .await;
    assert!(password_works(&server, PASSWORD).await);
}

#[tokio::test]
async fn a_storm_of_logins_runs_a_bounded_number_of_programs_and_all_get_in() {
    const LOGINS: usize = 150;
    let scripts = Scripts::new();
    let user = scripts.user(
        "alice",
        &json!({ "public_keys": [Account::key("alice").line("")] }),
    );
    // The directory of those that run is looked at by each of them.
    std::fs::create_dir(scripts.file("running")).unwrap();
    let script = format!(
        "mkdir \"$here/running/$$\"; ls \"$here/running\" | wc -l >> \"$here/counts\"\nsleep 0.05\necho '{user}'\nrmdir \"$here/running/$$\""
    );
    let server = TestServer::builder()
        .set(
            "data_provider.external_auth_program",
            scripts.script("counts-itself", &script),
        )
        .start()
        .await;
    let logins = (0..LOGINS).map(|_| key_works(&server));
    assert!(join_all(logins).await.into_iter().all(|works| works));
    let counts = scripts.text("counts");
    let most = counts
        .lines()
        .map(|line| line.trim().parse::<usize>().unwrap())
        .max();
    assert!((1..=64).contains(&most.unwrap()), "{most:?}");
    assert_eq!(counts.lines().count(), LOGINS);
}

/// CVE-2026-42189: the count was believed.
#[tokio::test]
async fn a_count_of_answers_that_is_not_theirs_ends_the_connection() {
    let scripts = Scripts::new();
    let asks = r#"echo '{"questions":["a"],"echos":[true]}'; read -r a; echo "$a" > "$here/read"; echo '{"auth_result":1}'"#;
    let server = TestServer::builder()
        .set(
            "sftpd.keyboard_interactive_auth_program",
            scripts.script("asks", asks),
        )
        .start()
        .await;
    server.add(Account::new("alice")).await;
    for (count, answers) in [(u32::MAX, 1), (u32::MAX, 9), (2, 1), (1, 2), (0, 1)] {
        let mut peer = Peer::connect(server.ssh_address()).await;
        peer.service().await;
        peer.send(&interactive()).await;
        assert!(peer.next(60).await.is_some());
        let response = (0..answers).fold(Message::new(61).u32(count), |message, _| {
            message.string(b"")
        });
        peer.send(&response).await;
        let numbers: Vec<u8> = peer.rest().await.iter().map(|message| message[0]).collect();
        assert!(!numbers.contains(&52), "{count} {answers}: {numbers:?}");
        assert_eq!(scripts.text("read"), "");
    }
    assert!(key_works(&server).await);
}
