//! How fast files go through the server now: the mean of the last seconds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::engine::Core;
use crate::metrics::Metrics;

/// How often the counters are read.
const PERIOD: Duration = Duration::from_secs(1);
/// Over how many readings the mean goes.
const READINGS: usize = 5;

/// Bytes per second in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Client to server.
    pub upload: u64,
    /// Server to client.
    pub download: u64,
}

/// The last readings of the counters, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Throughput {
    readings: Mutex<VecDeque<Reading>>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    uploaded: u64,
    downloaded: u64,
}

impl Reading {
    fn of(metrics: &Metrics, at: Instant) -> Self {
        Self {
            at,
            uploaded: metrics.uploads.passed.value(),
            downloaded: metrics.downloads.passed.value(),
        }
    }

    /// The mean from `earlier` until this.
    fn since(self, earlier: Self) -> Rates {
        let time = self.at.saturating_duration_since(earlier.at);
        let rate = |before: u64, now: u64| {
            let bytes = u128::from(now.saturating_sub(before));
            let rate = bytes * 1000 / time.as_millis().max(1);
            u64::try_from(rate).unwrap_or(u64::MAX)
        };
        Rates {
            upload: rate(earlier.uploaded, self.uploaded),
            download: rate(earlier.downloaded, self.downloaded),
        }
    }
}

impl Throughput {
    fn read(&self, metrics: &Metrics, at: Instant) {
        let mut readings = self.readings.lock();
        readings.push_back(Reading::of(metrics, at));
        while readings.len() > READINGS {
            readings.pop_front();
        }
    }

    fn rates(&self, metrics: &Metrics, at: Instant) -> Rates {
        let oldest = self.readings.lock().front().copied();
        // Right after a reading there is no time to divide by.
        let oldest = oldest.filter(|oldest| at.saturating_duration_since(oldest.at) >= PERIOD / 2);
        oldest.map_or_else(Rates::default, |oldest| {
            Reading::of(metrics, at).since(oldest)
        })
    }
}

impl Core {
    /// How fast files go through now; zero in the first moment of the server.
    pub fn throughput(&self) -> Rates {
        self.throughput.rates(self.metrics(), Instant::now())
    }

    pub(crate) async fn measure_throughput(self: Arc<Self>) {
        loop {
            self.throughput.read(self.metrics(), Instant::now());
            if !self.pause(PERIOD).await {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_throughput_is_the_mean_of_the_last_five_seconds() {
        let (metrics, throughput, start) =
            (Metrics::default(), Throughput::default(), Instant::now());
        let second = |number: u64| start + Duration::from_secs(number);
        assert_eq!(throughput.rates(&metrics, start), Rates::default());
        throughput.read(&metrics, start);
        metrics.uploads.passed.add(4000);
        assert_eq!(throughput.rates(&metrics, start), Rates::default());
        let rates = throughput.rates(&metrics, second(2));
        assert_eq!((rates.upload, rates.download), (2000, 0));
        for number in 1..=20 {
            metrics
                .downloads
                .passed
                .add(if number > 10 { 100 } else { 7000 });
            throughput.read(&metrics, second(number));
        }
        let rates = throughput.rates(&metrics, second(20));
        assert_eq!((rates.upload, rates.download), (0, 100));
        assert_eq!(
            throughput.rates(&metrics, second(36)),
            Rates {
                upload: 0,
                download: 20
            }
        );
    }
}
