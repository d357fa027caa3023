//! Bandwidth limits: bytes per second of one transfer (reference 6.13).

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::registry::ActiveTransfer;

/// Spreads the bytes of one transfer over time. No credit is saved up while a transfer pauses.
#[derive(Debug)]
pub(crate) struct Pacer {
    bytes_per_second: u64,
    /// When the bytes let through so far are paid for.
    free_at: Mutex<Instant>,
}

impl Pacer {
    pub(crate) fn new(bytes_per_second: u64) -> Self {
        Self {
            bytes_per_second: bytes_per_second.max(1),
            free_at: Mutex::new(Instant::now()),
        }
    }

    /// Waits until `bytes` more of `transfer` may have gone through. Who waits first is let through first.
    pub(crate) async fn pass(&self, bytes: u64, transfer: &ActiveTransfer) {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second);
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let until = {
            let mut free_at = self.free_at.lock();
            let start = (*free_at).max(Instant::now());
            // A limit so low that the end lies beyond what a clock can say waits for a day at a time.
            *free_at = start
                .checked_add(cost)
                .unwrap_or(start + Duration::from_secs(86_400));
            *free_at
        };
        transfer.hold(until.saturating_duration_since(Instant::now()));
        tokio::time::sleep_until(until).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sftpgo_model::VirtualPath;

    use super::*;
    use crate::registry::Direction;

    #[tokio::test(start_paused = true)]
    async fn bytes_take_the_time_the_limit_asks_for() {
        let pacer = Pacer::new(1_000_000);
        let transfer = ActiveTransfer::new(Direction::Upload, VirtualPath::root(), Arc::default());
        let start = Instant::now();
        for _ in 0..10 {
            pacer.pass(50_000, &transfer).await;
        }
        assert_eq!(start.elapsed().as_millis(), 500);
        tokio::time::advance(Duration::from_secs(60)).await;
        let again = Instant::now();
        pacer.pass(1_000_000, &transfer).await;
        assert_eq!(again.elapsed().as_millis(), 1000, "a pause earns no credit");
    }
}
