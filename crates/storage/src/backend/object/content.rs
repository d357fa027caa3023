//! [`Content`]: bytes of an object as they came, in pieces, so that they are copied once: to where they go.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

/// Pieces that are smaller are put together: each costs as much as some bytes, and who sends single ones would fill the memory.
const SMALL: usize = 4 << 10;
/// Of what small pieces are put together to.
const TOGETHER: usize = 64 << 10;

/// Some bytes in a row.
#[derive(Default)]
pub struct Content {
    /// With the place of the first byte of each.
    pieces: Vec<(usize, Bytes)>,
    /// Small pieces at the end.
    tail: BytesMut,
    len: usize,
}

impl std::fmt::Debug for Content {
    /// What is in files is nobody's business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} bytes)", self.len)
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        let mut content = Self::default();
        content.push(bytes);
        content
    }
}

impl Content {
    /// Adds what came next.
    pub fn push(&mut self, piece: Bytes) {
        let len = piece.len();
        if len < SMALL {
            self.tail.extend_from_slice(&piece);
            self.len = self.len.saturating_add(len);
            if self.tail.len() >= TOGETHER {
                self.end_tail();
            }
            return;
        }
        self.end_tail();
        self.pieces.push((self.len, piece));
        self.len = self.len.saturating_add(len);
    }

    fn end_tail(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        let tail = self.tail.split().freeze();
        self.pieces
            .push((self.len.saturating_sub(tail.len()), tail));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends what is there of a range.
    pub fn copy(&self, wanted: Range<usize>, to: &mut Vec<u8>) {
        let first = self
            .pieces
            .partition_point(|(at, piece)| at.saturating_add(piece.len()) <= wanted.start);
        let pieces = self.pieces.iter().skip(first);
        let pieces = pieces.map(|(at, piece)| (*at, piece.as_ref()));
        let tail_at = self.len.saturating_sub(self.tail.len());
        for (at, piece) in pieces.chain([(tail_at, self.tail.as_ref())]) {
            if at >= wanted.end {
                return;
            }
            let start = wanted.start.saturating_sub(at).min(piece.len());
            let end = wanted.end.saturating_sub(at).min(piece.len());
            to.extend_from_slice(piece.get(start..end).unwrap_or_default());
        }
    }

    /// All of them in one.
    pub fn whole(&self) -> Vec<u8> {
        let mut whole = Vec::with_capacity(self.len);
        self.copy(0..self.len, &mut whole);
        whole
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pieces_of_single_bytes_are_put_together() {
        let mut content = Content::default();
        for _ in 0..1_000_000 {
            content.push(Bytes::from_static(b"x"));
        }
        assert!(content.pieces.len() <= 1_000_000 / TOGETHER);
        assert_eq!(content.whole(), vec![b'x'; 1_000_000]);
    }

    proptest! {
        #[test]
        fn any_range_is_what_it_is_of_the_whole(
            pieces in prop::collection::vec(prop_oneof![0_usize..20, SMALL - 2..SMALL + 20], 0..12),
            start in 0_usize..50_000,
            len in 0_usize..50_000,
        ) {
            let mut content = Content::default();
            let mut whole = Vec::new();
            for (index, len) in pieces.into_iter().enumerate() {
                let piece: Vec<u8> = (0..len).map(|at| (at * 7 + index * 13) as u8).collect();
                whole.extend_from_slice(&piece);
                content.push(piece.into());
            }
            prop_assert_eq!(content.len(), whole.len());
            let mut copied = vec![b'-'];
            content.copy(start..start + len, &mut copied);
            let end = (start + len).min(whole.len());
            prop_assert_eq!(&copied[1..], &whole[start.min(end)..end]);
        }
    }
}
