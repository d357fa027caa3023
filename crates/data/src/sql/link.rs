//! The way to the database: a door that counts calls, a deadline for each, and patience with other servers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::dialect::Dialect;
use super::engine::{Row, SqlEngine, SqlTransaction, Statement, Value};
use crate::cluster::random_number;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::gate::Gate;

/// Longest time a call may take, waiting for a connection and for a lock included.
pub(super) const CALL_DEADLINE: Duration = Duration::from_secs(20);
/// How often a transaction is begun that conflicts with those of other servers.
const ATTEMPTS: u64 = 12;

/// A database that is open. Cheap to clone.
#[derive(Clone)]
pub(super) struct Link {
    engine: Arc<dyn SqlEngine>,
    gate: Arc<Gate>,
}

impl Link {
    pub(super) fn new(engine: Box<dyn SqlEngine>) -> Self {
        Self {
            engine: engine.into(),
            gate: Arc::new(Gate::new()),
        }
    }

    /// The engine itself, whose calls have no deadline: for what runs inside of [`within`](Self::within).
    pub(super) fn engine(&self) -> &Arc<dyn SqlEngine> {
        &self.engine
    }

    pub(super) fn dialect(&self) -> &'static Dialect {
        self.engine.dialect()
    }

    /// Runs a call, unless the database is closed.
    pub(super) async fn within<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = DataResult<T>> + Send,
    ) -> DataResult<T> {
        let _inside = self.gate.enter().await?;
        timeout(deadline, work).await.unwrap_or_else(|_| {
            let message = format!("{} did not answer in time", self.engine.location());
            Err(DataError::new(DataErrorKind::Unavailable, message))
        })
    }

    pub(super) async fn query(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> DataResult<Vec<Row>> {
        self.within(CALL_DEADLINE, self.engine.query(statement, values))
            .await
    }

    pub(super) async fn execute(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> DataResult<u64> {
        self.within(CALL_DEADLINE, self.engine.execute(statement, values))
            .await
    }

    pub(super) async fn insert(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> DataResult<i64> {
        self.within(CALL_DEADLINE, self.engine.insert(statement, values))
            .await
    }

    /// Runs work that begins a transaction, and runs it again if another server was in its way; all within one deadline.
    pub(super) async fn retried<T, F>(&self, work: impl Fn() -> F + Send + Sync) -> DataResult<T>
    where
        F: Future<Output = DataResult<T>> + Send,
        T: Send,
    {
        let attempts = async {
            for attempt in 1..ATTEMPTS {
                match work().await {
                    Err(error) if error.kind() == DataErrorKind::Conflict => {
                        // Whoever conflicted should not meet again at once.
                        sleep(Duration::from_millis(random_number() % (10 * attempt))).await;
                    }
                    done => return done,
                }
            }
            work().await
        };
        self.within(CALL_DEADLINE, attempts).await
    }

    /// Begins a transaction, for [`retried`](Self::retried).
    pub(super) async fn begin(&self) -> DataResult<Box<dyn SqlTransaction>> {
        self.engine.begin().await
    }

    /// Ends it when the calls inside have ended.
    pub(super) async fn close(&self) {
        if self.gate.close(CALL_DEADLINE).await {
            self.engine.close().await;
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.fmt(f)
    }
}
