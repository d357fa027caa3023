//! Between those who log and the thread that writes: two buffers of lines with a common bound.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that may wait. A few seconds of a busy server.
const CAPACITY: usize = 4 << 20;

/// How long the writer waits for more lines once there is one.
const LINGER: Duration = Duration::from_millis(5);

/// How long a warning waits for room before it is dropped like other lines.
const PATIENCE: Duration = Duration::from_millis(50);

/// Where a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// The log proper.
    Json,
    /// The console.
    Console,
}

/// What the writer gets at a time.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Whole lines.
    pub(super) json: Vec<u8>,
    /// Whole lines.
    pub(super) console: Vec<u8>,
    /// Lines that found no room after these.
    pub(super) dropped: u64,
    /// A new log file is wanted after these lines.
    pub(super) rotate: bool,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.json.is_empty() && self.console.is_empty() && self.dropped == 0 && !self.rotate
    }

    fn len(&self) -> usize {
        self.json.len() + self.console.len()
    }
}

#[derive(Debug, Default)]
struct State {
    waiting: Batch,
    /// Whether the writer waits to be told of a line.
    idle: bool,
    closed: bool,
    finished: bool,
}

/// The queue; shared by everybody who logs.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to write, or the queue was closed.
    filled: Condvar,
    /// There is room again, or the writer has finished.
    emptied: Condvar,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a line, which must end in a line break. An urgent one waits a moment for room.
    pub(super) fn push(&self, lane: Lane, line: &str, urgent: bool) {
        let mut state = self.lock();
        let full = |state: &mut State| {
            !state.closed && state.waiting.len().saturating_add(line.len()) > CAPACITY
        };
        if urgent && full(&mut state) {
            let waited = self.emptied.wait_timeout_while(state, PATIENCE, full);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.closed {
            return;
        }
        if full(&mut state) {
            state.waiting.dropped += 1;
        } else {
            let buffer = match lane {
                Lane::Json => &mut state.waiting.json,
                Lane::Console => &mut state.waiting.console,
            };
            buffer.extend_from_slice(line.as_bytes());
        }
        if state.idle {
            self.filled.notify_one();
        }
    }

    /// Asks for a new log file.
    pub(super) fn ask_for_rotation(&self) {
        self.lock().waiting.rotate = true;
        self.filled.notify_one();
    }

    /// Waits for something to write; `None` when the queue is closed and empty. `used` is the
    /// batch of last time, whose buffers are used again.
    pub(super) fn take(&self, mut used: Batch) -> Option<Batch> {
        used.json.clear();
        used.console.clear();
        (used.dropped, used.rotate) = (0, false);
        let mut state = self.lock();
        let idle = |state: &mut State| state.waiting.is_empty() && !state.closed;
        if idle(&mut state) {
            state.idle = true;
            let waited = self.filled.wait_while(state, idle);
            state = waited.unwrap_or_else(PoisonError::into_inner);
            state.idle = false;
        }
        if !state.closed && state.waiting.len() < CAPACITY / 4 {
            // Lines come in bursts: a moment later there are many, and none of them had to wake this thread.
            drop(state);
            std::thread::sleep(LINGER);
            state = self.lock();
        }
        if state.waiting.is_empty() {
            return None;
        }
        std::mem::swap(&mut state.waiting, &mut used);
        self.emptied.notify_all();
        Some(used)
    }

    /// No line is accepted any more; what waits is still written.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }

    /// Said by the writer at its end.
    pub(super) fn finish(&self) {
        self.lock().finished = true;
        self.emptied.notify_all();
    }

    /// Waits for the writer to end; `false` if it did not in time.
    pub(super) fn wait_until_finished(&self, patience: Duration) -> bool {
        let unfinished = |state: &mut State| !state.finished;
        let waited = self
            .emptied
            .wait_timeout_while(self.lock(), patience, unfinished);
        waited.unwrap_or_else(PoisonError::into_inner).0.finished
    }

    /// A thread that panicked leaves whole lines behind, so the state is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_in_order_and_lane() {
        let queue = Queue::new();
        queue.push(Lane::Json, "1\n", false);
        queue.push(Lane::Console, "c\n", true);
        queue.push(Lane::Json, "2\n", false);
        let batch = queue.take(Batch::default()).unwrap();
        assert_eq!(
            (batch.json, batch.console),
            (b"1\n2\n".to_vec(), b"c\n".to_vec())
        );
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let queue = Queue::new();
        let line = "x".repeat(CAPACITY / 2) + "\n";
        for urgent in [false, false, false, true] {
            queue.push(Lane::Json, &line, urgent);
        }
        let batch = queue.take(Batch::default()).unwrap();
        assert_eq!((batch.json.len(), batch.dropped), (line.len(), 3));
        queue.push(Lane::Json, "y\n", false);
        let batch = queue.take(batch).unwrap();
        assert_eq!((batch.json, batch.dropped), (b"y\n".to_vec(), 0));
    }

    #[test]
    fn an_urgent_line_waits_for_room() {
        let queue = Queue::new();
        queue.push(Lane::Json, &"x".repeat(CAPACITY), false);
        std::thread::scope(|scope| {
            let urgent = scope.spawn(|| queue.push(Lane::Json, "urgent\n", true));
            let batch = queue.take(Batch::default()).unwrap();
            urgent.join().unwrap();
            // Either it found room at once, or it was counted: it is never lost in silence.
            queue.close();
            let next = queue.take(Batch::default()).unwrap_or_default();
            assert!(next.json == b"urgent\n" || batch.dropped + next.dropped == 1);
        });
    }

    #[test]
    fn a_closed_queue_gives_what_waits_and_then_nothing() {
        let queue = Queue::new();
        queue.push(Lane::Json, "1\n", false);
        queue.close();
        queue.push(Lane::Json, "2\n", false);
        let batch = queue.take(Batch::default()).unwrap();
        assert_eq!(batch.json, b"1\n");
        assert!(queue.take(batch).is_none());
    }
}
