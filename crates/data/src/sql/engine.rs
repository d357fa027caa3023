//! What the implementation asks of a database: statements in, rows out.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::dialect::Dialect;
use super::table_name::TableName;
use crate::error::DataResult;

/// A value on its way into or out of the database. Deliberately without `Debug`: it may be a password hash.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// `NULL`
    Null,
    /// A number.
    Int(i64),
    /// A text.
    Text(Cow<'a, str>),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// The columns of one row, in the order of the statement.
pub(crate) type Row = Vec<Value<'static>>;

/// The text of a statement; made of our own words and checked identifiers only, everything else is bound.
#[derive(Debug, Clone)]
pub(crate) struct Statement(pub(crate) Arc<str>);

/// Connections to one database. Every call has a deadline of the driver's; a statement that was begun is not
/// interrupted if the call is dropped.
#[async_trait]
pub(crate) trait SqlEngine: fmt::Debug + Send + Sync {
    /// The name of the driver in the settings.
    fn driver(&self) -> &'static str;

    /// How this database speaks.
    fn dialect(&self) -> &'static Dialect;

    /// Which database this is, for messages; no secrets.
    fn location(&self) -> &str;

    /// The rows of a statement that changes nothing.
    async fn query(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<Vec<Row>>;

    /// Runs a statement and tells how many rows it found.
    async fn execute(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<u64>;

    /// Inserts one row and gives its key.
    async fn insert(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<i64>;

    /// Begins several statements that happen together or not at all. What they read is not changed by others until
    /// they are committed, or committing fails with `Conflict`: then all of it is to be done again.
    async fn begin(&self) -> DataResult<Box<dyn SqlTransaction>>;

    /// Begins to look at, and maybe change, the schema, while no other process does.
    async fn lock_schema(&self) -> DataResult<Box<dyn SchemaLock>>;

    /// Waits until the database tells that another server changed accounts; see
    /// [`Dialect::notify`](super::dialect::Dialect::notify). Never returns if it cannot tell. Dropping the call loses
    /// nothing that the next one would not be told: it may tell too much.
    async fn told(&self) {
        std::future::pending().await
    }

    /// Ends all connections, those at work when they are done.
    async fn close(&self);
}

/// Several statements that happen together. Dropped without [`commit`](SqlTransaction::commit), none of them did.
#[async_trait]
pub(crate) trait SqlTransaction: Send {
    /// The rows of a statement.
    async fn query(&mut self, statement: &Statement, values: &[Value<'_>]) -> DataResult<Vec<Row>>;

    /// Runs a statement and tells how many rows it found.
    async fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> DataResult<u64>;

    /// Makes it so.
    async fn commit(self: Box<Self>) -> DataResult<()>;
}

/// A transaction on the schema. Dropped without [`commit`](SchemaLock::commit), it changes nothing.
#[async_trait]
pub(crate) trait SchemaLock: Send {
    /// Whether there is such a table.
    async fn has_table(&mut self, table: &TableName) -> DataResult<bool>;

    /// The first column of the first row, if it is a number.
    async fn number(&mut self, sql: String) -> DataResult<Option<i64>>;

    /// Runs a statement.
    async fn execute(&mut self, sql: String) -> DataResult<()>;

    /// Makes it so.
    async fn commit(self: Box<Self>) -> DataResult<()>;
}
