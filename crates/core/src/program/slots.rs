//! How many programs run at a time, and whose quota is being put right.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::MutexGuard;

use crate::error::{OpError, OpErrorKind, OpResult};

/// Programs of one connection at a time.
const PER_CONNECTION: usize = 8;
/// Programs of the server at a time; each has a thread, a process or more, and pipes.
const ALL: usize = 512;

/// What runs.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    running: Arc<Mutex<HashMap<String, usize>>>,
    scans: Mutex<HashMap<String, Arc<UserScan>>>,
}

impl Programs {
    /// A place for one more program of a connection.
    ///
    /// # Errors
    /// `Unavailable` if all are taken.
    pub(super) fn take_slot(&self, connection_id: &str) -> OpResult<Slot> {
        let mut running = self.running.lock();
        let all: usize = running.values().sum();
        let own = running.get(connection_id).copied().unwrap_or(0);
        if own >= PER_CONNECTION || all >= ALL {
            return Err(OpError::new(
                OpErrorKind::Unavailable,
                "too many commands are running",
            ));
        }
        running.insert(connection_id.to_owned(), own + 1);
        Ok(Slot {
            running: Arc::clone(&self.running),
            connection_id: connection_id.to_owned(),
        })
    }

    /// The scans of a user.
    pub(super) fn scan_of(&self, username: &str) -> Arc<UserScan> {
        let mut scans = self.scans.lock();
        scans.retain(|_, scan| Arc::strong_count(scan) > 1);
        Arc::clone(scans.entry(username.to_owned()).or_default())
    }
}

/// Scans of one user's files: one at a time, and one that waits stands for all that would.
#[derive(Debug, Default)]
pub(super) struct UserScan {
    running: tokio::sync::Mutex<()>,
    waiting: AtomicBool,
}

impl UserScan {
    /// Waits for the turn to scan; `None` if somebody waits already, whose scan will see what this one would.
    pub(super) async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if self.waiting.swap(true, Ordering::AcqRel) {
            return None;
        }
        let turn = self.running.lock().await;
        // Whoever comes from now on has changed something that this scan may have passed already.
        self.waiting.store(false, Ordering::Release);
        Some(turn)
    }

    /// Waits until no scan is running.
    pub(super) async fn ended(&self) {
        drop(self.running.lock().await);
    }
}

/// One running program; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Slot {
    running: Arc<Mutex<HashMap<String, usize>>>,
    connection_id: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self.running.lock();
        if let Some(count) = running.get_mut(&self.connection_id) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                running.remove(&self.connection_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_scan_that_waits_stands_for_all() {
        let programs = Programs::default();
        let scan = programs.scan_of("alice");
        let first = scan.turn().await;
        assert!(first.is_some());
        let mut second = std::pin::pin!(scan.turn());
        assert!(futures_util::poll!(&mut second).is_pending());
        for _ in 0..100 {
            assert!(scan.turn().await.is_none());
        }
        assert!(programs.scan_of("bob").turn().await.is_some());
        drop(first);
        assert!(second.await.is_some());
        assert!(scan.turn().await.is_some(), "its turn is over");
    }

    #[test]
    fn a_connection_runs_eight_programs_at_a_time() {
        let programs = Programs::default();
        let mut slots: Vec<_> = (0..8).map(|_| programs.take_slot("a").unwrap()).collect();
        assert!(programs.take_slot("a").is_err());
        assert!(programs.take_slot("b").is_ok());
        slots.pop();
        assert!(programs.take_slot("a").is_ok());
    }
}
