//! The end of the server: transfers first, then the actions that they left.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use sftpgo_core::action::ActionLimits;
use sftpgo_testkit::{Account, FileClient as _, TestServer, until};
use sftpgo_wire::sftp::OpenFlags;

use super::bounds::HANGS;
use super::{NOTES, in_order};
use crate::hooks::Scripts;
use crate::running::{Serve, add_user, configured};

#[tokio::test]
async fn what_waits_is_carried_out_before_the_server_ends_also_what_the_drain_brings() {
    let scripts = Scripts::new();
    let program = scripts.script("notes", &format!("sleep 0.02{NOTES}"));
    let server = TestServer::builder()
        .set(
            "sftpd.actions",
            in_order(&["upload"], &json!({ "command": program })),
        )
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    for number in 0..20 {
        let name = format!("/{number}");
        sftp.put(name.as_bytes(), b"1").await.unwrap();
    }
    let write = OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0);
    let handle = sftp.open_file(b"/last", write).await.unwrap();
    let closing = async {
        until("the server to stop", async || {
            tokio::net::TcpStream::connect(server.ssh_address())
                .await
                .is_err()
        })
        .await;
        sftp.write(&handle, 0, b"1").await.unwrap();
        sftp.close(&handle).await.unwrap();
    };
    tokio::join!(server.drain(Duration::from_secs(30)), closing);
    let told = scripts.text("told");
    assert_eq!(told.lines().count(), 21, "{told}");
    assert!(told.lines().last().unwrap().contains("/last;"), "{told}");
    assert_eq!(server.core().metrics().actions_dropped.value(), 0);
}

#[tokio::test]
async fn what_does_not_end_in_time_is_given_up_and_its_programs_are_ended() {
    let scripts = Scripts::new();
    let program = scripts.script("hangs", HANGS);
    let server = TestServer::builder()
        .set(
            "sftpd.actions",
            in_order(&["upload"], &json!({ "command": program })),
        )
        .action_limits(ActionLimits {
            stop: Duration::from_millis(300),
            ..ActionLimits::default()
        })
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    for number in 0..5 {
        let name = format!("/{number}");
        sftp.put(name.as_bytes(), b"1").await.unwrap();
    }
    until("the program to have started", async || {
        scripts.text("program").ends_with('\n')
    })
    .await;
    let begun = Instant::now();
    server.drain(Duration::from_secs(30)).await;
    assert!(begun.elapsed() < Duration::from_secs(20));
    scripts.until_gone("program").await;
    scripts.until_gone("child").await;
    assert_eq!(server.core().metrics().actions_dropped.value(), 5);
}

#[tokio::test]
async fn a_second_signal_gives_up_actions_and_the_log_says_how_many() {
    let scripts = Scripts::new();
    let directory = configured(&json!({
        "sftpd": { "actions": {
            "execute_on": ["upload"], "command": scripts.script("hangs", HANGS), "max_running": 1, "max_waiting": 2,
        } },
    }));
    add_user(directory.path(), "alice");
    let mut serve = Serve::start_logging(directory.path());
    let mut sftp = serve.sftp("alice").await;
    sftp.put(b"/0", b"1").await.unwrap();
    until("the program to have started", async || {
        scripts.text("program").ends_with('\n')
    })
    .await;
    for number in 1..12 {
        let name = format!("/{number}");
        sftp.put(name.as_bytes(), b"1").await.unwrap();
    }
    let full = serve.line_with("an action was dropped").unwrap();
    assert!(full.contains("sftpd.actions.max_waiting"), "{full}");
    drop(sftp);
    serve.signal(Signal::TERM);
    serve.line_with("stopping").unwrap();
    let begun = Instant::now();
    serve.signal(Signal::TERM);
    let (status, said) = serve.wait();
    assert_eq!(status.code(), Some(0), "{said:#?}");
    assert!(begun.elapsed() < Duration::from_secs(14));
    let has = |words: &str| said.iter().any(|line| line.contains(words));
    assert!(has("more actions were dropped"), "{said:#?}");
    // One ran, one was about to, two waited.
    assert!(
        has("4 actions that were running or waiting are lost"),
        "{said:#?}"
    );
    scripts.until_gone("program").await;
    scripts.until_gone("child").await;
}
