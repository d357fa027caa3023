//! Version 2: folders outside the home (reference 5.2, new in 0.9.6).

use super::{Migration, Step};
use crate::sql::dialect::Dialect;
use crate::sql::table_name::TableName;

pub(super) const MIGRATION: Migration = Migration { version: 2, steps };

fn steps(dialect: &Dialect, table: &TableName) -> Vec<Step> {
    let users = table.quoted(dialect.quote);
    let sql = format!(
        "ALTER TABLE {users} ADD COLUMN virtual_folders {} NULL",
        dialect.text
    );
    vec![match dialect.count_column {
        Some(count) => {
            let count = count(table, "virtual_folders");
            Step::only_if(format!("SELECT 1 - ({count})"), sql)
        }
        None => Step::always(sql),
    }]
}
