//! Gates and what goes on beside single files: git and rsync, copies within the server, and the settings.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use sftpgo_testkit::{FileClient as _, TestServer};
use sftpgo_wire::sftp::{Extension, OpenFlags};

use super::gates::{REFUSES, denied, gated};
use crate::hooks::Scripts;
use crate::program::{run, text};
use crate::programs::repository;
use crate::running::{Serve, add_user, configured};

/// What is told on standard error, if the command was refused.
async fn refusal(server: &TestServer, command: &str) -> Option<String> {
    let client = server.login("alice").await;
    let ran = client.exec(command.as_bytes(), b"0000").await.unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr).into_owned();
    stderr.contains("Permission Denied").then_some(stderr)
}

/// Nobody sees their single files.
#[tokio::test]
async fn git_and_rsync_are_asked_about_with_their_whole_directory() {
    assert!(Command::new("git").arg("--version").status().is_ok());
    for (gate, reads, writes) in [
        ("pre-download", true, true),
        ("pre-upload", false, true),
        ("pre-delete", false, true),
    ] {
        let scripts = Scripts::new();
        let server = gated(&scripts, &[gate], REFUSES).await;
        let client = server.login("alice").await;
        client.exec(b"cd", b"").await.unwrap();
        let home = server.home("alice");
        for name in ["secret.git", "fine.git"] {
            repository(&home.join(name));
        }
        fs::create_dir(home.join("secret-dir")).unwrap();
        for (command, refused) in [
            ("git-upload-pack '/secret.git'", reads),
            ("git-receive-pack '/secret.git'", writes),
            ("git-upload-pack '/fine.git'", false),
            ("git-receive-pack '/fine.git'", false),
        ] {
            let told = refusal(&server, command).await;
            assert_eq!(told.is_some(), refused, "{gate} {command}: {told:?}");
            assert!(!told.unwrap_or_default().contains(home.to_str().unwrap()));
        }
        if server.core().programs_are_confined() {
            for (command, refused) in [
                ("rsync --server --sender -re.iLsfxCIvu . secret-dir", reads),
                (
                    "rsync --server --sender -re.iLsfxCIvu . fine.git secret-dir",
                    reads,
                ),
                ("rsync --server -re.iLsfxCIvu . secret-dir/", writes),
            ] {
                let told = refusal(&server, command).await;
                assert_eq!(told.is_some(), refused, "{gate} {command}: {told:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_copy_within_the_server_is_a_download_and_an_upload_to_gates() {
    let scripts = Scripts::new();
    let server = gated(&scripts, &["pre-download", "pre-upload"], REFUSES).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    for name in ["secret", "fine"] {
        fs::write(home.join(name), b"content").unwrap();
    }
    let write = OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0);
    denied(sftp.open_file(b"/secret", OpenFlags::READ).await);
    denied(sftp.open_file(b"/secret-copy", write).await);
    let from = sftp.open_file(b"/fine", OpenFlags::READ).await.unwrap();
    let to = sftp.open_file(b"/copy", write).await.unwrap();
    let copy = Extension::CopyData {
        read_handle: from,
        read_offset: 0,
        len: 0,
        write_handle: to.clone(),
        write_offset: 0,
    };
    sftp.extended(&copy).await.unwrap();
    sftp.close(&to).await.unwrap();
    assert_eq!(sftp.get(b"/copy").await.unwrap(), b"content");
}

#[tokio::test]
async fn a_gate_beside_notifications_is_one_of_them_to_nobody() {
    let scripts = Scripts::new();
    let server = gated(&scripts, &["upload", "pre-upload"], REFUSES).await;
    let mut sftp = server.sftp("alice").await;
    denied(sftp.put(b"/secret", b"1").await);
    sftp.put(b"/fine", b"12").await.unwrap();
    server.drain(std::time::Duration::from_secs(5)).await;
    let asked: Vec<String> = scripts.text("asked").lines().map(str::to_owned).collect();
    assert_eq!(
        asked,
        [
            "5;pre-upload;alice;secret;;;true",
            "5;pre-upload;alice;fine;;;true",
            "5;upload;alice;fine;;2;true"
        ]
    );
}

#[test]
fn settings_of_actions_that_would_let_everything_through_stop_the_start() {
    let shell = "/bin/sh";
    for (actions, key) in [
        (
            json!({ "execute_on": ["pre_upload"], "command": shell }),
            "execute_on",
        ),
        (
            json!({ "execute_on": ["uplaod"], "command": shell }),
            "execute_on",
        ),
        (json!({ "execute_on": ["pre-upload"] }), "execute_on"),
        (
            json!({ "execute_on": ["pre-upload"], "command": "gate.sh" }),
            "command",
        ),
        (
            json!({ "execute_on": ["pre-upload"], "command": "/no/such/gate" }),
            "command",
        ),
        (
            json!({ "execute_on": ["pre-upload"], "http_notification_url": "localhost:80" }),
            "http_notification_url",
        ),
        (json!({ "max_running": 0 }), "max_running"),
    ] {
        let directory = configured(&json!({ "sftpd": { "actions": actions } }));
        let output = run(directory.path(), &["config", "check"], "");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{actions}: {said}");
        assert!(said.contains(&format!("sftpd.actions.{key}")), "{said}");
    }
    for actions in [
        json!({ "execute_on": ["upload"], "command": shell }),
        json!({ "max_waiting": 0 }),
    ] {
        let directory = configured(&json!({ "data_provider": { "actions": actions } }));
        let output = run(directory.path(), &["config", "check"], "");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{actions}: {said}");
        assert!(said.contains("data_provider.actions."), "{said}");
    }
    // Of these nothing is let through that was not before.
    for actions in [
        json!({ "execute_on": ["upload"], "command": "script.sh" }),
        json!({ "execute_on": ["upload"], "command": "/no/such/program" }),
        json!({ "execute_on": ["upload"] }),
        json!({ "execute_on": ["upload"], "http_notification_url": "ftp://localhost/" }),
    ] {
        let directory = configured(&json!({ "sftpd": { "actions": actions } }));
        let output = run(directory.path(), &["config", "check"], "");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{actions}: {said}");
        assert!(said.contains("sftpd.actions."), "{said}");
    }
}

#[tokio::test]
async fn a_gate_that_is_not_named_is_not_asked() {
    let scripts = Scripts::new();
    let server = gated(&scripts, &[], REFUSES).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/secret", b"1").await.unwrap();
    sftp.get(b"/secret").await.unwrap();
    sftp.remove(b"/secret").await.unwrap();
    assert_eq!(scripts.text("asked"), "");
}

#[tokio::test]
async fn the_log_says_why_a_gate_refused_and_the_client_is_not_told() {
    for (gate, why) in [
        ("echo hush >&2; exit 3", "it ended with exit status: 3"),
        ("kill -9 $$", "it ended with signal: 9"),
    ] {
        let scripts = Scripts::new();
        let directory = configured(&json!({ "sftpd": { "actions": {
            "execute_on": ["pre-upload"], "command": scripts.script("gate", gate),
        } } }));
        add_user(directory.path(), "alice");
        let mut serve = Serve::start_logging(directory.path());
        let mut sftp = serve.sftp("alice").await;
        denied(sftp.put(b"/file", b"1").await);
        let line = serve
            .line_with("refused by pre-upload (sftpd.actions)")
            .unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(line["message"].as_str().unwrap().contains(why), "{line}");
        assert_eq!(line["username"], "alice");
        let path = directory.path().join("homes/alice/file");
        assert_eq!(line["file_path"], path.to_str().unwrap());
    }
}
