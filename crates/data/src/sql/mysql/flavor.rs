//! MySQL and MariaDB over the connections of sqlx.

use async_trait::async_trait;
use sqlx::mysql::{MySqlArguments, MySqlConnection};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Error, Row as _};

use super::value::read_row;
use super::{MARIADB, MYSQL, is_table};
use crate::sql::dialect::Dialect;
use crate::sql::engine::{Row, Statement, Value};
use crate::sql::server::failure::Failure;
use crate::sql::server::flavor::Flavor;
use crate::sql::table_name::TableName;

/// MySQL or MariaDB.
#[derive(Debug)]
pub(crate) struct MySql;

/// Whatever the server's default: a number or text that does not fit is an error and not cut, and what waits for a lock
/// gives up before its caller does.
const SESSION: &str = "SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
                       innodb_lock_wait_timeout = 10";

/// Rows are read as they are now, and fewer are locked. Not where the binary log is of statements: there InnoDB refuses
/// to write in this mode.
const READ_COMMITTED: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// A lock on the schema of this database; names of locks are the server's and have 64 signs at most.
const GET_LOCK: &str = "SELECT GET_LOCK(CONCAT('sftpgo.schema.', MD5(DATABASE())), 60)";
const RELEASE_LOCK: &str = "DO RELEASE_LOCK(CONCAT('sftpgo.schema.', MD5(DATABASE())))";

fn bound<'a>(
    statement: &Statement,
    values: &'a [Value<'_>],
) -> Query<'a, sqlx::MySql, MySqlArguments> {
    // Safe: made in `statement` and `migration` of our own words and checked identifiers; every value is bound below.
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

/// The first column of the first row as text; empty if there is none.
async fn ask(connection: &mut MySqlConnection, question: &'static str) -> Result<String, Error> {
    let row = sqlx::raw_sql(question).fetch_optional(connection).await?;
    Ok(row
        .and_then(|row| row.try_get_unchecked(0).ok())
        .unwrap_or_default())
}

/// Whether the binary log of the server, if it has one, is of statements. A server without this variable logs rows.
async fn logs_statements(connection: &mut MySqlConnection) -> Result<bool, Error> {
    let row = sqlx::raw_sql("SHOW VARIABLES LIKE 'binlog_format'")
        .fetch_optional(connection)
        .await?;
    let format: Option<String> = row.and_then(|row| row.try_get_unchecked(1).ok());
    Ok(format.is_some_and(|format| format.eq_ignore_ascii_case("STATEMENT")))
}

#[async_trait]
impl Flavor for MySql {
    type Database = sqlx::MySql;
    type Listener = ();

    const DRIVER: &'static str = "mysql";
    const PRODUCT: &'static str = "MySQL";
    const BEGIN: &'static str = "START TRANSACTION";

    fn failure(error: &Error) -> Failure {
        super::error::failure(error)
    }

    async fn prepare(connection: &mut MySqlConnection) -> Result<(), Error> {
        Self::run(connection, SESSION.to_owned()).await?;
        let by_statement = logs_statements(connection).await?;
        match by_statement {
            true => Ok(()),
            false => Self::run(connection, READ_COMMITTED.to_owned()).await,
        }
    }

    async fn dialect(connection: &mut MySqlConnection) -> Result<&'static Dialect, Error> {
        let version = ask(connection, "SELECT VERSION()").await?;
        Ok(match version.contains("MariaDB") {
            true => &MARIADB,
            false => &MYSQL,
        })
    }

    async fn query(
        connection: &mut MySqlConnection,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        let rows = bound(statement, values).fetch_all(connection);
        rows.await?.iter().map(read_row).collect()
    }

    async fn execute(
        connection: &mut MySqlConnection,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        let done = bound(statement, values).execute(connection);
        Ok(done.await?.rows_affected())
    }

    async fn insert(
        connection: &mut MySqlConnection,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<i64, Error> {
        let done = bound(statement, values).execute(connection).await?;
        i64::try_from(done.last_insert_id()).map_err(|error| Error::Decode(error.into()))
    }

    async fn run(connection: &mut MySqlConnection, sql: String) -> Result<(), Error> {
        // Safe: see the trait.
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection);
        done.await.map(drop)
    }

    fn count_table(table: &TableName) -> String {
        let is_table = is_table(table);
        format!("SELECT COUNT(*) FROM information_schema.tables WHERE {is_table}")
    }

    async fn lock_schema(connection: &mut MySqlConnection) -> Result<bool, Error> {
        // Statements on the schema end a transaction, so that only a lock of this kind holds over all of them. It ends
        // with its connection.
        Ok(ask(connection, GET_LOCK).await? == "1")
    }

    async fn unlock_schema(connection: &mut MySqlConnection) -> Result<(), Error> {
        Self::run(connection, RELEASE_LOCK.to_owned()).await
    }
}
