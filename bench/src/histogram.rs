//! Durations by the million: counted in steps of some three per cent, the longest one exactly.

use std::time::Duration;

use serde_json::{Value, json};

/// Steps for each doubling.
const STEPS: u64 = 32;

/// How many durations there were of each length.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    longest: Duration,
}

impl Histogram {
    pub(crate) fn add(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let step = usize::try_from(step(micros)).unwrap_or(0);
        if step >= self.counts.len() {
            self.counts.resize(step + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(step) {
            *count += 1;
        }
        self.total += 1;
        self.longest = self.longest.max(duration);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Milliseconds at the usual percentiles; "max" is exact.
    pub(crate) fn percentiles(&self) -> Value {
        let longest = (self.longest.as_secs_f64() * 1e6).round() / 1e3;
        json!({"p50": self.at(500), "p95": self.at(950), "p99": self.at(990), "p999": self.at(999), "max": longest})
    }

    #[expect(clippy::cast_precision_loss, reason = "figures have a few digits")]
    fn at(&self, permille: u64) -> f64 {
        let before = self.total * permille / 1000;
        let mut seen = 0;
        for (step, count) in (0..).zip(&self.counts) {
            seen += count;
            if seen > before {
                return least(step) as f64 / 1e3;
            }
        }
        0.0
    }
}

/// The step that so many microseconds fall into.
fn step(micros: u64) -> u64 {
    let doublings = micros.max(1).ilog2().saturating_sub(STEPS.ilog2());
    u64::from(doublings) * STEPS + (micros >> doublings)
}

/// The least microseconds of a step.
fn least(step: u64) -> u64 {
    if step < 2 * STEPS {
        return step;
    }
    let doublings = step / STEPS - 1;
    (step % STEPS + STEPS) << doublings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_in_order_and_three_per_cent_wide() {
        let mut before = 0;
        for micros in (0..5_000).chain((5_000..1 << 40).step_by(1 << 33)) {
            let step = step(micros);
            assert!(step >= before, "{micros}");
            before = step;
            let least = least(step);
            assert!(
                least <= micros && micros - least <= micros / 32,
                "{micros} {least}"
            );
        }
    }

    #[test]
    fn percentiles_are_those_of_all_parts_together() {
        let mut whole = Histogram::default();
        for part in 0..2 {
            let mut half = Histogram::default();
            for ms in (1..=1000).filter(|ms| ms % 2 == part) {
                half.add(Duration::from_millis(ms));
            }
            whole.merge(&half);
        }
        assert_eq!(whole.total(), 1000);
        let found = whole.percentiles();
        for (name, expected) in [("p50", 501.0), ("p95", 951.0), ("p99", 991.0)] {
            let value = found[name].as_f64().unwrap();
            assert!(
                value <= expected && value > expected * 0.96,
                "{name}: {value}"
            );
        }
        assert_eq!(found["max"], json!(1000.0));
        assert_eq!(Histogram::default().percentiles()["max"], json!(0.0));
    }
}
