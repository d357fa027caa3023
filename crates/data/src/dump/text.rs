//! The text of a dump, piece by piece.

use serde_json::to_vec_pretty;
use sftpgo_model::UserRecord;

use crate::error::{DataError, DataErrorKind, DataResult};

/// Writes a dump: [`begin`](Self::begin), [`user`](Self::user) for each account, [`end`](Self::end). Keys stand in the order
/// of the reference; password hashes and sealed secrets are in it.
#[derive(Debug)]
pub struct DumpText {
    indented: bool,
    users: u64,
}

impl DumpText {
    /// On one line, or with each value on a line of its own, indented by two spaces.
    pub fn new(indented: bool) -> Self {
        Self { indented, users: 0 }
    }

    /// What stands before the first account.
    pub fn begin(&self) -> &'static [u8] {
        if self.indented {
            b"{\n  \"users\": ["
        } else {
            b"{\"users\":["
        }
    }

    /// Appends an account to `text`.
    ///
    /// # Errors
    /// `Internal` if it has a secret that nobody sealed: that must not be written anywhere.
    pub fn user(&mut self, record: &UserRecord, text: &mut Vec<u8>) -> DataResult<()> {
        if self.users > 0 {
            text.push(b',');
        }
        self.users += 1;
        let failed = |error| {
            let context = format!("cannot write user {:?}", record.username);
            DataError::with_source(DataErrorKind::Internal, context, error)
        };
        if !self.indented {
            return serde_json::to_writer(text, record).map_err(failed);
        }
        // Line breaks stand between values only: within a text they are escaped.
        for line in to_vec_pretty(record)
            .map_err(failed)?
            .split(|byte| *byte == b'\n')
        {
            text.extend_from_slice(b"\n    ");
            text.extend_from_slice(line);
        }
        Ok(())
    }

    /// Accounts so far.
    pub fn users(&self) -> u64 {
        self.users
    }

    /// What stands behind the last account.
    pub fn end(&self) -> &'static [u8] {
        match (self.indented, self.users) {
            (false, _) => b"]}\n",
            (true, 0) => b"]\n}\n",
            (true, _) => b"\n  ]\n}\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::samples::{full_user, user};
    use crate::dump::parse;

    fn dumped(users: &[UserRecord], indented: bool) -> String {
        let mut dump = DumpText::new(indented);
        let mut text = dump.begin().to_vec();
        for record in users {
            dump.user(record, &mut text).unwrap();
        }
        text.extend_from_slice(dump.end());
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_dump_is_one_object_in_either_form() {
        assert_eq!(dumped(&[], false), "{\"users\":[]}\n");
        assert_eq!(dumped(&[], true), "{\n  \"users\": []\n}\n");
        for users in [&[user("a")][..], &[user("a"), full_user("b\n\"ü")]] {
            let value = serde_json::json!({ "users": users });
            let list = serde_json::to_string(users).unwrap();
            assert_eq!(dumped(users, false), format!("{{\"users\":{list}}}\n"));
            let indented = dumped(users, true);
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&indented).unwrap(),
                value
            );
            assert!(indented.starts_with("{\n  \"users\": [\n    {\n      \"id\": 0,\n"));
            assert!(indented.ends_with("\n    }\n  ]\n}\n"), "{indented}");
            assert_eq!(parse(indented.as_bytes()).unwrap(), users);
        }
    }

    #[test]
    fn a_plain_secret_is_not_written() {
        let secrets = full_user("a").filesystem.secrets();
        for (back_end, field, _) in secrets {
            let mut record = full_user("a");
            field.set(&mut record.filesystem, "hunter2").unwrap();
            let mut text = Vec::new();
            let error = DumpText::new(false).user(&record, &mut text).unwrap_err();
            assert!(!error.to_string().contains("hunter2"));
            assert_eq!(error.kind(), DataErrorKind::Internal, "{}", back_end.object);
            assert!(!String::from_utf8(text).unwrap().contains("hunter2"));
        }
    }
}
