//! What database servers have in common: connections that break and come back, statements that are taken again, and
//! transactions. What differs is a [`Flavor`](flavor::Flavor).

pub(crate) mod connection_string;
pub(crate) mod engine;
pub(crate) mod failure;
pub(crate) mod flavor;
pub(crate) mod target;
pub(crate) mod trust;

mod health;
mod lease;
mod retry;
mod schema_lock;
mod transaction;

use std::time::Duration;

use tokio::time::timeout;

use super::engine::SqlEngine as _;
use super::provider::{self, SqlProvider};
use super::schema::{self, SchemaUpdate};
use super::table_name::TableName;
use crate::error::{DataError, DataErrorKind, DataResult};
use engine::ServerEngine;
use flavor::Flavor;

/// How long the schema may take: tables are rewritten, maybe after another server has done the same.
const SCHEMA_DEADLINE: Duration = Duration::from_secs(300);

/// Brings the schema up to date and makes a provider.
pub(crate) async fn open<F: Flavor>(
    engine: ServerEngine<F>,
    table: &TableName,
    manage_users: bool,
) -> DataResult<(SqlProvider, SchemaUpdate)> {
    let updating = schema::update(&engine, table, manage_users);
    let update = timeout(SCHEMA_DEADLINE, updating).await.map_err(|_| {
        let location = engine.location();
        let message = format!("{location}: the schema could not be brought up to date in time");
        DataError::new(DataErrorKind::Internal, message)
    })??;
    let version = provider::noted_version(update.to, manage_users);
    let provider = SqlProvider::new(Box::new(engine), table, version);
    Ok((provider, update))
}
