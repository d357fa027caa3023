//! Connections to one SQLite database: one that writes, some that read.
//!
//! SQLite allows one writer at a time and makes the others poll. One writing connection turns that into a fair queue,
//! and in WAL mode readers never wait for it. Each connection is a thread of its own, so nothing here blocks a worker.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::pool::PoolOptions;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Row as _, Sqlite, TypeInfo as _, ValueRef as _,
};
use tokio::time::{Instant, sleep};

use super::SQLITE;
use super::error::{classify, is_busy};
use super::file;
use super::location::Location;
use super::transaction::SqliteTransaction;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::sql::dialect::Dialect;
use crate::sql::engine::{Row, SchemaLock, SqlEngine, SqlTransaction, Statement, Value};

/// Connections that read; a thread each.
const READERS: u32 = 4;
/// How long a statement waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a call waits for a connection.
const ACQUIRE_DEADLINE: Duration = Duration::from_secs(10);
/// How long closing waits for connections at work.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct SqliteEngine {
    writer: SqlitePool,
    /// The same as `writer` for a database in memory, which has one connection only.
    readers: SqlitePool,
    location: String,
}

impl SqliteEngine {
    pub(crate) async fn open(location: &Location) -> DataResult<Self> {
        match location {
            Location::Memory => Self::open_memory().await,
            Location::File { path, create } => Self::open_file(path, *create).await,
        }
    }

    async fn open_memory() -> DataResult<Self> {
        let location = "the SQLite database in memory".to_owned();
        let options = SqliteConnectOptions::new().in_memory(true);
        let writer = single_connection(&location, options).await?;
        Ok(Self {
            readers: writer.clone(),
            writer,
            location,
        })
    }

    async fn open_file(path: &Path, create: bool) -> DataResult<Self> {
        let location = format!("SQLite database {}", path.display());
        let path = plain_name(path);
        let found = path.clone();
        tokio::task::spawn_blocking(move || file::ensure(&found, create))
            .await
            .map_err(|error| DataError::with_source(DataErrorKind::Internal, &location, error))??;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Normal)
            // It would write the text of every statement to the debug log.
            .disable_statement_logging();
        let writer_options = options.clone().journal_mode(SqliteJournalMode::Wal);
        let writer = single_connection(&location, writer_options).await?;
        let readers = pool_options(READERS).connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self {
            writer,
            readers,
            location,
        })
    }

    fn error(&self, error: sqlx::Error) -> DataError {
        classify(&self.location, error)
    }
}

/// SQLite takes a name that begins with `file:` for a URI.
fn plain_name(path: &Path) -> PathBuf {
    if path.is_absolute() {
        path.to_owned()
    } else {
        Path::new(".").join(path)
    }
}

fn pool_options(connections: u32) -> PoolOptions<Sqlite> {
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_DEADLINE)
        .idle_timeout(None)
        .max_lifetime(None)
        // A connection to a file does not go stale, and asking costs as much as the statement itself.
        .test_before_acquire(false)
}

/// Opens the writing connection. Changing to WAL does not honour the busy timeout, so two processes that start at once
/// on a new file would trip over each other without this patience.
async fn single_connection(
    location: &str,
    options: SqliteConnectOptions,
) -> DataResult<SqlitePool> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match pool_options(1).connect_with(options.clone()).await {
            Ok(pool) => return Ok(pool),
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(classify(location, error)),
        }
    }
}

pub(super) fn bound<'a>(
    statement: &Statement,
    values: &'a [Value<'_>],
) -> Query<'a, Sqlite, SqliteArguments> {
    // Safe: made in `statement` of our own words and checked identifiers; every value is bound below.
    let mut query = sqlx::query(AssertSqlSafe(statement.0.clone()));
    for value in values {
        query = match value {
            Value::Null => query.bind(None::<i64>),
            Value::Int(number) => query.bind(*number),
            Value::Text(text) => query.bind(&**text),
        };
    }
    query
}

/// SQLite lets any column hold any type: what is found decides, not what was declared.
pub(super) fn read_row(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    row.columns()
        .iter()
        .map(|column| {
            let index = column.ordinal();
            let raw = row.try_get_raw(index)?;
            if raw.is_null() {
                return Ok(Value::Null);
            }
            let found = raw.type_info();
            match found.name() {
                "INTEGER" | "BOOLEAN" => Ok(Value::Int(row.try_get_unchecked(index)?)),
                // What arithmetic on a hand-edited row can leave behind.
                #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
                "REAL" => Ok(Value::Int(row.try_get_unchecked::<f64, _>(index)? as i64)),
                _ => Ok(Value::from(row.try_get_unchecked::<String, _>(index)?)),
            }
        })
        .collect()
}

#[async_trait]
impl SqlEngine for SqliteEngine {
    fn driver(&self) -> &'static str {
        "sqlite"
    }

    fn dialect(&self) -> &'static Dialect {
        &SQLITE
    }

    fn location(&self) -> &str {
        &self.location
    }

    async fn query(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<Vec<Row>> {
        let rows = bound(statement, values).fetch_all(&self.readers).await;
        let rows = rows.and_then(|rows| rows.iter().map(read_row).collect());
        rows.map_err(|error| self.error(error))
    }

    async fn execute(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<u64> {
        let done = bound(statement, values).execute(&self.writer).await;
        done.map(|done| done.rows_affected())
            .map_err(|error| self.error(error))
    }

    async fn insert(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<i64> {
        let done = bound(statement, values).execute(&self.writer).await;
        done.map(|done| done.last_insert_rowid())
            .map_err(|error| self.error(error))
    }

    async fn begin(&self) -> DataResult<Box<dyn SqlTransaction>> {
        let transaction = SqliteTransaction::begin(&self.writer, self.location.clone()).await;
        Ok(Box::new(transaction.map_err(|error| self.error(error))?))
    }

    async fn lock_schema(&self) -> DataResult<Box<dyn SchemaLock>> {
        let lock = SqliteTransaction::begin(&self.writer, self.location.clone()).await;
        Ok(Box::new(lock.map_err(|error| self.error(error))?))
    }

    async fn close(&self) {
        let closing = async {
            // The last connection to close folds the write-ahead log into the file and removes it.
            if !self.readers.is_closed() {
                self.readers.close().await;
            }
            self.writer.close().await;
        };
        if tokio::time::timeout(CLOSE_DEADLINE, closing).await.is_err() {
            tracing::warn!(database = %self.location, "not closed in time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_begins_like_a_uri() {
        assert_eq!(plain_name("file:a.db".as_ref()).as_os_str(), "./file:a.db");
        assert_eq!(plain_name("/file:a.db".as_ref()).as_os_str(), "/file:a.db");
    }
}
