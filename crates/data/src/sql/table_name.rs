//! Names of tables that come from the settings. They stand in SQL text, where nothing can be bound.

use crate::error::{DataError, DataErrorKind, DataResult};

/// The tables beside that of the accounts.
const OURS: [&str; 6] = [
    "schema_version",
    "sftpgo_nodes",
    "sftpgo_sessions",
    "sftpgo_changes",
    "sftpgo_quota_marks",
    "sftpgo_shared",
];

/// A table name, `users` or `schema.users`; each part is an ASCII letter or `_`, then letters, digits and `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    schema: Option<String>,
    name: String,
}

impl TableName {
    /// The table of the reference that holds the version of the schema.
    pub(crate) fn schema_version() -> Self {
        Self::ours("schema_version")
    }

    /// Live servers.
    pub(crate) fn nodes() -> Self {
        Self::ours("sftpgo_nodes")
    }

    /// Sessions of each user on each server.
    pub(crate) fn sessions() -> Self {
        Self::ours("sftpgo_sessions")
    }

    /// When each account was changed.
    pub(crate) fn changes() -> Self {
        Self::ours("sftpgo_changes")
    }

    /// The last change of each user's counters that each server made.
    pub(crate) fn quota_marks() -> Self {
        Self::ours("sftpgo_quota_marks")
    }

    /// Texts that several servers change.
    pub(crate) fn shared() -> Self {
        Self::ours("sftpgo_shared")
    }

    fn ours(name: &str) -> Self {
        Self {
            schema: None,
            name: name.to_owned(),
        }
    }

    pub(crate) fn parse(text: &str) -> DataResult<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let (schema, name) = match *parts.as_slice() {
            [name] => (None, name),
            [schema, name] => (Some(schema), name),
            _ => (None, ""),
        };
        let reserved = OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours));
        if !is_identifier(name) || !schema.is_none_or(is_identifier) || reserved {
            let message = format!("data_provider.users_table: {text:?} is not a plain table name");
            return Err(DataError::new(DataErrorKind::Internal, message));
        }
        Ok(Self {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
        })
    }

    /// The schema part, if there is one.
    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The name without its schema.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name as it stands in a statement.
    pub(crate) fn quoted(&self, quote: char) -> String {
        let name = &self.name;
        match &self.schema {
            Some(schema) => format!("{quote}{schema}{quote}.{quote}{name}{quote}"),
            None => format!("{quote}{name}{quote}"),
        }
    }
}

fn is_identifier(text: &str) -> bool {
    !text.starts_with(|first: char| first.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_or_two_plain_parts() {
        assert_eq!(TableName::parse("users").unwrap().quoted('"'), r#""users""#);
        assert_eq!(
            TableName::parse("main._u2").unwrap().quoted('`'),
            "`main`.`_u2`"
        );
    }

    #[test]
    fn a_name_cannot_smuggle_sql() {
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a.b.c",
            "1a",
            "a b",
            "a\"",
            "a;--",
            "ä",
            "Schema_Version",
            "SFTPGo_Nodes",
            "main.sftpgo_sessions",
        ] {
            assert!(TableName::parse(text).is_err(), "{text:?}");
        }
    }
}
