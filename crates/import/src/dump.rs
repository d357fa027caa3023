//! Dumps of the reference: `{"users":[...]}` of 0.9.x, which this program writes, too, and the objects of the 2.x line.
//!
//! A user goes through a few steps as JSON ([`user`]) until it is what [`UserRecord`](sftpgo_model::UserRecord) reads:
//! settings of its [`groups`] are laid under it, then `permissions`, `filters` ([`patterns`], [`methods`]), [`folders`]
//! and the `filesystem` with its secrets are brought into the form of 0.9.6.

mod filesystem;
mod filters;
mod folders;
mod groups;
mod methods;
mod patterns;
mod permissions;
mod user;
mod value;

use serde_json::{Map, Value};
use sftpgo_model::user::fold_json;

pub(crate) use user::{Around, convert};

use crate::Context;
use crate::report::{Import, ImportError, Notes};

/// What a dump has beside users, and what to do about it.
const OTHERS: [(&str, &str); 8] = [
    (
        "admins",
        "operators are in the file of httpd.auth_user_file: see docs/rest-api.md",
    ),
    (
        "api_keys",
        "programs use the names and passwords of httpd.auth_user_file",
    ),
    ("shares", "there are no links to files"),
    (
        "event_actions",
        "programs and URLs that are told of events are settings: see docs/actions.md",
    ),
    (
        "event_rules",
        "programs and URLs that are told of events are settings: see docs/actions.md",
    ),
    ("roles", "there are no roles of operators"),
    (
        "ip_lists",
        "lists of addresses are settings: see docs/connections.md",
    ),
    (
        "configs",
        "settings are in the settings file: see docs/configuration.md",
    ),
];

/// Reads a dump.
///
/// # Errors
/// It is no JSON object with a list of users.
pub fn reference_dump(text: &[u8], context: Context<'_>) -> Result<Import, ImportError> {
    let dump = serde_json::from_slice::<Value>(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        ImportError::new(format!("not JSON (line {line}, column {column})"))
    })?;
    let Value::Object(mut dump) = fold_json(dump) else {
        return Err(ImportError::new(
            "a dump is a JSON object with a list of \"users\"",
        ));
    };
    let users = match dump.remove("users") {
        None => Vec::new(),
        Some(Value::Array(users)) => users,
        Some(_) => return Err(ImportError::new("\"users\" is not a list")),
    };
    if users.is_empty() && !dump.contains_key("version") && !dump.is_empty() {
        return Err(ImportError::new(
            "a dump is a JSON object with a list of \"users\"",
        ));
    }
    let around = Around {
        groups: by_name(dump.remove("groups")),
        folders: by_name(dump.remove("folders")),
    };
    let notes = note_others(&dump);
    let users = users.into_iter().enumerate();
    let users = users.map(|(index, user)| {
        convert(
            &format!("user number {}", index + 1),
            user,
            &around,
            context,
        )
    });
    Ok(Import {
        users: users.collect(),
        notes,
    })
}

fn by_name(list: Option<Value>) -> Map<String, Value> {
    let Some(Value::Array(list)) = list else {
        return Map::new();
    };
    let named = list.into_iter().filter_map(|item| {
        let name = item.get("name")?.as_str()?.to_owned();
        Some((name, item))
    });
    named.collect()
}

fn note_others(dump: &Map<String, Value>) -> Vec<crate::Note> {
    let mut notes = Notes::default();
    for (key, value) in dump {
        let count = match value {
            Value::Array(list) => list.len(),
            Value::Object(members) => members.len(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        };
        let known = OTHERS.iter().find(|(name, _)| name == key);
        match known {
            _ if count == 0 => {}
            Some((_, advice)) => notes.lost(key, format!("{count}: {advice}")),
            None => notes.lost(key, format!("{count}: not known here")),
        }
    }
    notes.0
}
