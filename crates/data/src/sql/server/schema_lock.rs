//! A look at the schema, and changes to it, on a connection of their own.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::Connection as _;
use tokio::time::timeout;

use super::engine::data_error;
use super::failure::{Failure, text};
use super::flavor::{Conn, Flavor};
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::sql::engine::{SchemaLock, Statement, Value};
use crate::sql::table_name::TableName;

/// How long a farewell may take.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// Dropped, it closes its connection, and the server undoes what it can.
pub(crate) struct ServerSchemaLock<F: Flavor> {
    connection: Conn<F>,
    location: String,
}

impl<F: Flavor> ServerSchemaLock<F> {
    pub(super) fn new(connection: Conn<F>, location: String) -> Self {
        Self {
            connection,
            location,
        }
    }

    fn error(&self, error: &sqlx::Error) -> DataError {
        data_error::<F>(&self.location, error)
    }
}

#[async_trait]
impl<F: Flavor> SchemaLock for ServerSchemaLock<F> {
    async fn has_table(&mut self, table: &TableName) -> DataResult<bool> {
        let count = self.number(F::count_table(table)).await?;
        Ok(count.is_some_and(|count| count != 0))
    }

    async fn number(&mut self, sql: String) -> DataResult<Option<i64>> {
        let rows = F::query(&mut self.connection, &Statement(sql.into()), &[]).await;
        let rows = rows.map_err(|error| self.error(&error))?;
        let first = rows.into_iter().next();
        Ok(match first.and_then(|row| row.into_iter().next()) {
            Some(Value::Int(number)) => Some(number),
            Some(Value::Text(_) | Value::Null) | None => None,
        })
    }

    async fn execute(&mut self, sql: String) -> DataResult<()> {
        let done = F::run(&mut self.connection, sql).await;
        done.map_err(|error| {
            if F::failure(&error) != Failure::Duplicate {
                return self.error(&error);
            }
            // Another server made the same table at the same time.
            let context = self.location.as_str();
            DataError::with_source(DataErrorKind::Conflict, context, text(&error))
        })
    }

    async fn commit(mut self: Box<Self>) -> DataResult<()> {
        let done = F::unlock_schema(&mut self.connection).await;
        done.map_err(|error| self.error(&error))?;
        // The change is made; how the connection ends does not matter.
        let _ = timeout(CLOSE_DEADLINE, self.connection.close()).await;
        Ok(())
    }
}
