//! PostgreSQL, and what speaks its protocol, over the connections of sqlx.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgConnection, PgListener};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Error, Pool, Row as _};
use tokio::time::sleep;

use super::value::read_row;
use super::{COCKROACHDB, POSTGRESQL};
use crate::sql::dialect::Dialect;
use crate::sql::engine::{Row, Statement, Value};
use crate::sql::server::failure::Failure;
use crate::sql::server::flavor::Flavor;
use crate::sql::table_name::TableName;

/// PostgreSQL.
#[derive(Debug)]
pub(crate) struct Postgres;

/// What is read in a transaction is what is there now, or locked; CockroachDB gives more without being asked.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Between two attempts to listen to a server that does not answer.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

async fn listen(pool: &Pool<sqlx::Postgres>) -> Result<PgListener, Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("sftpgo_changes").await?;
    Ok(listener)
}
/// What waits for a lock gives up before its caller does, so that nothing happens after the caller was told that it did
/// not.
const SESSION: &str = "SET lock_timeout = '10s'";

fn bound<'a>(
    sql: std::sync::Arc<str>,
    values: &'a [Value<'_>],
) -> Query<'a, sqlx::Postgres, PgArguments> {
    // Safe: made in `statement` and `migration` of our own words and checked identifiers; every value is bound below.
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in values {
        query = match value {
            Value::Null => query.bind(Untyped),
            Value::Int(number) => query.bind(*number),
            Value::Text(text) => query.bind(&**text),
        };
    }
    query
}

/// A NULL whose type the server finds out.
struct Untyped;

impl sqlx::Type<sqlx::Postgres> for Untyped {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        // The pseudo-type `unknown`.
        sqlx::postgres::PgTypeInfo::with_oid(sqlx::postgres::types::Oid(705))
    }
}

impl sqlx::Encode<'_, sqlx::Postgres> for Untyped {
    fn encode_by_ref(
        &self,
        _: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        Ok(sqlx::encode::IsNull::Yes)
    }
}

/// Whether a value cannot be in the database: no text there has this character.
fn cannot_be_stored(value: &Value<'_>) -> bool {
    matches!(value, Value::Text(text) if text.contains('\0'))
}

#[async_trait]
impl Flavor for Postgres {
    type Database = sqlx::Postgres;
    type Listener = Option<PgListener>;

    const DRIVER: &'static str = "postgresql";
    const PRODUCT: &'static str = "PostgreSQL";
    const BEGIN: &'static str = BEGIN;

    fn failure(error: &Error) -> Failure {
        super::error::failure(error)
    }

    async fn prepare(connection: &mut PgConnection) -> Result<(), Error> {
        match Self::run(connection, SESSION.to_owned()).await {
            // Old versions of CockroachDB do not know it.
            Err(Error::Database(_)) => Ok(()),
            done => done,
        }
    }

    async fn dialect(connection: &mut PgConnection) -> Result<&'static Dialect, Error> {
        let row = sqlx::query("SELECT version()")
            .persistent(false)
            .fetch_one(connection)
            .await?;
        let version: String = row.try_get(0)?;
        Ok(match version.starts_with("CockroachDB") {
            true => &COCKROACHDB,
            false => &POSTGRESQL,
        })
    }

    async fn query(
        connection: &mut PgConnection,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        if values.iter().any(cannot_be_stored) {
            return Ok(Vec::new());
        }
        let rows = bound(statement.0.clone(), values).fetch_all(connection);
        rows.await?.iter().map(read_row).collect()
    }

    async fn execute(
        connection: &mut PgConnection,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        let done = bound(statement.0.clone(), values).execute(connection);
        Ok(done.await?.rows_affected())
    }

    async fn insert(
        connection: &mut PgConnection,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<i64, Error> {
        let sql = format!("{} RETURNING id", statement.0);
        let row = bound(sql.into(), values).fetch_one(connection).await?;
        match read_row(&row)?.into_iter().next() {
            Some(Value::Int(key)) => Ok(key),
            Some(Value::Null | Value::Text(_)) | None => {
                Err(Error::Decode("the key of a new row is no number".into()))
            }
        }
    }

    async fn run(connection: &mut PgConnection, sql: String) -> Result<(), Error> {
        // Safe: see the trait.
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection);
        done.await.map(drop)
    }

    fn count_table(table: &TableName) -> String {
        let quoted = table.quoted('"');
        format!("SELECT count(to_regclass('{quoted}'))")
    }

    async fn lock_schema(connection: &mut PgConnection) -> Result<bool, Error> {
        // No lock yet: servers that start on a database that is up to date need not wait for each other, and the
        // database user may only have the right to read. A lock of the row in `schema_version` follows if there is
        // something to do, and unlike advisory locks that is known to CockroachDB too.
        Self::run(connection, BEGIN.to_owned()).await?;
        Ok(true)
    }

    async fn told(pool: &Pool<sqlx::Postgres>, listener: &mut Option<PgListener>) {
        loop {
            let Some(listening) = listener else {
                match listen(pool).await {
                    // What was told before is not heard any more: as good as told.
                    Ok(listening) => {
                        *listener = Some(listening);
                        return;
                    }
                    Err(_) => sleep(LISTEN_AGAIN).await,
                }
                continue;
            };
            if matches!(listening.try_recv().await, Ok(Some(_))) {
                return;
            }
            *listener = None;
        }
    }

    async fn unlock_schema(connection: &mut PgConnection) -> Result<(), Error> {
        Self::run(connection, "COMMIT".to_owned()).await
    }
}
