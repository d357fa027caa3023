//! Bytes that came before their turn.
//!
//! Clients with many requests in flight may send them a little out of order. What comes early waits here, up to a bound; what
//! is further away is a random write, which no object store takes.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use super::super::budget::{Budget, Reservation};

/// How far ahead bytes may be, and so how many may wait: what clients have in flight.
pub(super) const REACH: u64 = 2 << 20;

/// Why bytes are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too far ahead of what has come.
    TooFar,
    /// Something was written there already.
    Twice,
    /// What waits of all uploads together takes all the memory there is for it.
    Full,
}

/// What waits for its turn, without overlaps.
pub(super) struct Window {
    waiting: BTreeMap<u64, (Bytes, Reservation)>,
    /// What all uploads share.
    memory: Budget,
}

impl fmt::Debug for Window {
    /// What clients write is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Window({} pieces)", self.waiting.len())
    }
}

impl Window {
    /// One that is empty.
    pub(super) fn new(memory: Budget) -> Self {
        Self {
            waiting: BTreeMap::new(),
            memory,
        }
    }

    /// Keeps bytes that belong behind `next`, where what has come ends.
    pub(super) fn put(&mut self, next: u64, offset: u64, bytes: &[u8]) -> Result<(), Refused> {
        let end = offset.saturating_add(bytes.len() as u64);
        if offset < next {
            return Err(Refused::Twice);
        }
        if end.saturating_sub(next) > REACH {
            return Err(Refused::TooFar);
        }
        let before = self.waiting.range(..end).next_back();
        if before.is_some_and(|(at, (waiting, _))| at.saturating_add(waiting.len() as u64) > offset)
        {
            return Err(Refused::Twice);
        }
        let Some(reservation) = self.memory.try_reserve(bytes.len() as u64) else {
            return Err(Refused::Full);
        };
        // A copy: the bytes may be a small piece of a large packet, which would stay as a whole.
        let copy = Bytes::copy_from_slice(bytes);
        self.waiting.insert(offset, (copy, reservation));
        Ok(())
    }

    /// What comes next, if it is there.
    pub(super) fn take(&mut self, next: u64) -> Option<Bytes> {
        self.waiting.remove(&next).map(|(bytes, _)| bytes)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// The end of what waits, or `next`.
    pub(super) fn end(&self, next: u64) -> u64 {
        self.waiting
            .last_key_value()
            .map_or(next, |(at, (waiting, _))| {
                at.saturating_add(waiting.len() as u64)
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window() -> Window {
        Window::new(Budget::new(64 << 20))
    }

    #[test]
    fn what_was_written_is_not_written_again() {
        let mut window = window();
        window.put(10, 20, b"0123456789").unwrap();
        for (offset, len) in [(5, 10), (15, 6), (20, 1), (25, 2), (29, 5), (15, 30)] {
            let bytes = vec![b'x'; len];
            assert_eq!(
                window.put(10, offset, &bytes),
                Err(Refused::Twice),
                "{offset}"
            );
        }
        window.put(10, 30, b"x").unwrap();
        window.put(10, 15, b"01234").unwrap();
        assert_eq!(window.end(10), 31);
    }

    #[test]
    fn what_is_far_ahead_is_refused() {
        let mut window = window();
        window.put(0, REACH - 1, b"x").unwrap();
        assert_eq!(window.put(0, REACH - 1, b"xx"), Err(Refused::TooFar));
        assert_eq!(window.put(0, u64::MAX, b"x"), Err(Refused::TooFar));
    }

    #[test]
    fn what_waits_of_all_uploads_is_bounded() {
        let memory = Budget::new(128 << 10);
        let (mut one, mut other) = (Window::new(memory.clone()), Window::new(memory));
        one.put(0, 1, b"x").unwrap();
        other.put(0, 1, b"x").unwrap();
        assert_eq!(one.put(0, 2, b"x"), Err(Refused::Full));
        other.clear();
        one.put(0, 2, b"x").unwrap();
    }

    proptest! {
        /// Pieces in any order within reach come out as they belong.
        #[test]
        fn pieces_come_out_in_order(
            order in (1_usize..60).prop_flat_map(|count| Just((0..count).collect::<Vec<_>>()).prop_shuffle()),
            len in 1_usize..50,
        ) {
            let mut window = window();
            let mut out = Vec::new();
            for index in &order {
                let next = out.len() as u64;
                window.put(next, (index * len) as u64, &vec![*index as u8; len]).unwrap();
                while let Some(bytes) = window.take(out.len() as u64) {
                    out.extend_from_slice(&bytes);
                }
            }
            let expected: Vec<u8> = (0..order.len()).flat_map(|index| vec![index as u8; len]).collect();
            prop_assert_eq!(out, expected);
            prop_assert!(window.is_empty());
        }
    }
}
