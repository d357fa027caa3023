//! Version 2: folders outside the home (reference 5.2, new in 0.9.6).

use super::Migration;
use crate::sql::dialect::Dialect;
use crate::sql::table_name::TableName;

pub(super) const MIGRATION: Migration = Migration {
    version: 2,
    statements,
};

fn statements(dialect: &Dialect, table: &TableName) -> Vec<String> {
    let users = table.quoted(dialect.quote);
    vec![format!(
        "ALTER TABLE {users} ADD COLUMN virtual_folders {} NULL",
        dialect.text
    )]
}
