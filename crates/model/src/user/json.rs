//! JSON as the reference reads it: keys in any case, and updates laid over what is stored (reference 3.1, 11.7).

use serde_json::{Map, Value};

use super::record::UserRecord;
use crate::filesystem::keep_stored_secrets;

/// The one object whose keys are data, not names.
const DATA_KEYS: &str = "permissions";

/// Lower-cases the keys of every object, but for those of `permissions`, and drops `null` members: the form in which whoever
/// reads JSON of accounts looks keys up.
pub fn fold(value: Value) -> Value {
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
    if let Some(Value::Object(filesystem)) = update.get_mut("filesystem") {
        keep_stored_secrets(&stored.filesystem, filesystem);
    }
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
    fn credentials_of_google_are_kept_unless_automatic_ones_take_their_place() {
        let mut stored = stored();
        let gcs = &mut stored.filesystem.gcsconfig;
        gcs.credentials = crate::secret::Secret::from_text("$aes$kk$ee");
        let kept = gcs.credentials.clone();
        let after = |gcs: &str| {
            let update = format!(r#"{{"filesystem":{{"gcsconfig":{gcs}}}}}"#);
            let merged = stored.merged_with_json(update.as_bytes()).unwrap();
            merged.filesystem.gcsconfig.credentials
        };
        for gcs in [
            r#"{"bucket":"b"}"#,
            r#"{"credentials":"$aes$ee"}"#,
            r#"{"credentials":""}"#,
            r#"{"automatic_credentials":0,"credentials":""}"#,
            r#"{"automatic_credentials":1}"#,
        ] {
            assert_eq!(after(gcs), kept, "{gcs}");
        }
        assert!(after(r#"{"automatic_credentials":1,"credentials":""}"#).is_empty());
        assert_ne!(after(r#"{"credentials":"e30="}"#), kept);
    }

    #[test]
    fn secrets_of_azure_are_kept_where_one_is_sent_empty_and_given_up_where_both_are() {
        let mut stored = stored();
        let azure = &mut stored.filesystem.azblobconfig;
        azure.account_key = crate::secret::Secret::from_text("$aes$kk$ee");
        azure.sas_url = crate::secret::Secret::from_text("$aes$kk$ff");
        let azure = azure.clone();
        let kept = |sent: &str| {
            let update = format!(r#"{{"filesystem":{{"azblobconfig":{sent}}}}}"#);
            let merged = stored.merged_with_json(update.as_bytes()).unwrap();
            let merged = merged.filesystem.azblobconfig;
            (
                merged.account_key == azure.account_key,
                merged.sas_url == azure.sas_url,
                merged.account_key.is_empty(),
                merged.sas_url.is_empty(),
            )
        };
        for sent in [
            r#"{"container":"c"}"#,
            r#"{"account_key":""}"#,
            r#"{"sas_url":""}"#,
            r#"{"account_key":"$aes$ee","sas_url":"$aes$ff"}"#,
        ] {
            assert_eq!(kept(sent), (true, true, false, false), "{sent}");
        }
        let both = r#"{"account_key":"","sas_url":""}"#;
        assert_eq!(kept(both), (false, false, true, true));
        let only_key = r#"{"account_key":"$aes$ee","sas_url":""}"#;
        assert_eq!(kept(only_key), (true, false, false, true));
        let other_key = r#"{"account_key":"bmV3","sas_url":""}"#;
        assert_eq!(kept(other_key), (false, false, false, true));
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
