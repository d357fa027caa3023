//! Which requests are treated in another way, and how.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::{Request, Response};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::serve::{Body, full};
use crate::within;

/// What is done with a request instead of passing it on.
#[derive(Debug, Clone)]
pub enum Action {
    /// Answers in the store's place, which learns nothing. The body is read before.
    Answer(Answer),
    /// Passes it on later.
    Delay(Duration),
    /// Passes it on when the test opens the gate.
    Hold(Gate),
    /// Never answers; the store learns nothing.
    Hang,
    /// Resets the connection when the head of the request has come; the store learns nothing.
    Cut,
    /// Resets the connection when so many bytes of the body have come; the store learns nothing.
    CutUpload(u64),
    /// Lets the store do it, and resets the connection instead of answering: the client cannot know.
    LoseAnswer,
    /// Answers with the store's head and no more than so many bytes of its body, then ends the connection.
    Truncate(u64),
}

/// An answer in the store's place.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

/// Where requests wait until a test lets them through.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    arrived: watch::Sender<u64>,
    open: CancellationToken,
}

/// Requests, and what is done with them.
#[derive(Debug, Clone)]
pub struct Rule {
    action: Action,
    operation: Option<String>,
    path: Option<String>,
    after: u64,
    every: u64,
    times: u64,
}

/// A rule that counts.
#[derive(Debug, Clone)]
pub struct Placed(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    rule: Rule,
    met: AtomicU64,
    applied: AtomicU64,
}

impl Rule {
    /// For every request, until more is said.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self {
            action,
            operation: None,
            path: None,
            after: 0,
            every: 1,
            times: u64::MAX,
        }
    }

    /// Only for those that ask for this, as [`Dialect::operation`](crate::Dialect::operation) names it.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Only for those with these letters in their path, which is encoded.
    #[must_use]
    pub fn path_with(mut self, letters: &str) -> Self {
        self.path = Some(letters.to_owned());
        self
    }

    /// Not for the first `count` of them.
    #[must_use]
    pub fn after(mut self, count: u64) -> Self {
        self.after = count;
        self
    }

    /// Only for each `nth` of them, the `nth` being the first one.
    #[must_use]
    pub fn every(mut self, nth: u64) -> Self {
        assert!(nth > 0, "every 0th request is none");
        self.every = nth;
        self
    }

    /// So often at most.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    fn is_about<B>(&self, operation: &str, request: &Request<B>) -> bool {
        let wanted = self.operation.as_deref().unwrap_or(operation);
        let path = self.path.as_deref().unwrap_or("");
        wanted == operation && request.uri().path().contains(path)
    }
}

impl Placed {
    pub(super) fn new(rule: Rule) -> Self {
        Self(Arc::new(Counted {
            rule,
            met: AtomicU64::new(0),
            applied: AtomicU64::new(0),
        }))
    }

    /// How often it has been applied.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.0.applied.load(Ordering::SeqCst)
    }

    /// What is to be done with this request, if the rule is about it and this is its turn.
    pub(super) fn take<B>(&self, operation: &str, request: &Request<B>) -> Option<Action> {
        let Counted { rule, met, applied } = &*self.0;
        if !rule.is_about(operation, request) {
            return None;
        }
        let number = met.fetch_add(1, Ordering::SeqCst) + 1;
        let counted = number.checked_sub(rule.after).filter(|n| *n > 0)?;
        if counted % rule.every != 0 {
            return None;
        }
        let more = |done: u64| (done < rule.times).then_some(done + 1);
        applied
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
            .ok()?;
        Some(rule.action.clone())
    }
}

impl Gate {
    /// A closed one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until a request waits here, or has waited.
    pub async fn reached(&self) {
        let mut arrived = self.arrived.subscribe();
        within("a request at the gate", async {
            // The sender lives in this gate.
            let _ = arrived.wait_for(|count| *count > 0).await;
        })
        .await;
    }

    /// Lets all through, for good.
    pub fn open(&self) {
        self.open.cancel();
    }

    pub(super) async fn pass(&self) {
        self.arrived.send_modify(|count| *count += 1);
        self.open.cancelled().await;
    }
}

impl Answer {
    /// With a status and nothing else.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// An error as S3 reports it. With status 200 it is one that the store has found after it began to answer.
    #[must_use]
    pub fn s3(status: u16, code: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
             <Message>made up by a test</Message><RequestId>none</RequestId></Error>"
        );
        Self::new(status)
            .header("content-type", "application/xml")
            .body(body)
    }

    /// The answer of an S3 that gets too many requests.
    #[must_use]
    pub fn slow_down() -> Self {
        Self::s3(503, "SlowDown")
    }

    /// An error as Google Cloud Storage reports it.
    #[must_use]
    pub fn gcs(status: u16, reason: &str) -> Self {
        let body = format!(
            r#"{{"error":{{"code":{status},"message":"made up by a test","errors":[{{"reason":"{reason}"}}]}}}}"#
        );
        Self::new(status)
            .header("content-type", "application/json")
            .body(body)
    }

    /// An error as Azure reports it.
    #[must_use]
    pub fn azure(status: u16, code: &str) -> Self {
        Self::s3(status, code).header("x-ms-error-code", code)
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn response(self) -> Response<Body> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(full(self.body)).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(rule: Rule, requests: usize) -> Vec<usize> {
        let placed = Placed::new(rule);
        let request = Request::builder().uri("/bucket/key").body(()).unwrap();
        let all = (1..=requests).filter(|_| placed.take("GetObject", &request).is_some());
        all.collect()
    }

    #[test]
    fn a_rule_applies_after_some_to_every_nth_so_many_times() {
        let rule = || Rule::new(Action::Cut).on("GetObject").path_with("/key");
        assert_eq!(applied(rule(), 3), [1, 2, 3]);
        assert_eq!(applied(rule().every(3), 9), [3, 6, 9]);
        assert_eq!(applied(rule().after(2).times(2), 9), [3, 4]);
        assert_eq!(applied(rule().after(1).every(2).times(2), 9), [3, 5]);
        assert!(applied(rule().path_with("/other"), 9).is_empty());
        assert!(applied(rule().on("HeadObject"), 9).is_empty());
    }
}
