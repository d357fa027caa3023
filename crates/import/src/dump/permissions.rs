//! `permissions`: those of 2.x are finer, and may have patterns for directories.

use serde_json::{Map, Value};

use super::value::texts;
use crate::report::Notes;

/// A permission here, and the two of 2.x that it is made of.
const SPLIT: [(&str, [&str; 2]); 2] = [
    ("delete", ["delete_files", "delete_dirs"]),
    ("rename", ["rename_files", "rename_dirs"]),
];

/// Brings the map into the form of 0.9.6.
pub(super) fn convert(user: &mut Map<String, Value>, notes: &mut Notes) {
    let Some(permissions) = user.get_mut("permissions") else {
        return;
    };
    match permissions {
        // Versions before 0.9.5 wrote those of the root only.
        Value::Array(_) => {
            let root = std::mem::take(permissions);
            *permissions = Value::Object(Map::from_iter([("/".to_owned(), root)]));
        }
        Value::Object(directories) => {
            directories.retain(|directory, _| {
                let is_pattern = directory.contains(['*', '?', '[']);
                if is_pattern {
                    notes.disabled(
                        "permissions",
                        format!("{directory:?} is a pattern for directories: name each one with `sftpgo user set NAME --permission`"),
                    );
                }
                !is_pattern
            });
        }
        // What it is instead is told of when the record is read.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    }
    let directories = permissions.as_object_mut().into_iter().flatten();
    for (directory, names) in directories {
        if names.is_null() || names.is_array() {
            let converted = names_of(directory, &texts(Some(names)), notes);
            *names = converted.into_iter().map(Value::String).collect();
        }
    }
}

fn names_of(directory: &str, names: &[String], notes: &mut Notes) -> Vec<String> {
    let has = |name: &str| names.iter().any(|known| known == name);
    let mut converted: Vec<String> = Vec::new();
    let is_split = |name: &str| SPLIT.iter().any(|(_, parts)| parts.contains(&name));
    for name in names.iter().filter(|name| !is_split(name)) {
        if name == "copy" {
            notes.lost(
                "permissions",
                format!("copy on {directory:?}: it is no permission of its own"),
            );
        } else if !converted.contains(name) {
            converted.push(name.clone());
        }
    }
    for (whole, parts) in SPLIT {
        let held = parts.iter().filter(|part| has(part)).count();
        if has(whole) || has("*") || held == 0 {
            continue;
        }
        if held == parts.len() {
            converted.push(whole.to_owned());
        } else {
            let part = parts.iter().find(|part| has(part)).unwrap_or(&whole);
            notes.lost(
                "permissions",
                format!("{part} on {directory:?}: left out, since {whole} is for files and directories alike"),
            );
        }
    }
    converted
}
