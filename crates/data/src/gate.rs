//! The door of a provider: counts calls on their way, so that closing can wait for them and admit no more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::error::{DataError, DataErrorKind, DataResult};

/// Calls at the same time; more wait at the door instead of piling up in the driver.
const CALLS: u32 = 1024;
/// How long a call waits at the door.
const ENTER_DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Gate {
    closed: AtomicBool,
    calls: Semaphore,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            closed: AtomicBool::new(false),
            calls: Semaphore::new(CALLS as usize),
        }
    }

    /// Lets a call in; it counts until the permit is dropped.
    pub(crate) async fn enter(&self) -> DataResult<SemaphorePermit<'_>> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        match timeout(ENTER_DEADLINE, self.calls.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(DataError::new(
                DataErrorKind::Unavailable,
                "the data provider has too much to do",
            )),
        }
    }

    /// Admits no more calls and waits, at most `deadline`, until those inside have left. The first caller gets `true`.
    pub(crate) async fn close(&self, deadline: Duration) -> bool {
        if self.closed.swap(true, Ordering::AcqRel) {
            return false;
        }
        // The semaphore is fair: whoever waits at the door gets in before this, whoever comes later sees `closed`.
        if timeout(deadline, self.calls.acquire_many(CALLS))
            .await
            .is_err()
        {
            tracing::warn!("closing the data provider while calls are still under way");
        }
        self.calls.close();
        true
    }
}

/// The error of every call after the end.
pub(crate) fn closed() -> DataError {
    DataError::new(DataErrorKind::Unavailable, "the data provider is closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn closing_waits_for_calls_inside_and_refuses_new_ones() {
        let gate = Gate::new();
        let inside = gate.enter().await.unwrap();
        let closing = gate.close(Duration::from_secs(10));
        tokio::pin!(closing);
        assert!(futures_poll_once(&mut closing).await.is_none());
        assert_eq!(
            gate.enter().await.unwrap_err().kind(),
            DataErrorKind::Unavailable
        );
        drop(inside);
        assert!(closing.await);
        assert_eq!(
            gate.enter().await.unwrap_err().kind(),
            DataErrorKind::Unavailable
        );
        assert!(!gate.close(Duration::ZERO).await);
    }

    async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
