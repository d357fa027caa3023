//! File content that is cheap to make and cheap to check at any offset.
//!
//! A block of random bytes repeats; each page of 4 KiB begins with a stamp of the seed and the page's number, so a page
//! that is lost, doubled, misplaced or of another file is found. Comparing costs a `memcmp`, a digest would cost more
//! than the client's cipher.

use std::sync::LazyLock;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::{BufMut, BytesMut};

const PAGE: usize = 4096;
const STAMP: usize = 8;
const BLOCK: usize = 1 << 20;

static RANDOM: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let words = (0..(BLOCK / 8) as u64).map(|i| mix(i ^ 0x5f37_59df));
    words.flat_map(u64::to_le_bytes).collect()
});

/// The content of one file, of any length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    seed: u64,
}

impl Content {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Appends `len` bytes of the file that begin at `offset`.
    pub(crate) fn append(self, offset: u64, len: usize, out: &mut BytesMut) {
        out.reserve(len);
        self.pieces(offset, len, |piece| {
            out.put_slice(piece);
            true
        });
    }

    /// Whether `data` is what the file holds at `offset`.
    pub(crate) fn matches(self, offset: u64, mut data: &[u8]) -> bool {
        self.pieces(offset, data.len(), |piece| {
            let (head, rest) = data.split_at(piece.len());
            data = rest;
            head == piece
        })
    }

    /// SHA-256 of the first `size` bytes, in hexadecimal.
    pub(crate) fn sha256(self, size: u64) -> String {
        let mut context = Context::new(&SHA256);
        self.feed(size, |piece| context.update(piece));
        hex(context.finish().as_ref())
    }

    /// Gives the first `size` bytes in order to a digest.
    pub(crate) fn feed(self, size: u64, mut digest: impl FnMut(&[u8])) {
        let mut offset = 0;
        while offset < size {
            let len = usize::try_from((size - offset).min(BLOCK as u64)).unwrap_or(BLOCK);
            self.pieces(offset, len, |piece| {
                digest(piece);
                true
            });
            offset += len as u64;
        }
    }

    /// Gives the bytes in order to `take`, until it answers false.
    fn pieces(self, offset: u64, len: usize, mut take: impl FnMut(&[u8]) -> bool) -> bool {
        let mut at = offset;
        let end = offset + len as u64;
        while at < end {
            let page = at / PAGE as u64;
            let within = usize::try_from(at % PAGE as u64).unwrap_or_default();
            let until = usize::try_from(end - page * PAGE as u64).map_or(PAGE, |n| n.min(PAGE));
            let stamp = mix(self.seed.wrapping_mul(0x9e37_79b9) ^ (page << 20)).to_le_bytes();
            if within < STAMP {
                let piece = stamp.get(within..until.min(STAMP)).unwrap_or_default();
                if !take(piece) {
                    return false;
                }
            }
            if until > STAMP {
                let block_at = usize::try_from(page * PAGE as u64 % BLOCK as u64).unwrap_or(0);
                let piece = block_at + within.max(STAMP)..block_at + until;
                if !take(RANDOM.get(piece).unwrap_or_default()) {
                    return false;
                }
            }
            at = page * PAGE as u64 + until as u64;
        }
        true
    }
}

/// In hexadecimal, as digests are printed.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One round of splitmix64.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(seed: u64, offset: u64, len: usize) -> BytesMut {
        let mut out = BytesMut::new();
        Content::new(seed).append(offset, len, &mut out);
        out
    }

    proptest! {
        #[test]
        fn any_part_equals_the_same_part_of_the_whole(offset in 0usize..20_000, len in 0usize..20_000) {
            let whole = bytes(7, 0, 40_000);
            let part = bytes(7, offset as u64, len);
            prop_assert_eq!(&part[..], &whole[offset..offset + len]);
            prop_assert!(Content::new(7).matches(offset as u64, &part));
        }

        #[test]
        fn a_changed_byte_is_found(offset in 0u64..20_000, at in 0usize..10_000) {
            let mut part = bytes(7, offset, 10_000);
            part[at] ^= 1;
            prop_assert!(!Content::new(7).matches(offset, &part));
        }
    }

    #[test]
    fn no_page_stands_for_another() {
        let page = bytes(1, 0, PAGE);
        assert!(!Content::new(1).matches(BLOCK as u64, &page));
        assert!(!Content::new(2).matches(0, &page));
    }

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let digest = aws_lc_rs::digest::digest(&SHA256, &bytes(3, 0, BLOCK + 5));
        let expected = hex(digest.as_ref());
        assert_eq!(Content::new(3).sha256(BLOCK as u64 + 5), expected);
    }
}
