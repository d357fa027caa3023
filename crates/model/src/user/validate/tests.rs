//! One test a rule of reference 3.1 to 3.6; the cases are those of its REST tests.

use serde_json::{Value, json};

use super::*;

fn base() -> Value {
    json!({"username": "u", "password": "p", "home_dir": "/srv/u", "status": 1, "permissions": {"/": ["*"]}})
}

fn validate(changes: Value) -> Result<UserRecord, ValidationError> {
    let mut user = base();
    for (key, value) in changes.as_object().unwrap() {
        user[key] = value.clone();
    }
    UserRecord::from_json(user.to_string().as_bytes())
        .unwrap()
        .validate(&UserRules::default())
}

fn refused(changes: Value) -> bool {
    validate(changes).is_err()
}

#[test]
fn name_home_and_a_credential_are_required() {
    assert!(validate(json!({})).is_ok());
    assert!(refused(json!({"username": ""})));
    assert!(refused(json!({"username": "a\u{0}b"})));
    assert!(refused(json!({"home_dir": ""})));
    assert!(refused(json!({"home_dir": "relative/dir"})));
    assert!(refused(json!({"password": ""})));
}

#[test]
fn the_base_dir_gives_a_home_and_odd_names_cannot_leave_it() {
    let rules = UserRules {
        users_base_dir: Some("/homes".into()),
        ..UserRules::default()
    };
    let with_name = |name: &str| {
        let mut user = base();
        user["username"] = json!(name);
        user["home_dir"] = json!("");
        UserRecord::from_json(user.to_string().as_bytes())
            .unwrap()
            .validate(&rules)
    };
    assert_eq!(with_name("alice").unwrap().home_dir, "/homes/alice");
    for name in ["..", ".", "a/../b", "/etc", "a\\b"] {
        assert!(with_name(name).is_err(), "{name}");
    }
}

#[test]
fn status_is_zero_or_one() {
    assert!(validate(json!({"status": 0})).is_ok());
    assert!(refused(json!({"status": 2})) && refused(json!({"status": 3})));
}

#[test]
fn permissions_need_a_root_known_names_and_absolute_keys() {
    for bad in [
        json!({}),
        json!({"/": []}),
        json!({"/": ["invalid"]}),
        json!({"/dir": ["*"]}),
        json!({"/": ["*"], "/sub/..": ["*"]}),
        json!({"/": ["*"], "relative": ["*"]}),
        json!({"/": ["list", "list", "list", "list", "list", "list", "list", "list", "list", "list",
            "list", "list", "list"]}),
    ] {
        assert!(refused(json!({"permissions": bad})), "{bad}");
    }
    let good = validate(json!({"permissions": {"/": ["list", "*"], "/somedir/../otherdir/": []}}));
    let permissions = good.unwrap().permissions;
    assert_eq!(permissions["/"], ["*"]);
    assert!(permissions["/otherdir"].is_empty());
}

#[test]
fn filters_take_cidr_ranges_known_methods_and_whole_extension_filters() {
    for bad in [
        json!({"allowed_ip": ["192.168.1.0"]}),
        json!({"denied_ip": ["192.168.3.0/"]}),
        json!({"denied_login_methods": ["invalid"]}),
        json!({"denied_login_methods": ["publickey", "password", "keyboard-interactive"]}),
        json!({"file_extensions": [{"path": "relative", "allowed_extensions": [".zip"]}]}),
        json!({"file_extensions": [{"path": "/", "allowed_extensions": []}]}),
        json!({"file_extensions": [{"path": "/sub/../", "allowed_extensions": [".zip"]},
            {"path": "/", "denied_extensions": [".zip"]}]}),
    ] {
        assert!(refused(json!({"filters": bad})), "{bad}");
    }
    let good = json!({"allowed_ip": ["10.0.0.0/8", "2001:db8::/32"], "denied_login_methods": ["password"]});
    assert!(validate(json!({"filters": good})).is_ok());
}

#[test]
fn required_methods_are_sequences_of_which_one_is_possible() {
    for bad in [
        json!({"required_login_methods": ["publickey+password"]}),
        json!({"required_login_methods": [""]}),
        json!({"required_login_methods": ["password,password"]}),
        json!({"required_login_methods": vec!["password"; 17]}),
        json!({"required_login_methods": ["publickey,password"], "denied_login_methods": ["password"]}),
    ] {
        assert!(refused(json!({"filters": bad})), "{bad}");
    }
    let sequences = [
        "publickey, password",
        "keyboard-interactive",
        "publickey,password",
    ];
    let good = json!({"required_login_methods": sequences, "denied_login_methods": ["password"]});
    let filters = validate(json!({"filters": good})).unwrap().filters;
    assert_eq!(
        filters.required_login_methods,
        ["publickey,password", "keyboard-interactive"]
    );
}

#[test]
fn a_stored_sequence_that_is_not_understood_is_not_taken_for_none() {
    let mut record = validate(json!({})).unwrap();
    record.filters.required_login_methods = vec!["publickey,otp".to_owned()];
    let error = record.compile().unwrap_err();
    assert!(error.to_string().contains("publickey,otp"), "{error}");
}

#[test]
fn object_stores_need_a_bucket_and_whole_credentials() {
    let s3 = |config: Value| refused(json!({"filesystem": {"provider": 1, "s3config": config}}));
    assert!(s3(json!({})));
    assert!(s3(json!({"bucket": "b"})));
    assert!(s3(json!({"bucket": "b", "region": "r", "access_key": "k"})));
    assert!(s3(
        json!({"bucket": "b", "region": "r", "key_prefix": "/p"})
    ));
    let good = json!({"filesystem": {"provider": 1, "s3config":
        {"bucket": "b", "region": "r", "access_key": "k", "access_secret": "s", "key_prefix": "a/../b"}}});
    assert_eq!(validate(good).unwrap().filesystem.s3config.key_prefix, "b/");
    for (name, value) in [
        ("endpoint", json!("s3.example.com")),
        ("upload_part_size", json!(4)),
        ("download_part_size", json!(257)),
        ("upload_concurrency", json!(33)),
        ("download_concurrency", json!(-1)),
        ("session_token", json!("t")),
        ("ca_certificates", json!("none")),
    ] {
        let mut config = json!({"bucket": "b", "region": "r"});
        config[name] = value;
        assert!(s3(config), "{name}");
    }
    assert!(!s3(json!({"bucket": "b", "endpoint": "https://h"})));
    let local = json!({"filesystem": {"provider": 7, "s3config": {"bucket": "b"}}});
    assert_eq!(validate(local).unwrap().filesystem, Default::default());
}

#[test]
fn virtual_folders_overlap_neither_the_home_nor_each_other() {
    let folder = |virtual_path: &str, mapped: &str| json!({"virtual_path": virtual_path, "mapped_path": mapped});
    for bad in [
        vec![folder("vdir", "/m")],
        vec![folder("/", "/m")],
        vec![folder("/vdir", "m")],
        vec![folder("/vdir", "/srv/u")],
        vec![folder("/vdir", "/srv/u/sub")],
        vec![folder("/vdir", "/srv")],
        vec![folder("/v", "/m1"), folder("/v", "/m2")],
        vec![folder("/v", "/m1"), folder("/v/sub", "/m2")],
        vec![folder("/v1", "/m"), folder("/v2", "/m/sub")],
    ] {
        assert!(refused(json!({"virtual_folders": bad})), "{bad:?}");
    }
    let good = [
        folder("/vdir1/", "/m1"),
        folder("/vdir12/sub", "/m12"),
        folder("/v", "/srv/u2"),
    ];
    let record = validate(json!({"virtual_folders": good})).unwrap();
    assert_eq!(record.virtual_folders[0].virtual_path, "/vdir1");
}

#[test]
fn public_keys_must_parse() {
    assert!(refused(json!({"public_keys": ["invalid key"]})));
}

#[test]
fn several_keys_in_one_value_become_several_values() {
    let key = |letter: &str| {
        let blob = "A".repeat(42);
        format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{blob}{letter} {letter}")
    };
    let (a, b, c) = (key("A"), key("I"), key("Q"));
    let values = [format!("{a}\n# second\r\n{b}\r\n\n"), c.clone()];
    let record = validate(json!({"public_keys": values})).unwrap();
    assert_eq!(record.public_keys, [a.clone(), b, c]);
    assert!(refused(
        json!({"public_keys": [format!("{a}\ninvalid key")]})
    ));
    assert!(refused(json!({"public_keys": ["# no key"]})));
}
