//! `pre_login_program` (reference 9.4).

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sftpgo_testkit::{Account, PASSWORD, TestServer};

use super::{Scripts, key_works, password_works};

async fn server_with(program: &str) -> TestServer {
    let server = TestServer::builder()
        .set("data_provider.pre_login_program", program)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    server
}

/// A server whose program prints this text for everybody.
async fn server_saying(scripts: &Scripts, said: &str) -> TestServer {
    let script = format!("echo asked >> \"$here/asked\"\nprintf '%s' '{said}'");
    server_with(&scripts.script("change", &script)).await
}

/// TestPreLoginScript
#[tokio::test]
async fn a_user_that_the_program_gives_logs_in_and_what_is_no_user_or_disabled_does_not() {
    let scripts = Scripts::new();
    let whole = scripts.user("alice", &json!({}));
    for (said, works) in [
        (whole.as_str(), true),
        ("no", false),
        ("[]", false),
        (r#"{"status":0}"#, false),
        (r#"{"permissions":{"/":["no such"]}}"#, false),
        (r#"{"filters":{"denied_ip":["127.0.0.0/8"]}}"#, false),
    ] {
        let server = server_saying(&scripts, said).await;
        assert_eq!(password_works(&server, PASSWORD).await, works, "{said}");
        assert_eq!(key_works(&server).await, works, "{said}");
    }
    let server = server_with(&scripts.script("fails", "exit 3")).await;
    assert!(!password_works(&server, PASSWORD).await);
}

#[tokio::test]
async fn a_program_that_says_nothing_changes_nothing() {
    let scripts = Scripts::new();
    let server = server_saying(&scripts, " \n").await;
    let before = server.users().stored_by_name("alice").await.unwrap();
    assert!(!password_works(&server, "wrong").await);
    assert_eq!(
        server.users().stored_by_name("alice").await.unwrap(),
        before
    );
    assert!(password_works(&server, PASSWORD).await);
    assert_eq!(scripts.lines("asked"), 2);
}

#[tokio::test]
async fn a_program_changes_what_it_names_and_not_what_the_server_keeps() {
    let scripts = Scripts::new();
    let said = json!({
        "ID": 99, "username": "mallory", "used_quota_files": 9, "last_login": 1,
        "max_sessions": 3, "permissions": { "/sub": ["list"] },
    });
    let server = server_saying(&scripts, &said.to_string()).await;
    let before = server.users().stored_by_name("alice").await.unwrap();
    assert!(password_works(&server, PASSWORD).await);
    let after = server.users().stored_by_name("alice").await.unwrap();
    assert_eq!((after.id, after.max_sessions), (before.id, 3));
    assert_eq!(after.used_quota_files, before.used_quota_files);
    assert!(after.last_login > 1);
    assert_eq!(after.password, before.password);
    let directories: Vec<_> = after.permissions.keys().collect();
    assert_eq!(directories, ["/", "/sub"]);
}

#[tokio::test]
async fn the_program_sees_the_whole_user_and_the_method() {
    let scripts = Scripts::new();
    let program = scripts.script(
        "spy",
        r#"printf '%s' "$SFTPGO_LOGIND_USER" > "$here/user"
echo "$SFTPGO_LOGIND_METHOD $SFTPGO_LOGIND_IP" >> "$here/methods""#,
    );
    let server = server_with(&program).await;
    assert!(password_works(&server, PASSWORD).await);
    assert!(key_works(&server).await);
    assert_eq!(
        scripts.text("methods"),
        "password 127.0.0.1\npublickey 127.0.0.1\n"
    );
    let seen: Value = serde_json::from_str(&scripts.text("user")).unwrap();
    let stored = server.users().stored_by_name("alice").await.unwrap();
    assert_eq!(seen["username"], "alice");
    assert_eq!(seen["password"], stored.password);
    assert_eq!(seen["permissions"]["/"], json!(["*"]));
}

#[tokio::test]
async fn a_password_that_the_program_sets_is_hashed_and_opens_at_once() {
    let scripts = Scripts::new();
    let server = server_saying(&scripts, r#"{"password":"of the day"}"#).await;
    assert!(!password_works(&server, PASSWORD).await);
    assert!(password_works(&server, "of the day").await);
    let hash = server
        .users()
        .stored_by_name("alice")
        .await
        .unwrap()
        .password;
    assert!(hash.starts_with("$argon2id$"));
    assert!(password_works(&server, "of the day").await);
    assert_eq!(
        server
            .users()
            .stored_by_name("alice")
            .await
            .unwrap()
            .password,
        hash
    );
}

#[tokio::test]
async fn who_does_not_exist_waits_as_long_as_those_for_whom_the_program_runs() {
    let scripts = Scripts::new();
    let server =
        server_with(&scripts.script("slow", "echo asked >> \"$here/asked\"; sleep 0.7")).await;
    assert!(password_works(&server, PASSWORD).await);
    for attempt in ["password", "key"] {
        let mut client = server.connect().await;
        let began = Instant::now();
        match attempt {
            "password" => assert!(!client.password("bob", PASSWORD).await),
            _ => assert!(!client.key("bob", &Account::key("bob")).await),
        }
        assert!(began.elapsed() >= Duration::from_millis(700), "{attempt}");
    }
    assert_eq!(
        scripts.lines("asked"),
        1,
        "it is not told of names that do not exist"
    );
}

#[tokio::test]
async fn methods_that_external_authentication_decides_about_are_none_of_its_business() {
    let scripts = Scripts::new();
    let user = scripts.user("alice", &json!({}));
    let auth = scripts.script("auth", &format!("echo '{user}'"));
    let change = scripts.script(
        "change",
        "echo \"$SFTPGO_LOGIND_METHOD\" >> \"$here/asked\"",
    );
    let server = TestServer::builder()
        .set("data_provider.external_auth_program", auth)
        .set("data_provider.external_auth_scope", 1)
        .set("data_provider.pre_login_program", change)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    assert!(key_works(&server).await);
    assert!(password_works(&server, PASSWORD).await);
    assert_eq!(scripts.text("asked"), "publickey\n");
}
