//! What a program of the operator finds of the server.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;
use sftpgo_testkit::{Account, FileClient as _, TestServer, until};

use crate::hooks::Scripts;
use crate::running::{Serve, add_user, configured};

#[tokio::test]
async fn a_program_has_no_input_no_descriptors_of_the_server_and_a_group_of_its_own() {
    let scripts = Scripts::new();
    let program = scripts.script(
        "spy",
        r#"ls /proc/$$/fd > "$here/descriptors"
cut -d' ' -f5 /proc/$$/stat > "$here/group"; echo $$ >> "$here/group"
echo "input '$(cat)'" > "$here/input""#,
    );
    // What tests are started with may be handed on to every program; what the server opens may not.
    let status = Command::new(&program).stdin(Stdio::null()).status();
    assert!(status.unwrap().success());
    let before = scripts.text("descriptors");
    fs::remove_file(scripts.file("input")).unwrap();
    let server = TestServer::builder()
        .set(
            "sftpd.actions",
            json!({ "execute_on": ["upload"], "command": program }),
        )
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", b"1").await.unwrap();
    until("the program to end", async || {
        server.core().metrics().actions.value() == 1
    })
    .await;
    assert_eq!(scripts.text("descriptors"), before);
    assert_eq!(scripts.text("input"), "input ''\n");
    let group = scripts.text("group");
    let (group, own) = group.trim().split_once('\n').unwrap();
    assert_eq!(group, own);
}

/// Passwords of databases are in variables with settings.
#[tokio::test]
async fn programs_inherit_the_environment_without_the_settings_of_the_server() {
    let scripts = Scripts::new();
    let spy = |name: &str| scripts.script(name, &format!("env > \"$here/{name}.env\""));
    let directory = configured(&json!({
        "sftpd": { "actions": { "execute_on": ["upload"], "command": spy("action") } },
        "data_provider": { "pre_login_program": spy("login") },
    }));
    add_user(directory.path(), "alice");
    let serve = Serve::start(
        directory.path(),
        &[
            ("SFTPGO_DATA_PROVIDER__PASSWORD", "hunter2"),
            ("SFTPGO_SFTPD__UMASK", "0027"),
            ("PATH", "/usr/bin:/bin"),
            ("OF_THE_OPERATOR", "kept"),
            // What a service manager tells the server alone.
            ("NOTIFY_SOCKET", "/no/such/socket"),
            ("WATCHDOG_USEC", "60000000"),
            ("LISTEN_FDS", "1"),
            ("LISTEN_PID", "1"),
        ],
    );
    let mut sftp = serve.sftp("alice").await;
    sftp.put(b"/file", b"1").await.unwrap();
    for (name, own) in [
        ("login", "SFTPGO_LOGIND_METHOD="),
        ("action", "SFTPGO_ACTION=upload"),
    ] {
        let file = format!("{name}.env");
        until("the environment of a program", async || {
            scripts.text(&file).contains("OF_THE_OPERATOR")
        })
        .await;
        let environment = scripts.text(&file);
        assert!(
            environment.contains("OF_THE_OPERATOR=kept"),
            "{environment}"
        );
        assert!(environment.contains(own), "{environment}");
        let own_to_the_server = ["NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_"];
        for secret in ["hunter2", "SFTPGO_DATA_PROVIDER", "SFTPGO_SFTPD"]
            .into_iter()
            .chain(own_to_the_server)
        {
            assert!(!environment.contains(secret), "{environment}");
        }
    }
}
