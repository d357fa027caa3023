//! `denied_login_methods`: 2.x asks for several methods together by denying all others.

use serde_json::{Map, Value};

use super::value::texts;
use crate::report::Notes;

/// The methods that are enough alone, with the names they have in 2.x.
const SINGLE: [(&str, &[&str]); 3] = [
    ("publickey", &["publickey"]),
    ("password", &["password", "password-over-SSH"]),
    ("keyboard-interactive", &["keyboard-interactive"]),
];

/// Those of several steps, and what they are called here.
const SEQUENCES: [(&str, &str); 2] = [
    ("publickey+password", "publickey,password"),
    (
        "publickey+keyboard-interactive",
        "publickey,keyboard-interactive",
    ),
];

/// Those of other protocols.
const ELSEWHERE: [&str; 2] = ["TLSCertificate", "TLSCertificate+password"];

/// Brings the denied methods into the form of this program, with `required_login_methods` where that is meant.
pub(super) fn convert(filters: &mut Map<String, Value>, notes: &mut Notes) {
    let about = "filters.denied_login_methods";
    let denied = texts(filters.get("denied_login_methods"));
    let is_denied = |name: &str| denied.iter().any(|denied| denied == name);
    let is_known = |name: &str| {
        SINGLE.iter().any(|(_, names)| names.contains(&name))
            || SEQUENCES.iter().any(|(theirs, _)| *theirs == name)
            || ELSEWHERE.contains(&name)
    };
    if denied.is_empty() {
        return;
    }
    if let Some(unknown) = denied.iter().find(|name| !is_known(name)) {
        notes.disabled(about, format!("{unknown:?} is not known here"));
    }
    let single: Vec<&str> = SINGLE
        .iter()
        .filter(|(_, names)| names.iter().any(|name| is_denied(name)))
        .map(|(ours, _)| *ours)
        .collect();
    let list = |names: Vec<&str>| names.into_iter().map(Value::from).collect::<Value>();
    if single.len() < SINGLE.len() {
        filters.insert("denied_login_methods".to_owned(), list(single));
        return;
    }
    filters.remove("denied_login_methods");
    let left = SEQUENCES.iter().filter(|(theirs, _)| !is_denied(theirs));
    let left: Vec<&str> = left.map(|(_, ours)| *ours).collect();
    // 0.9.6 knows no sequences, and does not let all methods be denied.
    if left.is_empty() {
        notes.disabled(about, "every way to log in is denied");
    } else {
        notes.changed(
            about,
            format!("it is required_login_methods here: {}", left.join(" or ")),
        );
        filters.insert("required_login_methods".to_owned(), list(left));
    }
}
