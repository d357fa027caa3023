//! What the databases say differently.

use std::fmt::Write as _;

use super::migration::Step;
use super::table_name::TableName;

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
    /// The column as it is ordered byte by byte.
    pub(crate) by_bytes: fn(&str) -> String,
    /// Ends a SELECT whose rows nobody else may change before the transaction ends; empty where the transaction
    /// itself sees to that.
    pub(crate) for_update: &'static str,
    /// Definition of a key that the database counts up.
    pub(crate) key: &'static str,
    /// Type of a number of 32 bits or more.
    pub(crate) integer: &'static str,
    /// Type of a number of 64 bits.
    pub(crate) bigint: &'static str,
    /// Type of a text without limit.
    pub(crate) text: &'static str,
    /// Follows the columns of a new table.
    pub(crate) table_options: &'static str,
    /// Makes these columns of a table, all of them `NOT NULL`, hold 64 bits if they do not.
    pub(crate) widen: fn(&TableName, &[&str]) -> Vec<Step>,
    /// Makes a table compare text byte by byte if it does not.
    pub(crate) compare_by_bytes: fn(&TableName) -> Vec<Step>,
    /// Where statements on the schema are not undone with their transaction: counts the columns of a table that have
    /// this name, so that steps that were interrupted can be taken again.
    pub(crate) count_column: Option<fn(&TableName, &str) -> String>,
    /// Type of a key of up to 255 characters that is equal only to itself, letter by letter and blank by blank.
    /// In a table that is made with `table_options`.
    pub(crate) exact_key: &'static str,
    /// Whether the indexes of a table are part of its definition, where there is no `CREATE INDEX IF NOT EXISTS`: MySQL.
    pub(crate) indexes_inline: bool,
    /// How a row is inserted or, if its key is there, changed.
    pub(crate) upsert: Upsert,
    /// The clock of the database, in milliseconds since the epoch.
    /// PostgreSQL: `CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)`;
    /// MySQL: `CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)`.
    pub(crate) now_millis: &'static str,
    /// How a change of counters is made once only.
    pub(crate) marks: Marks,
    /// Tells the other servers, with the commit of a transaction, that accounts changed. It needs the counterpart
    /// [`SqlEngine::told`](super::engine::SqlEngine::told). PostgreSQL: `SELECT 1 FROM pg_notify('sftpgo_changes', '')`.
    pub(crate) notify: Option<&'static str>,
    /// Makes an index of the users by name that `by_bytes` orders by, where the key of the table is of another order.
    pub(crate) index_by_name: Option<fn(&TableName) -> String>,
}

/// How a row is inserted or changed in one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upsert {
    /// `ON CONFLICT (key) DO UPDATE SET x = excluded.x`
    OnConflict,
    /// `ON DUPLICATE KEY UPDATE x = VALUES(x)`
    OnDuplicateKey,
}

/// How a change of counters is made once only, though its answer may be lost on the way from the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// There is no way: the database works in this process, which knows what became of every change.
    Process,
    /// One statement of several, `WITH .. AS (UPDATE .. RETURNING ..)`: PostgreSQL.
    With,
    /// One statement that changes two tables, `UPDATE .. JOIN`: MySQL.
    Join,
}

/// How the parameters of a statement are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameters {
    /// `?`
    Question,
    /// `$1`, `$2`
    Numbered,
}

impl Dialect {
    /// What follows an `INSERT`, so that a row that is there gets the new values of `columns`.
    pub(crate) fn or_update(&self, key: &str, columns: &[&str]) -> String {
        let assign = |column: &&str| match self.upsert {
            Upsert::OnConflict => format!("{column} = excluded.{column}"),
            Upsert::OnDuplicateKey => format!("{column} = VALUES({column})"),
        };
        let assignments = columns.iter().map(assign).collect::<Vec<_>>().join(", ");
        match self.upsert {
            Upsert::OnConflict => format!(" ON CONFLICT ({key}) DO UPDATE SET {assignments}"),
            Upsert::OnDuplicateKey => format!(" ON DUPLICATE KEY UPDATE {assignments}"),
        }
    }

    /// What follows an `INSERT`, so that a row that is there stays as it is; `column` is any of it.
    pub(crate) fn or_keep(&self, key: &str, column: &str) -> String {
        match self.upsert {
            Upsert::OnConflict => format!(" ON CONFLICT ({key}) DO NOTHING"),
            Upsert::OnDuplicateKey => format!(" ON DUPLICATE KEY UPDATE {column} = {column}"),
        }
    }

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

    #[test]
    fn a_row_that_is_there_is_changed_or_kept() {
        let mysql = Dialect {
            upsert: Upsert::OnDuplicateKey,
            ..SQLITE
        };
        let (key, columns) = ("a, b", ["c", "d"]);
        assert_eq!(
            SQLITE.or_update(key, &columns),
            " ON CONFLICT (a, b) DO UPDATE SET c = excluded.c, d = excluded.d"
        );
        assert_eq!(SQLITE.or_keep(key, "a"), " ON CONFLICT (a, b) DO NOTHING");
        assert_eq!(
            mysql.or_update(key, &columns),
            " ON DUPLICATE KEY UPDATE c = VALUES(c), d = VALUES(d)"
        );
        assert_eq!(mysql.or_keep(key, "a"), " ON DUPLICATE KEY UPDATE a = a");
    }
}
