//! Several statements that happen together, on one connection of the pool.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

use super::engine::data_error;
use super::failure::Failure;
use super::flavor::Flavor;
use super::health::Health;
use super::lease::Lease;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::sql::engine::{Row, SqlTransaction, Statement, Value};

/// How long undoing may take before the connection is closed instead.
const ROLLBACK_DEADLINE: Duration = Duration::from_secs(5);

/// A transaction that was begun.
pub(crate) struct ServerTransaction<F: Flavor> {
    /// `None` while a statement is on its way, so that one that is dropped there takes its connection along, and after
    /// the end.
    lease: Option<Lease<F::Database>>,
    /// One of several statements failed: some servers would take "commit" for "undo" and say that all is well.
    failed: bool,
    location: String,
    health: Arc<Health>,
}

impl<F: Flavor> ServerTransaction<F> {
    pub(super) fn new(lease: Lease<F::Database>, location: String, health: Arc<Health>) -> Self {
        Self {
            lease: Some(lease),
            failed: false,
            location,
            health,
        }
    }

    fn take(&mut self) -> DataResult<Lease<F::Database>> {
        self.lease.take().ok_or_else(|| {
            let message = format!("{}: the transaction is over", self.location);
            DataError::new(DataErrorKind::Unavailable, message)
        })
    }

    /// Keeps the connection for the next statement, unless this one broke it.
    fn settle<T>(
        &mut self,
        lease: Lease<F::Database>,
        done: Result<T, sqlx::Error>,
    ) -> DataResult<T> {
        let error = match done {
            Ok(value) => {
                self.lease = Some(lease);
                return Ok(value);
            }
            Err(error) => error,
        };
        self.failed = true;
        match F::failure(&error) {
            Failure::Lost | Failure::Refused => self.health.note_break(),
            // Undone as a whole here, so that doing it again is right.
            Failure::Stale => {
                let context = self.location.as_str();
                let what = "the schema was changed meanwhile";
                return Err(DataError::with_source(
                    DataErrorKind::Conflict,
                    context,
                    what,
                ));
            }
            Failure::Duplicate
            | Failure::Login
            | Failure::Database
            | Failure::Corrupt
            | Failure::Internal => self.lease = Some(lease),
            Failure::Conflict | Failure::ReadOnly | Failure::Unavailable | Failure::Tls => {}
        }
        Err(data_error::<F>(&self.location, &error))
    }
}

#[async_trait]
impl<F: Flavor> SqlTransaction for ServerTransaction<F> {
    async fn query(&mut self, statement: &Statement, values: &[Value<'_>]) -> DataResult<Vec<Row>> {
        let mut lease = self.take()?;
        let rows = F::query(&mut lease, statement, values).await;
        self.settle(lease, rows)
    }

    async fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> DataResult<u64> {
        let mut lease = self.take()?;
        let done = F::execute(&mut lease, statement, values).await;
        self.settle(lease, done)
    }

    async fn commit(mut self: Box<Self>) -> DataResult<()> {
        if self.failed {
            let message = format!("{}: a statement of the transaction failed", self.location);
            return Err(DataError::new(DataErrorKind::Internal, message));
        }
        let mut lease = self.take()?;
        match F::run(&mut lease, "COMMIT".to_owned()).await {
            Ok(()) => {
                lease.give_back();
                Ok(())
            }
            Err(error) => Err(data_error::<F>(&self.location, &error)),
        }
    }
}

impl<F: Flavor> Drop for ServerTransaction<F> {
    fn drop(&mut self) {
        // Without a runtime the connection is closed, which undoes the transaction too.
        let (Some(mut lease), Ok(runtime)) =
            (self.lease.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(async move {
            let undo = F::run(&mut lease, "ROLLBACK".to_owned());
            if let Ok(Ok(())) = timeout(ROLLBACK_DEADLINE, undo).await {
                lease.give_back();
            }
        });
    }
}
