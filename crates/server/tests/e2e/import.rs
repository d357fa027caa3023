//! `sftpgo import`, with dumps and databases of the reference, and host keys. `interop/import.rs` has the files of others.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sftpgo_testkit::{Account, TestKey, TestServer};
use tempfile::TempDir;

use super::program::{run, text};

/// `password`, as md5crypt.
const HASH: &str = "$1$b5caebda$VODr/nyhGWgZaY8sJ4x05.";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/e2e/fixtures")
        .join(name)
}

/// A dump of 0.9.6 with alice, who has a quota, and bob, who has a key as well.
fn old_dump() -> Value {
    json!({ "users": [
        { "id": 7, "status": 1, "username": "alice", "password": HASH, "home_dir": "/srv/alice", "quota_files": 5,
            "permissions": { "/": ["*"] }, "used_quota_files": 3, "filters": {},
            "filesystem": { "provider": 0, "s3config": {}, "gcsconfig": {} } },
        { "id": 9, "status": 1, "username": "bob", "password": HASH, "home_dir": "/srv/bob",
            "public_keys": [Account::key("bob").line("old")], "permissions": { "/": ["list"] }, "filters": {} }
    ] })
}

fn with_dump(dump: &Value) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("old.json"), dump.to_string()).unwrap();
    directory
}

/// Exit status, the report, and what is said on stderr.
fn import(directory: &Path, arguments: &[&str]) -> (i32, Value, String) {
    let output = run(directory, &[&["import", "--json"], arguments].concat(), "");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), report, text(&output.stderr))
}

fn works(directory: &Path, arguments: &[&str]) -> Value {
    let (status, report, said) = import(directory, arguments);
    assert_eq!(status, 0, "{arguments:?}: {said}");
    report
}

/// Name and action of each user.
fn actions(report: &Value) -> Vec<(&str, &str)> {
    let users = report["users"].as_array().unwrap().iter();
    users
        .map(|user| {
            (
                user["username"].as_str().unwrap(),
                user["action"].as_str().unwrap(),
            )
        })
        .collect()
}

fn stored(directory: &Path) -> Vec<Value> {
    let output = run(directory, &["user", "list", "--json"], "");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn dump_of(directory: &Path) -> String {
    text(&run(directory, &["dump", "-"], "").stdout)
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let directory = with_dump(&old_dump());
    let at = directory.path();
    let report = works(at, &["reference-dump", "old.json", "--dry-run"]);
    assert_eq!(actions(&report), [("alice", "new"), ("bob", "new")]);
    assert!(
        !at.join("sftpgo.db").exists(),
        "not even a database is made"
    );
    works(at, &["reference-dump", "old.json", "--only", "alice"]);
    run(at, &["user", "set", "alice", "--quota-files", "9"], "");
    let before = dump_of(at);
    let report = works(
        at,
        &[
            "reference-dump",
            "old.json",
            "--dry-run",
            "--existing",
            "update",
        ],
    );
    assert_eq!(actions(&report), [("alice", "changed"), ("bob", "new")]);
    assert_eq!(report["users"][0]["fields"], json!(["quota_files"]));
    assert_eq!(dump_of(at), before);
    let people = run(
        at,
        &["import", "reference-dump", "old.json", "--dry-run"],
        "",
    );
    let people = text(&people.stdout);
    assert!(
        people.starts_with("alice  kept") && people.ends_with("Nothing was changed (--dry-run)\n"),
        "{people}"
    );
}

#[test]
fn users_that_exist_are_kept_or_updated_or_failures() {
    let directory = with_dump(&old_dump());
    let at = directory.path();
    works(at, &["reference-dump", "old.json"]);
    let before = stored(at);
    assert_eq!(before[0]["quota_files"], 5);
    assert_eq!(before[0]["used_quota_files"], 0, "files are counted here");
    run(at, &["user", "set", "alice", "--quota-files", "9"], "");

    let report = works(at, &["reference-dump", "old.json"]);
    assert_eq!(actions(&report), [("alice", "kept"), ("bob", "kept")]);
    assert_eq!(stored(at)[0]["quota_files"], 9);
    let (status, report, said) = import(at, &["reference-dump", "old.json", "--existing", "fail"]);
    assert_eq!(
        (status, actions(&report)),
        (1, vec![("alice", "cannot"), ("bob", "cannot")])
    );
    assert!(said.contains("2 users cannot be imported"), "{said}");
    let report = works(at, &["reference-dump", "old.json", "--existing", "update"]);
    assert_eq!(
        actions(&report),
        [("alice", "changed"), ("bob", "unchanged")]
    );
    assert_eq!(stored(at), before);
}

#[test]
fn a_user_that_cannot_be_imported_does_not_stop_the_others() {
    let mut dump = old_dump();
    let users = dump["users"].as_array_mut().unwrap();
    users.insert(
        0,
        json!({ "username": "away", "password": HASH, "filesystem": { "provider": 5 } }),
    );
    users.insert(1, json!({ "username": "homeless", "password": HASH, "home_dir": "relative", "permissions": { "/": ["*"] } }));
    users.push(json!({ "username": "bob", "password": HASH, "home_dir": "/srv/other", "permissions": { "/": ["*"] } }));
    let directory = with_dump(&dump);
    let (status, report, _) = import(directory.path(), &["reference-dump", "old.json"]);
    let expected = [
        ("away", "cannot"),
        ("homeless", "cannot"),
        ("alice", "new"),
        ("bob", "new"),
        ("bob", "cannot"),
    ];
    assert_eq!((status, actions(&report)), (1, expected.to_vec()));
    let reason = report["users"][1]["reason"].as_str().unwrap();
    assert!(
        reason.contains("home_dir"),
        "the rules of the REST API: {reason}"
    );
    assert_eq!(stored(directory.path()).len(), 2);
}

#[test]
fn a_home_can_be_given_anew_and_names_that_are_no_directories_get_none() {
    let mut dump = old_dump();
    dump["users"][1]["username"] = json!("../bob");
    let directory = with_dump(&dump);
    let (status, report, _) = import(
        directory.path(),
        &["reference-dump", "old.json", "--home-base", "/data"],
    );
    assert_eq!(
        (status, actions(&report)),
        (1, vec![("alice", "new"), ("../bob", "cannot")])
    );
    assert_eq!(stored(directory.path())[0]["home_dir"], "/data/alice");
    let (status, _, said) = import(
        directory.path(),
        &["reference-dump", "old.json", "--only", "nobody"],
    );
    assert!(status == 1 && said.contains("--only \"nobody\""), "{said}");
}

#[test]
fn flags_that_make_no_sense_are_named_before_anything_is_done() {
    let directory = with_dump(&old_dump());
    for (arguments, word) in [
        (
            &["reference-dump", "old.json", "--home-base", "data"][..],
            "--home-base",
        ),
        (&["linux", "--min-uid", "5", "--max-uid", "4"], "--min-uid"),
        (&["reference-dump"], "name one file"),
        (&["reference-dump", "missing.json"], "missing.json"),
        (&["proftpd", "old.json"], "AuthUserFile"),
        (&["reference-db", "old.json"], "old.json: it is no file"),
        (&["host-keys", "."], "no private key"),
    ] {
        let (status, _, said) = import(directory.path(), arguments);
        assert!(status == 1 && said.contains(word), "{arguments:?}: {said}");
    }
    assert!(!directory.path().join("sftpgo.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_the_newer_line_log_in_with_what_their_groups_gave_them() {
    let server = TestServer::builder().driver("sqlite").start().await;
    let homes = server.home("%username%");
    let dump = json!({ "version": 17,
        "users": [{ "username": "alice", "status": 1, "password": HASH, "home_dir": "", "permissions": { "/": ["list"] },
            "groups": [{ "name": "staff", "type": 1 }] },
            { "username": "carl", "status": 1, "password": HASH, "home_dir": "/srv/carl", "permissions": { "/": ["*"] },
            "filters": { "denied_protocols": ["SSH"] } }],
        "groups": [{ "name": "staff", "user_settings": { "home_dir": homes, "max_sessions": 4 } }],
        "admins": [{ "username": "admin" }] });
    let at = server.config_dir();
    fs::write(at.join("old.json"), dump.to_string()).unwrap();
    let report = works(&at, &["reference-dump", "old.json"]);
    assert_eq!(report["summary"]["disabled"], 1);
    assert_eq!(report["notes"][0]["about"], "admins");
    assert!(server.connect().await.password("alice", "password").await);
    assert!(!server.connect().await.password("carl", "password").await);
    assert_eq!(
        server.users().by_name("alice").await.unwrap().max_sessions,
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_files_of_the_reference_are_read_and_not_touched() {
    let server = TestServer::builder().driver("sqlite").start().await;
    let at = server.config_dir();
    let bolt =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../import/tests/data/reference-0.9.6.bolt");
    for (file, name, from) in [
        ("sqlite.db", "alice", fixture("reference-0.9.6.sqlite")),
        ("bolt.db", "user0001", bolt),
    ] {
        let old = tempfile::tempdir().unwrap();
        let copy = old.path().join(file);
        fs::copy(from, &copy).unwrap();
        let before = fs::read(&copy).unwrap();
        let homes = server.home("");
        works(
            &at,
            &[
                "reference-db",
                copy.to_str().unwrap(),
                "--home-base",
                homes.to_str().unwrap(),
            ],
        );
        assert_eq!(fs::read(&copy).unwrap(), before);
        assert_eq!(
            fs::read_dir(old.path()).unwrap().count(),
            1,
            "nothing beside it"
        );
        assert!(
            server.connect().await.password(name, "password").await,
            "{name}"
        );
    }
    assert_eq!(
        server.users().by_name("alice").await.unwrap().quota_files,
        100
    );
}

#[test]
fn a_database_of_the_newer_line_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = fixture("reference-2.x.sqlite");
    let (status, _, said) = import(directory.path(), &["reference-db", file.to_str().unwrap()]);
    assert!(status == 1 && said.contains("make a dump"), "{said}");
}

#[test]
fn host_keys_are_taken_along_and_one_that_differs_is_never_replaced_unasked() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let (old, other) = (at.join("old"), at.join("other"));
    let (ours, theirs) = (TestKey::numbered(1), TestKey::numbered(2));
    for (place, key) in [(&old, &ours), (&other, &theirs)] {
        fs::create_dir(place).unwrap();
        fs::write(place.join("ssh_host_ed25519_key"), key.file()).unwrap();
        fs::write(place.join("ssh_host_ed25519_key.pub"), key.line("")).unwrap();
        fs::write(place.join("sshd_config"), "Port 22\n").unwrap();
    }
    fs::write(old.join("ssh_host_rsa_key"), TestKey::rsa().file()).unwrap();
    let report = works(at, &["host-keys", "old", "--dry-run"]);
    assert_eq!(report["host_keys"].as_array().unwrap().len(), 2);
    assert!(!at.join("id_rsa").exists());
    let report = works(at, &["host-keys", "old"]);
    assert_eq!(report["host_keys"][0]["fingerprint"], ours.fingerprint());
    for name in ["id_ed25519", "id_rsa"] {
        let mode = fs::metadata(at.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(
        fs::read_to_string(at.join("id_ed25519")).unwrap(),
        ours.file()
    );
    assert_eq!(
        works(at, &["host-keys", "old"])["host_keys"][0]["action"],
        "unchanged"
    );

    let (status, report, said) = import(at, &["host-keys", "other"]);
    assert_eq!(
        (status, &report["host_keys"][0]["action"]),
        (1, &json!("cannot")),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(at.join("id_ed25519")).unwrap(),
        ours.file()
    );
    works(at, &["host-keys", "other", "--force"]);
    assert_eq!(
        fs::read_to_string(at.join("id_ed25519")).unwrap(),
        theirs.file()
    );
}
