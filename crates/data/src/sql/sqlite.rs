//! The `sqlite` driver: one file, or memory for tests.

mod engine;
mod error;
mod file;
mod location;
mod schema_lock;
mod transaction;

use super::dialect::{Dialect, Marks, Parameters, Upsert};
use super::provider::{self, SqlProvider};
use super::schema::{self, SchemaUpdate};
use super::table_name::TableName;
use crate::config::DataProviderSettings;
use crate::error::{DataError, DataErrorKind, DataResult};
use engine::SqliteEngine;
use location::Location;

/// SQLite's words. Text compares byte by byte unless told otherwise.
pub(crate) const SQLITE: Dialect = Dialect {
    quote: '"',
    parameters: Parameters::Question,
    least: "min",
    greatest: "max",
    by_bytes: str::to_owned,
    for_update: "",
    key: "integer NOT NULL PRIMARY KEY AUTOINCREMENT",
    integer: "integer",
    bigint: "bigint",
    text: "text",
    table_options: "",
    // A number takes the bytes it needs, whatever the column is called.
    widen: |_, _| Vec::new(),
    compare_by_bytes: |_| Vec::new(),
    count_column: None,
    exact_key: "varchar(255)",
    indexes_inline: false,
    upsert: Upsert::OnConflict,
    // Days since noon in 4714 BC.
    now_millis: "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    marks: Marks::Process,
    notify: None,
    index_by_name: None,
};

/// Opens the database that the settings name, makes it if it is missing, and brings its schema up to date.
pub(crate) async fn open(
    settings: &DataProviderSettings,
) -> DataResult<(SqlProvider, SchemaUpdate)> {
    let (engine, table) = connect(settings).await?;
    let update = schema::update(&engine, &table, settings.manage_users).await?;
    let version = provider::noted_version(update.to, settings.manage_users);
    let provider = SqlProvider::new(Box::new(engine), &table, version);
    Ok((provider, update))
}

/// Opens a database as if its schema had that version.
#[cfg(test)]
pub(crate) async fn open_as(
    settings: &DataProviderSettings,
    version: i64,
) -> DataResult<SqlProvider> {
    let (engine, table) = connect(settings).await?;
    Ok(SqlProvider::new(Box::new(engine), &table, version))
}

async fn connect(settings: &DataProviderSettings) -> DataResult<(SqliteEngine, TableName)> {
    let table = TableName::parse(&settings.users_table)?;
    let location = match (&settings.connection_string, &settings.file) {
        (Some(text), _) => Location::parse(text.reveal())?,
        (None, Some(path)) => Location::File {
            path: path.clone(),
            create: true,
        },
        (None, None) => {
            let message = "data_provider.name: no database file is named";
            return Err(DataError::new(DataErrorKind::Internal, message));
        }
    };
    Ok((SqliteEngine::open(&location).await?, table))
}
