//! The statements, written once.

use super::dialect::Dialect;
use super::engine::Statement;
use super::record::{COLUMNS, WRITABLE_COLUMNS};
use super::table_name::TableName;
use crate::provider::SortOrder;
use crate::quota::COUNTER_MAX;

/// The text of every statement, for one dialect and one table.
#[derive(Debug)]
pub(crate) struct Statements {
    /// `username`
    pub(crate) user_by_name: Statement,
    /// `id`
    pub(crate) user_by_id: Statement,
    /// `username`, limit, offset
    pub(crate) page_of_one: Statement,
    page_ascending: Statement,
    page_descending: Statement,
    /// `username`, then the writable columns
    pub(crate) insert: Statement,
    /// the writable columns, then `id`
    pub(crate) update: Statement,
    /// `id`
    pub(crate) delete: Statement,
    /// `last_login`, `username`
    pub(crate) set_last_login: Statement,
    /// files, bytes, time, `username`
    pub(crate) add_quota: Statement,
    /// as `add_quota`, then files twice, bytes twice
    pub(crate) reserve_quota: Statement,
    /// files, bytes, time, `username`
    pub(crate) set_quota: Statement,
    /// `username`
    pub(crate) quota: Statement,
    /// nothing; fails if the database does
    pub(crate) check: Statement,
}

impl Statements {
    pub(crate) fn new(dialect: &Dialect, table: &TableName) -> Self {
        let quoted = table.quoted(dialect.quote);
        let statement = |sql: String| Statement(dialect.with_parameters(&sql).into());
        let select = format!("SELECT {} FROM {quoted}", COLUMNS.join(", "));
        let by_name = format!("username{} ", dialect.by_bytes);
        let writable = WRITABLE_COLUMNS.join(", ");
        let marks = vec!["?"; WRITABLE_COLUMNS.len()].join(", ");
        let assignments = WRITABLE_COLUMNS
            .map(|column| format!("{column} = ?"))
            .join(", ");
        let add_quota = format!(
            "UPDATE {quoted} SET used_quota_files = {}, used_quota_size = {}, \
             last_quota_update = ? WHERE username = ?",
            added(dialect, "used_quota_files"),
            added(dialect, "used_quota_size"),
        );
        Self {
            user_by_name: statement(format!("{select} WHERE username = ?")),
            user_by_id: statement(format!("{select} WHERE id = ?")),
            page_of_one: statement(format!("{select} WHERE username = ? LIMIT ? OFFSET ?")),
            page_ascending: statement(format!("{select} ORDER BY {by_name}ASC LIMIT ? OFFSET ?")),
            page_descending: statement(format!("{select} ORDER BY {by_name}DESC LIMIT ? OFFSET ?")),
            insert: statement(format!(
                "INSERT INTO {quoted} (username, {writable}, used_quota_size, used_quota_files, \
                 last_quota_update, last_login) VALUES (?, {marks}, 0, 0, 0, 0)"
            )),
            update: statement(format!("UPDATE {quoted} SET {assignments} WHERE id = ?")),
            delete: statement(format!("DELETE FROM {quoted} WHERE id = ?")),
            set_last_login: statement(format!(
                "UPDATE {quoted} SET last_login = ? WHERE username = ?"
            )),
            // Only a growing counter is compared with its limit, and 0 is no limit.
            reserve_quota: statement(format!(
                "{add_quota} AND (? <= 0 OR quota_files <= 0 OR used_quota_files + ? <= quota_files) \
                 AND (? <= 0 OR quota_size <= 0 OR used_quota_size + ? <= quota_size)"
            )),
            add_quota: statement(add_quota),
            set_quota: statement(format!(
                "UPDATE {quoted} SET used_quota_files = ?, used_quota_size = ?, \
                 last_quota_update = ? WHERE username = ?"
            )),
            quota: statement(format!(
                "SELECT used_quota_files, used_quota_size, last_quota_update FROM {quoted} \
                 WHERE username = ?"
            )),
            check: statement(format!(
                "SELECT version FROM {}",
                TableName::schema_version().quoted(dialect.quote)
            )),
        }
    }

    /// limit, offset
    pub(crate) fn page(&self, order: SortOrder) -> &Statement {
        match order {
            SortOrder::Ascending => &self.page_ascending,
            SortOrder::Descending => &self.page_descending,
        }
    }
}

/// The counter plus a parameter, within its bounds; the counterpart of [`crate::quota::added`].
fn added(dialect: &Dialect, counter: &str) -> String {
    let (least, greatest) = (dialect.least, dialect.greatest);
    format!("{least}({greatest}({counter} + ?, 0), {COUNTER_MAX})")
}
