//! The `mysql` driver: MySQL and MariaDB.

mod connection_string;
mod error;
mod flavor;
mod settings;
mod value;

use super::dialect::{Dialect, Marks, Parameters, Upsert};
use super::migration::Step;
use super::provider::SqlProvider;
use super::schema::SchemaUpdate;
use super::server::{self, engine::ServerEngine};
use super::table_name::TableName;
use crate::config::DataProviderSettings;
use crate::error::DataResult;
use flavor::MySql;

/// MySQL's collation that compares bytes, all of them; `utf8mb4_bin` takes `a ` for `a`.
macro_rules! mysql_collation {
    () => {
        "utf8mb4_0900_bin"
    };
}

/// MariaDB's.
macro_rules! mariadb_collation {
    () => {
        "utf8mb4_nopad_bin"
    };
}

/// MySQL's words.
pub(crate) const MYSQL: Dialect = Dialect {
    quote: '`',
    parameters: Parameters::Question,
    least: "LEAST",
    greatest: "GREATEST",
    // Whatever the collation of a view or of a table that is managed elsewhere.
    by_bytes: |column| format!("CAST({column} AS BINARY)"),
    for_update: " FOR UPDATE",
    key: "integer NOT NULL AUTO_INCREMENT PRIMARY KEY",
    integer: "integer",
    bigint: "bigint",
    text: "longtext",
    table_options: concat!(
        " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ",
        mysql_collation!()
    ),
    widen,
    compare_by_bytes: |table| compare_by_bytes(table, mysql_collation!()),
    count_column: Some(count_column),
    exact_key: "varchar(255)",
    indexes_inline: true,
    upsert: Upsert::OnDuplicateKey,
    now_millis: "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
    marks: Marks::Join,
    notify: None,
    index_by_name: None,
};

/// MariaDB's words.
pub(crate) const MARIADB: Dialect = Dialect {
    table_options: concat!(
        " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ",
        mariadb_collation!()
    ),
    compare_by_bytes: |table| compare_by_bytes(table, mariadb_collation!()),
    ..MYSQL
};

/// The condition for rows about a table in `information_schema`.
fn is_table(table: &TableName) -> String {
    let name = table.name();
    match table.schema() {
        Some(schema) => format!("table_schema = '{schema}' AND table_name = '{name}'"),
        None => format!("table_schema = DATABASE() AND table_name = '{name}'"),
    }
}

fn count_column(table: &TableName, column: &str) -> String {
    let is_table = is_table(table);
    format!(
        "SELECT COUNT(*) FROM information_schema.columns \
         WHERE {is_table} AND column_name = '{column}'"
    )
}

fn widen(table: &TableName, columns: &[&str]) -> Vec<Step> {
    let (is_table, quoted) = (is_table(table), table.quoted('`'));
    let list = |part: &dyn Fn(&str) -> String| {
        columns
            .iter()
            .map(|column| part(column))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let names = list(&|column| format!("'{column}'"));
    let changes = list(&|column| format!("MODIFY `{column}` bigint NOT NULL"));
    let narrow = format!(
        "SELECT COUNT(*) FROM information_schema.columns WHERE {is_table} \
         AND column_name IN ({names}) AND data_type <> 'bigint'"
    );
    vec![Step::only_if(
        narrow,
        format!("ALTER TABLE {quoted} {changes}"),
    )]
}

/// Converts the text that is there too, whatever its character set.
fn compare_by_bytes(table: &TableName, collation: &str) -> Vec<Step> {
    let (is_table, quoted) = (is_table(table), table.quoted('`'));
    let other = format!(
        "SELECT COUNT(*) FROM information_schema.columns WHERE {is_table} \
         AND collation_name IS NOT NULL AND collation_name <> '{collation}'"
    );
    let convert =
        format!("ALTER TABLE {quoted} CONVERT TO CHARACTER SET utf8mb4 COLLATE {collation}");
    vec![Step::only_if(other, convert)]
}

/// Opens the database that the settings name and brings its schema up to date.
pub(crate) async fn open(
    settings: &DataProviderSettings,
) -> DataResult<(SqlProvider, SchemaUpdate)> {
    let table = TableName::parse(&settings.users_table)?;
    server::open(engine(settings).await?, &table, settings.manage_users).await
}

/// Looks at a connection string; gives the parameters that have no effect, or what is wrong with it.
pub(crate) fn check_connection_string(text: &str) -> Result<Vec<&'static str>, String> {
    connection_string::read(text).map(|understood| understood.ignored)
}

/// Connects to the database that the settings name.
pub(crate) async fn engine(settings: &DataProviderSettings) -> DataResult<ServerEngine<MySql>> {
    ServerEngine::open(settings::target(settings)?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_table_is_the_one_that_is_named() {
        let plain = TableName::parse("users").unwrap();
        assert!(count_column(&plain, "uid").contains("table_schema = DATABASE()"));
        let other = TableName::parse("other.users").unwrap();
        assert!(count_column(&other, "uid").contains("table_schema = 'other'"));
        assert!(widen(&other, &["uid"])[0].sql.contains("`other`.`users`"));
    }
}
