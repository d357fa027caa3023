//! What is told of accounts that an administrator adds, changes and removes.

use std::fs;

use serde_json::{Value, json};
use sftpgo_testkit::{Account, FileClient as _, PASSWORD, Response, TestServer, request, until};

use super::lines;
use crate::hooks::Scripts;
use crate::hooks::service::Service;
use crate::program::{run, text};
use crate::running::{add_user, configured};

/// Writes its arguments in one line, and the variables to a file.
const NOTES: &str = r#"
env | grep ^SFTPGO_USER_ | sort > "$here/variables"
printf '%s\n' "$#;$1;$2;$3;$4;$5;$6;$7;$8" >> "$here/told""#;

async fn server_telling(scripts: &Scripts, service: &Service) -> TestServer {
    let actions = json!({
        "execute_on": ["add", "update", "delete"],
        "command": scripts.script("notes", NOTES),
        "http_notification_url": service.url("/told?token=t"),
        "max_running": 1,
    });
    let builder = TestServer::builder().set("data_provider.actions", actions);
    builder.start().await
}

async fn rest(server: &TestServer, method: &str, path: &str, body: &Value) -> Response {
    let reply = request(server.http_address(), method, path, body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply
}

#[tokio::test]
async fn accounts_that_are_added_changed_and_removed_are_told_with_their_id_and_without_secrets() {
    let scripts = Scripts::new();
    let service = Service::saying(200, "").await;
    let server = server_telling(&scripts, &service).await;
    let home = server.home("alice");
    let home = home.to_str().unwrap();
    let user = Account::new("alice")
        .with("quota_files", 5)
        .with("uid", 1000)
        .json(&server.home("alice"));
    let added = rest(&server, "POST", "/api/v1/user", &user).await.json();
    let id = &added["id"];
    let path = format!("/api/v1/user/{id}");
    rest(
        &server,
        "PUT",
        &path,
        &json!({ "status": 0, "max_sessions": 3 }),
    )
    .await;
    let told = lines(&scripts, "told", 2).await;
    let variables = scripts.text("variables");
    rest(&server, "DELETE", &path, &Value::Null).await;
    let mut told = [told, lines(&scripts, "told", 3).await].concat();
    told.drain(..2);
    assert_eq!(
        told,
        [
            format!("8;add;alice;{id};1;0;{home};1000;0"),
            format!("8;update;alice;{id};0;0;{home};1000;0"),
            format!("8;delete;alice;{id};0;0;{home};1000;0"),
        ]
    );
    let expected = format!(
        "SFTPGO_USER_ACTION=update\nSFTPGO_USER_DOWNLOAD_BANDWIDTH=0\nSFTPGO_USER_EXPIRATION_DATE=0\n\
         SFTPGO_USER_FS_PROVIDER=0\nSFTPGO_USER_GID=0\nSFTPGO_USER_HOME_DIR={home}\nSFTPGO_USER_ID={id}\n\
         SFTPGO_USER_MAX_SESSIONS=3\nSFTPGO_USER_PASSWORD=HASH\nSFTPGO_USER_QUOTA_FILES=5\nSFTPGO_USER_QUOTA_SIZE=0\n\
         SFTPGO_USER_STATUS=0\nSFTPGO_USER_UID=1000\nSFTPGO_USER_UPLOAD_BANDWIDTH=0\nSFTPGO_USER_USERNAME=alice\n"
    );
    let hash = user["password"].as_str().unwrap();
    assert_eq!(variables.replace(hash, "HASH"), expected);

    until("the URL to be told", async || service.seen().len() == 3).await;
    for (request, event) in service.seen().iter().zip(["add", "update", "delete"]) {
        assert_eq!(request.line, format!("POST /told?token=t&action={event}"));
        assert_eq!(request.headers["content-type"], "application/json");
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!((&body["id"], &body["username"]), (id, &json!("alice")));
        assert_eq!(body["status"], if event == "add" { 1 } else { 0 });
        assert!(body.get("password").is_none(), "{body}");
        assert!(!request.body.contains(hash), "{body}");
    }
    assert_eq!(server.core().metrics().action_errors.value(), 0);
}

#[tokio::test]
async fn a_dump_that_is_restored_is_told_and_logins_and_quotas_are_not() {
    let scripts = Scripts::new();
    let service = Service::saying(200, "").await;
    let server = server_telling(&scripts, &service).await;
    let record = |name: &str| Account::new(name).json(&server.home(name));
    rest(&server, "POST", "/api/v1/user", &record("alice")).await;
    // A last login, and used quota.
    assert!(server.connect().await.password("alice", PASSWORD).await);
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", b"12345").await.unwrap();
    server.core().flush_quota().await;
    let dump = scripts.file("dump.json");
    let users = json!({ "users": [record("alice"), record("bob")] });
    fs::write(&dump, users.to_string()).unwrap();
    let path = format!("/api/v1/loaddata?input_file={}", dump.display());
    rest(&server, "GET", &path, &Value::Null).await;
    let events: Vec<String> = lines(&scripts, "told", 3)
        .await
        .iter()
        .map(|line| {
            line.split(';')
                .skip(1)
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(events, ["add alice", "update alice", "add bob"]);
}

/// What a hook of logins stores is no administrator's doing (reference 9.3, 9.4).
#[tokio::test]
async fn accounts_that_hooks_of_logins_store_are_not_told() {
    let scripts = Scripts::new();
    let user = scripts.user("alice", &json!({}));
    let notes = scripts.script("notes", NOTES);
    let server = TestServer::builder()
        .set(
            "data_provider.external_auth_program",
            scripts.script("auth", &format!("echo '{user}'")),
        )
        .set(
            "data_provider.actions",
            json!({ "execute_on": ["add", "update", "delete"], "command": notes, "max_running": 1 }),
        )
        .start()
        .await;
    assert!(server.connect().await.password("alice", PASSWORD).await);
    assert!(server.connect().await.password("alice", "another").await);
    server.add(Account::new("bob")).await;
    let told = lines(&scripts, "told", 1).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("8;add;bob;"), "{told:?}");
}

#[tokio::test]
async fn commands_beside_the_server_tell_nobody() {
    let scripts = Scripts::new();
    let directory = configured(&json!({ "data_provider": { "actions": {
        "execute_on": ["add", "update", "delete"], "command": scripts.script("notes", NOTES),
    } } }));
    let at = directory.path();
    add_user(at, "alice");
    let output = run(at, &["user", "set", "alice", "--disable"], "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let dump = at.join("dump.json");
    let dump = dump.to_str().unwrap();
    for arguments in [["dump", dump], ["restore", dump]] {
        let output = run(at, &arguments, "");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    assert_eq!(scripts.lines("told"), 0);
}
