//! Connections to a database on a server.
//!
//! A restart of the server is survived: connections that it broke are replaced, and calls wait for it for a while.
//! What only reads is sent again if the connection broke on the way; a change is not, unless the server said that it
//! was not made. What another transaction was in the way of is taken again after a pause.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::pool::{Pool, PoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::{sleep, timeout};

use super::failure::{Failure, text};
use super::flavor::{Conn, Flavor};
use super::health::Health;
use super::lease::Lease;
use super::retry::{Attempts, Stage};
use super::schema_lock::ServerSchemaLock;
use super::target::Target;
use super::transaction::ServerTransaction;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::sql::dialect::Dialect;
use crate::sql::engine::{Row, SchemaLock, SqlEngine, SqlTransaction, Statement, Value};

/// How long a call waits for a connection, and a connection takes to be made.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long an idle connection has to say that it lives.
const PING_DEADLINE: Duration = Duration::from_secs(2);
/// Idle connections are closed after this long.
const IDLE: Duration = Duration::from_secs(600);
/// No connection is used for longer: servers and what is between may forget it.
const LIFETIME: Duration = Duration::from_secs(1800);
/// How long closing waits for connections at work.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

/// Connections to one database.
pub(crate) struct ServerEngine<F: Flavor> {
    target: Target<F>,
    pool: Pool<F::Database>,
    health: Arc<Health>,
    dialect: &'static Dialect,
    listener: tokio::sync::Mutex<F::Listener>,
}

/// An attempt that failed.
struct Failed {
    stage: Stage,
    error: sqlx::Error,
}

impl<F: Flavor> ServerEngine<F> {
    /// Connects once, so that whatever is wrong with the settings is told at once and in its own words.
    pub(crate) async fn open(target: Target<F>) -> DataResult<Self> {
        let mut first = Self::connect(&target).await?;
        let dialect = in_time(F::dialect(&mut first)).await;
        let dialect = dialect.map_err(|error| target.unusable(&error))?;
        let _ = timeout(PING_DEADLINE, first.close()).await;
        let health = Arc::new(Health::new());
        let pool = pool::<F>(&target, &health);
        Ok(Self {
            target,
            pool,
            health,
            dialect,
            listener: tokio::sync::Mutex::default(),
        })
    }

    /// A connection of its own, outside the pool.
    async fn connect(target: &Target<F>) -> DataResult<Conn<F>> {
        let connected = in_time(async {
            let mut connection = target.options.connect().await?;
            F::prepare(&mut connection).await?;
            Ok(connection)
        });
        connected.await.map_err(|error| target.unusable(&error))
    }

    async fn lease(&self) -> Result<Lease<F::Database>, Failed> {
        let acquired = self.pool.acquire().await;
        acquired.map(Lease::new).map_err(|error| Failed {
            stage: Stage::Connecting,
            error,
        })
    }

    /// Keeps or drops a connection after a statement.
    fn settle<T>(
        &self,
        lease: Lease<F::Database>,
        stage: Stage,
        done: Result<T, sqlx::Error>,
    ) -> Result<T, Failed> {
        match &done {
            Err(error) if F::failure(error).breaks() => drop(lease),
            Ok(_) | Err(_) => lease.give_back(),
        }
        done.map_err(|error| Failed { stage, error })
    }

    /// Waits before the next attempt, or gives the error of the last.
    async fn again(&self, attempts: &mut Attempts, failed: Failed) -> DataResult<()> {
        let failure = F::failure(&failed.error);
        if matches!(failure, Failure::Lost | Failure::Refused) {
            self.health.note_break();
        }
        match attempts.next(failed.stage, failure) {
            Some(wait) => {
                sleep(wait).await;
                Ok(())
            }
            None => Err(self.error(&failed.error)),
        }
    }

    async fn query_once(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Failed> {
        let mut lease = self.lease().await?;
        let rows = F::query(&mut lease, statement, values).await;
        self.settle(lease, Stage::Reading, rows)
    }

    async fn execute_once(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Failed> {
        let mut lease = self.lease().await?;
        let done = F::execute(&mut lease, statement, values).await;
        self.settle(lease, Stage::Changing, done)
    }

    async fn insert_once(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<i64, Failed> {
        let mut lease = self.lease().await?;
        let done = F::insert(&mut lease, statement, values).await;
        self.settle(lease, Stage::Changing, done)
    }

    async fn begin_once(&self) -> Result<Lease<F::Database>, Failed> {
        let mut lease = self.lease().await?;
        match F::run(&mut lease, F::BEGIN.to_owned()).await {
            Ok(()) => Ok(lease),
            Err(error) => Err(Failed {
                stage: Stage::Reading,
                error,
            }),
        }
    }

    fn error(&self, error: &sqlx::Error) -> DataError {
        data_error::<F>(&self.target.location, error)
    }
}

/// Work on a first connection, which no pool bounds.
async fn in_time<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(CONNECT_DEADLINE, work)
        .await
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

/// The error of a statement, for the callers of the data provider.
pub(super) fn data_error<F: Flavor>(location: &str, error: &sqlx::Error) -> DataError {
    DataError::with_source(F::failure(error).kind(), location, text(error))
}

fn pool<F: Flavor>(target: &Target<F>, health: &Arc<Health>) -> Pool<F::Database> {
    let health = Arc::clone(health);
    PoolOptions::<F::Database>::new()
        .max_connections(target.connections)
        .acquire_timeout(CONNECT_DEADLINE)
        .idle_timeout(IDLE)
        .max_lifetime(LIFETIME)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(F::prepare(connection)))
        .before_acquire(move |connection, idle| {
            let doubts = health.doubts(idle.idle_for);
            Box::pin(async move {
                if !doubts {
                    return Ok(true);
                }
                Ok(matches!(
                    timeout(PING_DEADLINE, connection.ping()).await,
                    Ok(Ok(()))
                ))
            })
        })
        .connect_lazy_with(target.options.clone())
}

// Deliberately not derived: the options of a connection print its password.
impl<F: Flavor> fmt::Debug for ServerEngine<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerEngine")
            .field("location", &self.target.location)
            .field("connections", &self.pool.size())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<F: Flavor> SqlEngine for ServerEngine<F> {
    fn driver(&self) -> &'static str {
        F::DRIVER
    }

    fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    fn location(&self) -> &str {
        &self.target.location
    }

    async fn query(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<Vec<Row>> {
        let mut attempts = Attempts::new(self.target.connections);
        loop {
            match self.query_once(statement, values).await {
                Ok(rows) => return Ok(rows),
                Err(failed) => self.again(&mut attempts, failed).await?,
            }
        }
    }

    async fn execute(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<u64> {
        let mut attempts = Attempts::new(self.target.connections);
        loop {
            match self.execute_once(statement, values).await {
                Ok(found) => return Ok(found),
                Err(failed) => self.again(&mut attempts, failed).await?,
            }
        }
    }

    async fn insert(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<i64> {
        let mut attempts = Attempts::new(self.target.connections);
        loop {
            match self.insert_once(statement, values).await {
                Ok(key) => return Ok(key),
                Err(failed) => self.again(&mut attempts, failed).await?,
            }
        }
    }

    async fn begin(&self) -> DataResult<Box<dyn SqlTransaction>> {
        let mut attempts = Attempts::new(self.target.connections);
        loop {
            match self.begin_once().await {
                Ok(lease) => {
                    let location = self.target.location.clone();
                    let health = Arc::clone(&self.health);
                    let transaction = ServerTransaction::<F>::new(lease, location, health);
                    return Ok(Box::new(transaction));
                }
                Err(failed) => self.again(&mut attempts, failed).await?,
            }
        }
    }

    async fn lock_schema(&self) -> DataResult<Box<dyn SchemaLock>> {
        let mut connection = Self::connect(&self.target).await?;
        match F::lock_schema(&mut connection).await {
            Ok(true) => {
                let location = self.target.location.clone();
                Ok(Box::new(ServerSchemaLock::<F>::new(connection, location)))
            }
            Ok(false) => {
                let message = format!(
                    "{}: another server is changing the schema, for too long",
                    self.target.location
                );
                Err(DataError::new(DataErrorKind::Unavailable, message))
            }
            Err(error) => Err(self.error(&error)),
        }
    }

    async fn told(&self) {
        if self.dialect.notify.is_none() {
            return std::future::pending().await;
        }
        let told = async { F::told(&self.pool, &mut *self.listener.lock().await).await };
        tokio::select! {
            () = told => {}
            // Whoever closes wants the listener.
            () = self.pool.close_event() => std::future::pending().await,
        }
    }

    async fn close(&self) {
        // The listener has a connection, for which the pool waits.
        let unheard = async { drop(std::mem::take(&mut *self.listener.lock().await)) };
        let closed = async { tokio::join!(self.pool.close(), unheard) };
        if timeout(CLOSE_DEADLINE, closed).await.is_err() {
            tracing::warn!(database = %self.target.location, "not closed in time");
        }
    }
}
