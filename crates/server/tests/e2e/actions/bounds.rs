//! What actions may take, and that nobody waits for them.

use std::time::Duration;

use serde_json::json;
use sftpgo_core::action::ActionLimits;
use sftpgo_testkit::{Account, FileClient as _, TestServer, until};

use super::in_order;
use crate::hooks::Scripts;
use crate::hooks::service::Service;

/// Far more than a program needs to start, far less than a test may take.
const LIMIT: Duration = Duration::from_secs(2);

/// Says who it is and what it has started, and hangs.
pub(super) const HANGS: &str = r#"
trap '' TERM
sleep 1000 &
echo $! > "$here/child"
echo $$ > "$here/program"
wait
sleep 1000"#;

fn limits(command: Duration, url: Duration) -> ActionLimits {
    ActionLimits {
        file_command: command,
        user_command: command,
        url,
        ..ActionLimits::default()
    }
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_in_time_with_all_it_has_started() {
    let scripts = Scripts::new();
    let program = scripts.script("hangs", HANGS);
    let server = TestServer::builder()
        .set(
            "sftpd.actions",
            json!({ "execute_on": ["upload"], "command": program }),
        )
        .action_limits(limits(LIMIT, LIMIT))
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", b"1").await.unwrap();
    scripts.until_gone("program").await;
    scripts.until_gone("child").await;
    let metrics = server.core().metrics();
    until("the failure to be counted", async || {
        (metrics.actions.value(), metrics.action_errors.value()) == (1, 1)
    })
    .await;
}

#[tokio::test]
async fn what_fails_is_counted_and_no_business_of_the_client() {
    let scripts = Scripts::new();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/", silent.local_addr().unwrap());
    let nobody = format!("http://{}/", crate::program::free_address());
    let unhappy = Service::saying(500, "").await;
    let elsewhere =
        Service::start(|_| (302, "location: http://127.0.0.1:1/\r\n", String::new())).await;
    let exits = scripts.script("exits", "exit 7");
    let is_killed = scripts.script("is-killed", "kill -9 $$");
    for (command, url, errors) in [
        (exits.as_str(), "", 1),
        (&is_killed, "", 1),
        ("", silent.as_str(), 1),
        ("", &nobody, 1),
        ("", &unhappy.url("/"), 1),
        ("", &elsewhere.url("/"), 1),
        (&exits, &nobody, 2),
    ] {
        let server = TestServer::builder()
            .set(
                "sftpd.actions",
                json!({ "execute_on": ["upload"], "command": command, "http_notification_url": url }),
            )
            .action_limits(limits(Duration::from_secs(60), Duration::from_millis(300)))
            .start()
            .await;
        server.add(Account::new("alice")).await;
        let mut sftp = server.sftp("alice").await;
        sftp.put(b"/file", b"1").await.unwrap();
        let metrics = server.core().metrics();
        until("the failure to be counted", async || {
            metrics.actions.value() == 1
        })
        .await;
        assert_eq!(metrics.action_errors.value(), errors, "{command} {url}");
    }
}

#[tokio::test]
async fn a_thousand_uploads_wait_for_no_program_and_few_run() {
    const UPLOADS: u64 = 1_000;
    let scripts = Scripts::new();
    // Whoever waited for one of these would not see the end of the test.
    let program = scripts.script("never-ends", r#"echo >> "$here/started"; exec sleep 1000"#);
    let server = TestServer::builder()
        .set(
            "sftpd.actions",
            json!({
                "execute_on": ["upload"], "command": program, "max_running": 4, "max_waiting": 50,
            }),
        )
        .action_limits(limits(Duration::from_secs(600), LIMIT))
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    for number in 0..UPLOADS {
        let name = format!("/{number}");
        sftp.put(name.as_bytes(), b"1").await.unwrap();
    }
    let metrics = server.core().metrics();
    assert_eq!(metrics.uploads.completed.value(), UPLOADS);
    // Running, waiting, and one in the hands of whoever starts them.
    let places = 4 + 50 + 1;
    let dropped = metrics.actions_dropped.value();
    assert!(
        (UPLOADS - places..=UPLOADS - places + 5).contains(&dropped),
        "{dropped}"
    );
    until("all that may run to have started", async || {
        scripts.lines("started") == 4
    })
    .await;
    assert_eq!(metrics.actions.value(), 0);
}

#[tokio::test]
async fn a_program_and_a_url_are_told_at_the_same_time() {
    let scripts = Scripts::new();
    let service = Service::saying(200, "").await;
    let actions = json!({
        "command": scripts.script("waits", r#"while [ ! -e "$here/go" ]; do sleep 0.01; done; echo >> "$here/told""#),
        "http_notification_url": service.url("/"),
    });
    let server = TestServer::builder()
        .set("sftpd.actions", in_order(&["upload"], &actions))
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", b"1").await.unwrap();
    until("the URL to be told", async || service.seen().len() == 1).await;
    assert_eq!(scripts.lines("told"), 0);
    std::fs::write(scripts.file("go"), b"").unwrap();
    until("the program to be told", async || {
        scripts.lines("told") == 1
    })
    .await;
}

#[tokio::test]
async fn what_a_program_prints_may_be_much() {
    let scripts = Scripts::new();
    let loud = "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero | tr '\\0' '\\n' >&2";
    let server = TestServer::builder()
        .set(
            "sftpd.actions",
            json!({ "execute_on": ["upload"], "command": scripts.script("loud", loud) }),
        )
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", b"1").await.unwrap();
    let metrics = server.core().metrics();
    until("the end of the program", async || {
        metrics.actions.value() == 1
    })
    .await;
    assert_eq!(metrics.action_errors.value(), 0);
}
