//! Dump files, `{"users":[...]}` (reference 5.7): what REST writes and the memory provider starts from.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value as Json;
use sftpgo_model::UserRecord;

use crate::error::{DataError, DataErrorKind, DataResult};

/// Largest dump that is read, in bytes.
pub const MAX_DUMP_SIZE: u64 = 10_485_760;

/// Reads the accounts of a dump file, as they are: the caller validates. Blocks on the disk.
///
/// # Errors
/// `Unavailable` if the file cannot be read, `Corrupt` if it is empty, too large, or no dump.
pub fn load(path: &Path) -> DataResult<Vec<UserRecord>> {
    let unavailable = |error| {
        let context = format!("dump file {}", path.display());
        DataError::with_source(DataErrorKind::Unavailable, context, error)
    };
    let mut text = Vec::new();
    let file = File::open(path).map_err(unavailable)?;
    file.take(MAX_DUMP_SIZE + 1)
        .read_to_end(&mut text)
        .map_err(unavailable)?;
    parse(&text).map_err(|error| {
        let context = format!("dump file {}", path.display());
        DataError::with_source(error.kind(), context, error)
    })
}

/// Reads the accounts of a dump.
///
/// # Errors
/// `Corrupt` if it is empty, too large, or no dump. Messages name positions and keys, not values: those may be secret.
pub fn parse(text: &[u8]) -> DataResult<Vec<UserRecord>> {
    if text.is_empty() {
        return Err(corrupt("it is empty"));
    }
    if text.len() as u64 > MAX_DUMP_SIZE {
        return Err(corrupt(format!("it is larger than {MAX_DUMP_SIZE} bytes")));
    }
    let dump: Json = serde_json::from_slice(text).map_err(|error| {
        corrupt(format!(
            "not JSON (line {}, column {})",
            error.line(),
            error.column()
        ))
    })?;
    let Json::Object(members) = dump else {
        return Err(corrupt("not a JSON object"));
    };
    let users = members
        .into_iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("users"));
    match users {
        Some((_, Json::Array(users))) => users.iter().enumerate().map(user).collect(),
        None | Some((_, Json::Null)) => Ok(Vec::new()),
        Some(_) => Err(corrupt("\"users\" is not a list")),
    }
}

fn user((index, value): (usize, &Json)) -> DataResult<UserRecord> {
    UserRecord::from_json(value.to_string().as_bytes()).map_err(|_| {
        let number = index + 1;
        let Json::Object(members) = value else {
            return corrupt(format!("user number {number} is not an object"));
        };
        let wrong: Vec<&str> = members
            .iter()
            .filter(|(key, value)| !is_readable(key, value))
            .map(|(key, _)| key.as_str())
            .collect();
        corrupt(format!(
            "user number {number} has a wrong value for {}",
            wrong.join(", ")
        ))
    })
}

fn is_readable(key: &str, value: &Json) -> bool {
    let alone = Json::Object([(key.to_owned(), value.clone())].into_iter().collect());
    UserRecord::from_json(alone.to_string().as_bytes()).is_ok()
}

fn corrupt(what: impl Into<String>) -> DataError {
    DataError::new(DataErrorKind::Corrupt, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimal_file_of_the_reference_is_read() {
        let users = parse(
            br#"{"users":[{"username":"alice","password":"secret","home_dir":"/srv/alice","status":1,
                "permissions":{"/":["*"],"/ro":["list","download"]}}]}"#,
        )
        .unwrap();
        assert_eq!(users.len(), 1);
        assert_eq!(users[0].username, "alice");
        assert_eq!(users[0].permissions.len(), 2);
    }

    #[test]
    fn what_is_no_dump_is_refused() {
        for text in ["", "{", "[]", r#"{"users":{}}"#, r#"{"users":["x"]}"#] {
            assert_eq!(
                parse(text.as_bytes()).unwrap_err().kind(),
                DataErrorKind::Corrupt,
                "{text}"
            );
        }
        assert_eq!(parse(br#"{"users":null}"#).unwrap(), []);
    }

    #[test]
    fn an_error_names_the_key_and_not_the_value() {
        let error = parse(br#"{"users":[{"username":"a"},{"username":"b","password":86753}]}"#);
        let message = error.unwrap_err().to_string();
        assert_eq!(message, "user number 2 has a wrong value for password");
    }

    #[test]
    fn a_file_may_have_the_maximum_size_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dump.json");
        let mut text = br#"{"users":[]}"#.to_vec();
        text.resize(usize::try_from(MAX_DUMP_SIZE).unwrap(), b' ');
        std::fs::write(&path, &text).unwrap();
        assert_eq!(load(&path).unwrap(), []);
        text.push(b' ');
        std::fs::write(&path, &text).unwrap();
        assert_eq!(load(&path).unwrap_err().kind(), DataErrorKind::Corrupt);
    }

    #[test]
    fn a_missing_or_empty_file_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dump.json");
        let error = load(&path).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Unavailable);
        assert!(error.to_string().contains("dump.json"));
        std::fs::write(&path, "").unwrap();
        assert_eq!(load(&path).unwrap_err().kind(), DataErrorKind::Corrupt);
    }
}
