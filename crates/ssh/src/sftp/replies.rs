//! Answers in the order of their requests, whatever order they are ready in.
//!
//! Version 3 would allow any order, but lftp gives up after 64 answers out of order, and others assume the order silently.

use std::collections::VecDeque;

use bytes::Bytes;

/// The place of a request in the order of a channel.
pub(super) type Sequence = u64;

/// A queue of answers, some of which are not ready yet.
#[derive(Debug, Default)]
pub(super) struct Replies {
    first: Sequence,
    slots: VecDeque<Option<Bytes>>,
    /// Bytes of the answers that are ready.
    bytes: usize,
}

impl Replies {
    /// Gives the next request its place.
    pub(super) fn open(&mut self) -> Sequence {
        self.slots.push_back(None);
        self.first + self.slots.len() as Sequence - 1
    }

    /// Requests whose answers were not sent.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Bytes of answers that are ready and were not taken, because others come before them or the client takes no more.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether every earlier request is answered and its answer taken.
    pub(super) fn is_first(&self, sequence: Sequence) -> bool {
        sequence == self.first
    }

    /// Whether everything before `sequence` is answered, taken or not.
    pub(super) fn all_before_ready(&self, sequence: Sequence) -> bool {
        let before = usize::try_from(sequence.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.slots.iter().take(before).all(Option::is_some)
    }

    /// Notes that the first answer was sent by other means.
    pub(super) fn skip_first(&mut self) {
        if self.slots.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// Puts an answer in its place.
    pub(super) fn complete(&mut self, sequence: Sequence, reply: Bytes) {
        let index = sequence
            .checked_sub(self.first)
            .and_then(|index| usize::try_from(index).ok());
        if let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) {
            self.bytes += reply.len();
            *slot = Some(reply);
        }
    }

    /// Takes the next answer if it is ready.
    pub(super) fn take_ready(&mut self) -> Option<Bytes> {
        self.slots.front()?.as_ref()?;
        self.first += 1;
        let reply = self.slots.pop_front().flatten()?;
        self.bytes -= reply.len();
        Some(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_leave_in_the_order_of_requests() {
        let mut replies = Replies::default();
        let (a, b, c) = (replies.open(), replies.open(), replies.open());
        replies.complete(b, Bytes::from_static(b"b"));
        assert_eq!(replies.bytes(), 1);
        assert!(replies.take_ready().is_none());
        assert!(!replies.all_before_ready(c));
        replies.complete(a, Bytes::from_static(b"a"));
        assert!(replies.all_before_ready(c));
        assert_eq!(replies.take_ready().unwrap(), "a");
        assert_eq!(replies.take_ready().unwrap(), "b");
        assert!(replies.take_ready().is_none() && replies.is_first(c));
        replies.skip_first();
        assert!(replies.is_empty() && replies.bytes() == 0);
        let d = replies.open();
        assert!(replies.is_first(d));
    }
}
