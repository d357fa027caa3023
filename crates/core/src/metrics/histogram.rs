//! How many values were within which bounds. Plain atomics: observing never waits.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a histogram measures, and in which steps.
pub trait Scale: Debug {
    /// Upper bounds of the buckets in ascending order; each belongs to its bucket. What is above the last one has a bucket
    /// of its own.
    const BOUNDS: &'static [u64];
    /// How many of the units of [`BOUNDS`](Self::BOUNDS) make one of those that are shown.
    const PER_UNIT: u64;
}

/// Durations are measured in microseconds and shown in seconds.
const SECOND: u64 = 1_000_000;
const MILLISECOND: u64 = SECOND / 1000;
const MIB: u64 = 1 << 20;

/// How long a login takes: a millisecond for a key, a minute for somebody who types.
#[derive(Debug)]
pub struct LoginTime;

impl Scale for LoginTime {
    const BOUNDS: &'static [u64] = &[
        MILLISECOND,
        5 * MILLISECOND,
        10 * MILLISECOND,
        25 * MILLISECOND,
        50 * MILLISECOND,
        100 * MILLISECOND,
        250 * MILLISECOND,
        500 * MILLISECOND,
        SECOND,
        2_500 * MILLISECOND,
        5 * SECOND,
        10 * SECOND,
        30 * SECOND,
        60 * SECOND,
    ];
    const PER_UNIT: u64 = SECOND;
}

/// How long a file is open: milliseconds to hours.
#[derive(Debug)]
pub struct TransferTime;

impl Scale for TransferTime {
    const BOUNDS: &'static [u64] = &[
        5 * MILLISECOND,
        10 * MILLISECOND,
        50 * MILLISECOND,
        100 * MILLISECOND,
        500 * MILLISECOND,
        SECOND,
        5 * SECOND,
        10 * SECOND,
        30 * SECOND,
        60 * SECOND,
        300 * SECOND,
        600 * SECOND,
        1_800 * SECOND,
        3_600 * SECOND,
        14_400 * SECOND,
    ];
    const PER_UNIT: u64 = SECOND;
}

/// How long the answer to a request takes.
#[derive(Debug)]
pub struct RequestTime;

impl Scale for RequestTime {
    const BOUNDS: &'static [u64] = &[
        MILLISECOND,
        5 * MILLISECOND,
        10 * MILLISECOND,
        25 * MILLISECOND,
        50 * MILLISECOND,
        100 * MILLISECOND,
        250 * MILLISECOND,
        500 * MILLISECOND,
        SECOND,
        2_500 * MILLISECOND,
        5 * SECOND,
        10 * SECOND,
        30 * SECOND,
        120 * SECOND,
    ];
    const PER_UNIT: u64 = SECOND;
}

/// How many bytes a transfer has.
#[derive(Debug)]
pub struct TransferSize;

impl Scale for TransferSize {
    const BOUNDS: &'static [u64] = &[
        1 << 10,
        16 << 10,
        256 << 10,
        MIB,
        4 * MIB,
        16 * MIB,
        64 * MIB,
        256 * MIB,
        1_024 * MIB,
        4_096 * MIB,
        16_384 * MIB,
        65_536 * MIB,
    ];
    const PER_UNIT: u64 = 1;
}

/// Counts values by bucket, and adds them up.
#[derive(Debug)]
pub struct Histogram<S: Scale> {
    /// One for each bound and one for what is above.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
    scale: PhantomData<S>,
}

impl<S: Scale> Default for Histogram<S> {
    fn default() -> Self {
        let buckets = (0..=S::BOUNDS.len()).map(|_| AtomicU64::new(0));
        Self {
            buckets: buckets.collect(),
            sum: AtomicU64::new(0),
            scale: PhantomData,
        }
    }
}

impl<S: Scale> Histogram<S> {
    /// Counts a value, in the units of the bounds.
    pub fn observe(&self, value: u64) {
        let index = S::BOUNDS.partition_point(|bound| *bound < value);
        // There is one bucket more than bounds, and the index is at most their number.
        if let Some(bucket) = self.buckets.get(index) {
            self.sum.fetch_add(value, Ordering::Relaxed);
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a duration, on a scale of microseconds.
    pub fn observe_time(&self, time: Duration) {
        self.observe(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// What was counted so far, in the units that are shown. The count is that of the buckets, whatever is observed meanwhile;
    /// the sum may be ahead of it by what is being observed.
    pub fn snapshot(&self) -> Snapshot {
        let mut count = 0_u64;
        let mut buckets = Vec::with_capacity(S::BOUNDS.len());
        let mut bounds = S::BOUNDS.iter();
        for bucket in &self.buckets {
            count = count.saturating_add(bucket.load(Ordering::Relaxed));
            if let Some(bound) = bounds.next() {
                buckets.push((shown::<S>(*bound), count));
            }
        }
        Snapshot {
            buckets,
            count,
            sum: shown::<S>(self.sum.load(Ordering::Relaxed)),
        }
    }
}

/// Precise up to 2^53 of the small units, and good enough for a graph after that.
fn shown<S: Scale>(value: u64) -> f64 {
    value as f64 / S::PER_UNIT as f64
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Each bound, and how many values were not above it.
    pub buckets: Vec<(f64, u64)>,
    /// How many values there were.
    pub count: u64,
    /// All of them together.
    pub sum: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_the_bucket_of_its_bound_and_in_all_above() {
        let histogram = Histogram::<LoginTime>::default();
        histogram.observe_time(Duration::from_millis(1));
        histogram.observe_time(Duration::from_micros(1001));
        histogram.observe_time(Duration::from_secs(3600));
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.buckets[0], (0.001, 1));
        assert_eq!(snapshot.buckets[1], (0.005, 2));
        assert_eq!(*snapshot.buckets.last().unwrap(), (60.0, 2));
        assert_eq!(snapshot.count, 3);
        assert_eq!(snapshot.sum, 3600.002001);
    }

    #[test]
    fn nothing_observed_is_a_row_of_zeros() {
        let snapshot = Histogram::<TransferSize>::default().snapshot();
        assert_eq!(snapshot.buckets.len(), TransferSize::BOUNDS.len());
        assert!(snapshot.buckets.iter().all(|(_, count)| *count == 0));
        assert_eq!((snapshot.count, snapshot.sum), (0, 0.0));
    }

    #[test]
    fn bounds_ascend() {
        for bounds in [
            LoginTime::BOUNDS,
            TransferTime::BOUNDS,
            RequestTime::BOUNDS,
            TransferSize::BOUNDS,
        ] {
            assert!(bounds.is_sorted_by(|a, b| a < b), "{bounds:?}");
        }
    }

    /// What a scrape sees while others observe must be a histogram: cumulative, with the count of its last bucket.
    #[test]
    fn a_snapshot_is_consistent_while_values_come_in() {
        let histogram = Histogram::<TransferSize>::default();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..20_000_u64).for_each(|value| histogram.observe(value * 1000)));
            }
            for _ in 0..200 {
                let snapshot = histogram.snapshot();
                assert!(snapshot.buckets.is_sorted_by(|a, b| a.1 <= b.1));
                assert!(snapshot.buckets.last().unwrap().1 <= snapshot.count);
            }
        });
        assert_eq!(histogram.snapshot().count, 40_000);
    }
}
