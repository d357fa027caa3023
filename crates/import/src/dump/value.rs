//! Looking at JSON.

use serde_json::{Map, Value};

/// Whether something is said: not false, 0, empty, or made of such.
pub(crate) fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => members.values().any(is_set),
    }
}

/// The member of that name, if something is said in it.
pub(crate) fn take_set(object: &mut Map<String, Value>, key: &str) -> Option<Value> {
    object.remove(key).filter(is_set)
}

/// The text of a member; empty if it is none.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The number of a member; 0 if it is none.
pub(crate) fn number(object: &Map<String, Value>, key: &str) -> i64 {
    object.get(key).and_then(Value::as_i64).unwrap_or_default()
}

/// The texts of a list; other values are not in it.
pub(crate) fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    let texts = list.filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// The object in a member; an empty one is made if there is none.
pub(crate) fn object<'a>(
    parent: &'a mut Map<String, Value>,
    key: &str,
) -> Option<&'a mut Map<String, Value>> {
    let value = parent
        .entry(key)
        .or_insert_with(|| Value::Object(Map::new()));
    value.as_object_mut()
}
