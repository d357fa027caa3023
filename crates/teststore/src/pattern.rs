//! Bytes without end that can be made, and checked, at any place.

use std::sync::OnceLock;

use bytes::Bytes;
use crc32fast::Hasher;

/// A prime, so that no two parts of a transfer begin at the same place of it.
const PERIOD: usize = 65_521;
const REPEATED: usize = 16;

/// Content that is given by its place alone: two of the same length are equal.
#[derive(Debug, Clone, Copy)]
pub struct Pattern;

impl Pattern {
    /// A piece that begins at `offset`: at least one byte, and at most `most` of them, where that is not 0.
    #[must_use]
    pub fn piece(offset: u64, most: u64) -> Bytes {
        let table = table();
        let period = u64::try_from(PERIOD).unwrap();
        let start = usize::try_from(offset % period).unwrap();
        let left = table.len() - start;
        let length = usize::try_from(most).map_or(left, |most| most.min(left));
        table.slice(start..start + length)
    }

    /// A small one as a whole.
    #[must_use]
    pub fn bytes(offset: u64, length: u64) -> Bytes {
        let mut all = Vec::new();
        for piece in Self::pieces(offset, length) {
            all.extend_from_slice(&piece);
        }
        all.into()
    }

    /// One of any length, in pieces.
    pub fn pieces(offset: u64, length: u64) -> impl Iterator<Item = Bytes> + Send {
        let mut place = offset;
        let end = offset + length;
        std::iter::from_fn(move || {
            let left = end - place;
            (left > 0).then(|| {
                let piece = Self::piece(place, left);
                place += u64::try_from(piece.len()).unwrap();
                piece
            })
        })
    }

    /// The CRC-32 of the first `length` bytes, in no time.
    #[must_use]
    pub fn crc32(length: u64) -> u32 {
        let period = u64::try_from(PERIOD).unwrap();
        let mut doubled = Hasher::new();
        doubled.update(&Self::bytes(0, period));
        let mut all = Hasher::new();
        let mut times = length / period;
        // As many of them as `times` says, each bit for twice as many as the one before.
        while times > 0 {
            if times % 2 == 1 {
                all.combine(&doubled);
            }
            let half = doubled.clone();
            doubled.combine(&half);
            times /= 2;
        }
        all.update(&Self::bytes(0, length % period));
        all.finalize()
    }
}

/// The bytes, some times over. xorshift, <https://www.jstatsoft.org/v08/i14>.
fn table() -> &'static Bytes {
    static TABLE: OnceLock<Bytes> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut state = 88_172_645_463_325_252_u64;
        let once = (0..PERIOD).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let [.., last] = state.to_le_bytes();
            last
        });
        once.collect::<Vec<u8>>().repeat(REPEATED).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_depends_on_its_place_alone() {
        let whole = Pattern::bytes(0, 3_000_000);
        assert_eq!(whole.len(), 3_000_000);
        assert_eq!(
            whole.slice(1_234_567..2_345_678),
            Pattern::bytes(1_234_567, 1_111_111)
        );
        assert_eq!(crc32fast::hash(&whole), Pattern::crc32(3_000_000));
        assert!(Pattern::bytes(7, 0).is_empty());
    }
}
