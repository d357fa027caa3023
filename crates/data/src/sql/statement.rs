//! The statements, written once.

use super::dialect::Dialect;
use super::engine::Statement;
use super::page::Pages;
use super::record::{COLUMNS, WRITABLE_COLUMNS};
use super::table_name::TableName;

/// The text of every statement, for one dialect and one table.
#[derive(Debug)]
pub(crate) struct Statements {
    /// `username`
    pub(crate) user_by_name: Statement,
    /// `id`
    pub(crate) user_by_id: Statement,
    /// parts of the list
    pub(crate) pages: Pages,
    /// `username`, then the writable columns
    pub(crate) insert: Statement,
    /// `last_login`, `username`
    pub(crate) set_last_login: Statement,
    /// nothing; fails if the database does
    pub(crate) check: Statement,
}

impl Statements {
    pub(crate) fn new(dialect: &'static Dialect, table: &TableName, version: i64) -> Self {
        let quoted = table.quoted(dialect.quote);
        let statement = |sql: String| Statement(dialect.with_parameters(&sql).into());
        let select = format!("SELECT {} FROM {quoted}", COLUMNS.join(", "));
        let writable = WRITABLE_COLUMNS.join(", ");
        let marks = vec!["?"; WRITABLE_COLUMNS.len()].join(", ");
        Self {
            user_by_name: statement(format!("{select} WHERE username = ?")),
            user_by_id: statement(format!("{select} WHERE id = ?")),
            pages: Pages::new(dialect, table, version),
            insert: statement(format!(
                "INSERT INTO {quoted} (username, {writable}, used_quota_size, used_quota_files, \
                 last_quota_update, last_login) VALUES (?, {marks}, 0, 0, 0, 0)"
            )),
            set_last_login: statement(format!(
                "UPDATE {quoted} SET last_login = ? WHERE username = ?"
            )),
            check: statement(format!(
                "SELECT version FROM {}",
                TableName::schema_version().quoted(dialect.quote)
            )),
        }
    }
}
