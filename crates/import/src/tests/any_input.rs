//! Whatever a file holds, a source reads it or says why not.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::context;
use crate::{
    Import, KeyFile, LinuxFiles, ProftpdFiles, UidRange, linux, proftpd, pure_ftpd, reference_bolt,
    reference_dump,
};

const BOLT: &[u8] = include_bytes!("../../tests/data/reference-0.9.6.bolt");

/// A user that is imported disabled says why.
fn is_explained(import: &Import) -> bool {
    import.users.iter().all(|found| match &found.user {
        Ok(user) => user.status == 1 || !found.notes.is_empty(),
        Err(reason) => !reason.is_empty(),
    })
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z/*%$.]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let key = prop_oneof![
            Just("filters"),
            Just("permissions"),
            Just("groups"),
            Just("name"),
            Just("type"),
            Just("virtual_folders"),
            Just("filesystem"),
            Just("provider"),
            Just("s3config"),
            Just("access_secret"),
            Just("file_patterns"),
            Just("denied_login_methods"),
            Just("user_settings"),
            Just("virtual_path"),
            Just("/"),
            Just("password"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn lists_of_any_lines_are_read_or_refused(
        passwd in "([a-z$!*:/0-9,.]{0,40}\n){0,6}",
        shadow in "([a-z$!*:0-9-]{0,40}\n){0,6}",
        fields in prop::collection::vec("[a-z0-9$!/.,-]{0,9}", 0..20),
    ) {
        let line = fields.join(":");
        for text in [passwd.as_bytes(), line.as_bytes()] {
            let files = LinuxFiles { passwd: text, shadow: Some(shadow.as_bytes()) };
            let mut keys = |_: &str, _: &str| vec![KeyFile { name: "keys".into(), content: Ok(shadow.clone().into_bytes()) }];
            let _ = linux(files, &UidRange(0..=u32::MAX), &mut keys, context());
            if let Ok(import) = pure_ftpd(text, context()) {
                prop_assert!(is_explained(&import));
            }
            if let Ok(import) = proftpd(ProftpdFiles { users: text, groups: Some(shadow.as_bytes()) }, &mut keys, context()) {
                prop_assert!(is_explained(&import));
            }
        }
    }

    #[test]
    fn users_of_any_shape_are_read_or_refused(user in json_value(), group in json_value(), folder in json_value()) {
        let mut user = user;
        if let Value::Object(members) = &mut user {
            members.insert("username".into(), "u".into());
            members.insert("status".into(), 1.into());
            members.insert("groups".into(), json!([{ "name": "g", "type": 1 }]));
        }
        let mut group = group;
        if let Value::Object(members) = &mut group {
            members.insert("name".into(), "g".into());
        }
        let dump = json!({ "users": [user], "groups": [group], "folders": [folder] }).to_string();
        if let Ok(import) = reference_dump(dump.as_bytes(), context()) {
            prop_assert!(is_explained(&import));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = reference_dump(&bytes, context());
        let _ = reference_bolt(&bytes, context());
        let _ = pure_ftpd(&bytes, context());
    }

    #[test]
    fn a_bolt_file_with_bytes_changed_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut file = BOLT.to_vec();
        // Behind the meta pages, whose checksums would refuse it.
        let length = file.len() - 8192;
        for (at, value) in changes {
            file[8192 + at.index(length)] = value;
        }
        let _ = reference_bolt(&file, context());
    }
}
