//! What one connection does has one id in the log, whatever it speaks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sftpgo_testkit::{FileClient as _, Sftp};

use crate::running::{Serve, add_user, configured};

/// Lines that say what was done, by their connection: sender and protocol of each.
fn joined(lines: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let line: Value = serde_json::from_str(line).unwrap();
        let Some(id) = line["connection_id"].as_str().filter(|id| !id.is_empty()) else {
            continue;
        };
        let message = line["message"].as_str();
        let what = match (line["protocol"].as_str(), message) {
            (Some(protocol), _) => format!("{protocol} {}", line["sender"].as_str().unwrap()),
            (None, Some(text)) if text.contains("logged in with") => "login".to_owned(),
            _ => continue,
        };
        found.entry(id.to_owned()).or_default().push(what);
    }
    found
}

#[tokio::test]
async fn login_commands_and_transfers_of_a_connection_have_its_id() {
    let directory = configured(&json!({ "sftpd": { "enabled_ssh_commands": ["*"] } }));
    add_user(directory.path(), "alice");
    let mut serve = Serve::start_logging(directory.path());

    // Three channels of one connection.
    let first = Arc::new(serve.login("alice").await);
    let mut sftp = Sftp::open(Arc::clone(&first)).await.unwrap();
    sftp.put(b"/file", b"12345").await.unwrap();
    sftp.mkdir(b"/dir").await.unwrap();
    for (command, input) in [
        (&b"scp -t /"[..], &b"C0644 5 sent\nhello\0"[..]),
        (b"scp -f /file", b"\0\0\0"),
        (b"md5sum /file", b""),
    ] {
        let ran = first.exec(command, input).await.unwrap();
        assert_eq!(ran.status, Some(0), "{}", ran.text());
    }
    // And another connection of the same user.
    let mut other = serve.sftp("alice").await;
    other.get(b"/file").await.unwrap();
    drop(other);
    serve
        .line_with(r#""sender":"Download","elapsed_ms""#)
        .unwrap();
    serve
        .line_with(r#""sender":"Download","elapsed_ms""#)
        .unwrap();

    let connections = joined(serve.seen());
    let mut histories: Vec<String> = connections.values().map(|what| what.join(", ")).collect();
    histories.sort_by_key(String::len);
    assert_eq!(
        histories,
        [
            "login, SFTP Download",
            "login, SFTP Upload, SFTP Mkdir, SCP Upload, SSH SSHCommand, SCP Download, SSH SSHCommand, SSH SSHCommand",
        ]
    );
}
