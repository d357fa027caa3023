//! What the log says of failed logins: clients are told one and the same, so the order of the checks (reference D.2) and
//! the form that ban tools read (14.5) show here only.
#![cfg(unix)]

use serde_json::{Value, json};
use sftpgo_testkit::{Account, PASSWORD, SshClient, TestKey, request};
use tempfile::TempDir;

use super::program::{run, text};
use super::running::{Serve, configured};

/// A server with a user `alice` who has [`PASSWORD`] and is changed by these flags.
struct Log {
    directory: TempDir,
    serve: Serve,
}

impl Log {
    fn new() -> Self {
        let directory = configured(&Value::Null);
        let at = directory.path();
        let home = at.join("homes/alice");
        let key = Account::key("alice").line("");
        let add = [
            "user",
            "add",
            "alice",
            "--password-stdin",
            "--public-key",
            &key,
            "--home-dir",
        ];
        let output = run(
            at,
            &[&add[..], &[home.to_str().unwrap()]].concat(),
            PASSWORD,
        );
        assert!(output.status.success(), "{}", text(&output.stderr));
        let serve = Serve::start_logging(at);
        Self { directory, serve }
    }

    fn change(&self, flags: &[&str]) {
        let output = run(
            self.directory.path(),
            &[&["user", "set", "alice"], flags].concat(),
            "",
        );
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    async fn connect(&self) -> SshClient {
        SshClient::connect(self.serve.ssh, None).await
    }

    /// The line of the next failed login.
    fn failure(&mut self) -> String {
        self.serve
            .line_with(r#""sender":"connection_failed""#)
            .unwrap()
    }

    /// Why the next failed login failed.
    fn reason(&mut self) -> String {
        let line: Value = serde_json::from_str(&self.failure()).unwrap();
        line["error"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_failed_login_is_one_line_in_the_form_that_ban_tools_read() {
    let mut log = Log::new();
    assert!(!log.connect().await.password("alice", "wrong").await);
    let line = log.failure();
    let fields = r#""sender":"connection_failed","client_ip":"127.0.0.1","username":"alice","login_type":"password","error":"#;
    assert!(line.contains(fields), "{line}");
    assert!(!line.contains("wrong"), "{line}");
    assert!(
        !log.connect()
            .await
            .key("alice", &TestKey::numbered(9))
            .await
    );
    assert!(log.failure().contains(r#""login_type":"publickey""#));
}

#[tokio::test]
async fn a_hash_that_costs_too_much_is_refused_and_the_operator_told() {
    let mut log = Log::new();
    let stored = format!("$6$rounds=999999999$salt${}", "x".repeat(86));
    let change = json!({ "password": stored });
    let reply = request(log.serve.http, "PUT", "/api/v1/user/1", &change).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(!log.connect().await.password("alice", PASSWORD).await);
    let line = log.serve.line_with("cannot be used").unwrap();
    let parsed: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&parsed["level"], &parsed["username"]),
        (&"warn".into(), &"alice".into())
    );
    assert!(
        line.contains("rounds, 999999999, is over the bound"),
        "{line}"
    );
    assert!(!line.contains("xxx") && !line.contains(PASSWORD), "{line}");
}

#[tokio::test]
async fn a_name_cannot_forge_a_line() {
    let mut log = Log::new();
    let name = "x\",\"client_ip\":\"192.0.2.1\"\n{\"sender\":\"connection_failed\"";
    assert!(!log.connect().await.password(name, "wrong").await);
    let line = log.failure();
    let parsed: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&parsed["client_ip"], &parsed["username"]),
        (&"127.0.0.1".into(), &name.into())
    );
}

#[tokio::test]
async fn the_first_check_that_fails_is_the_one_that_is_told() {
    let mut log = Log::new();
    log.change(&["--disable"]);
    assert!(!log.connect().await.password("alice", "wrong").await);
    assert!(log.reason().contains("disabled"));

    log.change(&[
        "--enable",
        "--expires",
        "1990-01-01",
        "--deny-ip",
        "127.0.0.0/8",
    ]);
    assert!(!log.connect().await.password("alice", PASSWORD).await);
    assert!(log.reason().contains("expired"));

    log.change(&["--expires", "never", "--deny-ip", "", "--max-sessions", "1"]);
    let (mut first, key) = (log.connect().await, Account::key("alice"));
    assert!(first.key("alice", &key).await);
    // It came in by another method and stays.
    log.change(&["--deny-method", "password"]);
    assert!(!log.connect().await.password("alice", PASSWORD).await);
    assert!(log.reason().contains("sessions"));

    drop(first);
    log.change(&["--max-sessions", "0", "--deny-ip", "127.0.0.0/8"]);
    assert!(!log.connect().await.password("alice", PASSWORD).await);
    let reason = log.reason();
    assert!(reason.contains("method") && !reason.contains("address"));
    assert!(!log.connect().await.key("alice", &key).await);
    assert!(log.reason().contains("address"));
}
