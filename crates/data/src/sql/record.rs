//! A row of the users table and the account it holds (reference 5.2).

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use sftpgo_model::{UnixMillis, UserRecord};

use super::engine::{Row, Value};
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::provider::QuotaUsage;

/// What is selected, in the order [`from_row`] reads it.
pub(crate) const COLUMNS: [&str; 22] = [
    "id",
    "username",
    "password",
    "public_keys",
    "home_dir",
    "uid",
    "gid",
    "max_sessions",
    "quota_size",
    "quota_files",
    "permissions",
    "used_quota_size",
    "used_quota_files",
    "last_quota_update",
    "upload_bandwidth",
    "download_bandwidth",
    "expiration_date",
    "last_login",
    "status",
    "filters",
    "filesystem",
    "virtual_folders",
];

/// Where the name stands among [`COLUMNS`].
pub(crate) const USERNAME: usize = 1;

/// What an update may change, in the order of [`writable_values`].
pub(crate) const WRITABLE_COLUMNS: [&str; 16] = [
    "password",
    "public_keys",
    "home_dir",
    "uid",
    "gid",
    "max_sessions",
    "quota_size",
    "quota_files",
    "permissions",
    "upload_bandwidth",
    "download_bandwidth",
    "expiration_date",
    "status",
    "filters",
    "filesystem",
    "virtual_folders",
];

/// The values of [`WRITABLE_COLUMNS`]; lists and objects are never `null`.
pub(crate) fn writable_values(record: &UserRecord) -> DataResult<[Value<'_>; 16]> {
    Ok([
        record.password.as_str().into(),
        json(record, "public_keys", &record.public_keys)?,
        record.home_dir.as_str().into(),
        record.uid.into(),
        record.gid.into(),
        record.max_sessions.into(),
        record.quota_size.into(),
        record.quota_files.into(),
        json(record, "permissions", &record.permissions)?,
        record.upload_bandwidth.into(),
        record.download_bandwidth.into(),
        record.expiration_date.into(),
        record.status.into(),
        json(record, "filters", &record.filters)?,
        json(record, "filesystem", &record.filesystem)?,
        json(record, "virtual_folders", &record.virtual_folders)?,
    ])
}

fn json<'a>(record: &UserRecord, column: &str, value: &impl Serialize) -> DataResult<Value<'a>> {
    let text = serde_json::to_string(value).map_err(|error| {
        let context = format!("cannot store {column} of user {:?}", record.username);
        DataError::with_source(DataErrorKind::Internal, context, error)
    })?;
    Ok(text.into())
}

/// Reads a row of one column, the name.
pub(crate) fn name_from_row(row: Row) -> DataResult<String> {
    let mut row = Columns {
        values: row.into_iter(),
        username: String::new(),
    };
    row.text()
}

/// Reads the columns of [`COLUMNS`].
pub(crate) fn from_row(row: Row) -> DataResult<UserRecord> {
    let mut row = Columns {
        values: row.into_iter(),
        username: String::new(),
    };
    let id = row.int()?;
    row.username = row.text()?;
    Ok(UserRecord {
        id,
        username: row.username.clone(),
        password: row.text()?,
        public_keys: row.lenient("public_keys")?,
        home_dir: row.text()?,
        uid: row.int()?,
        gid: row.int()?,
        max_sessions: row.int()?,
        quota_size: row.int()?,
        quota_files: row.int()?,
        permissions: row.permissions()?,
        used_quota_size: row.int()?,
        used_quota_files: row.int()?,
        last_quota_update: row.int()?,
        upload_bandwidth: row.int()?,
        download_bandwidth: row.int()?,
        expiration_date: row.int()?,
        last_login: row.int()?,
        status: row.int()?,
        filters: row.lenient("filters")?,
        filesystem: row.lenient("filesystem")?,
        virtual_folders: row.lenient("virtual_folders")?,
    })
}

/// Reads files, bytes and time.
pub(crate) fn usage_from_row(row: Row) -> DataResult<QuotaUsage> {
    let mut row = Columns {
        values: row.into_iter(),
        username: String::new(),
    };
    Ok(QuotaUsage {
        files: row.int()?,
        bytes: row.int()?,
        updated: UnixMillis(row.int()?),
    })
}

/// Reads a row from left to right. The name of the user, once read, stands in errors.
struct Columns {
    values: std::vec::IntoIter<Value<'static>>,
    username: String,
}

impl Columns {
    fn corrupt(&self, what: &str) -> DataError {
        let message = format!("the record of user {:?} has {what}", self.username);
        DataError::new(DataErrorKind::Corrupt, message)
    }

    fn int(&mut self) -> DataResult<i64> {
        match self.values.next() {
            Some(Value::Int(number)) => Ok(number),
            Some(Value::Null) => Ok(0),
            Some(Value::Text(_)) => Err(self.corrupt("text where a number belongs")),
            None => Err(self.corrupt("too few columns")),
        }
    }

    fn text(&mut self) -> DataResult<String> {
        match self.values.next() {
            Some(Value::Text(text)) => Ok(text.into_owned()),
            Some(Value::Null) => Ok(String::new()),
            Some(Value::Int(number)) => Ok(number.to_string()),
            None => Err(self.corrupt("too few columns")),
        }
    }

    /// A JSON column that is left empty if it cannot be read, as in the reference. The log tells where, never what:
    /// the text may hold a secret.
    fn lenient<T: DeserializeOwned + Default>(&mut self, column: &'static str) -> DataResult<T> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(T::default());
        }
        let folded = serde_json::from_str(&text).map(fold);
        let parsed = folded.and_then(serde_json::from_value::<Option<T>>);
        Ok(parsed.map(Option::unwrap_or_default).unwrap_or_else(|_| {
            tracing::warn!(username = %self.username, column, "stored JSON ignored: not valid");
            T::default()
        }))
    }

    /// An object, or a list from before there were directories.
    fn permissions(&mut self) -> DataResult<BTreeMap<String, Vec<String>>> {
        let text = self.text()?;
        if let Ok(root) = serde_json::from_str::<Vec<String>>(&text) {
            return Ok(BTreeMap::from([("/".to_owned(), root)]));
        }
        let parsed: Result<BTreeMap<String, Option<Vec<String>>>, _> = serde_json::from_str(&text);
        let map = parsed.map_err(|_| self.corrupt("permissions that are not valid JSON"))?;
        Ok(map
            .into_iter()
            .map(|(path, names)| (path, names.unwrap_or_default()))
            .collect())
    }
}

/// Brings JSON into the shape the model reads: the reference matches keys in any case and takes `null` for "absent",
/// and a filter must not be lost over either. None of these columns has keys that are data.
fn fold(value: Json) -> Json {
    match value {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.to_lowercase(), fold(value)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(fold).collect()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value,
    }
}
