//! `sftpgo user`, `dump` and `restore` with `--url`: as on the data provider itself.

use std::fs;

use serde_json::{Value, json};
use sftpgo_testkit::Account;

use super::Remote;
use crate::program::text;

/// What everybody may know of a user, from the data provider and over REST.
fn shown(remote: &Remote, name: &str) -> Value {
    let arguments = ["user", "show", name, "--json"];
    let locally = text(&remote.ask_locally(&arguments, "").stdout);
    assert_eq!(remote.works(&arguments, ""), locally);
    serde_json::from_str(&locally).unwrap()
}

/// The record as it is stored, with secrets.
fn stored(remote: &Remote, name: &str) -> Value {
    let dump = text(&remote.ask_locally(&["dump", "-"], "").stdout);
    let dump: Value = serde_json::from_str(&dump).unwrap();
    let mut users = dump["users"].as_array().unwrap().iter();
    users.find(|user| user["username"] == name).unwrap().clone()
}

#[test]
fn users_are_managed_on_a_running_server_with_the_same_words() {
    let remote = Remote::start(&Value::Null);
    let home = remote.there.path().join("homes/alice");
    let added = remote.add("alice", &["--quota-size", "1MB"]);
    assert_eq!(
        added,
        format!("User alice added; its home is {}\n", home.display())
    );
    remote.add("zoë \"☂\"", &["--disable"]);
    assert_eq!(shown(&remote, "alice")["quota_size"], 1_000_000);

    for arguments in [
        &["user", "list"][..],
        &["user", "list", "-o", "json"],
        &["user", "show", "zoë \"☂\""],
        &["user", "show", "nobody"],
        &["user", "add", "alice", "--no-password"],
        &["user", "set", "alice", "--permission", "/:fly"],
        &["user", "set", "nobody", "--enable"],
        &[
            "user",
            "add",
            "bob",
            "--no-password",
            "--home-dir",
            "/srv/bob",
        ],
        &["user", "set", "alice", "--max-sessions", "2"],
    ] {
        let (here, there) = (remote.ask_locally(arguments, ""), remote.ask(arguments, ""));
        assert_eq!(text(&here.stdout), text(&there.stdout), "{arguments:?}");
        assert_eq!(text(&here.stderr), text(&there.stderr), "{arguments:?}");
        assert_eq!(here.status.code(), there.status.code(), "{arguments:?}");
    }
    let changed = remote.json(&["user", "set", "alice", "--max-sessions", "3"]);
    assert_eq!(changed, shown(&remote, "alice"));
    assert_eq!(changed["max_sessions"], 3);
    let removed = remote.works(&["user", "remove", "alice"], "");
    assert!(removed.contains("its files are still in"), "{removed}");
    assert_eq!(remote.json(&["user", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_table_has_a_header_and_sizes_for_people() {
    let remote = Remote::start(&Value::Null);
    remote.add("alice", &["--quota-size", "10GB", "--quota-files", "3"]);
    let list = remote.works(&["user", "list"], "");
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with("USERNAME  STATE    HOME"), "{list}");
    assert!(
        lines[1].contains("0 of 3") && lines[1].contains("0 B of 10.0 GB"),
        "{list}"
    );
}

#[test]
fn what_flags_say_becomes_the_account_and_what_they_remove_is_gone() {
    let remote = Remote::start(&Value::Null);
    let folder = remote.there.path().join("pictures");
    let folder = format!("/pictures::{}", folder.display());
    let key = Account::key("alice").line("work");
    let flags = [
        "--public-key",
        &key,
        "--allow-ip",
        "127.0.0.0/8",
        "--deny-method",
        "keyboard-interactive",
        "--virtual-folder",
        &folder,
        "--permission",
        "*",
        "--permission",
        "/pictures:list,download",
        "--allowed-extensions",
        "/pictures::.jpg,.png",
        "--denied-extensions",
        "/::.exe",
        "--expires",
        "2030-12-31",
    ];
    remote.add("alice", &flags);
    let alice = shown(&remote, "alice");
    assert_eq!(alice["public_keys"], json!([key]));
    assert_eq!(alice["virtual_folders"][0]["virtual_path"], "/pictures");
    let permissions = json!({ "/": ["*"], "/pictures": ["list", "download"] });
    assert_eq!(alice["permissions"], permissions);
    let extensions = json!([
        { "path": "/", "denied_extensions": [".exe"] },
        { "path": "/pictures", "allowed_extensions": [".jpg", ".png"] },
    ]);
    assert_eq!(alice["filters"]["file_extensions"], extensions);
    let people = remote.works(&["user", "show", "alice"], "");
    for words in ["/pictures is ", "/: .exe", "2030-12-31", "127.0.0.0/8"] {
        assert!(people.contains(words), "{words}: {people}");
    }

    let gone = [
        "user",
        "set",
        "alice",
        "--public-key",
        "",
        "--allow-ip",
        "",
        "--deny-method",
        "",
        "--virtual-folder",
        "",
        "--expires",
        "never",
    ];
    remote.works(&gone, "");
    let alice = shown(&remote, "alice");
    assert_eq!(
        (&alice["public_keys"], &alice["virtual_folders"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(alice["filters"], json!({ "file_extensions": extensions }));
    assert_eq!(alice["expiration_date"], 0);
    // The API cannot do this, and nobody shall believe that it did; the data provider can.
    let none = ["user", "set", "alice", "--allowed-extensions", ""];
    assert!(
        remote
            .fails(&none)
            .contains("extension filters cannot be removed")
    );
    assert!(remote.ask_locally(&none, "").status.success());
    assert_eq!(shown(&remote, "alice")["filters"], json!({}));
}

#[test]
fn a_password_is_changed_kept_and_removed() {
    let remote = Remote::start(&Value::Null);
    let key = Account::key("alice").line("work");
    remote.add("alice", &["--public-key", &key]);
    let first = stored(&remote, "alice")["password"].clone();
    remote.works(&["user", "set", "alice", "--max-sessions", "3"], "");
    assert_eq!(stored(&remote, "alice")["password"], first);
    remote.works(&["user", "set", "alice", "--password-stdin"], "other\n");
    let second = stored(&remote, "alice")["password"].clone();
    assert!(second != first && second.as_str().unwrap().starts_with("$argon2id$"));
    remote.works(&["user", "set", "alice", "--no-password"], "");
    assert_eq!(stored(&remote, "alice")["password"], Value::Null);
}

#[test]
fn secrets_of_stores_are_sealed_there_and_stay_when_they_are_not_named() {
    let remote = Remote::start(&Value::Null);
    let secret = remote.there.path().join("secret");
    fs::write(&secret, "s3cret-value\n").unwrap();
    let secret = format!("@{}", secret.display());
    let flags = [
        "--fs-provider",
        "s3",
        "--s3-bucket",
        "bucket",
        "--s3-region",
        "eu-west-1",
        "--s3-access-key",
        "AKIA",
        "--s3-access-secret",
        &secret,
    ];
    remote.add("alice", &flags);
    let sealed = |remote: &Remote| {
        let alice = stored(remote, "alice");
        let secret = alice["filesystem"]["s3config"]["access_secret"].as_str();
        secret.unwrap().to_owned()
    };
    let first = sealed(&remote);
    assert!(
        first.starts_with("$aes$") && !first.contains("s3cret"),
        "{first}"
    );
    remote.works(&["user", "set", "alice", "--s3-bucket", "other"], "");
    assert_eq!(sealed(&remote), first);
    let alice = shown(&remote, "alice");
    assert_eq!(alice["filesystem"]["s3config"]["bucket"], "other");
    let people = remote.works(&["user", "show", "alice"], "");
    assert!(
        people.contains("eu-west-1") && !people.contains("$aes$"),
        "{people}"
    );

    let typed = ["user", "set", "alice", "--s3-access-secret", "hunter2"];
    let said = remote.fails(&typed);
    assert!(
        said.contains("@FILE") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn a_dump_is_written_and_restored_where_the_server_is() {
    let remote = Remote::start(&Value::Null);
    remote.add("alice", &[]);
    let said = remote.works(&["dump", "daily/users.json", "--indent"], "");
    assert!(
        said.contains("daily/users.json") && said.contains("httpd.backups_path"),
        "{said}"
    );
    let file = remote.there.path().join("backups/daily/users.json");
    assert!(fs::read_to_string(&file).unwrap().contains("\"alice\""));
    remote.works(&["user", "remove", "alice"], "");
    let said = remote.works(&["restore", file.to_str().unwrap()], "");
    assert!(said.contains("are restored"), "{said}");
    assert_eq!(remote.json(&["user", "list"])[0]["username"], "alice");

    for (arguments, word) in [
        (["dump", "-"], "never sends or takes"),
        (["dump", "../x"], "output_file"),
        (["restore", "-"], "never sends or takes"),
        (["restore", "users.json"], "absolute path"),
        (["restore", "/no/such"], "/no/such"),
    ] {
        let said = remote.fails(&arguments);
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn users_in_the_memory_of_a_server_are_within_reach() {
    let settings = json!({ "data_provider": { "driver": "memory", "name": "" } });
    let remote = Remote::start(&settings);
    remote.add("alice", &[]);
    let list = remote.works(&["user", "list"], "");
    assert!(list.contains("alice"), "{list}");
    let locally = remote.ask_locally(&["user", "list"], "");
    assert!(text(&locally.stderr).contains("--url"));
}
