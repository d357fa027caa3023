//! Several statements under SQLite's write lock.

use async_trait::async_trait;
use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, Transaction};

use super::engine::{bound, read_row};
use super::error::classify;
use crate::error::{DataError, DataResult};
use crate::sql::engine::{Row, SqlTransaction, Statement, Value};

/// Holds the write lock from its beginning, so that committing never conflicts.
pub(crate) struct SqliteTransaction {
    pub(super) transaction: Transaction<'static, Sqlite>,
    location: String,
}

impl SqliteTransaction {
    pub(crate) async fn begin(writer: &SqlitePool, location: String) -> Result<Self, sqlx::Error> {
        // IMMEDIATE takes the lock now, waiting if need be. A transaction that reads first and writes later fails
        // without waiting if another process wrote in between.
        let transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Self {
            transaction,
            location,
        })
    }

    pub(super) fn error(&self, error: sqlx::Error) -> DataError {
        classify(&self.location, error)
    }
}

#[async_trait]
impl SqlTransaction for SqliteTransaction {
    async fn query(&mut self, statement: &Statement, values: &[Value<'_>]) -> DataResult<Vec<Row>> {
        let rows = bound(statement, values)
            .fetch_all(&mut *self.transaction)
            .await;
        let rows = rows.and_then(|rows| rows.iter().map(read_row).collect());
        rows.map_err(|error| self.error(error))
    }

    async fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> DataResult<u64> {
        let done = bound(statement, values)
            .execute(&mut *self.transaction)
            .await;
        done.map(|done| done.rows_affected())
            .map_err(|error| self.error(error))
    }

    async fn commit(self: Box<Self>) -> DataResult<()> {
        let location = self.location;
        let committed = self.transaction.commit().await;
        committed.map_err(|error| classify(&location, error))
    }
}
