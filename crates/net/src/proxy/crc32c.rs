//! CRC-32C (Castagnoli; RFC 3720 appendix B.4), which a header of version 2 may carry. Headers are short and few: bit by bit
//! is fast enough.

/// The polynomial 0x1EDC6F41, its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// The checksum of the parts, one behind the other.
pub(super) fn crc32c<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let bytes = parts.into_iter().flatten();
    !bytes.fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            let carry = (sum & 1).wrapping_neg();
            (sum >> 1) ^ (POLYNOMIAL & carry)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_are_those_of_rfc_3720() {
        assert_eq!(crc32c([&b"123456789"[..]]), 0xe306_9283);
        assert_eq!(crc32c([&[0; 32][..]]), 0x8a91_36aa);
        assert_eq!(crc32c([&[0xff; 20][..], &[0xff; 12]]), 0x62a8_ab43);
        assert_eq!(crc32c([]), 0);
    }
}
