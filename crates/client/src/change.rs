//! Accounts as bodies of requests: whole ones, and what differs between two (reference 11.7).

use serde_json::{Map, Value};
use sftpgo_model::filesystem::{BackEnd, Kind};
use sftpgo_model::{Secret, UserRecord};

use crate::user::NewPassword;

/// The one object that is always replaced whole.
const REPLACED: &str = "permissions";

/// A new account. Unlike records that are stored, plain secrets are in it.
pub(crate) fn of_new(user: &UserRecord) -> Result<Value, serde_json::Error> {
    let mut user = user.clone();
    let mut plain = Vec::new();
    let taken = user.filesystem.change_secrets(|back_end, field, secret| {
        if let Secret::Plain(text) = secret {
            plain.push((back_end.object, field.name, text.to_string()));
            *secret = Secret::Empty;
        }
        Ok::<(), std::convert::Infallible>(())
    });
    let Ok(()) = taken;
    let mut body = serde_json::to_value(&user)?;
    for (object, name, text) in plain {
        let settings = body
            .pointer_mut(&format!("/filesystem/{object}"))
            .and_then(Value::as_object_mut);
        if let Some(settings) = settings {
            settings.insert(name.to_owned(), Value::String(text));
        } else if let Some(all) = body.get_mut("filesystem").and_then(Value::as_object_mut) {
            // Nothing else is in it, so it was left out.
            let settings = Map::from_iter([(name.to_owned(), Value::String(text))]);
            all.insert(object.to_owned(), Value::Object(settings));
        }
    }
    Ok(body)
}

/// What makes `after` of `before`. What is gone is sent as what is nothing, since what is left out stays.
pub(crate) fn between(
    before: &UserRecord,
    after: &UserRecord,
    password: &NewPassword,
) -> Result<Value, serde_json::Error> {
    let lost = lost_secrets(before, after);
    let (before, after) = (of_new(before)?, of_new(after)?);
    let mut changes = Map::new();
    if let (Value::Object(before), Value::Object(after)) = (&before, &after) {
        changes = differences(before, after);
    }
    for back_end in lost {
        send_secrets(back_end, &mut changes, &after);
    }
    changes.remove("password");
    let password = match password {
        NewPassword::Kept => None,
        NewPassword::Removed => Some(String::new()),
        NewPassword::Set(text) => Some(text.to_string()),
    };
    if let Some(password) = password {
        changes.insert("password".to_owned(), Value::String(password));
    }
    Ok(Value::Object(changes))
}

/// The back ends of which a secret is gone.
fn lost_secrets(before: &UserRecord, after: &UserRecord) -> Vec<&'static BackEnd> {
    let (before, after) = (before.filesystem.secrets(), after.filesystem.secrets());
    let pairs = before.into_iter().zip(after);
    let lost = pairs.filter(|((_, _, old), (_, _, new))| !old.is_empty() && new.is_empty());
    lost.map(|((back_end, ..), _)| back_end).collect()
}

/// One secret that is sent alone and empty means that it stays; of all of them, what is empty is given up.
fn send_secrets(back_end: &BackEnd, changes: &mut Map<String, Value>, after: &Value) {
    let sent = changes
        .get_mut("filesystem")
        .and_then(|filesystem| filesystem.get_mut(back_end.object))
        .and_then(Value::as_object_mut);
    let Some(sent) = sent else {
        return;
    };
    let secrets = back_end.fields.iter();
    for field in secrets.filter(|field| matches!(field.kind, Kind::Secret(..))) {
        let path = format!("/filesystem/{}/{}", back_end.object, field.name);
        let value = after.pointer(&path).cloned();
        let value = value.unwrap_or_else(|| Value::String(String::new()));
        sent.entry(field.name).or_insert(value);
    }
}

fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let mut changes = Map::new();
    for (key, old) in before {
        match (old, after.get(key)) {
            (old, Some(new)) if old == new => {}
            (Value::Object(old), Some(Value::Object(new))) if key != REPLACED => {
                changes.insert(key.clone(), Value::Object(differences(old, new)));
            }
            (_, Some(new)) => {
                changes.insert(key.clone(), new.clone());
            }
            (old, None) => {
                changes.insert(key.clone(), nothing(old));
            }
        }
    }
    for (key, new) in after {
        if !before.contains_key(key) {
            changes.insert(key.clone(), new.clone());
        }
    }
    changes
}

/// What says that a value of this kind is gone.
fn nothing(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => Value::Bool(false),
        Value::Number(_) => Value::from(0),
        Value::String(_) => Value::String(String::new()),
        Value::Array(_) => Value::Array(Vec::new()),
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(key, value)| (key.clone(), nothing(value)));
            Value::Object(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sftpgo_model::FilesystemProvider;
    use zeroize::Zeroizing;

    use super::*;

    fn before() -> UserRecord {
        UserRecord::from_json(
            br#"{"id":3,"username":"u","status":1,"public_keys":["k"],"home_dir":"/h","quota_files":5,
                "permissions":{"/":["*"],"/a":["list"]},"filters":{"allowed_ip":["10.0.0.0/8"]},
                "filesystem":{"provider":1,"s3config":{"bucket":"b","access_key":"k","access_secret":"$aes$dd",
                    "acl":"private"}}}"#,
        )
        .unwrap()
    }

    fn change(change: impl Fn(&mut UserRecord)) -> Value {
        let mut after = before();
        change(&mut after);
        between(&before(), &after, &NewPassword::Kept).unwrap()
    }

    #[test]
    fn only_what_differs_is_sent() {
        assert_eq!(change(|_| {}), json!({}));
        assert_eq!(
            change(|user| user.quota_files = 0),
            json!({ "quota_files": 0 })
        );
        assert_eq!(
            change(|user| user.filters.denied_ip = vec!["192.0.2.1/32".to_owned()]),
            json!({ "filters": { "denied_ip": ["192.0.2.1/32"] } })
        );
    }

    #[test]
    fn what_is_gone_is_sent_as_nothing() {
        let changes = change(|user| {
            user.public_keys.clear();
            user.filters.allowed_ip.clear();
            user.filesystem.s3config.acl.clear();
        });
        let expected = json!({ "public_keys": [], "filters": { "allowed_ip": [] },
            "filesystem": { "s3config": { "acl": "" } } });
        assert_eq!(changes, expected);
    }

    #[test]
    fn permissions_are_sent_whole() {
        let changes = change(|user| {
            user.permissions.remove("/a");
        });
        assert_eq!(changes, json!({ "permissions": { "/": ["*"] } }));
    }

    #[test]
    fn a_secret_is_sent_if_it_is_a_new_one() {
        let changes = change(|user| {
            user.filesystem.s3config.access_secret = Secret::from_text("new");
        });
        let expected = json!({ "filesystem": { "s3config": { "access_secret": "new" } } });
        assert_eq!(changes, expected);
        let mut user = UserRecord::default();
        user.filesystem.provider = FilesystemProvider::Azure;
        user.filesystem.azblobconfig.account_key = Secret::from_text("key");
        let sent = of_new(&user).unwrap();
        assert_eq!(sent["filesystem"]["azblobconfig"]["account_key"], "key");
    }

    #[test]
    fn a_secret_that_is_gone_is_sent_with_the_others_of_its_store() {
        let mut before = UserRecord::default();
        before.filesystem.provider = FilesystemProvider::Azure;
        let azure = &mut before.filesystem.azblobconfig;
        azure.container = "c".to_owned();
        azure.account_key = Secret::from_text("$aes$dd");
        let mut after = before.clone();
        after.filesystem.azblobconfig.account_key = Secret::Empty;
        let sent = between(&before, &after, &NewPassword::Kept).unwrap();
        let expected = json!({ "account_key": "", "sas_url": "" });
        assert_eq!(sent["filesystem"]["azblobconfig"], expected);
    }

    #[test]
    fn a_password_stays_goes_or_is_replaced() {
        let sent = |password: NewPassword| between(&before(), &before(), &password).unwrap();
        assert_eq!(sent(NewPassword::Kept), json!({}));
        assert_eq!(sent(NewPassword::Removed), json!({ "password": "" }));
        let set = NewPassword::Set(Zeroizing::new("p".to_owned()));
        assert!(!format!("{set:?}").contains('p'));
        assert_eq!(sent(set), json!({ "password": "p" }));
    }
}
