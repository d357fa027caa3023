//! `virtual_folders`: in 2.x they name a folder that is described elsewhere.

use serde_json::{Map, Value};

use super::groups::filled_in;
use super::user::Around;
use super::value::{is_set, number, text};
use crate::report::Notes;

const ABOUT: &str = "virtual_folders";

/// Brings the folders into the form of 0.9.6: a virtual path, and a directory of this machine.
pub(super) fn convert(user: &mut Map<String, Value>, notes: &mut Notes, around: &Around) {
    let Some(Value::Array(folders)) = user.remove("virtual_folders") else {
        return;
    };
    let home = user.get("filesystem").and_then(|home| home.get("provider"));
    let home_is_local = home.and_then(Value::as_i64).unwrap_or(0) == 0;
    let folders: Vec<Value> = folders
        .iter()
        .filter_map(Value::as_object)
        .filter_map(|folder| {
            let path = text(folder, "virtual_path");
            if !home_is_local {
                notes.lost(
                    ABOUT,
                    format!(
                        "{path:?}: users whose home is in an object store have no virtual folders"
                    ),
                );
                return None;
            }
            let who = (text(user, "username"), text(user, "role"));
            converted(folder, who, notes, around)
        })
        .collect();
    if !folders.is_empty() {
        user.insert(ABOUT.to_owned(), Value::Array(folders));
    }
}

fn converted(
    folder: &Map<String, Value>,
    (username, role): (&str, &str),
    notes: &mut Notes,
    around: &Around,
) -> Option<Value> {
    let (path, name) = (text(folder, "virtual_path"), text(folder, "name"));
    let mut lost = |reason: &str| notes.lost(ABOUT, format!("{path:?}: {reason}"));
    let described = around.folders.get(name).and_then(Value::as_object);
    let member = |key: &str| {
        let described = described.and_then(|folder| folder.get(key));
        folder.get(key).filter(|value| is_set(value)).or(described)
    };
    let filesystem = member("filesystem").and_then(|filesystem| filesystem.get("provider"));
    if filesystem.and_then(Value::as_i64).unwrap_or(0) != 0 {
        lost("virtual folders are directories of this machine, and this one is not");
        return None;
    }
    if path == "/" {
        lost("a virtual folder cannot be /");
        return None;
    }
    let mapped = member("mapped_path")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if mapped.is_empty() {
        lost("the dump does not say which directory it is");
        return None;
    }
    let mapped = filled_in(mapped, username, role);
    let mapped = match text(folder, "subpath").trim_matches('/') {
        "" => mapped,
        below => format!("{}/{below}", mapped.trim_end_matches('/')),
    };
    if number(folder, "quota_size") > 0 || number(folder, "quota_files") > 0 {
        lost("it has no quota of its own: its files count in that of the user");
    }
    Some(Value::Object(Map::from_iter([
        ("virtual_path".to_owned(), Value::from(path)),
        ("mapped_path".to_owned(), Value::from(mapped)),
    ])))
}
