//! Groups of 2.x: their settings are laid under those of each user, since there are no groups here.
//!
//! The primary group says what the user does not say. All but those of mere membership add virtual folders, permissions of
//! directories, and entries of lists.

use serde_json::{Map, Value};

use super::user::Around;
use super::value::{is_set, number, object, text};
use crate::report::Notes;

const DAY_MS: i64 = 86_400_000;

const PRIMARY: i64 = 1;
const SECONDARY: i64 = 2;
const MEMBERSHIP: i64 = 3;

/// What a user gets from its primary group if it says nothing itself.
const SETTINGS: [&str; 10] = [
    "home_dir",
    "max_sessions",
    "quota_size",
    "quota_files",
    "upload_bandwidth",
    "download_bandwidth",
    "upload_data_transfer",
    "download_data_transfer",
    "total_data_transfer",
    "filesystem",
];

/// Lays the groups of a user under it.
pub(super) fn flatten(user: &mut Map<String, Value>, notes: &mut Notes, around: &Around) {
    let Some(Value::Array(mut groups)) = user.remove("groups") else {
        return;
    };
    let kind = |group: &Value| {
        group
            .get("type")
            .and_then(Value::as_i64)
            .unwrap_or(MEMBERSHIP)
    };
    // The primary one first: what it says, the others do not change.
    groups.sort_by_key(kind);
    for reference in &groups {
        let name = reference
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let kind = kind(reference);
        if kind == MEMBERSHIP {
            notes.lost(
                "groups",
                format!("{name:?}: there are no groups; it gave the user nothing"),
            );
            continue;
        }
        let Some(Value::Object(group)) = around.groups.get(name) else {
            notes.disabled(
                "groups",
                format!("{name:?} is not in the dump: it may have restrictions"),
            );
            continue;
        };
        if !matches!(kind, PRIMARY | SECONDARY) {
            notes.disabled("groups", format!("{name:?}: its type {kind} is not known"));
            continue;
        }
        let mut group = group.clone();
        let (username, role) = (text(user, "username"), text(user, "role"));
        for value in group.values_mut() {
            fill_in(value, username, role);
        }
        add(user, &mut group, kind == PRIMARY);
        notes.changed(
            "groups",
            format!("{name:?}: there are no groups; its settings are now those of the user"),
        );
    }
}

fn add(user: &mut Map<String, Value>, group: &mut Map<String, Value>, is_primary: bool) {
    let settings = match group.remove("user_settings") {
        Some(Value::Object(settings)) => settings,
        _ => Map::new(),
    };
    if is_primary {
        add_settings(user, &settings);
    }
    add_permissions(user, &settings);
    if let Some(Value::Object(theirs)) = settings.get("filters")
        && let Some(ours) = object(user, "filters")
    {
        add_filters(ours, theirs, is_primary);
    }
    if let Some(Value::Array(folders)) = group.remove("virtual_folders") {
        add_folders(user, folders);
    }
}

fn add_settings(user: &mut Map<String, Value>, settings: &Map<String, Value>) {
    for key in SETTINGS {
        let ours = user.get(key).is_some_and(|value| match key {
            "filesystem" => value.get("provider").is_some_and(is_set),
            _ => is_set(value),
        });
        if let Some(theirs) = settings.get(key).filter(|theirs| !ours && is_set(theirs)) {
            user.insert(key.to_owned(), theirs.clone());
        }
    }
    let days = number(settings, "expires_in");
    if days > 0 && number(user, "expiration_date") == 0 {
        let created = number(user, "created_at");
        let expires = created.saturating_add(days.saturating_mul(DAY_MS));
        user.insert("expiration_date".to_owned(), Value::from(expires));
    }
}

fn add_permissions(user: &mut Map<String, Value>, settings: &Map<String, Value>) {
    let Some(Value::Object(theirs)) = settings.get("permissions") else {
        return;
    };
    if let Some(ours) = object(user, "permissions") {
        for (directory, names) in theirs {
            if !ours.contains_key(directory) {
                ours.insert(directory.clone(), names.clone());
            }
        }
    }
}

/// Lists add up; all else is that of the user, or of the primary group.
fn add_filters(ours: &mut Map<String, Value>, theirs: &Map<String, Value>, is_primary: bool) {
    for (key, value) in theirs {
        match (ours.get_mut(key), value) {
            (Some(Value::Array(ours)), Value::Array(theirs)) => {
                for item in theirs {
                    if !ours.contains(item) {
                        ours.push(item.clone());
                    }
                }
            }
            (Some(ours), theirs) if is_primary && !is_set(ours) => *ours = theirs.clone(),
            (Some(_), _) => {}
            (None, theirs) => {
                if is_primary || theirs.is_array() {
                    ours.insert(key.clone(), theirs.clone());
                }
            }
        }
    }
}

fn add_folders(user: &mut Map<String, Value>, folders: Vec<Value>) {
    let slot = user
        .entry("virtual_folders")
        .or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(ours) = slot else {
        return;
    };
    for folder in folders {
        let path = folder.get("virtual_path");
        if !ours.iter().any(|known| known.get("virtual_path") == path) {
            ours.push(folder);
        }
    }
}

/// The text with the placeholders of groups and folders filled in.
pub(super) fn filled_in(text: &str, username: &str, role: &str) -> String {
    text.replace("%username%", username).replace("%role%", role)
}

/// Fills in every text, and the names of directories that have permissions. Secrets are left alone.
fn fill_in(value: &mut Value, username: &str, role: &str) {
    match value {
        Value::String(text) => *text = filled_in(text, username, role),
        Value::Array(list) => {
            for item in list {
                fill_in(item, username, role);
            }
        }
        Value::Object(members) if members.contains_key("payload") => {}
        Value::Object(members) => {
            let filled = std::mem::take(members).into_iter().map(|(key, mut value)| {
                fill_in(&mut value, username, role);
                (filled_in(&key, username, role), value)
            });
            *members = filled.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
