//! The receive window of a channel (RFC 4254 5.2): what its client may send, and what of it we hold.
//!
//! The window grows when bytes were dealt with, not when they came: a channel that stalls keeps one window of its client's
//! bytes in memory and no more, and the socket goes on being read for its neighbours. It begins small and grows while the
//! channel keeps up with its client, so that it is the network that limits a fast upload and not the window. What all windows
//! grow by together is bounded, and a channel that did not keep up gives some of it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

/// What a client may send before anything was dealt with.
pub(super) const INITIAL: u32 = 1 << 20;

/// What a channel that keeps up may grow to: 40 MiB/s over a round trip of 100 ms.
const MAX: usize = 4 << 20;

/// What all windows together may have beyond [`INITIAL`]: a few uploads over long ways, or many over short ones.
const GROWTH: usize = 64 << 20;

/// What one message costs beyond its bytes, so that a flood of tiny ones is bounded as well.
const MESSAGE_COST: usize = 64;

/// Tells the client that it may send more.
type Grow = Box<dyn Fn(u32) + Send + Sync>;

/// What windows may still grow by, shared by all connections.
#[derive(Debug)]
pub(crate) struct Growth(AtomicUsize);

impl Default for Growth {
    fn default() -> Self {
        Self(AtomicUsize::new(GROWTH))
    }
}

impl Growth {
    /// Takes as much as there is, up to `most`.
    fn take(&self, most: usize) -> usize {
        let less = |free: usize| Some(free.saturating_sub(most));
        // It always has a value to change to.
        let taken = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.map_or(0, |free| free.min(most))
    }

    fn give(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Counts the bytes of a channel between the client and where they are stored.
pub(crate) struct Window {
    state: Mutex<State>,
    grow: Grow,
    growth: Arc<Growth>,
}

#[derive(Debug)]
struct State {
    /// What the client may send at a time, as long as nothing is held.
    target: usize,
    /// What it may still send; what is on its way to us counts as not sent.
    granted: usize,
    /// Bytes that came and are not dealt with, and what else is kept because of them.
    held: usize,
    /// Nearly the whole window was held: what runs in the channel did not keep up.
    stalled: bool,
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Window").field(&*self.state.lock()).finish()
    }
}

impl Window {
    /// A window of [`INITIAL`] bytes; `grow` tells the client, and must not wait.
    pub(super) fn new(growth: Arc<Growth>, grow: impl Fn(u32) + Send + Sync + 'static) -> Self {
        let initial = INITIAL as usize;
        Self {
            state: Mutex::new(State {
                target: initial,
                granted: initial,
                held: 0,
                stalled: false,
            }),
            grow: Box::new(grow),
            growth,
        }
    }

    /// Notes a message that came in.
    pub(super) fn hold(&self, bytes: usize) {
        let mut state = self.state.lock();
        state.granted = state.granted.saturating_sub(bytes);
        state.held += Self::cost(bytes);
        state.stalled |= state.held >= state.target / 8 * 7;
    }

    fn release(&self, bytes: usize) {
        let mut state = self.state.lock();
        state.held = state.held.saturating_sub(bytes);
        let used = state.held + state.granted;
        // In steps: an adjustment for every message would cost more than the messages.
        if used > state.target / 2 {
            return;
        }
        if std::mem::take(&mut state.stalled) {
            let target = (state.target / 2).max(INITIAL as usize);
            // Only now: until here it was used.
            self.growth.give(state.target - target);
            state.target = target;
        } else if state.held <= state.target / 8 {
            let wanted = state.target.min(MAX - state.target);
            state.target += self.growth.take(wanted);
        }
        let more = state.target - used;
        state.granted += more;
        drop(state);
        (self.grow)(u32::try_from(more).unwrap_or(u32::MAX));
    }

    /// Holds `bytes` more until the value is dropped.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Held {
        self.state.lock().held += bytes;
        self.part(bytes)
    }

    /// A held part of a message that is released when the value is dropped.
    pub(crate) fn part(self: &Arc<Self>, bytes: usize) -> Held {
        Held {
            window: Arc::clone(self),
            bytes,
        }
    }

    /// What a message of `bytes` was counted as.
    pub(crate) const fn cost(bytes: usize) -> usize {
        bytes + MESSAGE_COST
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.growth
            .give(self.state.get_mut().target - INITIAL as usize);
    }
}

/// Bytes that keep the window from growing until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    window: Arc<Window>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.window.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> (Arc<Window>, Arc<AtomicUsize>) {
        let granted = Arc::new(AtomicUsize::new(INITIAL as usize));
        let sum = Arc::clone(&granted);
        let window = Window::new(Arc::default(), move |bytes| {
            sum.fetch_add(bytes as usize, Ordering::Relaxed);
        });
        (Arc::new(window), granted)
    }

    /// One message comes and is dealt with.
    fn pass(window: &Arc<Window>) {
        window.hold(32 * 1024);
        drop(window.part(Window::cost(32 * 1024)));
    }

    #[test]
    fn what_all_windows_grow_by_is_bounded_and_given_back() {
        let growth = Arc::<Growth>::default();
        let windows: Vec<_> = (0..100)
            .map(|_| Arc::new(Window::new(Arc::clone(&growth), |_| {})))
            .collect();
        for window in &windows {
            (0..1000).for_each(|_| pass(window));
        }
        let targets = windows.iter().map(|window| window.state.lock().target);
        assert_eq!(targets.sum::<usize>(), 100 * INITIAL as usize + GROWTH);
        drop(windows);
        assert_eq!(growth.take(usize::MAX), GROWTH);
    }

    #[test]
    fn a_channel_that_did_not_keep_up_gets_a_smaller_window_when_it_goes_on() {
        let growth = Arc::<Growth>::default();
        let window = Arc::new(Window::new(Arc::clone(&growth), |_| {}));
        (0..1000).for_each(|_| pass(&window));
        assert_eq!(window.state.lock().target, MAX);
        let held: Vec<_> = (0..MAX / 32_768 * 15 / 16)
            .map(|_| {
                window.hold(32 * 1024);
                window.part(Window::cost(32 * 1024))
            })
            .collect();
        // As long as it holds that much it is counted for it.
        assert_eq!(
            growth.0.load(Ordering::Relaxed),
            GROWTH - (MAX - INITIAL as usize)
        );
        drop(held);
        assert!(window.state.lock().target < MAX);
        (0..1000).for_each(|_| pass(&window));
        assert_eq!(window.state.lock().target, MAX);
    }

    #[test]
    fn a_stalled_channel_gets_no_more_than_one_window() {
        let (window, granted) = window();
        let mut held = Vec::new();
        for _ in 0..INITIAL / 1024 {
            window.hold(1024);
            held.push(window.part(Window::cost(1024)));
        }
        assert_eq!(granted.load(Ordering::Relaxed), INITIAL as usize);
        // What else is kept counts as well.
        let more = window.take(INITIAL as usize);
        held.clear();
        assert_eq!(granted.load(Ordering::Relaxed), INITIAL as usize);
        drop(more);
        assert!(granted.load(Ordering::Relaxed) > INITIAL as usize);
    }

    #[test]
    fn a_channel_that_keeps_up_may_send_for_ever_in_a_window_that_grows_to_its_limit() {
        let (window, granted) = window();
        let mut sent = 0;
        while sent < 64 * MAX {
            window.hold(32 * 1024);
            sent += 32 * 1024;
            drop(window.part(Window::cost(32 * 1024)));
            let open = granted.load(Ordering::Relaxed).checked_sub(sent).unwrap();
            assert!(open > 0 && open <= MAX, "{open}");
        }
        assert_eq!(window.state.lock().target, MAX);
    }
}
