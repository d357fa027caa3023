//! What the line formats (properties, envfile, ini) have in common: a path and a text for each
//! line, put together to a tree.

use serde_json::{Map, Value};

use crate::config::layer::insert;

/// A tree that grows line by line.
#[derive(Debug, Default)]
pub(super) struct Tree(Map<String, Value>);

impl Tree {
    /// Sets `key`, whose parts are separated by dots.
    pub(super) fn set(&mut self, key: &str, value: String, line: usize) -> Result<(), String> {
        let path: Vec<&str> = key.split('.').map(str::trim).collect();
        if path.iter().any(|part| part.is_empty()) {
            return Err(format!("an empty name at line {line}"));
        }
        insert(&mut self.0, &path, Value::String(value))
            .map_err(|_| format!("{key} at line {line} contradicts an earlier line"))
    }

    pub(super) fn finish(self) -> Value {
        Value::Object(self.0)
    }
}
