//! The `postgresql` driver.

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
use flavor::Postgres;

/// PostgreSQL's words.
pub(crate) const POSTGRESQL: Dialect = Dialect {
    quote: '"',
    parameters: Parameters::Numbered,
    least: "LEAST",
    greatest: "GREATEST",
    by_bytes: |column| format!(r#"{column} COLLATE "C""#),
    for_update: " FOR UPDATE",
    key: "serial NOT NULL PRIMARY KEY",
    integer: "integer",
    bigint: "bigint",
    text: "text",
    table_options: "",
    widen,
    // Every deterministic collation compares bytes for equality.
    compare_by_bytes: |_| Vec::new(),
    count_column: None,
    exact_key: "varchar(255)",
    indexes_inline: false,
    upsert: Upsert::OnConflict,
    now_millis: "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)",
    marks: Marks::With,
    notify: Some("SELECT 1 FROM pg_notify('sftpgo_changes', '')"),
    index_by_name: Some(index_by_name),
};

/// CockroachDB's: text is in the order of bytes, and old versions know no collation of that name.
pub(crate) const COCKROACHDB: Dialect = Dialect {
    by_bytes: str::to_owned,
    notify: None,
    index_by_name: None,
    ..POSTGRESQL
};

/// The key is of the order of the database's collation.
fn index_by_name(table: &TableName) -> String {
    let (name, quoted) = (table.name(), table.quoted('"'));
    format!(r#"CREATE INDEX IF NOT EXISTS "{name}_by_name" ON {quoted} (username COLLATE "C")"#)
}

/// One statement for all columns rewrites the table once. CockroachDB, which could not do that in a transaction, has 64
/// bits in an `integer` from the start.
fn widen(table: &TableName, columns: &[&str]) -> Vec<Step> {
    let quoted = table.quoted('"');
    let names = columns
        .iter()
        .map(|column| format!("'{column}'"))
        .collect::<Vec<_>>()
        .join(", ");
    let narrow = format!(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('{quoted}') \
         AND attname IN ({names}) AND atttypid IN ('int2'::regtype, 'int4'::regtype)"
    );
    let changes = columns
        .iter()
        .map(|column| format!("ALTER COLUMN {column} TYPE bigint"))
        .collect::<Vec<_>>()
        .join(", ");
    vec![Step::only_if(
        narrow,
        format!("ALTER TABLE {quoted} {changes}"),
    )]
}

/// Opens the database that the settings name and brings its schema up to date.
pub(crate) async fn open(
    settings: &DataProviderSettings,
) -> DataResult<(SqlProvider, SchemaUpdate)> {
    // The reference writes the name into its statements without quotes, where capitals count as small letters.
    let table = TableName::parse(&settings.users_table.to_ascii_lowercase())?;
    server::open(engine(settings).await?, &table, settings.manage_users).await
}

/// Looks at a connection string; gives the parameters that have no effect, or what is wrong with it.
pub(crate) fn check_connection_string(text: &str) -> Result<Vec<&'static str>, String> {
    connection_string::read(text).map(|understood| understood.ignored)
}

/// Connects to the database that the settings name.
pub(crate) async fn engine(settings: &DataProviderSettings) -> DataResult<ServerEngine<Postgres>> {
    ServerEngine::open(settings::target(settings)?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_narrow_columns_are_widened() {
        let table = TableName::parse("s.users").unwrap();
        let steps = widen(&table, &["uid", "gid"]);
        assert_eq!(steps.len(), 1);
        assert!(steps[0].only_if.as_ref().unwrap().contains("'uid', 'gid'"));
        assert_eq!(
            steps[0].sql,
            r#"ALTER TABLE "s"."users" ALTER COLUMN uid TYPE bigint, ALTER COLUMN gid TYPE bigint"#
        );
    }
}
