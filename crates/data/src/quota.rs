//! Arithmetic of quota counters, the same for every driver.

use crate::provider::QuotaDelta;

/// Counters stay within `0..=COUNTER_MAX` and deltas within `±COUNTER_MAX`, so that no sum can leave 64 bits. SQLite
/// would silently continue in floating point.
pub(crate) const COUNTER_MAX: i64 = i64::MAX / 2;

/// The counter after adding `delta`.
pub(crate) fn added(counter: i64, delta: i64) -> i64 {
    counter.saturating_add(delta).clamp(0, COUNTER_MAX)
}

/// Whether a counter at `used` may change by `delta` under `limit`. Shrinking is always allowed: a limit lowered below
/// what is stored must not keep anyone from deleting.
pub(crate) fn admits(used: i64, delta: i64, limit: i64) -> bool {
    delta <= 0 || limit <= 0 || used.saturating_add(delta) <= limit
}

/// The delta, each part within `±COUNTER_MAX`.
pub(crate) fn bounded(delta: QuotaDelta) -> QuotaDelta {
    let bound = |part: i64| part.clamp(-COUNTER_MAX, COUNTER_MAX);
    QuotaDelta {
        files: bound(delta.files),
        bytes: bound(delta.bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stay_between_zero_and_the_maximum() {
        assert_eq!(added(3, -5), 0);
        assert_eq!(added(3, 5), 8);
        assert_eq!(added(COUNTER_MAX, COUNTER_MAX), COUNTER_MAX);
        assert_eq!(added(0, i64::MIN), 0);
    }

    #[test]
    fn only_growth_is_compared_with_the_limit() {
        assert!(admits(9, 1, 10));
        assert!(!admits(10, 1, 10));
        assert!(admits(20, 0, 10));
        assert!(admits(20, -1, 10));
        assert!(admits(20, 1, 0));
    }
}
