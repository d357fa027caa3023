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
    /// The first that is not answered; everything before it is.
    unanswered: Sequence,
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
        sequence <= self.unanswered
    }

    /// Notes that the first answer was sent by other means.
    pub(super) fn skip_first(&mut self) {
        if self.slots.pop_front().is_some() {
            self.first += 1;
            self.advance();
        }
    }

    /// Passes by what is answered. Each answer is passed once: looking at all of them anew for every question took most of the
    /// time of a channel with many.
    fn advance(&mut self) {
        self.unanswered = self.unanswered.max(self.first);
        while let Some(Some(_)) = self.slot(self.unanswered) {
            self.unanswered += 1;
        }
    }

    fn slot(&mut self, sequence: Sequence) -> Option<&mut Option<Bytes>> {
        let index = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        self.slots.get_mut(index)
    }

    /// Puts an answer in its place.
    pub(super) fn complete(&mut self, sequence: Sequence, reply: Bytes) {
        let len = reply.len();
        if let Some(slot) = self.slot(sequence) {
            *slot = Some(reply);
            self.bytes += len;
            self.advance();
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

    #[test]
    fn what_is_answered_behind_a_gap_counts_when_the_gap_is_filled_or_skipped() {
        let mut replies = Replies::default();
        let places: Vec<_> = (0..4).map(|_| replies.open()).collect();
        replies.complete(places[2], Bytes::from_static(b"c"));
        replies.complete(places[1], Bytes::from_static(b"b"));
        assert!(replies.all_before_ready(places[0]) && !replies.all_before_ready(places[1]));
        replies.skip_first();
        assert!(replies.all_before_ready(places[3]));
        replies.complete(places[3], Bytes::from_static(b"d"));
        let next = replies.open();
        assert!(replies.all_before_ready(next));
        while replies.take_ready().is_some() {}
        assert!(replies.is_first(next) && replies.all_before_ready(next));
    }

    /// A client that stops reading may have very many answers waiting, and each event asks.
    #[test]
    fn it_takes_no_longer_to_ask_about_a_hundred_thousand_answers_than_about_one() {
        let mut replies = Replies::default();
        let places: Vec<_> = (0..100_000).map(|_| replies.open()).collect();
        let last = replies.open();
        let begun = std::time::Instant::now();
        for place in places {
            assert!(!replies.all_before_ready(last));
            replies.complete(place, Bytes::new());
        }
        assert!(replies.all_before_ready(last));
        // Looking at each of them each time takes minutes.
        assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    }
}
