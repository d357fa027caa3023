//! Where work goes that goes on beside its caller: parts on their way, bytes read ahead, uploads that are given up.
//!
//! Connections have threads of their own, which move every packet of theirs; encryption and copies of object stores belong on
//! the threads of the server.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

use super::store::{ObjectError, ObjectErrorKind, ObjectResult};

/// A runtime, or that of whoever asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Tasks {
    handle: Option<Handle>,
}

impl Tasks {
    /// The runtime of whoever makes this, if there is one.
    pub(super) fn here() -> Self {
        Self {
            handle: Handle::try_current().ok(),
        }
    }

    /// Starts something; `None` if nobody runs anything any more.
    pub(super) fn spawn<F>(&self, future: F) -> Option<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let handle = self.handle.clone().or_else(|| Handle::try_current().ok())?;
        Some(handle.spawn(future))
    }

    /// Starts something as one of a set, whose end ends it.
    pub(super) fn spawn_in<T, F>(&self, set: &mut JoinSet<T>, future: F)
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.handle {
            Some(handle) => set.spawn_on(future, handle),
            None => set.spawn(future),
        };
    }

    /// Runs something there for whoever waits, with whom it ends.
    pub(super) async fn run<T, F>(&self, future: F) -> ObjectResult<T>
    where
        F: Future<Output = ObjectResult<T>> + Send + 'static,
        T: Send + 'static,
    {
        let context = "a task of the server was ended";
        let mut set = JoinSet::new();
        self.spawn_in(&mut set, future);
        match set.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(error)) => Err(ObjectError::with_source(
                ObjectErrorKind::Unavailable,
                context,
                error,
            )),
            None => Err(ObjectError::new(ObjectErrorKind::Unavailable, context)),
        }
    }
}
