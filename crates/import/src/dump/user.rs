//! One user, from JSON to a record.

use serde_json::{Map, Value};
use sftpgo_model::UserRecord;

use super::value::{is_set, take_set, text};
use super::{filesystem, filters, folders, groups, permissions};
use crate::report::{Found, Notes};
use crate::{Context, password};

/// What users refer to, by name.
#[derive(Debug, Default)]
pub(crate) struct Around {
    pub(crate) groups: Map<String, Value>,
    pub(crate) folders: Map<String, Value>,
}

/// Members that this program has as well.
const KNOWN: [&str; 22] = [
    "id",
    "status",
    "username",
    "expiration_date",
    "password",
    "public_keys",
    "home_dir",
    "virtual_folders",
    "uid",
    "gid",
    "max_sessions",
    "quota_size",
    "quota_files",
    "permissions",
    "used_quota_size",
    "used_quota_files",
    "last_quota_update",
    "upload_bandwidth",
    "download_bandwidth",
    "last_login",
    "filters",
    "filesystem",
];

/// Members that say what happened, not what shall be.
const PAST: [&str; 11] = [
    "has_password",
    "used_upload_data_transfer",
    "used_download_data_transfer",
    "created_at",
    "updated_at",
    "deleted_at",
    "first_download",
    "first_upload",
    "last_password_change",
    "used_quota_file",
    "oidc_custom_fields",
];

/// What to say about members that are not there.
const OTHERS: [(&str, &str); 7] = [
    ("email", "addresses of users are not kept"),
    ("description", "descriptions are not kept"),
    ("additional_info", "additional texts are not kept"),
    ("role", "there are no roles"),
    (
        "upload_data_transfer",
        "there is no allowance of bytes uploaded",
    ),
    (
        "download_data_transfer",
        "there is no allowance of bytes downloaded",
    ),
    (
        "total_data_transfer",
        "there is no allowance of bytes transferred",
    ),
];

/// Makes a record of a user in folded JSON. `place` stands for its name if it has none.
pub(crate) fn convert(place: &str, user: Value, around: &Around, context: Context<'_>) -> Found {
    let Value::Object(mut user) = user else {
        return Found::refused(place, "it is not a JSON object");
    };
    let name = text(&user, "username").to_owned();
    if name.is_empty() {
        return Found::refused(place, "it has no username");
    }
    let mut notes = Notes::default();
    if let Err(reason) = steps(&mut user, &mut notes, around) {
        return Found {
            name,
            user: Err(reason),
            notes: notes.0,
        };
    }
    note_the_rest(&mut user, &mut notes);
    let mut record = match record(user) {
        Ok(record) => record,
        Err(reason) => {
            return Found {
                name,
                user: Err(reason),
                notes: notes.0,
            };
        }
    };
    check_password(&mut record, &mut notes, context);
    notes.found(record)
}

fn steps(user: &mut Map<String, Value>, notes: &mut Notes, around: &Around) -> Result<(), String> {
    groups::flatten(user, notes, around);
    permissions::convert(user, notes);
    filters::convert(user, notes);
    folders::convert(user, notes, around);
    filesystem::convert(user, notes)
}

fn note_the_rest(user: &mut Map<String, Value>, notes: &mut Notes) {
    for (key, text) in OTHERS {
        if take_set(user, key).is_some() {
            notes.lost(key, text);
        }
    }
    user.retain(|key, value| {
        let known = KNOWN.contains(&key.as_str());
        if !known && !PAST.contains(&key.as_str()) && is_set(value) {
            notes.lost(key, "not known here");
        }
        known
    });
}

/// Messages of the parser show values: the names of members are enough, and not secret.
fn record(user: Map<String, Value>) -> Result<UserRecord, String> {
    let wrong = |key: &str, value: &Value| {
        let alone = Map::from_iter([(key.to_owned(), value.clone())]);
        UserRecord::from_json(Value::Object(alone).to_string().as_bytes()).is_err()
    };
    let wrong: Vec<_> = user
        .iter()
        .filter(|(key, value)| wrong(key, value))
        .map(|(key, _)| key.as_str())
        .collect();
    if !wrong.is_empty() {
        return Err(format!("it has a wrong value for {}", wrong.join(", ")));
    }
    let text = Value::Object(user).to_string();
    UserRecord::from_json(text.as_bytes()).map_err(|_| "it cannot be read".to_owned())
}

/// What is no hash at all is a plain password, as it may stand in a file that somebody wrote; it is hashed when it is stored.
fn check_password(user: &mut UserRecord, notes: &mut Notes, context: Context<'_>) {
    let stored = std::mem::take(&mut user.password);
    if stored.is_empty() {
        if user.public_keys.is_empty() {
            password::leave_out(user, notes, "the user has neither a password nor a key");
        }
    } else if stored.starts_with(['$', '{']) {
        password::carry(user, notes, &stored, context);
    } else {
        notes.changed(
            "password",
            "it was readable in the file; a hash of it is stored",
        );
        user.password = stored;
    }
}
