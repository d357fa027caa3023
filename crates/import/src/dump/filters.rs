//! `filters`: what 2.x has beside those of 0.9.6.

use serde_json::{Map, Value};

use super::value::{object, take_set, texts};
use super::{methods, patterns};
use crate::report::Notes;

const KNOWN: [&str; 5] = [
    "allowed_ip",
    "denied_ip",
    "denied_login_methods",
    "required_login_methods",
    "file_extensions",
];

/// What to say about filters that are not there; those of other protocols and of web pages are named together.
const OTHERS: [(&str, &str); 15] = [
    (
        "max_upload_file_size",
        "files are not limited in size one by one",
    ),
    ("bandwidth_limits", "bandwidths are not limited by address"),
    (
        "access_time",
        "logins are not limited to times of day; `sftpgo user set NAME --disable` if they must be",
    ),
    ("start_directory", "sessions begin in /"),
    ("hooks", "hooks are asked for every user"),
    ("external_auth_cache_time", "hooks are asked at each login"),
    ("disable_fs_checks", "homes are made when they are missing"),
    ("password_expiration", "passwords do not get too old"),
    ("password_strength", "passwords are not judged"),
    (
        "require_password_change",
        "nobody is asked for a new password",
    ),
    ("recovery_codes", "there are no codes for a second factor"),
    ("additional_emails", "addresses of users are not kept"),
    (
        "is_anonymous",
        "there are no anonymous users; the user needs its password",
    ),
    ("user_type", "it is for plugins, which are not there"),
    ("allow_api_key_auth", "there are no API keys"),
];

/// Of protocols and pages that this server does not have.
const ELSEWHERE: [&str; 7] = [
    "tls_username",
    "tls_certs",
    "web_client",
    "ftp_security",
    "default_shares_expiration",
    "max_shares_expiration",
    "2fa_protocols",
];

/// Brings the filters into the form of this program.
pub(super) fn convert(user: &mut Map<String, Value>, notes: &mut Notes) {
    let Some(filters) = object(user, "filters") else {
        return;
    };
    patterns::convert(filters, notes);
    methods::convert(filters, notes);
    note_protocols(filters, notes);
    note_second_factors(filters, notes);
    for (key, text) in OTHERS {
        if take_set(filters, key).is_some() {
            notes.lost(format!("filters.{key}"), text);
        }
    }
    for key in ELSEWHERE {
        let said = take_set(filters, key);
        if said.is_some_and(|value| value.as_str() != Some("None")) {
            notes.lost(
                format!("filters.{key}"),
                "it is about protocols or pages that this server does not have",
            );
        }
    }
    let others: Vec<String> = filters
        .keys()
        .filter(|key| !KNOWN.contains(&key.as_str()))
        .cloned()
        .collect();
    for key in others {
        if take_set(filters, &key).is_some() {
            notes.disabled(
                format!("filters.{key}"),
                "not known here: it may be a restriction",
            );
        }
    }
}

fn note_protocols(filters: &mut Map<String, Value>, notes: &mut Notes) {
    let denied = texts(filters.remove("denied_protocols").as_ref());
    let about = "filters.denied_protocols";
    if denied.iter().any(|name| name == "SSH") {
        notes.disabled(about, "SSH is denied, and this server has nothing else");
    } else if !denied.is_empty() {
        let denied = denied.join(", ");
        notes.lost(about, format!("{denied}: this server has SSH only"));
    }
}

/// A user who has to show a second factor must not get in without.
fn note_second_factors(filters: &mut Map<String, Value>, notes: &mut Notes) {
    let required = texts(filters.remove("two_factor_protocols").as_ref());
    if required.iter().any(|name| name == "SSH") {
        notes.disabled("filters.two_factor_protocols", "there are no one-time passwords; require a key as well: `sftpgo user set NAME --require-methods publickey,password --enable`");
    } else if !required.is_empty() {
        notes.lost(
            "filters.two_factor_protocols",
            "it is about protocols that this server does not have",
        );
    }
    let Some(Value::Object(totp)) = filters.remove("totp_config") else {
        return;
    };
    let is_enabled = totp.get("enabled").and_then(Value::as_bool) == Some(true);
    if is_enabled
        && texts(totp.get("protocols"))
            .iter()
            .any(|name| name == "SSH")
    {
        notes.disabled("filters.totp_config", "there are no one-time passwords, which the user has for SSH; require a key as well: `sftpgo user set NAME --require-methods publickey,password --enable`");
    } else if is_enabled {
        notes.lost(
            "filters.totp_config",
            "there are no one-time passwords; for SSH the user had none",
        );
    }
}
