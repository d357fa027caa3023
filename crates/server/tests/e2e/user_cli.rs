//! `sftpgo user`, beside a running server and without one.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use sftpgo_testkit::{Account, PASSWORD, TestServer, request};
use tempfile::TempDir;

use super::program::{run, text};

fn user(directory: &Path, arguments: &[&str], input: &str) -> Output {
    run(directory, &[&["user"], arguments].concat(), input)
}

fn works(directory: &Path, arguments: &[&str], input: &str) -> String {
    let output = user(directory, arguments, input);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

fn fails(directory: &Path, arguments: &[&str]) -> String {
    let output = user(directory, arguments, "");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert_eq!(text(&output.stdout), "");
    text(&output.stderr)
}

fn shown(directory: &Path, name: &str) -> Value {
    serde_json::from_str(&works(directory, &["show", name, "--json"], "")).unwrap()
}

fn with_alice() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "add",
        "alice",
        "--password-stdin",
        "--home-dir",
        "/srv/alice",
    ];
    works(directory.path(), &arguments, "secret\n");
    directory
}

#[test]
fn a_new_user_may_do_everything_in_its_home() {
    let directory = with_alice();
    let alice = shown(directory.path(), "alice");
    assert_eq!(alice["status"], 1);
    assert_eq!(alice["permissions"], json!({ "/": ["*"] }));
    assert_eq!(alice["home_dir"], "/srv/alice");
    assert_eq!(alice.get("password"), None);
}

#[test]
fn a_home_is_made_up_below_the_base_directory() {
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({ "data_provider": { "users_base_dir": "/srv/users" } });
    std::fs::write(directory.path().join("sftpgo.json"), settings.to_string()).unwrap();
    works(
        directory.path(),
        &["add", "bob", "--password-stdin"],
        "secret\n",
    );
    assert_eq!(shown(directory.path(), "bob")["home_dir"], "/srv/users/bob");
}

#[test]
fn flags_become_fields_and_what_no_flag_names_stays() {
    let directory = with_alice();
    let at = directory.path();
    let changes = [
        "set",
        "alice",
        "--permission",
        "/:list,download",
        "--permission",
        "/up:upload",
        "--quota-size",
        "10KB",
        "--quota-files",
        "3",
        "--max-sessions",
        "2",
        "--disable",
        "--allow-ip",
        "10.0.0.0/8",
        "--expires",
        "2030-12-31",
        "--public-key",
        &Account::key("alice").line("work"),
    ];
    works(at, &changes, "");
    let alice = shown(at, "alice");
    let expected = json!({ "/": ["list", "download"], "/up": ["upload"] });
    assert_eq!(alice["permissions"], expected);
    assert_eq!(
        (&alice["quota_size"], &alice["quota_files"]),
        (&json!(10_000), &json!(3))
    );
    assert_eq!(
        (&alice["max_sessions"], &alice["status"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(alice["filters"]["allowed_ip"], json!(["10.0.0.0/8"]));
    assert_eq!(alice["expiration_date"], 1_924_905_600_000_i64);

    works(at, &["set", "alice", "--enable", "--allow-ip", ""], "");
    let alice = shown(at, "alice");
    assert_eq!(
        (&alice["status"], &alice["quota_files"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(alice["filters"], json!({}));
    let people = works(at, &["show", "alice"], "");
    for word in [
        "enabled",
        "/up: upload",
        "0 of 3",
        "0 B of 10.0 KB",
        "ssh-ed25519",
        "2030-12-31",
    ] {
        assert!(people.contains(word), "{word}: {people}");
    }
}

#[test]
fn login_methods_are_denied_and_required_by_flags() {
    let directory = with_alice();
    let at = directory.path();
    let flags = [
        "set",
        "alice",
        "--deny-method",
        "keyboard-interactive",
        "--require-methods",
        "publickey, password",
        "--require-methods",
        "password,publickey",
    ];
    works(at, &flags, "");
    let filters = shown(at, "alice")["filters"].clone();
    assert_eq!(
        filters["denied_login_methods"],
        json!(["keyboard-interactive"])
    );
    let both = json!(["publickey,password", "password,publickey"]);
    assert_eq!(filters["required_login_methods"], both);
    let people = works(at, &["show", "alice"], "");
    assert!(people.contains("publickey,password"), "{people}");
    let none = ["set", "alice", "--deny-method", "", "--require-methods", ""];
    works(at, &none, "");
    assert_eq!(shown(at, "alice")["filters"], json!({}));
}

#[test]
fn users_are_listed_and_removed() {
    let directory = with_alice();
    let at = directory.path();
    works(
        at,
        &[
            "add",
            "bob",
            "--password-stdin",
            "--home-dir",
            "/srv/bob",
            "--disable",
        ],
        "x\n",
    );
    let list = works(at, &["list"], "");
    let lines: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().take(4).collect())
        .collect();
    assert_eq!(
        lines,
        [
            ["USERNAME", "STATE", "HOME", "FILES"],
            ["alice", "enabled", "/srv/alice", "0"],
            ["bob", "disabled", "/srv/bob", "0"]
        ]
    );
    let removed = works(at, &["remove", "alice"], "");
    assert!(removed.contains("/srv/alice"), "{removed}");
    let left: Value = serde_json::from_str(&works(at, &["list", "--json"], "")).unwrap();
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["username"], "bob");
}

#[test]
fn a_refusal_is_a_sentence_and_status_one() {
    let directory = with_alice();
    let at = directory.path();
    let cases: [(&[&str], &str); 6] = [
        (&["add", "alice", "--no-password"], "exists already"),
        (
            &["add", "bob", "--no-password", "--home-dir", "/srv/bob"],
            "password",
        ),
        (
            &["add", "bob", "--password-stdin", "--home-dir", "/srv/bob"],
            "password is empty",
        ),
        (&["show", "bob"], "bob"),
        (&["remove", "bob"], "bob"),
        (
            &["set", "alice", "--permission", "/:fly"],
            "invalid permissions",
        ),
    ];
    for (arguments, word) in cases {
        let said = fails(at, arguments);
        let sentence = said.lines().last().unwrap();
        assert!(
            sentence.starts_with("Error: ") && sentence.contains(word),
            "{word}: {said}"
        );
    }
}

#[test]
fn a_user_without_a_home_names_the_setting_that_would_give_one() {
    let directory = tempfile::tempdir().unwrap();
    let output = user(
        directory.path(),
        &["add", "bob", "--password-stdin"],
        "secret\n",
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("users_base_dir"));
}

#[test]
fn the_users_of_a_servers_memory_are_out_of_reach() {
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({ "data_provider": { "driver": "memory", "name": "" } });
    std::fs::write(directory.path().join("sftpgo.json"), settings.to_string()).unwrap();
    for arguments in [
        &["list"][..],
        &["show", "x"],
        &["add", "x", "--no-password"],
    ] {
        assert!(fails(directory.path(), arguments).contains("REST API"));
    }
}

#[test]
fn initprovider_makes_the_schema_once_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    for word in ["created", "up to date"] {
        let output = run(directory.path(), &["initprovider"], "");
        assert!(output.status.success());
        let said = text(&output.stdout);
        assert!(said.contains("sqlite") && said.contains(word), "{said}");
    }
    assert!(directory.path().join("sftpgo.db").exists());
}

#[tokio::test]
async fn commands_and_a_running_server_use_one_database() {
    let server = TestServer::builder().driver("sqlite").start().await;
    let at = server.config_dir();
    let home = server.home("alice");
    let home = home.to_str().unwrap();
    let (conf, name) = (at.clone(), home.to_owned());
    let added = tokio::task::spawn_blocking(move || {
        works(
            &conf,
            &["add", "alice", "--password-stdin", "--home-dir", &name],
            PASSWORD,
        )
    });
    assert!(added.await.unwrap().contains("alice"));
    assert!(server.connect().await.password("alice", PASSWORD).await);

    let shown = works(&at, &["list", "--json"], "");
    let rest = request(server.http_address(), "GET", "/api/v1/user", &Value::Null).await;
    assert_eq!(
        serde_json::from_str::<Value>(&shown).unwrap(),
        rest.json(),
        "the objects of REST"
    );

    works(&at, &["remove", "alice"], "");
    assert!(!server.connect().await.password("alice", PASSWORD).await);
}
