//! [`Queue`]: how many actions run and wait, in the order of their events.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::overflow::{Overflow, PERIOD};
use crate::metrics::Metrics;

/// Where actions run, and how they end: shared by all queues.
#[derive(Debug, Clone)]
pub(super) struct Yard {
    /// The connections' threads have other things to do.
    pub(super) runtime: Handle,
    pub(super) tasks: TaskTracker,
    /// No more come: what waits is carried out.
    pub(super) closing: CancellationToken,
    /// What runs and waits is given up.
    pub(super) given_up: CancellationToken,
    /// How many were, since the server began to stop.
    pub(super) lost: Arc<AtomicU64>,
    pub(super) metrics: Arc<Metrics>,
}

impl Yard {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            runtime: Handle::current(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            given_up: CancellationToken::new(),
            lost: Arc::default(),
            metrics,
        }
    }

    fn lose_one(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.metrics.actions_dropped.increment();
    }
}

/// How many there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) running: usize,
    pub(super) waiting: usize,
    /// The setting that says how many may wait.
    pub(super) setting: &'static str,
}

/// A bounded queue. Whoever puts something in never waits.
#[derive(Debug)]
pub(super) struct Queue<T> {
    sender: mpsc::Sender<T>,
    overflow: Arc<Overflow>,
    bounds: Bounds,
    yard: Yard,
}

impl<T: Send + 'static> Queue<T> {
    /// Starts to carry out with `work` what will be put in.
    pub(super) fn start<F>(
        yard: &Yard,
        bounds: Bounds,
        work: impl Fn(T) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, waiting) = mpsc::channel(bounds.waiting.clamp(1, Semaphore::MAX_PERMITS));
        let dispatcher = Dispatcher {
            waiting,
            // More than a semaphore can count are as good as any number.
            places: Arc::new(Semaphore::new(
                bounds.running.clamp(1, Semaphore::MAX_PERMITS),
            )),
            yard: yard.clone(),
        };
        yard.tasks.spawn_on(dispatcher.run(work), &yard.runtime);
        Self {
            sender,
            overflow: Arc::default(),
            bounds,
            yard: yard.clone(),
        }
    }

    /// Puts one in, or drops it if as many wait as may.
    pub(super) fn push(&self, action: T) {
        match self.sender.try_send(action) {
            Ok(()) => {}
            Err(TrySendError::Closed(_)) => self.yard.lose_one(),
            Err(TrySendError::Full(_)) => {
                self.yard.metrics.actions_dropped.increment();
                if self.overflow.note() {
                    self.say_full();
                }
            }
        }
    }

    fn say_full(&self) {
        let Bounds {
            waiting, setting, ..
        } = self.bounds;
        tracing::error!(
            sender = "action",
            "an action was dropped: {waiting} are waiting already ({setting}); the program or URL does not keep up"
        );
        let (overflow, closing) = (Arc::clone(&self.overflow), self.yard.closing.clone());
        let rest = async move {
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                () = closing.cancelled() => {}
            }
            let more = overflow.end_period();
            if more > 0 {
                tracing::error!(
                    sender = "action",
                    "{more} more actions were dropped: {waiting} were waiting already ({setting})"
                );
            }
        };
        let yard = &self.yard;
        yard.tasks.spawn_on(rest, &yard.runtime);
    }
}

/// Takes out one after the other, and starts each in its turn.
struct Dispatcher<T> {
    waiting: mpsc::Receiver<T>,
    places: Arc<Semaphore>,
    yard: Yard,
}

impl<T: Send + 'static> Dispatcher<T> {
    async fn run<F>(mut self, work: impl Fn(T) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        while let Some(action) = self.next().await {
            let place = tokio::select! {
                biased;
                () = self.yard.given_up.cancelled() => None,
                place = Arc::clone(&self.places).acquire_owned() => place.ok(),
            };
            let Some(place) = place else {
                self.yard.lose_one();
                break;
            };
            let (yard, work) = (self.yard.clone(), work(action));
            self.yard.tasks.spawn_on(
                async move {
                    tokio::select! {
                        biased;
                        () = yard.given_up.cancelled() => yard.lose_one(),
                        () = work => {}
                    }
                    drop(place);
                },
                &self.yard.runtime,
            );
        }
        // Given up, unless it is empty.
        self.waiting.close();
        while self.waiting.try_recv().is_ok() {
            self.yard.lose_one();
        }
    }

    /// The next one; `None` if no more come, or all are given up.
    async fn next(&mut self) -> Option<T> {
        tokio::select! {
            biased;
            () = self.yard.given_up.cancelled() => return None,
            () = self.yard.closing.cancelled() => {}
            action = self.waiting.recv() => return action,
        }
        self.waiting.close();
        self.waiting.recv().await
    }
}
