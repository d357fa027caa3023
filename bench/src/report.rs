//! Figures, as one line of JSON.

use std::time::Duration;

use serde_json::{Value, json};

/// Milliseconds at the usual percentiles of a set of durations.
pub(crate) fn percentiles(mut all: Vec<Duration>) -> Value {
    all.sort_unstable();
    let at = |permille: usize| {
        let index = (all.len() * permille / 1000).min(all.len().saturating_sub(1));
        let value = all.get(index).copied().unwrap_or_default();
        (value.as_secs_f64() * 1e6).round() / 1e3
    };
    json!({"p50": at(500), "p95": at(950), "p99": at(990), "max": at(1000)})
}

/// Figures of a run that moved `bytes` in `elapsed`.
pub(crate) fn throughput(mode: &str, bytes: u64, elapsed: Duration) -> Value {
    let seconds = elapsed.as_secs_f64();
    json!({
        "mode": mode,
        "bytes": bytes,
        "seconds": seconds,
        "mib_per_second": rate(bytes, 1024.0 * 1024.0, seconds),
    })
}

/// Figures of a run that did something `count` times in `elapsed`.
pub(crate) fn frequency(mode: &str, count: u64, elapsed: Duration) -> Value {
    let seconds = elapsed.as_secs_f64();
    json!({"mode": mode, "count": count, "seconds": seconds, "per_second": rate(count, 1.0, seconds)})
}

/// Adds the fields of `more`.
pub(crate) fn with(mut figures: Value, more: Value) -> Value {
    if let (Value::Object(figures), Value::Object(more)) = (&mut figures, more) {
        figures.extend(more);
    }
    figures
}

#[expect(clippy::cast_precision_loss, reason = "figures have a few digits")]
fn rate(count: u64, unit: f64, seconds: f64) -> f64 {
    count as f64 / unit / seconds.max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let all = (1..=1000).rev().map(Duration::from_millis).collect();
        let expected = json!({"p50": 501.0, "p95": 951.0, "p99": 991.0, "max": 1000.0});
        assert_eq!(percentiles(all), expected);
    }

    #[test]
    fn no_durations_have_percentiles_of_zero() {
        assert_eq!(percentiles(Vec::new())["max"], json!(0.0));
    }
}
