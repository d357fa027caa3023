//! The form of an account (reference 12.3): what stands in its fields, from a record or from what somebody sent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use sftpgo_core::model::UserRecord;

use super::form::Form;
use super::storage_form::{self, StorageForm};

/// Fields with one text, by the names of the reference, but for the last, which it has not. Those of back ends stand in their
/// tables.
pub(super) const TEXTS: [&str; 20] = [
    "username",
    "status",
    "expiration_date",
    "public_keys",
    "sub_dirs_permissions",
    "home_dir",
    "virtual_folders",
    "quota_files",
    "quota_size",
    "upload_bandwidth",
    "download_bandwidth",
    "max_sessions",
    "uid",
    "gid",
    "denied_ip",
    "allowed_ip",
    "denied_extensions",
    "allowed_extensions",
    "fs_provider",
    "required_login_methods",
];

/// Fields with several texts.
pub(super) const LISTS: [&str; 2] = ["permissions", "ssh_login_methods"];

/// The contents of the form. What must not be shown again (password, secret, credentials) is apart from what is.
///
/// Deliberately without `Debug`.
#[derive(Default)]
pub(super) struct UserForm {
    pub(super) shown: Shown,
    pub(super) password: String,
    pub(super) storage: StorageForm,
    /// Whether the form has the field that the reference has not.
    pub(super) tells_required_methods: bool,
}

/// What the page shows in the fields.
#[derive(Clone, Default, Serialize)]
pub(super) struct Shown {
    pub(super) texts: BTreeMap<&'static str, String>,
    pub(super) lists: BTreeMap<&'static str, Vec<String>>,
    /// Secrets that are to be given up.
    pub(super) forgotten: BTreeSet<&'static str>,
}

impl UserForm {
    /// The form for a new account.
    pub(super) fn empty() -> Self {
        let mut form = Self::of(&UserRecord {
            status: 1,
            ..UserRecord::default()
        });
        form.shown.lists.insert("permissions", vec!["*".to_owned()]);
        form
    }

    /// The form that shows an account.
    pub(super) fn of(user: &UserRecord) -> Self {
        let filters = &user.filters;
        let folders = user.virtual_folders.iter();
        let folders = folders.map(|folder| (&*folder.virtual_path, folder.mapped_path.clone()));
        let below = user
            .permissions
            .iter()
            .filter(|(directory, _)| *directory != "/");
        let below = below.map(|(directory, names)| (&**directory, names.join(",")));
        let extensions = |of: fn(&sftpgo_core::model::ExtensionFilter) -> &Vec<String>| {
            let filters = filters
                .file_extensions
                .iter()
                .filter(move |filter| !of(filter).is_empty());
            lines(filters.map(|filter| (&*filter.path, of(filter).join(","))))
        };
        let mut texts = BTreeMap::from([
            ("username", user.username.clone()),
            ("status", user.status.to_string()),
            ("expiration_date", utc(user.expiration_date)),
            ("public_keys", user.public_keys.join("\n")),
            ("sub_dirs_permissions", lines(below)),
            ("home_dir", user.home_dir.clone()),
            ("virtual_folders", lines(folders)),
            ("quota_files", user.quota_files.to_string()),
            ("quota_size", user.quota_size.to_string()),
            ("upload_bandwidth", user.upload_bandwidth.to_string()),
            ("download_bandwidth", user.download_bandwidth.to_string()),
            ("max_sessions", user.max_sessions.to_string()),
            ("uid", user.uid.to_string()),
            ("gid", user.gid.to_string()),
            ("denied_ip", filters.denied_ip.join(", ")),
            ("allowed_ip", filters.allowed_ip.join(", ")),
            (
                "denied_extensions",
                extensions(|filter| &filter.denied_extensions),
            ),
            (
                "allowed_extensions",
                extensions(|filter| &filter.allowed_extensions),
            ),
            ("fs_provider", user.filesystem.provider.number().to_string()),
            (
                "required_login_methods",
                filters.required_login_methods.join("\n"),
            ),
        ]);
        texts.extend(storage_form::shown(&user.filesystem));
        let root = user.permissions.get("/").cloned().unwrap_or_default();
        let lists = BTreeMap::from([
            ("permissions", root),
            ("ssh_login_methods", filters.denied_login_methods.clone()),
        ]);
        Self {
            shown: Shown {
                texts,
                lists,
                ..Shown::default()
            },
            ..Self::default()
        }
    }

    /// What somebody sent.
    pub(super) fn sent(form: &Form) -> Self {
        let text = |name: &'static str| (name, form.text(name).to_owned());
        let list = |name: &'static str| (name, form.texts(name).map(str::to_owned).collect());
        Self {
            shown: Shown {
                texts: TEXTS
                    .into_iter()
                    .map(text)
                    .chain(storage_form::sent(form))
                    .collect(),
                lists: LISTS.into_iter().map(list).collect(),
                forgotten: storage_form::forgotten(form),
            },
            password: form.text("password").to_owned(),
            storage: StorageForm::sent(form),
            tells_required_methods: form.sent_text("required_login_methods").is_some(),
        }
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.shown.texts.get(name).map_or("", |text| text.as_str())
    }

    pub(super) fn list(&self, name: &str) -> &[String] {
        self.shown
            .lists
            .get(name)
            .map_or(&[], |list| list.as_slice())
    }
}

/// A `name::value` on each line.
fn lines<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    let lines: Vec<_> = pairs
        .map(|(name, value)| format!("{name}::{value}"))
        .collect();
    lines.join("\n")
}

/// As fields for dates show it, in UTC; empty for never.
fn utc(millis: i64) -> String {
    if millis <= 0 {
        return String::new();
    }
    let time = Timestamp::from_millisecond(millis);
    time.map_or_else(
        |_| String::new(),
        |time| {
            time.to_zoned(TimeZone::UTC)
                .strftime("%Y-%m-%dT%H:%M:%S")
                .to_string()
        },
    )
}
