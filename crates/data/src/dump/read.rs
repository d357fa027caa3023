//! Reading a dump account by account.

use std::fmt;
use std::io::{BufReader, Read};

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value as Json;
use sftpgo_model::UserRecord;

use crate::error::{DataError, DataErrorKind, DataResult};

/// Largest dump that is read whole, in bytes.
pub const MAX_DUMP_SIZE: u64 = 10_485_760;

/// What [`read_each`] does after an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Reads the next one.
    GoOn,
    /// Ends, without an error.
    Stop,
}

/// Reads the accounts of a dump.
///
/// # Errors
/// `Corrupt` if it is empty, too large, or no dump. Messages name positions and keys, not values: those may be secret.
pub fn parse(text: &[u8]) -> DataResult<Vec<UserRecord>> {
    let mut users = Vec::new();
    read_each(text, MAX_DUMP_SIZE, |user| {
        users.push(user);
        Next::GoOn
    })?;
    Ok(users)
}

/// Reads a dump of at most `limit` bytes and hands on its accounts, one by one and as they are: `each` validates. Blocks on
/// the reader. What comes before a mistake has been handed on when the mistake is found.
///
/// Keys match in any case, `null` is an empty list or an absent value, unknown keys are left out, and `permissions` may be a
/// list, which is what versions before 0.9.5 wrote for the root.
///
/// # Errors
/// As [`parse`]; `Unavailable` if the reader fails.
pub fn read_each(
    reader: impl Read,
    limit: u64,
    mut each: impl FnMut(UserRecord) -> Next,
) -> DataResult<()> {
    let mut bounded = reader.take(limit.saturating_add(1));
    let mut state = State {
        each: &mut each,
        number: 0,
        ended: None,
        in_users: false,
    };
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(&mut bounded));
    let result = Dump(&mut state)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    drop(json);
    let (ended, in_users) = (state.ended, state.in_users);
    match (ended, result) {
        (Some(ended), _) => ended,
        (None, _) if bounded.limit() == 0 => {
            Err(corrupt(format!("it is larger than {limit} bytes")))
        }
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => Err(mistake(
            error,
            in_users,
            bounded.limit() == limit.saturating_add(1),
        )),
    }
}

fn mistake(error: serde_json::Error, in_users: bool, empty: bool) -> DataError {
    if error.is_io() {
        let context = "the dump cannot be read";
        return DataError::with_source(DataErrorKind::Unavailable, context, error);
    }
    if empty {
        return corrupt("it is empty");
    }
    if error.is_data() {
        return corrupt(if in_users {
            "\"users\" is not a list"
        } else {
            "not a JSON object"
        });
    }
    let (line, column) = (error.line(), error.column());
    corrupt(format!("not JSON (line {line}, column {column})"))
}

/// How far it is.
struct State<'a> {
    each: &'a mut dyn FnMut(UserRecord) -> Next,
    number: u64,
    /// How it ended before the end of the text.
    ended: Option<DataResult<()>>,
    /// Whether it looks at the value of `users`, and at none within.
    in_users: bool,
}

/// The object around the list.
struct Dump<'a, 'b>(&'a mut State<'b>);

impl<'de> DeserializeSeed<'de> for Dump<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Dump<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<String>()? {
            if key.eq_ignore_ascii_case("users") {
                members.next_value_seed(Users(&mut *self.0))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The list of accounts, or `null`.
struct Users<'a, 'b>(&'a mut State<'b>);

impl<'de> DeserializeSeed<'de> for Users<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.in_users = true;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Users<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.in_users = false;
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut users: A) -> Result<(), A::Error> {
        let state = self.0;
        state.in_users = false;
        while let Some(value) = users.next_element::<Json>()? {
            state.number += 1;
            let ended = match record(state.number, value) {
                Ok(user) => match (state.each)(user) {
                    Next::GoOn => continue,
                    Next::Stop => Ok(()),
                },
                Err(error) => Err(error),
            };
            state.ended = Some(ended);
            return Err(A::Error::custom("ended"));
        }
        Ok(())
    }
}

fn record(number: u64, value: Json) -> DataResult<UserRecord> {
    let value = with_permissions_by_directory(value);
    UserRecord::from_json(value.to_string().as_bytes()).map_err(|_| {
        let Json::Object(members) = &value else {
            return corrupt(format!("user number {number} is not an object"));
        };
        let wrong: Vec<&str> = members
            .iter()
            .filter(|(key, value)| !is_readable(key, value))
            .map(|(key, _)| key.as_str())
            .collect();
        let wrong = wrong.join(", ");
        corrupt(format!(
            "user number {number} has a wrong value for {wrong}"
        ))
    })
}

fn with_permissions_by_directory(mut user: Json) -> Json {
    let members = user.as_object_mut().into_iter().flatten();
    for (_, permissions) in members.filter(|(key, _)| key.to_lowercase() == "permissions") {
        match permissions {
            Json::Array(_) => {
                let root = std::mem::take(permissions);
                *permissions = Json::Object([("/".to_owned(), root)].into_iter().collect());
            }
            Json::Object(directories) => {
                for names in directories.values_mut().filter(|names| names.is_null()) {
                    *names = Json::Array(Vec::new());
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
    user
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
        for (text, reason) in [
            ("", "it is empty"),
            ("{", "not JSON (line 1, column 1)"),
            ("[]", "not a JSON object"),
            (r#""users""#, "not a JSON object"),
            (r#"{"users":{}}"#, "\"users\" is not a list"),
            (r#"{"users":"x"}"#, "\"users\" is not a list"),
            (r#"{"users":["x"]}"#, "user number 1 is not an object"),
            (r#"{"users":[{}]"#, "not JSON (line 1, column 13)"),
            (r#"{"users":[]}x"#, "not JSON (line 1, column 13)"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), DataErrorKind::Corrupt, "{text}");
            assert_eq!(error.to_string(), reason, "{text}");
        }
        for text in [r#"{"users":null}"#, "{}", r#"{"more":[1],"Users":[]}"#] {
            assert_eq!(parse(text.as_bytes()).unwrap(), [], "{text}");
        }
    }

    #[test]
    fn an_error_names_the_key_and_not_the_value() {
        let error = parse(br#"{"users":[{"username":"a"},{"username":"b","password":86753}]}"#);
        let message = error.unwrap_err().to_string();
        assert_eq!(message, "user number 2 has a wrong value for password");
    }

    #[test]
    fn permissions_of_old_versions_are_those_of_the_root_and_null_is_an_empty_list() {
        let users = parse(
            br#"{"users":[{"username":"a","Permissions":["list","download"],"public_keys":null,"filters":null},
                {"username":"b","permissions":{"/":["*"],"/Closed":null}}]}"#,
        )
        .unwrap();
        assert_eq!(users[0].permissions["/"], ["list", "download"]);
        assert_eq!(users[1].permissions["/Closed"], [""; 0]);
    }

    #[test]
    fn accounts_are_handed_on_before_the_rest_is_read() {
        let text = br#"{"users":[{"username":"a"},{"username":"b"},{"#;
        let mut seen = Vec::new();
        let error = read_each(&text[..], 1000, |user| {
            seen.push(user.username);
            Next::GoOn
        });
        assert_eq!(error.unwrap_err().kind(), DataErrorKind::Corrupt);
        assert_eq!(seen, ["a", "b"]);

        let mut seen = 0;
        let stopped = read_each(&text[..], 1000, |_| {
            seen += 1;
            Next::Stop
        });
        stopped.unwrap();
        assert_eq!(
            seen, 1,
            "whoever has seen enough is not told of what follows"
        );
    }

    #[test]
    fn a_reader_that_fails_is_no_mistake_in_the_dump() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the disk is gone"))
            }
        }
        let error = read_each(Broken, 1000, |_| Next::GoOn).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Unavailable);
    }

    #[test]
    fn what_is_larger_than_the_limit_is_refused() {
        let text = br#"{"users":[]}  "#;
        let read = |limit| read_each(&text[..], limit, |_| Next::GoOn);
        read(14).unwrap();
        let error = read(13).unwrap_err().to_string();
        assert_eq!(error, "it is larger than 13 bytes");
        assert_eq!(
            read(3).unwrap_err().to_string(),
            "it is larger than 3 bytes"
        );
    }
}
