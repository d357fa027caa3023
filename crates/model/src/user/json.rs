//! JSON as the reference reads it: keys in any case, and updates laid over what is stored (reference 3.1, 11.7).

use serde_json::{Map, Value};

use super::record::UserRecord;

/// The one object whose keys are data, not names.
const DATA_KEYS: &str = "permissions";

/// Lower-cases the keys of every object, but for those of `permissions`, and drops `null` members.
pub(super) fn fold(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| {
                    let key = key.to_lowercase();
                    let value = if key == DATA_KEYS { value } else { fold(value) };
                    (key, value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(fold).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// Reads a folded record. Deriving alone would take a list of values in the order of the fields, too.
pub(super) fn read(record: Value) -> Result<UserRecord, serde_json::Error> {
    if record.is_object() {
        serde_json::from_value(record)
    } else {
        Err(not_an_object())
    }
}

fn not_an_object() -> serde_json::Error {
    serde::de::Error::custom("expected an object")
}

/// Applies a folded update to a stored record.
pub(super) fn merge_update(
    stored: &UserRecord,
    update: Value,
) -> Result<UserRecord, serde_json::Error> {
    let Value::Object(mut update) = update else {
        return Err(not_an_object());
    };
    drop_if_empty(&mut update, "permissions");
    if let Some(Value::Object(filters)) = update.get_mut("filters") {
        drop_if_empty(filters, "file_extensions");
    }
    keep_stored_secret(stored, &mut update);
    let mut merged = serde_json::to_value(stored)?;
    lay_over(&mut merged, Value::Object(update));
    serde_json::from_value(merged)
}

/// Applies what a pre-login hook says to a stored record: objects are merged key by key, `permissions` too, and lists are
/// replaced. What the server keeps stays.
pub(super) fn merge_of_hook(
    stored: &UserRecord,
    changes: Value,
) -> Result<UserRecord, serde_json::Error> {
    if !changes.is_object() {
        return Err(not_an_object());
    }
    let mut merged = serde_json::to_value(stored)?;
    lay_over_all(&mut merged, changes);
    let merged: UserRecord = serde_json::from_value(merged)?;
    Ok(UserRecord {
        id: stored.id,
        used_quota_size: stored.used_quota_size,
        used_quota_files: stored.used_quota_files,
        last_quota_update: stored.last_quota_update,
        last_login: stored.last_login,
        ..merged
    })
}

fn drop_if_empty(object: &mut Map<String, Value>, key: &str) {
    let empty = match object.get(key) {
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        _ => false,
    };
    if empty {
        object.remove(key);
    }
}

/// A reply shows the S3 secret in hidden form; sent back, or left empty beside an access key, it means "unchanged". Empty
/// without an access key, sent or stored, it is empty: a store that asks for no credentials.
fn keep_stored_secret(stored: &UserRecord, update: &mut Map<String, Value>) {
    let s3 = update
        .get_mut("filesystem")
        .and_then(|filesystem| filesystem.get_mut("s3config"))
        .and_then(Value::as_object_mut);
    let Some(s3) = s3 else { return };
    let stored = &stored.filesystem.s3config;
    let hidden = serde_json::to_value(stored.session_token.to_hidden()).ok();
    // It is shown like the secret. Sent empty, there is none.
    if !stored.session_token.is_empty() && s3.get("session_token") == hidden.as_ref() {
        s3.remove("session_token");
    }
    let Some(sent) = s3.get("access_secret").and_then(Value::as_str) else {
        return;
    };
    let key = s3.get("access_key").and_then(Value::as_str);
    let has_key = !key.unwrap_or(&stored.access_key).is_empty();
    let hidden = serde_json::to_value(stored.access_secret.to_hidden());
    let is_hidden = hidden.is_ok_and(|hidden| hidden.as_str() == Some(sent));
    if is_hidden || (sent.is_empty() && has_key) {
        s3.remove("access_secret");
    } else {
        // Another access key, or none: the token went with the one before.
        s3.entry("session_token")
            .or_insert_with(|| Value::String(String::new()));
    }
}

/// Objects are merged key by key in `filters` and `filesystem`; everything else, `permissions` too, is replaced.
fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                match below.get_mut(&key) {
                    Some(slot) if key != DATA_KEYS => lay_over(slot, value),
                    _ => {
                        below.insert(key, value);
                    }
                }
            }
        }
        (below, above) => *below = above,
    }
}

/// Objects are merged key by key, whatever is in them.
fn lay_over_all(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                match below.get_mut(&key) {
                    Some(slot) => lay_over_all(slot, value),
                    None => {
                        below.insert(key, value);
                    }
                }
            }
        }
        (below, above) => *below = above,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> UserRecord {
        UserRecord::from_json(
            br#"{"id":3,"username":"u","password":"$argon2id$x","public_keys":["k"],"home_dir":"/h",
                "permissions":{"/":["*"],"/a":["list"]},
                "filters":{"allowed_ip":["10.0.0.0/8"],"denied_ip":["1.2.3.4/32"],
                    "file_extensions":[{"path":"/","denied_extensions":[".exe"]}]},
                "filesystem":{"provider":1,"s3config":{"bucket":"b","access_key":"k","access_secret":"$aes$kk$dd"}}}"#,
        )
        .unwrap()
    }

    fn merged(update: &str) -> UserRecord {
        stored().merged_with_json(update.as_bytes()).unwrap()
    }

    #[test]
    fn absent_fields_keep_their_value_and_sent_ones_replace_it() {
        let record = merged(r#"{"quota_files":7,"public_keys":[]}"#);
        assert_eq!(record.password, "$argon2id$x");
        assert!(record.public_keys.is_empty());
        assert_eq!(record.quota_files, 7);
        assert_eq!(merged(r#"{"password":""}"#).password, "");
    }

    #[test]
    fn a_list_of_values_is_not_a_record() {
        assert!(UserRecord::from_json(br#"[7, 1, "u"]"#).is_err());
        assert!(stored().merged_with_json(b"[]").is_err());
    }

    #[test]
    fn permissions_are_replaced_whole_and_only_if_something_is_sent() {
        assert_eq!(merged(r#"{"permissions":{}}"#).permissions.len(), 2);
        let record = merged(r#"{"permissions":{"/":["list"]}}"#);
        assert_eq!(record.permissions.len(), 1);
    }

    #[test]
    fn filter_lists_are_replaced_one_by_one() {
        let record = merged(r#"{"filters":{"allowed_ip":[],"file_extensions":[]}}"#);
        assert!(record.filters.allowed_ip.is_empty());
        assert_eq!(record.filters.denied_ip, ["1.2.3.4/32"]);
        assert_eq!(record.filters.file_extensions.len(), 1);
    }

    #[test]
    fn a_hidden_or_empty_secret_keeps_the_stored_one() {
        let secret = |update: &str| merged(update).filesystem.s3config.access_secret;
        let kept = stored().filesystem.s3config.access_secret;
        assert_eq!(
            secret(r#"{"filesystem":{"s3config":{"access_secret":"$aes$dd"}}}"#),
            kept
        );
        assert_eq!(
            secret(r#"{"filesystem":{"s3config":{"access_key":"n","access_secret":""}}}"#),
            kept
        );
        assert_ne!(
            secret(r#"{"filesystem":{"s3config":{"access_secret":"new"}}}"#),
            kept
        );
        assert_eq!(
            secret(r#"{"filesystem":{"s3config":{"access_secret":""}}}"#),
            kept
        );
        let without = r#"{"filesystem":{"s3config":{"access_key":"","access_secret":""}}}"#;
        assert!(secret(without).is_empty());
        let number = br#"{"filesystem":{"s3config":{"access_secret":5}}}"#;
        assert!(stored().merged_with_json(number).is_err());
    }

    #[test]
    fn a_session_token_is_kept_with_its_access_key_only() {
        let mut stored = stored();
        stored.filesystem.s3config.session_token = crate::secret::Secret::from_text("$aes$kk$ee");
        let token = |update: &str| {
            let merged = stored.merged_with_json(update.as_bytes()).unwrap();
            merged.filesystem.s3config.session_token
        };
        let kept = stored.filesystem.s3config.session_token.clone();
        for update in [
            r#"{"filesystem":{"s3config":{"region":"r"}}}"#,
            r#"{"filesystem":{"s3config":{"session_token":"$aes$ee"}}}"#,
            r#"{"filesystem":{"s3config":{"access_secret":"$aes$dd","session_token":"$aes$ee"}}}"#,
        ] {
            assert_eq!(token(update), kept, "{update}");
        }
        for update in [
            r#"{"filesystem":{"s3config":{"session_token":""}}}"#,
            r#"{"filesystem":{"s3config":{"access_secret":"new"}}}"#,
            r#"{"filesystem":{"s3config":{"access_secret":"new","session_token":"$aes$ee"}}}"#,
            r#"{"filesystem":{"s3config":{"access_key":"","access_secret":""}}}"#,
        ] {
            assert!(token(update).is_empty(), "{update}");
        }
    }

    #[test]
    fn a_hook_adds_permissions_replaces_lists_and_leaves_what_the_server_keeps() {
        let mut before = stored();
        before.used_quota_files = 7;
        let changes =
            br#"{"status":1,"id":9,"used_quota_files":0,"Permissions":{"/a":[],"/b":["list"]},
            "filters":{"denied_ip":[],"file_extensions":[]},"public_keys":["n"]}"#;
        let after = before.changed_by_hook(changes).unwrap();
        assert_eq!((after.id, after.status, after.used_quota_files), (3, 1, 7));
        let directories: Vec<_> = after.permissions.keys().collect();
        assert_eq!(directories, ["/", "/a", "/b"]);
        assert!(after.permissions["/a"].is_empty());
        assert_eq!(after.filters.allowed_ip, ["10.0.0.0/8"]);
        assert!(after.filters.denied_ip.is_empty() && after.filters.file_extensions.is_empty());
        assert_eq!(after.public_keys, ["n"]);
        assert_eq!(after.password, "$argon2id$x");
        assert_eq!(after.filesystem, before.filesystem);
        assert!(before.changed_by_hook(b"[]").is_err());
    }
}
