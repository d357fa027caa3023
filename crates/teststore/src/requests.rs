//! What a store was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{HeaderMap, Request};
use parking_lot::Mutex;

use crate::Dialect;
use crate::serve::{Body, Fault};

/// Requests that are remembered in full: the last ones. Counts go on.
const REMEMBERED: usize = 20_000;

/// A request.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What it asks for, as [`Dialect::operation`] names it.
    pub operation: &'static str,
    /// The method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The query, as it was sent; empty if there is none.
    pub query: String,
    /// The headers, secrets of tests included.
    pub headers: HeaderMap,
    /// The status that the client was answered, if it was.
    pub status: Option<u16>,
}

/// Every request since the start, or since [`clear`](Self::clear).
#[derive(Debug, Clone, Default)]
pub struct Requests {
    shared: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    counts: BTreeMap<&'static str, Count>,
    // With the number of the first one: what is answered may have been forgotten meanwhile.
    last: VecDeque<Seen>,
    forgotten: u64,
    received: u64,
    sent: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    all: u64,
    running: u64,
    most: u64,
}

/// A request that is not answered in full yet.
#[derive(Debug)]
pub(crate) struct Running {
    requests: Requests,
    operation: &'static str,
    number: u64,
}

impl Requests {
    pub(crate) fn begin(&self, dialect: Dialect, request: &Request<Incoming>) -> Running {
        let seen = Seen {
            operation: dialect.operation(request.method(), request.uri(), request.headers()),
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or("").to_owned(),
            headers: request.headers().clone(),
            status: None,
        };
        let operation = seen.operation;
        let mut log = self.shared.lock();
        let count = log.counts.entry(operation).or_default();
        count.all += 1;
        count.running += 1;
        count.most = count.most.max(count.running);
        if log.last.len() == REMEMBERED {
            log.last.pop_front();
            log.forgotten += 1;
        }
        let number = log.forgotten + u64::try_from(log.last.len()).unwrap();
        log.last.push_back(seen);
        Running {
            requests: self.clone(),
            operation,
            number,
        }
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.shared.lock().received += u64::try_from(bytes).unwrap();
    }

    /// How many asked for this.
    #[must_use]
    pub fn count(&self, operation: &str) -> u64 {
        let log = self.shared.lock();
        log.counts.get(operation).map_or(0, |count| count.all)
    }

    /// How many there were of every kind that there was.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let log = self.shared.lock();
        let counts = log.counts.iter().filter(|(_, count)| count.all > 0);
        counts.map(|(name, count)| (*name, count.all)).collect()
    }

    /// How many there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts().values().sum()
    }

    /// How many of this kind ran at the same time, at most.
    #[must_use]
    pub fn most_at_once(&self, operation: &str) -> u64 {
        let log = self.shared.lock();
        log.counts.get(operation).map_or(0, |count| count.most)
    }

    /// How many run now.
    #[must_use]
    pub fn running(&self) -> u64 {
        let log = self.shared.lock();
        log.counts.values().map(|count| count.running).sum()
    }

    /// Bytes of bodies of requests.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.shared.lock().received
    }

    /// Bytes of bodies of answers.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.shared.lock().sent
    }

    /// The last ones, 20,000 at most, in the order they came in.
    #[must_use]
    pub fn last(&self) -> Vec<Seen> {
        self.shared.lock().last.iter().cloned().collect()
    }

    /// Those of the last ones that asked for this.
    #[must_use]
    pub fn of(&self, operation: &str) -> Vec<Seen> {
        let mut last = self.last();
        last.retain(|seen| seen.operation == operation);
        last
    }

    /// Forgets those that are answered, and counts from here.
    pub fn clear(&self) {
        let mut log = self.shared.lock();
        log.forgotten += u64::try_from(log.last.len()).unwrap();
        log.last.clear();
        (log.received, log.sent) = (0, 0);
        for count in log.counts.values_mut() {
            count.all = 0;
            count.most = count.running;
        }
    }
}

impl Running {
    pub(crate) fn operation(&self) -> &'static str {
        self.operation
    }

    /// What it asks for, if that is remembered.
    pub(crate) fn answered(&self, status: u16) {
        let mut log = self.requests.shared.lock();
        let place = self.number.checked_sub(log.forgotten);
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(seen) = place.and_then(|place| log.last.get_mut(place)) {
            seen.status = Some(status);
        }
    }

    fn sent(&self, bytes: usize) {
        self.requests.shared.lock().sent += u64::try_from(bytes).unwrap();
    }

    /// Counts what is sent of the body of its answer, and runs as long as that.
    pub(crate) fn counting<B>(self, body: B) -> Body
    where
        B: hyper::body::Body<Data = Bytes, Error = Fault> + Send + 'static,
    {
        let counting = body.map_frame(move |frame| {
            self.sent(frame.data_ref().map_or(0, Bytes::len));
            frame
        });
        counting.boxed_unsync()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut log = self.requests.shared.lock();
        if let Some(count) = log.counts.get_mut(self.operation) {
            count.running -= 1;
        }
    }
}
