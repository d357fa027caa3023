//! How bad a connection is.

use std::time::Duration;

use super::line::Direction;

/// What happens to the bytes of every connection of a proxy. The default: nothing.
#[derive(Debug, Clone, Default)]
pub struct Link {
    /// Every byte comes this much later, in both directions. How much fits on the way is bounded (1 MiB).
    pub latency: Duration,
    /// Bytes per second, for each connection and direction.
    pub bandwidth: Option<u32>,
    /// A connection is reset when the client has sent as many bytes, heads of requests included.
    pub reset_after_sent: Option<u64>,
    /// A connection is reset when the client got as many bytes, heads of answers included.
    pub reset_after_received: Option<u64>,
    /// Nothing gets through, and nobody is told.
    pub stalled: bool,
    /// New connections are reset at once.
    pub refused: bool,
}

impl Link {
    pub(super) fn limit(&self, direction: Direction) -> Option<u64> {
        match direction {
            Direction::ToStore => self.reset_after_sent,
            Direction::ToClient => self.reset_after_received,
        }
    }

    /// How long so many bytes take.
    pub(super) fn time(&self, bytes: usize) -> Duration {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        match self.bandwidth {
            Some(bandwidth) => Duration::from_secs(1) * bytes / bandwidth.max(1),
            None => Duration::ZERO,
        }
    }
}
