//! `sftpgo dump` and `sftpgo restore`: from one data provider to another in two commands.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use sftpgo_testkit::{Account, PASSWORD, TestServer, request};
use tempfile::TempDir;

use super::program::{run, text};

/// Users in a database of their own: one with a password, one with a key, quota and home with a file, one disabled.
fn with_users() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let home = at.join("homes/bob");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("file"), "content").unwrap();
    let key = Account::key("bob").line("bob's");
    let add: [&[&str]; 3] = [
        &["alice", "--password-stdin", "--home-dir", "/srv/alice"],
        &[
            "bob",
            "--no-password",
            "--public-key",
            &key,
            "--quota-files",
            "7",
            "--home-dir",
            home.to_str().unwrap(),
        ],
        &[
            "zoë \"☂\"",
            "--password-stdin",
            "--home-dir",
            "/srv/zoë",
            "--disable",
            "--permission",
            "/:list",
        ],
    ];
    for arguments in add {
        works(at, &[&["user", "add"], arguments].concat(), "secret\n");
    }
    directory
}

fn works(directory: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(directory, arguments, input);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

fn fails(directory: &Path, arguments: &[&str], input: &str) -> String {
    let Output { status, stderr, .. } = run(directory, arguments, input);
    assert_eq!(status.code(), Some(1), "{arguments:?}");
    text(&stderr)
}

fn users(directory: &Path) -> Value {
    serde_json::from_str(&works(directory, &["user", "list", "--json"], "")).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let users = users(directory);
    let name = |user: &Value| user["username"].as_str().unwrap().to_owned();
    users.as_array().unwrap().iter().map(name).collect()
}

#[test]
fn two_commands_move_all_users_to_another_data_provider() {
    let old = with_users();
    let new = tempfile::tempdir().unwrap();
    let file = new.path().join("users.json");
    let said = works(old.path(), &["dump", file.to_str().unwrap()], "");
    assert!(
        said.contains("3 users") && said.contains("users.json"),
        "{said}"
    );
    let said = works(new.path(), &["restore", "users.json"], "");
    assert_eq!(said, "3 users added, 0 updated, 0 left as they were\n");
    assert_eq!(users(new.path()), users(old.path()));
    let again = works(new.path(), &["dump", "-"], "");
    assert_eq!(again, fs::read_to_string(&file).unwrap(), "hashes and all");
}

#[test]
fn a_dump_goes_through_a_pipe() {
    let (old, new) = (with_users(), tempfile::tempdir().unwrap());
    let dump = works(old.path(), &["dump", "-", "--indent"], "");
    assert!(
        dump.starts_with("{\n  \"users\": [\n    {\n      \"id\": 1,"),
        "{dump}"
    );
    works(new.path(), &["restore", "-"], &dump);
    assert_eq!(users(new.path()), users(old.path()));
}

#[test]
fn a_dump_is_private_and_replaces_only_what_it_can_replace_whole() {
    let directory = with_users();
    let at = directory.path();
    fs::write(at.join("old.json"), "old").unwrap();
    fs::set_permissions(at.join("old.json"), fs::Permissions::from_mode(0o644)).unwrap();
    symlink("old.json", at.join("link.json")).unwrap();
    works(at, &["dump", "link.json"], "");
    assert!(
        fs::symlink_metadata(at.join("link.json"))
            .unwrap()
            .is_symlink()
    );
    let attributes = fs::metadata(at.join("old.json")).unwrap();
    assert_eq!(attributes.permissions().mode() & 0o777, 0o600);
    assert!(attributes.len() > 100);
    for file in ["no/such/directory/x", "homes", "/", ".."] {
        let said = fails(at, &["dump", file], "");
        assert!(said.contains("cannot write"), "{file}: {said}");
    }
    assert!(!at.join("no").exists());
}

#[test]
fn a_database_that_is_not_there_is_no_empty_dump() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::write(at.join("good.json"), "good").unwrap();
    let said = fails(at, &["dump", "good.json"], "");
    assert!(
        said.contains("sftpgo.db") && said.contains("data_provider.name"),
        "{said}"
    );
    assert_eq!(fs::read(at.join("good.json")).unwrap(), b"good");
    assert!(!at.join("sftpgo.db").exists());
}

#[test]
fn users_that_exist_are_updated_or_left() {
    let directory = with_users();
    let at = directory.path();
    works(at, &["dump", "users.json"], "");
    let before = users(at);
    works(at, &["user", "set", "bob", "--quota-files", "9"], "");
    let changed = users(at);
    let said = works(at, &["restore", "users.json", "--mode", "1"], "");
    assert_eq!(said, "0 users added, 0 updated, 3 left as they were\n");
    assert_eq!(users(at), changed);
    let said = works(at, &["restore", "users.json", "--mode=0"], "");
    assert_eq!(said, "0 users added, 3 updated, 0 left as they were\n");
    assert_eq!(users(at), before);
}

#[test]
fn files_are_counted_for_whom_it_is_asked() {
    let old = with_users();
    works(old.path(), &["dump", "users.json"], "");
    let file = old.path().join("users.json");
    let file = file.to_str().unwrap();
    for (whose, counted, warned) in [("0", 0, 0), ("1", 1, 2), ("2", 1, 0)] {
        let new = tempfile::tempdir().unwrap();
        let output = run(new.path(), &["restore", file, "--scan-quota", whose], "");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let bob = &users(new.path())[1];
        assert_eq!(bob["used_quota_files"], counted, "{whose}");
        assert_eq!(bob["used_quota_size"], 7 * counted, "{whose}");
        // The homes of the other two are not there.
        let warnings = text(&output.stderr);
        assert_eq!(
            warnings.matches("was not scanned: user").count(),
            warned,
            "{warnings}"
        );
    }
}

#[test]
fn a_file_that_is_no_dump_changes_nothing() {
    let old = with_users();
    let dump = works(old.path(), &["dump", "-"], "");
    let new = tempfile::tempdir().unwrap();
    let at = new.path();
    for (content, word) in [
        (&dump[..dump.len() - 20], "not JSON"),
        ("", "empty"),
        ("[]", "not a JSON object"),
        (
            &dump.replace("\"status\":0", "\"status\":[]"),
            "user number 3 has a wrong value for status",
        ),
    ] {
        fs::write(at.join("dump.json"), content).unwrap();
        let said = fails(at, &["restore", "dump.json"], "");
        assert!(said.contains("dump.json") && said.contains(word), "{said}");
        assert!(!at.join("sftpgo.db").exists());
    }
    let said = fails(at, &["restore", "missing.json"], "");
    assert!(said.contains("missing.json"), "{said}");
    // What comes through a pipe is stored as it comes.
    let cut = &dump[..dump.len() - 20];
    let said = fails(at, &["restore", "-"], cut);
    assert!(
        said.contains("stdin: not JSON") && said.contains("2 users added"),
        "{said}"
    );
    assert_eq!(names(at), ["alice", "bob"]);
    works(at, &["restore", "-"], &dump);
    assert_eq!(users(at), users(old.path()));
}

#[test]
fn the_first_user_that_cannot_be_stored_ends_it_and_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let user = |name: &str, home: &str| json!({ "username": name, "password": "$1$x$y", "home_dir": home, "status": 1, "permissions": { "/": ["*"] } });
    let dump =
        json!({ "users": [user("a", "/srv/a"), user("b", "relative"), user("c", "/srv/c")] });
    fs::write(directory.path().join("dump.json"), dump.to_string()).unwrap();
    let said = fails(directory.path(), &["restore", "dump.json"], "");
    assert!(
        said.contains("user \"b\"") && said.contains("1 users added"),
        "{said}"
    );
    assert_eq!(names(directory.path()), ["a"]);
}

#[test]
fn more_than_ten_mebibytes_are_restored() {
    let (old, new) = (with_users(), tempfile::tempdir().unwrap());
    let dump = works(old.path(), &["dump", "-"], "");
    let long = dump.replacen('{', &format!("{{{}", " ".repeat(11 << 20)), 1);
    fs::write(new.path().join("dump.json"), long).unwrap();
    works(new.path(), &["restore", "dump.json"], "");
    assert_eq!(users(new.path()), users(old.path()));
}

#[test]
fn the_users_of_a_servers_memory_are_reached_over_rest_only() {
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({ "data_provider": { "driver": "memory", "name": "" } });
    fs::write(directory.path().join("sftpgo.json"), settings.to_string()).unwrap();
    for (arguments, route) in [(["dump", "x"], "dumpdata"), (["restore", "x"], "loaddata")] {
        let said = fails(directory.path(), &arguments, "");
        assert!(said.contains(route), "{said}");
    }
}

#[test]
fn modes_that_do_not_exist_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        &["restore"][..],
        &["restore", "x", "--mode", "2"],
        &["restore", "x", "--scan-quota", "3"],
        &["restore", "x", "--scan-quota", "a"],
        &["dump"],
        &["dump", "x", "y"],
    ] {
        fails(directory.path(), arguments, "");
    }
}

#[tokio::test]
async fn a_command_beside_a_running_server_uses_its_database() {
    let server = TestServer::builder().driver("sqlite").start().await;
    server.add(Account::new("alice")).await;
    let conf = server.config_dir();
    let dump = tokio::task::spawn_blocking(move || {
        let dump = works(&conf, &["dump", "-"], "");
        let renamed = dump.replace("alice", "bob");
        works(&conf, &["restore", "-"], &renamed);
        dump
    });
    let dump = dump.await.unwrap();
    assert!(server.connect().await.password("bob", PASSWORD).await);
    let saved = "/api/v1/dumpdata?output_file=rest.json";
    server.users().delete(2).await.unwrap();
    let reply = request(server.http_address(), "GET", saved, &Value::Null).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let rest = fs::read_to_string(server.config_dir().join("backups/rest.json")).unwrap();
    assert_eq!(rest, dump, "the same text, byte by byte");
}
