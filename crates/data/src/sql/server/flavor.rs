//! What differs between database servers: the words of their errors, and the types of their connections.

use std::fmt;

use async_trait::async_trait;
use sqlx::{Connection, Database, Error, Pool};

use super::failure::Failure;
use crate::sql::dialect::Dialect;
use crate::sql::engine::{Row, Statement, Value};
use crate::sql::table_name::TableName;

/// A connection of a flavor.
pub(crate) type Conn<F> = <<F as Flavor>::Database as Database>::Connection;
/// How such a connection is made.
pub(crate) type Options<F> = <Conn<F> as Connection>::Options;

/// One kind of database server. Calls act on one connection and try once.
#[async_trait]
pub(crate) trait Flavor: fmt::Debug + Send + Sync + 'static {
    /// The driver of sqlx.
    type Database: Database;
    /// What hears that other servers changed accounts, once it listens.
    type Listener: Default + Send;

    /// The name of the driver in the settings.
    const DRIVER: &'static str;
    /// The name of the product in messages.
    const PRODUCT: &'static str;
    /// Begins a transaction.
    const BEGIN: &'static str;

    /// What an error means.
    fn failure(error: &Error) -> Failure;

    /// Makes a new connection ready.
    async fn prepare(connection: &mut Conn<Self>) -> Result<(), Error>;

    /// How the server at the other end speaks.
    async fn dialect(connection: &mut Conn<Self>) -> Result<&'static Dialect, Error>;

    /// The rows of a statement.
    async fn query(
        connection: &mut Conn<Self>,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error>;

    /// Runs a statement and tells how many rows it found.
    async fn execute(
        connection: &mut Conn<Self>,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Error>;

    /// Inserts one row and gives its key.
    async fn insert(
        connection: &mut Conn<Self>,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<i64, Error>;

    /// Runs statements without values and without preparing them; the text is of our own words and checked
    /// identifiers.
    async fn run(connection: &mut Conn<Self>, sql: String) -> Result<(), Error>;

    /// A query for the number of tables and views of that name.
    fn count_table(table: &TableName) -> String;

    /// Begins to look at the schema; `false` if another process has it for too long.
    async fn lock_schema(connection: &mut Conn<Self>) -> Result<bool, Error>;

    /// Waits until another server tells that it changed accounts; only asked where the dialect has words for telling.
    async fn told(_pool: &Pool<Self::Database>, _listener: &mut Self::Listener) {
        std::future::pending().await
    }

    /// Makes the changes to the schema so, and lets others at it.
    async fn unlock_schema(connection: &mut Conn<Self>) -> Result<(), Error>;
}
