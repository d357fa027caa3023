//! How many programs run at a time.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{OpError, OpErrorKind, OpResult};

/// Programs of one connection at a time.
const PER_CONNECTION: usize = 8;
/// Programs of the server at a time; each has a thread, a process or more, and pipes.
const ALL: usize = 512;

/// What runs.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    running: Arc<Mutex<HashMap<String, usize>>>,
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
