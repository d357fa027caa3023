//! Groups, folders, and what else a dump of 2.x has.

use serde_json::{Value, json};

use super::dump::read;
use super::{found, notes, user};
use crate::Effect::{Changed, Disabled, NotCarried};
use crate::Import;

fn dump() -> Value {
    json!({ "version": 17,
        "users": [
            { "username": "alice", "status": 1, "password": "$2a$x", "role": "r1", "max_sessions": 3, "created_at": 86_400_000,
                "permissions": { "/": ["list"] }, "filters": { "allowed_ip": ["10.0.0.0/8"] },
                "groups": [{ "name": "extra", "type": 2 }, { "name": "staff", "type": 1 }, { "name": "club", "type": 3 }],
                "virtual_folders": [{ "name": "shared", "virtual_path": "/shared", "quota_size": -1, "quota_files": -1 }] },
            { "username": "bob", "status": 1, "password": "$2a$x", "home_dir": "/srv/bob", "permissions": { "/": ["*"] },
                "groups": [{ "name": "lost", "type": 1 }] },
            { "username": "carl", "status": 1, "password": "$2a$x", "home_dir": "/srv/carl", "permissions": { "/": ["*"] },
                "virtual_folders": [{ "name": "cloud", "virtual_path": "/cloud" }, { "name": "gone", "virtual_path": "/gone" },
                    { "name": "own", "virtual_path": "/own", "subpath": "/in/", "quota_files": 5 },
                    { "name": "own", "virtual_path": "/" }] }
        ],
        "groups": [
            { "name": "staff", "user_settings": { "home_dir": "/homes/%role%/%username%", "max_sessions": 9, "quota_files": 100,
                "expires_in": 2, "permissions": { "/": ["*"], "/%username%": ["download"] },
                "filters": { "allowed_ip": ["192.0.2.0/24"], "max_upload_file_size": 4 },
                "filesystem": { "provider": 0 } },
              "virtual_folders": [{ "name": "own", "virtual_path": "/mine" }, { "name": "own", "virtual_path": "/shared" }] },
            { "name": "extra", "user_settings": { "home_dir": "/no", "quota_size": 5, "permissions": { "/x": ["upload"] },
                "filters": { "denied_ip": ["198.51.100.0/24"], "max_upload_file_size": 7 } } },
            { "name": "club", "user_settings": { "permissions": { "/club": ["*"] } } }
        ],
        "folders": [
            { "name": "shared", "mapped_path": "/srv/shared" },
            { "name": "own", "mapped_path": "/srv/own/%username%" },
            { "name": "cloud", "mapped_path": "/tmp", "filesystem": { "provider": 1, "s3config": { "bucket": "b" } } }
        ],
        "admins": [{ "username": "admin" }], "shares": [], "roles": [{ "name": "r1" }], "configs": { "smtp": { "host": "x" } },
        "novelties": [1, 2] })
}

fn import() -> Import {
    read(&dump())
}

#[test]
fn a_primary_group_says_what_the_user_does_not_and_others_add() {
    let import = import();
    let alice = user(&import, "alice");
    assert_eq!(alice.home_dir, "/homes/r1/alice");
    assert_eq!(
        (alice.max_sessions, alice.quota_files, alice.quota_size),
        (3, 100, 0)
    );
    assert_eq!(alice.expiration_date, 3 * 86_400_000);
    let directories: Vec<_> = alice.permissions.keys().map(String::as_str).collect();
    assert_eq!(directories, ["/", "/alice", "/x"]);
    assert_eq!(alice.permissions["/"], ["list"]);
    assert_eq!(alice.filters.allowed_ip, ["10.0.0.0/8", "192.0.2.0/24"]);
    assert_eq!(alice.filters.denied_ip, ["198.51.100.0/24"]);
    let folders: Vec<_> = alice
        .virtual_folders
        .iter()
        .map(|folder| (folder.virtual_path.as_str(), folder.mapped_path.as_str()))
        .collect();
    assert_eq!(
        folders,
        [("/shared", "/srv/shared"), ("/mine", "/srv/own/alice")]
    );
    let expected = [
        (Changed, "groups"),
        (Changed, "groups"),
        (NotCarried, "groups"),
        (NotCarried, "filters.max_upload_file_size"),
        (NotCarried, "role"),
    ];
    assert_eq!(
        (alice.status, notes(found(&import, "alice"))),
        (1, expected.to_vec())
    );
}

#[test]
fn a_group_that_is_not_in_the_dump_may_have_been_a_restriction() {
    let import = import();
    assert_eq!(user(&import, "bob").status, 0);
    assert_eq!(notes(found(&import, "bob")), [(Disabled, "groups")]);
}

#[test]
fn folders_that_are_no_directories_of_this_machine_are_told_of() {
    let import = import();
    let carl = user(&import, "carl");
    assert_eq!(carl.virtual_folders.len(), 1);
    assert_eq!(carl.virtual_folders[0].mapped_path, "/srv/own/carl/in");
    assert_eq!(
        notes(found(&import, "carl")),
        [(NotCarried, "virtual_folders"); 4]
    );
}

#[test]
fn what_a_dump_has_beside_users_is_told_of_by_kind() {
    let import = import();
    let about: Vec<_> = import
        .notes
        .iter()
        .map(|note| note.about.as_str())
        .collect();
    assert_eq!(about, ["admins", "configs", "novelties", "roles"]);
    assert!(import.notes[0].text.starts_with("1: "));
}
