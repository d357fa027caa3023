//! The budget of received bytes of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

/// Received bytes that may wait to be stored before the socket is left alone. Large enough for a full window of requests of a
/// fast client while one batch is being written, small enough for hundreds of stalled uploads.
pub(crate) const BUDGET: usize = 2 << 20;

/// What one message costs beyond its bytes, so that a flood of tiny ones is bounded as well.
const MESSAGE_COST: usize = 64;

/// Counts bytes between the socket and where they are stored. Reading pauses while too many are held; sending does not.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    held: AtomicUsize,
    waiting: Mutex<Option<Waker>>,
}

impl Gate {
    /// Notes `bytes` that came in.
    pub(crate) fn hold(&self, bytes: usize) {
        self.held.fetch_add(bytes + MESSAGE_COST, Ordering::AcqRel);
    }

    /// Notes that `bytes` of one message were dealt with.
    fn release(&self, bytes: usize) {
        let before = self.held.fetch_sub(bytes, Ordering::AcqRel);
        if before >= BUDGET
            && before.saturating_sub(bytes) < BUDGET
            && let Some(waker) = self.waiting.lock().take()
        {
            waker.wake();
        }
    }

    /// Ready while there is room.
    pub(crate) fn poll_open(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.held.load(Ordering::Acquire) < BUDGET {
            return Poll::Ready(());
        }
        *self.waiting.lock() = Some(cx.waker().clone());
        // Room may have come between the look and the note.
        if self.held.load(Ordering::Acquire) < BUDGET {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Holds `bytes` more until the value is dropped.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Held {
        self.held.fetch_add(bytes, Ordering::AcqRel);
        self.part(bytes)
    }

    /// A held part of a message that is released when the value is dropped.
    pub(crate) fn part(self: &Arc<Self>, bytes: usize) -> Held {
        Held {
            gate: Arc::clone(self),
            bytes,
        }
    }

    /// What a message of `bytes` was counted as.
    pub(crate) const fn cost(bytes: usize) -> usize {
        bytes + MESSAGE_COST
    }
}

/// Bytes that count against the budget until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    gate: Arc<Gate>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gate.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_pauses_over_the_budget_and_goes_on_when_bytes_are_released() {
        let gate = Arc::new(Gate::default());
        let mut cx = Context::from_waker(Waker::noop());
        gate.hold(BUDGET);
        assert!(gate.poll_open(&mut cx).is_pending());
        drop(gate.part(Gate::cost(BUDGET)));
        assert!(gate.poll_open(&mut cx).is_ready());
        assert_eq!(gate.held.load(Ordering::Acquire), 0);
    }
}
