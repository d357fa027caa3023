//! A look at the schema, and changes to it, under SQLite's write lock.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Row as _};

use super::transaction::SqliteTransaction;
use crate::error::DataResult;
use crate::sql::engine::{SchemaLock, SqlTransaction};
use crate::sql::table_name::TableName;

#[async_trait]
impl SchemaLock for SqliteTransaction {
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
        SqlTransaction::commit(self).await
    }
}
