//! Version 1002: what several servers on one database tell each other.

use super::{Migration, Step};
use crate::sql::dialect::Dialect;
use crate::sql::table_name::TableName;

pub(super) const MIGRATION: Migration = Migration {
    version: 1002,
    steps,
};

fn steps(dialect: &Dialect, users: &TableName) -> Vec<Step> {
    let index = dialect.index_by_name.map(|index| index(users));
    let statements = statements(dialect).into_iter().chain(index);
    statements.map(Step::always).collect()
}

/// Can be repeated: where a database commits each of them by itself, an update may end between two.
fn statements(dialect: &Dialect) -> Vec<String> {
    let Dialect {
        integer,
        bigint,
        text,
        exact_key,
        table_options,
        ..
    } = dialect;
    // Made of 32 signs, `0` to `9` and `a` to `f`; or empty.
    let node = "node varchar(64) NOT NULL";
    let username = format!("username {exact_key} NOT NULL");
    let mut statements = Vec::new();
    let mut table = |name: TableName, columns: &[String], index: Option<&str>| {
        let quoted = name.quoted(dialect.quote);
        let index_name = |column: &str| format!("{}_{column}", name.name());
        let mut columns = columns.to_vec();
        if let Some(column) = index.filter(|_| dialect.indexes_inline) {
            columns.push(format!("INDEX {} ({column})", index_name(column)));
        }
        let columns = columns.join(", ");
        statements.push(format!(
            "CREATE TABLE IF NOT EXISTS {quoted} ({columns}){table_options}"
        ));
        if let Some(column) = index.filter(|_| !dialect.indexes_inline) {
            let index = index_name(column);
            statements.push(format!(
                "CREATE INDEX IF NOT EXISTS {index} ON {quoted} ({column})"
            ));
        }
    };
    table(
        TableName::nodes(),
        &[
            format!("{node} PRIMARY KEY"),
            format!("beat {bigint} NOT NULL"),
            format!("sessions {integer} NOT NULL"),
            format!("transfers {integer} NOT NULL"),
        ],
        None,
    );
    table(
        TableName::sessions(),
        &[
            username.clone(),
            node.to_owned(),
            format!("sessions {integer} NOT NULL"),
            format!("sharing {integer} NOT NULL"),
            "PRIMARY KEY (username, node)".to_owned(),
        ],
        Some("node"),
    );
    table(
        TableName::changes(),
        &[
            format!("{username} PRIMARY KEY"),
            format!("changed {bigint} NOT NULL"),
        ],
        Some("changed"),
    );
    table(
        TableName::quota_marks(),
        &[
            username,
            node.to_owned(),
            format!("number {bigint} NOT NULL"),
            "PRIMARY KEY (username, node)".to_owned(),
        ],
        Some("node"),
    );
    table(
        TableName::shared(),
        &[
            format!("name {exact_key} NOT NULL PRIMARY KEY"),
            format!("value {text} NOT NULL"),
            format!("version {bigint} NOT NULL"),
        ],
        None,
    );
    // Nobody has no name: that row is the counter.
    statements.push(format!(
        "INSERT INTO {} (username, changed) VALUES ('', 0){}",
        TableName::changes().quoted(dialect.quote),
        dialect.or_keep("username", "username"),
    ));
    statements
}
