//! What was done, how long it took, and what went wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::error::LoadError;
use crate::report::percentiles;

/// Failures that are told in full; the rest is counted.
const TOLD: usize = 50;

/// The account of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    took: BTreeMap<&'static str, Vec<Duration>>,
    failures: Vec<String>,
    failed: u64,
    late: u64,
    pub(crate) connections: u64,
    /// Connections that were dropped in the midst of something.
    pub(crate) vanished: u64,
    /// Bytes of file content.
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

impl Tally {
    /// An operation succeeded.
    pub(crate) fn done(&mut self, operation: &'static str, took: Duration) {
        self.took.entry(operation).or_default().push(took);
    }

    /// An operation failed.
    pub(crate) fn failed(&mut self, who: &str, operation: &str, error: &LoadError) {
        self.failed += 1;
        self.late += u64::from(matches!(error, LoadError::Late(_)));
        if self.failures.len() < TOLD {
            let text = format!("{who}: {operation}: {error}");
            eprintln!("sftp-load: {text}");
            self.failures.push(text);
        }
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed
    }

    /// The figures.
    pub(crate) fn report(&self) -> Value {
        let operations: Map<String, Value> = self
            .took
            .iter()
            .map(|(name, took)| {
                let figures = json!({"count": took.len(), "ms": percentiles(took.clone())});
                ((*name).to_owned(), figures)
            })
            .collect();
        let count: usize = self.took.values().map(Vec::len).sum();
        json!({
            "count": count,
            "operations": operations,
            "connections": self.connections,
            "vanished": self.vanished,
            "sent": self.sent,
            "received": self.received,
            "failed": self.failed,
            "late": self.late,
            "failures": self.failures,
        })
    }
}
