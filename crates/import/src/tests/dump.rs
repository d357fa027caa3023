//! Users of dumps.

use serde_json::{Value, json};
use sftpgo_model::{FilesystemProvider, Secret, UserRecord};

use super::{context, found, notes, user};
use crate::Effect::{Changed, Disabled, NotCarried};
use crate::{Found, Import, reference_dump};

const HASH: &str = "$2a$14$ajq8Q7fbtFRQvXpdCq7Jcuy.Rx1h/L4J60Otx.gyNLbAYctGMJ9tK";

pub(super) fn read(dump: &Value) -> Import {
    reference_dump(dump.to_string().as_bytes(), context()).unwrap()
}

/// A user with these members beside the usual ones.
pub(super) fn of(members: Value) -> Found {
    let mut user = json!({ "username": "u", "status": 1, "password": HASH, "home_dir": "/srv/u",
        "permissions": { "/": ["*"] } });
    let (Value::Object(user_members), Value::Object(members)) = (&mut user, members) else {
        panic!("objects");
    };
    user_members.extend(members);
    read(&json!({ "users": [user] })).users.remove(0)
}

fn record(found: &Found) -> &UserRecord {
    found.user.as_ref().unwrap()
}

#[test]
fn an_account_of_0_9_6_comes_as_it_is() {
    let stored = json!({ "id": 3, "status": 1, "username": "alice", "expiration_date": 1_900_000_000_000_i64,
        "password": HASH, "public_keys": [super::KEY], "home_dir": "/srv/alice",
        "virtual_folders": [{ "virtual_path": "/shared", "mapped_path": "/srv/shared" }],
        "uid": 1000, "gid": 1000, "max_sessions": 2, "quota_size": 1000, "quota_files": 10,
        "permissions": { "/": ["list", "download"], "/up": ["upload"] },
        "used_quota_size": 7, "used_quota_files": 1, "last_quota_update": 5, "upload_bandwidth": 8,
        "download_bandwidth": 9, "last_login": 6,
        "filters": { "allowed_ip": ["10.0.0.0/8"], "denied_login_methods": ["password"],
            "file_extensions": [{ "path": "/", "denied_extensions": [".exe"] }] },
        "filesystem": { "provider": 0, "s3config": {}, "gcsconfig": {} } });
    let import = read(&json!({ "users": [stored] }));
    assert_eq!(found(&import, "alice").notes, []);
    let alice = user(&import, "alice");
    assert_eq!(serde_json::to_value(alice).unwrap(), stored);
}

#[test]
fn permissions_of_old_versions_and_a_plain_password_come_along() {
    let found = of(json!({ "permissions": ["list", "download"], "password": "secret" }));
    assert_eq!(record(&found).permissions["/"], ["list", "download"]);
    assert_eq!(record(&found).password, "secret");
    assert_eq!(notes(&found), [(Changed, "password")]);
}

#[test]
fn a_hash_that_cannot_be_checked_is_not_taken_for_a_password() {
    for hash in ["$pbkdf2-b64salt-sha256$1$a$b", "{SSHA}abcd"] {
        let found = of(json!({ "password": hash }));
        assert_eq!(record(&found).status, 0, "{hash}");
        assert_eq!(record(&found).password, crate::NO_PASSWORD);
        assert_eq!(notes(&found), [(Disabled, "password")], "{hash}");
    }
}

#[test]
fn finer_permissions_become_those_that_are_there() {
    let found = of(
        json!({ "permissions": { "/": ["list", "delete_files", "delete_dirs", "copy"],
        "/a": ["list", "rename_files"], "/b": ["*"], "/c": null } }),
    );
    let permissions = &record(&found).permissions;
    assert_eq!(permissions["/"], ["list", "delete"]);
    assert_eq!(permissions["/a"], ["list"]);
    assert_eq!(
        (&permissions["/b"][..], permissions["/c"].len()),
        (&["*".to_owned()][..], 0)
    );
    assert_eq!(notes(&found), [(NotCarried, "permissions"); 2]);
    let found = of(json!({ "permissions": { "/": ["*"], "/*/private": [] } }));
    assert_eq!(
        (record(&found).status, notes(&found)),
        (0, vec![(Disabled, "permissions")])
    );
}

#[test]
fn patterns_of_ends_of_names_become_extensions_and_others_must_not_let_more_through() {
    let filter = |filter: Value| of(json!({ "filters": { "file_patterns": [filter] } }));
    let found = filter(
        json!({ "path": "/", "allowed_patterns": ["*.jpg", "*.png"], "denied_patterns": ["*.zip"] }),
    );
    let extensions = &record(&found).filters.file_extensions[0];
    assert_eq!(extensions.allowed_extensions, [".jpg", ".png"]);
    assert_eq!(extensions.denied_extensions, [".zip"]);
    assert_eq!(found.notes, []);
    for (pattern, status) in [
        (json!({ "path": "/", "denied_patterns": ["a?b"] }), 0),
        (json!({ "path": "/", "allowed_patterns": ["a*"] }), 0),
        (
            json!({ "path": "/", "allowed_patterns": ["a*", "*.txt"] }),
            1,
        ),
        (
            json!({ "path": "/", "denied_patterns": ["*.txt"], "deny_policy": 1 }),
            1,
        ),
    ] {
        let found = filter(pattern.clone());
        assert_eq!(
            (record(&found).status, found.notes.len()),
            (status, 1),
            "{pattern}"
        );
    }
}

#[test]
fn denied_methods_that_leave_two_steps_only_ask_for_both() {
    let filters = |denied: Value| of(json!({ "filters": { "denied_login_methods": denied } }));
    let found = filters(json!([
        "publickey",
        "password-over-SSH",
        "keyboard-interactive",
        "publickey+keyboard-interactive"
    ]));
    assert_eq!(
        record(&found).filters.required_login_methods,
        ["publickey,password"]
    );
    assert!(record(&found).filters.denied_login_methods.is_empty());
    assert_eq!(
        (record(&found).status, notes(&found)),
        (1, vec![(Changed, "filters.denied_login_methods")])
    );
    let found = filters(json!(["password-over-SSH", "TLSCertificate"]));
    assert_eq!(record(&found).filters.denied_login_methods, ["password"]);
    assert_eq!(found.notes, []);
    let all = json!([
        "publickey",
        "password",
        "keyboard-interactive",
        "publickey+password",
        "publickey+keyboard-interactive"
    ]);
    assert_eq!(record(&filters(all)).status, 0);
    assert_eq!(record(&filters(json!(["telepathy"]))).status, 0);
}

#[test]
fn what_kept_a_user_out_of_ssh_keeps_it_out() {
    for filters in [
        json!({ "denied_protocols": ["SSH"] }),
        json!({ "two_factor_protocols": ["SSH", "HTTP"] }),
        json!({ "totp_config": { "enabled": true, "protocols": ["SSH"], "secret": { "payload": "hush" } } }),
        json!({ "some_new_restriction": 1 }),
    ] {
        let found = of(json!({ "filters": filters.clone() }));
        assert_eq!(record(&found).status, 0, "{filters}");
        assert_eq!(found.notes.len(), 1, "{filters}");
        assert!(!format!("{:?}", found.notes).contains("hush"));
    }
    let found = of(
        json!({ "filters": { "denied_protocols": ["FTP"], "totp_config": { "enabled": true, "protocols": ["HTTP"] },
        "access_time": [{ "day_of_week": 1, "from": "08:00", "to": "18:00" }], "max_upload_file_size": 1,
        "tls_username": "None", "hooks": { "external_auth_disabled": false }, "web_client": ["shares-disabled"] } }),
    );
    assert_eq!(record(&found).status, 1);
    let about: Vec<_> = found.notes.iter().map(|note| note.about.as_str()).collect();
    let expected = [
        "denied_protocols",
        "totp_config",
        "max_upload_file_size",
        "access_time",
        "web_client",
    ];
    assert_eq!(about, expected.map(|name| format!("filters.{name}")));
}

#[test]
fn everything_else_that_is_set_is_told_of() {
    let found = of(
        json!({ "email": "a@example.com", "description": "", "role": "tenants", "total_data_transfer": 5,
        "created_at": 7, "has_password": true, "novelty": [1], "future": 0 }),
    );
    let about: Vec<_> = found.notes.iter().map(|note| note.about.as_str()).collect();
    assert_eq!(about, ["email", "role", "total_data_transfer", "novelty"]);
}

#[test]
fn object_stores_come_with_secrets_that_can_be_read() {
    let s3 = |secret: Value| {
        of(
            json!({ "filesystem": { "provider": 1, "osconfig": {}, "gcsconfig": { "bucket": "x" },
        "s3config": { "bucket": "b", "region": "r", "access_key": "k", "access_secret": secret,
            "upload_part_size": 8, "skip_tls_verify": true, "sse_customer_key": { "status": "", "payload": "" } } },
        "virtual_folders": [{ "virtual_path": "/v", "mapped_path": "/srv/v" }] }),
        )
    };
    let found = s3(json!({ "status": "Plain", "payload": "hush" }));
    let config = &record(&found).filesystem;
    assert_eq!(config.provider, FilesystemProvider::S3);
    assert_eq!(config.s3config.access_secret, Secret::from_text("hush"));
    assert_eq!(config.s3config.upload_part_size, 8);
    assert_eq!(config.gcsconfig.bucket, "");
    let expected = [
        (NotCarried, "virtual_folders"),
        (NotCarried, "filesystem.s3config.skip_tls_verify"),
    ];
    assert_eq!(notes(&found), expected);
    let found = s3(json!("$aes$0123$abcd"));
    assert_eq!(
        record(&found).filesystem.s3config.access_secret,
        Secret::from_text("$aes$0123$abcd")
    );
    for status in ["Secretbox", "GCP", "AES-256-GCM", "Redacted"] {
        let found = s3(json!({ "status": status, "payload": "0123", "key": "hush" }));
        let reason = found.user.unwrap_err();
        assert!(
            reason.contains(status) && reason.contains("access_secret"),
            "{reason}"
        );
        assert!(!reason.contains("hush"), "{reason}");
    }
}

#[test]
fn files_elsewhere_cannot_be_served() {
    for provider in [4, 5, 6, 99] {
        let found = of(json!({ "filesystem": { "provider": provider } }));
        assert!(found.user.is_err(), "{provider}");
    }
}

#[test]
fn mistakes_are_told_of_by_name_and_not_by_value() {
    let found = of(json!({ "max_sessions": "hush", "uid": {} }));
    assert_eq!(
        found.user.unwrap_err(),
        "it has a wrong value for max_sessions, uid"
    );
    let import = read(&json!({ "users": [5, {}, { "username": "ok", "password": HASH }] }));
    let names: Vec<_> = import.users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["user number 1", "user number 2", "ok"]);
    for text in ["", "[]", "{\"users\":5}", "{\"user\":[]}", "x"] {
        assert!(
            reference_dump(text.as_bytes(), context()).is_err(),
            "{text}"
        );
    }
}
