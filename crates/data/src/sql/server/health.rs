//! Which idle connections to trust.
//!
//! Asking the server before every call would double the time of a call. A connection is trusted for a moment after it
//! was used, unless another one broke since: a server that restarts breaks all of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long an idle connection is trusted without a question.
const TRUST: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Health {
    start: Instant,
    /// Milliseconds after `start`, and one more; 0 is never.
    broke: AtomicU64,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            broke: AtomicU64::new(0),
        }
    }

    /// Notes that a connection broke: those that are idle now may have broken too.
    pub(crate) fn note_break(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.broke
            .fetch_max(now.saturating_add(1), Ordering::AcqRel);
    }

    /// Whether a connection that has been idle for this long is to be asked whether it lives.
    pub(crate) fn doubts(&self, idle: Duration) -> bool {
        if idle >= TRUST {
            return true;
        }
        let broke = Duration::from_millis(self.broke.load(Ordering::Acquire));
        // Rounded in favour of asking.
        broke > Duration::ZERO && self.start.elapsed().saturating_sub(idle) <= broke
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_trusted_for_a_moment() {
        let health = Health::new();
        assert!(!health.doubts(Duration::ZERO));
        assert!(!health.doubts(TRUST / 2));
        assert!(health.doubts(TRUST));
    }

    #[test]
    fn when_one_broke_those_that_were_idle_then_are_doubted() {
        let health = Health {
            start: Instant::now().checked_sub(Duration::from_secs(10)).unwrap(),
            broke: AtomicU64::new(0),
        };
        health.note_break();
        assert!(health.doubts(TRUST / 2));
        let later = Health {
            start: health.start,
            broke: AtomicU64::new(5_000),
        };
        assert!(!later.doubts(TRUST / 2));
    }
}
