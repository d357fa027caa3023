//! Users as text for people, and as JSON in the form of the REST API.

use std::fmt::{Display, Write as _};

use jiff::Timestamp;
use serde::Serialize;
use sftpgo_core::model::UserRecord;

use crate::app::AppError;

/// One value on one line, as REST replies.
pub(super) fn json(value: &impl Serialize) -> Result<String, AppError> {
    let text = serde_json::to_string(value);
    text.map(|text| text + "\n").map_err(AppError::new)
}

/// A line for each user.
pub(super) fn list(users: &[UserRecord]) -> String {
    let width = users.iter().map(|user| user.username.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for user in users {
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "{:width$}  {:8}  {}",
            user.username,
            state(user),
            user.home_dir
        );
    }
    text
}

/// Every field that says something.
pub(super) fn user(user: &UserRecord) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &dyn Display| {
        let _ = writeln!(text, "{name:20} {value}");
    };
    line("username", &user.username);
    line("id", &user.id);
    line("state", &state(user));
    line("home directory", &user.home_dir);
    for (directory, permissions) in &user.permissions {
        line(
            "permissions",
            &format!("{directory}: {}", permissions.join(", ")),
        );
    }
    for key in &user.public_keys {
        line("public key", key);
    }
    line(
        "used files",
        &of_limit(user.used_quota_files, user.quota_files),
    );
    line(
        "used bytes",
        &of_limit(user.used_quota_size, user.quota_size),
    );
    let limits = [
        ("max sessions", user.max_sessions, ""),
        ("upload bandwidth", user.upload_bandwidth, " KB/s"),
        ("download bandwidth", user.download_bandwidth, " KB/s"),
        ("uid", user.uid, ""),
        ("gid", user.gid, ""),
    ];
    for (name, value, unit) in limits {
        if value > 0 {
            line(name, &format!("{value}{unit}"));
        }
    }
    for network in &user.filters.allowed_ip {
        line("allowed network", network);
    }
    for network in &user.filters.denied_ip {
        line("denied network", network);
    }
    for method in &user.filters.denied_login_methods {
        line("denied method", method);
    }
    for sequence in &user.filters.required_login_methods {
        line("required methods", sequence);
    }
    if user.expiration_date > 0 {
        line("expires", &time(user.expiration_date));
    }
    if user.last_login > 0 {
        line("last login", &time(user.last_login));
    }
    text
}

fn state(user: &UserRecord) -> &'static str {
    if user.status == 1 {
        "enabled"
    } else {
        "disabled"
    }
}

fn of_limit(used: i64, limit: i64) -> String {
    if limit > 0 {
        format!("{used} of {limit}")
    } else {
        used.to_string()
    }
}

fn time(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds);
    time.map_or_else(|_| milliseconds.to_string(), |time| format!("{time:.0}"))
}
