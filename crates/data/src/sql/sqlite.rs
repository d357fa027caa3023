//! The `sqlite` driver: one file, or memory for tests.

mod engine;
mod error;
mod file;
mod location;
mod schema_lock;

use super::dialect::{Dialect, Parameters};
use super::provider::SqlProvider;
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
    by_bytes: "",
    key: "integer NOT NULL PRIMARY KEY AUTOINCREMENT",
    integer: "integer",
    bigint: "bigint",
    text: "text",
};

/// Opens the database that the settings name, makes it if it is missing, and brings its schema up to date.
pub(crate) async fn open(
    settings: &DataProviderSettings,
) -> DataResult<(SqlProvider, SchemaUpdate)> {
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
    let engine = SqliteEngine::open(&location).await?;
    let update = schema::update(&engine, &table).await?;
    Ok((SqlProvider::new(Box::new(engine), &table), update))
}
