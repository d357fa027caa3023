//! `file_patterns` of 2.x: those like `*.zip` are extensions here.

use serde_json::{Map, Value};

use super::value::{number, text, texts};
use crate::report::Notes;

/// Turns `file_patterns` into `file_extensions`, beside those that are there.
pub(super) fn convert(filters: &mut Map<String, Value>, notes: &mut Notes) {
    let Some(patterns) = filters.remove("file_patterns") else {
        return;
    };
    let mut extensions = match filters.remove("file_extensions") {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    for pattern in patterns.as_array().into_iter().flatten() {
        if let Value::Object(pattern) = pattern {
            extensions.extend(filter(pattern, notes));
        }
    }
    if !extensions.is_empty() {
        filters.insert("file_extensions".to_owned(), Value::Array(extensions));
    }
}

fn filter(pattern: &Map<String, Value>, notes: &mut Notes) -> Option<Value> {
    let path = text(pattern, "path");
    let about = "filters.file_patterns";
    let split = |key: &str| -> (Vec<String>, Vec<String>) {
        let list = texts(pattern.get(key)).into_iter();
        list.partition(|pattern| extension(pattern).is_some())
    };
    let (allowed, not_allowed) = split("allowed_patterns");
    let (denied, not_denied) = split("denied_patterns");
    if !not_denied.is_empty() || (!not_allowed.is_empty() && allowed.is_empty()) {
        let patterns = [not_denied, not_allowed].concat().join(", ");
        notes.disabled(
            about,
            format!("{patterns} in {path:?}: only patterns like *.zip can be used; without it more names are allowed"),
        );
    } else if !not_allowed.is_empty() {
        let patterns = not_allowed.join(", ");
        notes.lost(
            about,
            format!("{patterns} in {path:?}: only patterns like *.zip can be used; these names are not allowed any more"),
        );
    }
    if number(pattern, "deny_policy") != 0 {
        notes.lost(
            about,
            format!("names that are denied in {path:?} are listed all the same"),
        );
    }
    if allowed.is_empty() && denied.is_empty() {
        return None;
    }
    let suffixes = |list: Vec<String>| -> Value {
        let suffixes = list.iter().filter_map(|pattern| extension(pattern));
        suffixes
            .map(|suffix| Value::String(suffix.to_owned()))
            .collect()
    };
    Some(Value::Object(Map::from_iter([
        ("path".to_owned(), Value::String(path.to_owned())),
        ("allowed_extensions".to_owned(), suffixes(allowed)),
        ("denied_extensions".to_owned(), suffixes(denied)),
    ])))
}

/// The end of a name that the pattern asks for, and asks for nothing else.
fn extension(pattern: &str) -> Option<&str> {
    let suffix = pattern.strip_prefix('*')?;
    (!suffix.is_empty() && !suffix.contains(['*', '?', '[', ']', '\\', '/'])).then_some(suffix)
}
