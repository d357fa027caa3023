//! What the databases say differently.

use std::fmt::Write as _;

/// The words of one SQL dialect.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Stands around table names.
    pub(crate) quote: char,
    /// How the parameters of a statement are written.
    pub(crate) parameters: Parameters,
    /// The smaller of several values.
    pub(crate) least: &'static str,
    /// The larger of several values.
    pub(crate) greatest: &'static str,
    /// Follows a text column to compare it byte by byte.
    pub(crate) by_bytes: &'static str,
    /// Definition of a key that the database counts up.
    pub(crate) key: &'static str,
    /// Type of a number of 32 bits or more.
    pub(crate) integer: &'static str,
    /// Type of a number of 64 bits.
    pub(crate) bigint: &'static str,
    /// Type of a text without limit.
    pub(crate) text: &'static str,
}

/// How the parameters of a statement are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameters {
    /// `?`
    Question,
    /// `$1`, `$2`
    #[cfg_attr(not(test), expect(dead_code, reason = "for the PostgreSQL dialect"))]
    Numbered,
}

impl Dialect {
    /// Writes the parameters of `sql`, which has a `?` for each and none in a literal.
    pub(crate) fn with_parameters(&self, sql: &str) -> String {
        if self.parameters == Parameters::Question {
            return sql.to_owned();
        }
        let mut parts = sql.split('?');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (index, part) in parts.enumerate() {
            // Writing into a String cannot fail.
            let _ = write!(text, "${}{part}", index + 1);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::sqlite::SQLITE;

    #[test]
    fn parameters_are_numbered_from_one() {
        let numbered = Dialect {
            parameters: Parameters::Numbered,
            ..SQLITE
        };
        assert_eq!(
            numbered.with_parameters("a = ? AND b = ?"),
            "a = $1 AND b = $2"
        );
        assert_eq!(SQLITE.with_parameters("a = ?"), "a = ?");
    }
}
