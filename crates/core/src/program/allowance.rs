//! How much a program may still be sent, and the look at the disk that keeps it honest: compression, deltas and sparse files
//! make what arrives something else than what is stored.

use std::future::Future;
use std::time::Duration;

use sftpgo_model::user::QuotaLimits;
use sftpgo_storage::Usage;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::error::{OpErrorKind, OpResult};

/// Between two looks at the disk at least this, and [`COST`] times what a look takes.
const INTERVAL: Duration = Duration::from_secs(2);
/// Looks take a tenth of the disk's time at most.
const COST: u32 = 10;
/// What may arrive beyond what is free before the disk is looked at again: protocol, and data that replaces other data.
const SLACK: u64 = 256 * 1024;

/// Bytes that may still be sent. Who has no limit has none.
#[derive(Debug)]
pub(super) struct Allowance(Option<Limited>);

#[derive(Debug)]
struct Limited {
    sent: u64,
    /// Sum of all that was granted.
    granted: watch::Receiver<u64>,
    /// Asks for more; `None` if there is never more.
    more: Option<mpsc::Sender<()>>,
}

/// The side that grants.
#[derive(Debug)]
pub(super) struct Watcher {
    limits: QuotaLimits,
    granted: watch::Sender<u64>,
    asked: mpsc::Receiver<()>,
}

impl Allowance {
    pub(super) fn unlimited() -> Self {
        Self(None)
    }

    /// With `free` bytes, and a little more, to begin with. If `renewable`, more is granted when a look at the disk finds room;
    /// else that is all: right for a program that stores what it is sent, removes nothing and knows the limit itself.
    pub(super) fn limited(limits: QuotaLimits, free: u64, renewable: bool) -> (Self, Watcher) {
        let (granted, granting) = watch::channel(free.saturating_add(SLACK));
        let (more, asked) = mpsc::channel(1);
        let allowance = Self(Some(Limited {
            sent: 0,
            granted: granting,
            more: renewable.then_some(more),
        }));
        let watcher = Watcher {
            limits,
            granted,
            asked,
        };
        (allowance, watcher)
    }

    /// Takes `bytes`; waits for a look at the disk if that many are not granted yet.
    ///
    /// # Errors
    /// `QuotaExceeded` if no more is granted, `Aborted` if nobody looks any more.
    pub(super) async fn take(&mut self, bytes: u64) -> OpResult<()> {
        let Some(limited) = &mut self.0 else {
            return Ok(());
        };
        let wanted = limited.sent.saturating_add(bytes);
        while wanted > *limited.granted.borrow_and_update() {
            let Some(more) = &limited.more else {
                return Err(OpErrorKind::QuotaExceeded.into());
            };
            // Full means that somebody has been asked already.
            let _ = more.try_send(());
            let granted = limited.granted.changed().await;
            granted.map_err(|_| OpErrorKind::Aborted)?;
        }
        limited.sent = wanted;
        Ok(())
    }
}

impl Watcher {
    /// Looks at the disk from time to time, and when more is asked for; returns when more is stored than allowed.
    pub(super) async fn exceeded<F>(mut self, look: impl Fn() -> F)
    where
        F: Future<Output = OpResult<Usage>>,
    {
        let mut due = Instant::now() + INTERVAL;
        let mut earliest = Instant::now();
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                Some(()) = self.asked.recv() => tokio::time::sleep_until(earliest).await,
            }
            let start = Instant::now();
            let looked = look().await;
            let cost = start.elapsed() * COST;
            earliest = Instant::now() + cost;
            due = Instant::now() + INTERVAL.max(cost);
            match looked {
                Ok(usage) if self.is_over(&usage) => return,
                Ok(usage) => self.grant(&usage),
                // A tree that changes while it is scanned; it is looked at again.
                Err(error) => {
                    tracing::debug!(%error, "the disk of a running program was not scanned")
                }
            }
        }
    }

    fn is_over(&self, usage: &Usage) -> bool {
        self.limits.bytes.is_some_and(|limit| usage.bytes > limit)
            || self.limits.files.is_some_and(|limit| usage.files > limit)
    }

    fn grant(&self, usage: &Usage) {
        let limit = self.limits.bytes.unwrap_or(u64::MAX / 2);
        let free = limit.saturating_sub(usage.bytes);
        self.granted
            .send_modify(|granted| *granted = granted.saturating_add(free).saturating_add(SLACK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: QuotaLimits = QuotaLimits {
        files: Some(3),
        bytes: Some(1 << 20),
    };

    fn used(files: u64, bytes: u64) -> OpResult<Usage> {
        Ok(Usage { files, bytes })
    }

    #[tokio::test(start_paused = true)]
    async fn more_is_granted_when_the_disk_has_room() {
        let (mut allowance, watcher) = Allowance::limited(LIMITS, 1000, true);
        let sending = async {
            for _ in 0..100 {
                allowance.take(64 * 1024).await.unwrap();
            }
        };
        tokio::select! {
            () = sending => {}
            () = watcher.exceeded(async || used(1, 0)) => panic!("nothing is exceeded"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_renewable_ends() {
        let (mut allowance, _watcher) = Allowance::limited(LIMITS, 1000, false);
        allowance.take(1000).await.unwrap();
        let error = allowance.take(SLACK + 1).await.unwrap_err();
        assert_eq!(error.kind(), OpErrorKind::QuotaExceeded);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_is_noticed_without_being_asked() {
        for usage in [(4, 0), (1, (1 << 20) + 1)] {
            let (_allowance, watcher) = Allowance::limited(LIMITS, 1000, true);
            watcher.exceeded(async || used(usage.0, usage.1)).await;
        }
    }
}
