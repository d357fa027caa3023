//! From flags to the record of a user.

use std::collections::BTreeMap;
use std::path::Path;

use sftpgo_core::model::UserRecord;

use crate::app::AppError;
use crate::cli::user::{ChangeArgs, DirectoryPermission};

/// A new user: enabled, and allowed everything in its home unless flags say otherwise.
pub(super) fn new(args: &ChangeArgs) -> Result<UserRecord, AppError> {
    let mut user = UserRecord {
        username: args.username.clone(),
        status: 1,
        permissions: BTreeMap::from([("/".to_owned(), vec!["*".to_owned()])]),
        ..UserRecord::default()
    };
    change(&mut user, args)?;
    Ok(user)
}

/// Lays the flags that were given over `user`. The password is not among them.
pub(super) fn change(user: &mut UserRecord, args: &ChangeArgs) -> Result<(), AppError> {
    let fields = &args.fields;
    if let Some(home) = &fields.home_dir {
        user.home_dir = utf8(home)?;
    }
    if !fields.permissions.is_empty() {
        user.permissions = permissions(&fields.permissions);
    }
    if let Some(keys) = fields.read_public_keys().map_err(AppError)? {
        user.public_keys = keys;
    }
    set(&mut user.quota_size, fields.quota_size);
    set(&mut user.quota_files, fields.quota_files);
    set(&mut user.max_sessions, fields.max_sessions);
    set(&mut user.upload_bandwidth, fields.upload_bandwidth);
    set(&mut user.download_bandwidth, fields.download_bandwidth);
    set(&mut user.expiration_date, fields.expires);
    set(&mut user.status, fields.active());
    set(&mut user.uid, fields.uid);
    set(&mut user.gid, fields.gid);
    if let Some(folders) = fields.virtual_folders() {
        user.virtual_folders = folders;
    }
    fields
        .stores
        .apply(&mut user.filesystem)
        .map_err(AppError)?;
    let filters = &mut user.filters;
    if let Some(extensions) = fields.file_extensions() {
        filters.file_extensions = extensions;
    }
    list(&mut filters.allowed_ip, &fields.allowed_ip);
    list(&mut filters.denied_ip, &fields.denied_ip);
    list(&mut filters.denied_login_methods, &fields.denied_methods);
    list(
        &mut filters.required_login_methods,
        &fields.required_methods,
    );
    Ok(())
}

fn set(field: &mut i64, given: Option<impl Into<i64>>) {
    if let Some(value) = given {
        *field = value.into();
    }
}

/// An empty text removes all, as the help says.
fn list(field: &mut Vec<String>, given: &[String]) {
    if !given.is_empty() {
        *field = given
            .iter()
            .filter(|text| !text.is_empty())
            .cloned()
            .collect();
    }
}

/// Flags that name one directory twice add up.
fn permissions(given: &[DirectoryPermission]) -> BTreeMap<String, Vec<String>> {
    let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in given {
        let names = map.entry(one.directory.clone()).or_default();
        for name in &one.permissions {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    map
}

/// A record is JSON: its home has to be text.
fn utf8(path: &Path) -> Result<String, AppError> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| AppError(format!("--home-dir {} is not UTF-8", path.display())))
}
