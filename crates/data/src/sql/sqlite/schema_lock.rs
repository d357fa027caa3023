//! A transaction that holds SQLite's write lock while the schema is looked at and changed.

use async_trait::async_trait;
use sqlx::sqlite::SqlitePool;
use sqlx::{AssertSqlSafe, Row as _, Sqlite, Transaction};

use super::error::classify;
use crate::error::{DataError, DataResult};
use crate::sql::engine::SchemaLock;
use crate::sql::table_name::TableName;

pub(crate) struct SqliteSchemaLock {
    transaction: Transaction<'static, Sqlite>,
    location: String,
}

impl SqliteSchemaLock {
    pub(crate) async fn begin(writer: &SqlitePool, location: String) -> Result<Self, sqlx::Error> {
        // IMMEDIATE takes the lock now, waiting if need be. A transaction that reads first and writes later fails
        // without waiting if another process wrote in between.
        let transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Self {
            transaction,
            location,
        })
    }

    fn error(&self, error: sqlx::Error) -> DataError {
        classify(&self.location, error)
    }
}

#[async_trait]
impl SchemaLock for SqliteSchemaLock {
    async fn has_table(&mut self, table: &TableName) -> DataResult<bool> {
        let master = match table.schema() {
            Some(schema) => format!("\"{schema}\".sqlite_master"),
            None => "sqlite_master".to_owned(),
        };
        // Safe: the schema is a checked identifier. Names of tables are the same in any case.
        let sql = AssertSqlSafe(format!(
            "SELECT 1 FROM {master} WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE"
        ));
        let found = sqlx::query(sql)
            .bind(table.name())
            .fetch_optional(&mut *self.transaction)
            .await;
        found
            .map(|row| row.is_some())
            .map_err(|error| self.error(error))
    }

    async fn number(&mut self, sql: String) -> DataResult<Option<i64>> {
        // Safe, as below: made in `schema` and `migration` of our own words and checked identifiers.
        let row = sqlx::query(AssertSqlSafe(sql))
            .fetch_optional(&mut *self.transaction)
            .await;
        let row = row.map_err(|error| self.error(error))?;
        Ok(row.and_then(|row| row.try_get(0).ok()))
    }

    async fn execute(&mut self, sql: String) -> DataResult<()> {
        let done = sqlx::query(AssertSqlSafe(sql))
            .execute(&mut *self.transaction)
            .await;
        done.map(drop).map_err(|error| self.error(error))
    }

    async fn commit(self: Box<Self>) -> DataResult<()> {
        let location = self.location;
        self.transaction
            .commit()
            .await
            .map_err(|error| classify(&location, error))
    }
}
