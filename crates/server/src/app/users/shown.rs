//! Users as text for people.

use jiff::Timestamp;
use sftpgo_core::model::{FilesystemConfig, UserRecord};

use crate::app::output::{Facts, Table, local_time, size};

/// A line for each user.
pub(super) fn list(users: &[UserRecord]) -> String {
    let mut table = Table::new(["USERNAME", "STATE", "HOME", "FILES", "SIZE", "LAST LOGIN"]);
    for user in users {
        table.row([
            user.username.clone(),
            state(user).to_owned(),
            user.home_dir.clone(),
            files(user),
            bytes(user),
            local_time(user.last_login),
        ]);
    }
    table.text()
}

/// Every field that says something.
pub(super) fn user(user: &UserRecord) -> String {
    let mut facts = Facts::default();
    facts.fact("username", &user.username);
    facts.fact("id", user.id.to_string());
    facts.fact("state", state(user));
    facts.fact("home directory", &user.home_dir);
    for folder in &user.virtual_folders {
        let shown = format!("{} is {}", folder.virtual_path, folder.mapped_path);
        facts.fact("virtual folder", shown);
    }
    for (directory, permissions) in &user.permissions {
        let shown = format!("{directory}: {}", permissions.join(", "));
        facts.fact("permissions", shown);
    }
    for key in &user.public_keys {
        facts.fact("public key", key);
    }
    facts.fact("used files", files(user));
    facts.fact("used space", bytes(user));
    for (name, value, unit) in [
        ("max sessions", user.max_sessions, ""),
        ("upload bandwidth", user.upload_bandwidth, " KB/s"),
        ("download bandwidth", user.download_bandwidth, " KB/s"),
        ("uid", user.uid, ""),
        ("gid", user.gid, ""),
    ] {
        if value > 0 {
            facts.fact(name, format!("{value}{unit}"));
        }
    }
    filters(user, &mut facts);
    if user.expiration_date > 0 {
        facts.fact("expires", utc(user.expiration_date));
    }
    if user.last_login > 0 {
        facts.fact("last login", local_time(user.last_login));
    }
    storage(&user.filesystem, &mut facts);
    facts.text()
}

fn filters(user: &UserRecord, facts: &mut Facts) {
    let filters = &user.filters;
    for (name, list) in [
        ("allowed network", &filters.allowed_ip),
        ("denied network", &filters.denied_ip),
        ("denied method", &filters.denied_login_methods),
        ("required methods", &filters.required_login_methods),
    ] {
        list.iter().for_each(|value| facts.fact(name, value));
    }
    for filter in &filters.file_extensions {
        for (name, list) in [
            ("allowed extensions", &filter.allowed_extensions),
            ("denied extensions", &filter.denied_extensions),
        ] {
            if !list.is_empty() {
                facts.fact(name, format!("{}: {}", filter.path, list.join(", ")));
            }
        }
    }
}

/// The back end and those of its settings that are set; secrets are only said to be there.
fn storage(filesystem: &FilesystemConfig, facts: &mut Facts) {
    let Some(back_end) = filesystem.provider.back_end() else {
        return;
    };
    facts.fact("storage", back_end.title);
    let mut config = filesystem.clone();
    for field in back_end.fields {
        let secret = field.secret(&mut config).map(|secret| !secret.is_empty());
        let value = match secret {
            Some(true) => "set".to_owned(),
            Some(false) => continue,
            None => field.shown(&mut config),
        };
        // Certificates have many lines.
        let value = value.lines().next().unwrap_or_default();
        if !matches!(value, "" | "0") {
            facts.fact(&format!("  {}", field.label.to_lowercase()), value);
        }
    }
}

fn state(user: &UserRecord) -> &'static str {
    if user.status == 1 {
        "enabled"
    } else {
        "disabled"
    }
}

fn files(user: &UserRecord) -> String {
    let limit = (user.quota_files > 0).then(|| user.quota_files.to_string());
    of_limit(user.used_quota_files.to_string(), limit)
}

fn bytes(user: &UserRecord) -> String {
    let limit = (user.quota_size > 0).then(|| size(user.quota_size));
    of_limit(size(user.used_quota_size), limit)
}

fn of_limit(used: String, limit: Option<String>) -> String {
    match limit {
        Some(limit) => format!("{used} of {limit}"),
        None => used,
    }
}

/// As `--expires` takes it.
fn utc(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds);
    time.map_or_else(|_| milliseconds.to_string(), |time| format!("{time:.0}"))
}
