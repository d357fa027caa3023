//! How many requests have no answer yet, over all channels of a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most that one connection may have; a channel that goes beyond this is closed. Each costs 72 bytes here, and as much
/// again for a small answer that waits behind others: some 40 MiB in all.
pub(super) const MAX_OPEN_REQUESTS: usize = 256 * 1024;

/// Above this many the window of a channel grows no more until some are answered, so that a client waits which asks for a whole
/// file at once (paramiko's prefetch: 32 requests for each MiB). What its window still lets it send, 4 MiB, comes to
/// less than [`MAX_OPEN_REQUESTS`] together with these. A client that sends that many and takes no answer meanwhile would wait
/// for ever, and so they are far more than any is known to send.
pub(super) const PAUSE: usize = 64 * 1024;

/// The count of a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenRequests(Arc<AtomicUsize>);

impl OpenRequests {
    /// The part of a channel.
    pub(super) fn part(&self) -> Part {
        Part {
            all: self.clone(),
            own: 0,
        }
    }
}

/// What a channel has of it; dropping it, deliberately, gives that back.
#[derive(Debug)]
pub(super) struct Part {
    all: OpenRequests,
    own: usize,
}

impl Part {
    /// Notes how many the channel has now, and returns how many the connection has.
    pub(super) fn note(&mut self, own: usize) -> usize {
        let before = std::mem::replace(&mut self.own, own);
        let all = &self.all.0;
        if own >= before {
            let more = own - before;
            all.fetch_add(more, Ordering::Relaxed) + more
        } else {
            let less = before - own;
            all.fetch_sub(less, Ordering::Relaxed) - less
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.note(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channels_of_a_connection_are_counted_together() {
        let connection = OpenRequests::default();
        let (mut one, mut other) = (connection.part(), connection.part());
        assert_eq!(one.note(10), 10);
        assert_eq!(other.note(5), 15);
        assert_eq!(one.note(3), 8);
        drop(one);
        assert_eq!(other.note(6), 6);
        assert_eq!(OpenRequests::default().part().note(1), 1);
    }
}
