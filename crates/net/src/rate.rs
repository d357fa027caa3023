//! How often an address may begin a connection.

use std::time::{Duration, Instant};

/// So many a second in the long run, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartRate {
    /// Connections a second; at least one.
    pub per_second: u32,
    /// Connections at once, after a while without any; at least one.
    pub burst: u32,
}

/// A bucket of tokens, as the time at which it will be full again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    full_at: Instant,
}

impl Bucket {
    pub(crate) fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// From when on the bucket says no more than a new one would.
    pub(crate) fn full_at(&self) -> Instant {
        self.full_at
    }

    /// Takes a token; `false` if there is none.
    pub(crate) fn take(&mut self, rate: &StartRate, now: Instant) -> bool {
        let each = Duration::from_secs(1) / rate.per_second.max(1);
        let missing = self.full_at.saturating_duration_since(now);
        if missing > each.saturating_mul(rate.burst.max(1) - 1) {
            return false;
        }
        self.full_at = now + missing + each;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_so_many_a_second() {
        let rate = StartRate {
            per_second: 10,
            burst: 5,
        };
        let start = Instant::now();
        let mut bucket = Bucket::full(start);
        let mut taken = [0; 3];
        for ms in 0..3000_u32 {
            let now = start + Duration::from_millis(ms.into());
            if bucket.take(&rate, now) {
                taken[usize::try_from(ms / 1000).unwrap()] += 1;
            }
        }
        assert_eq!(taken, [14, 10, 10]);
        assert!(bucket.full_at() > start + Duration::from_secs(3));
        // As many at once again, and no more.
        let later = start + Duration::from_secs(60);
        let again = (0..9).filter(|_| bucket.take(&rate, later)).count();
        assert_eq!(again, 5);
    }
}
