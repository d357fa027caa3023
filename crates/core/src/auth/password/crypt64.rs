//! How crypt(3) writes digests: permuted bytes, six bits a character, lowest first.

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes the bytes of `digest` in `order`, three to a group, the first one highest; a last group may have less.
pub(super) fn encode(digest: &[u8], order: &[usize]) -> String {
    let mut text = String::with_capacity(digest.len() * 4 / 3 + 2);
    for group in order.chunks(3) {
        let bytes = group.iter().filter_map(|&at| digest.get(at));
        let mut bits = bytes.fold(0_usize, |bits, &byte| (bits << 8) | usize::from(byte));
        // One byte takes two characters, two take three, three take four.
        for _ in 0..=group.len() {
            text.extend(ALPHABET.get(bits & 63).copied().map(char::from));
            bits >>= 6;
        }
    }
    text
}

/// The six bits of a character.
pub(super) fn value(character: u8) -> Option<u64> {
    let at = ALPHABET.iter().position(|&known| known == character)?;
    u64::try_from(at).ok()
}

/// Reads bytes that were written lowest first, three to four characters. Bits that are left over must be zero.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0;
        for (place, &character) in group.iter().enumerate() {
            bits |= value(character)? << (6 * place);
        }
        // Two characters are a byte, three are two, four are three; one is none.
        let count = group.len().checked_sub(1).filter(|&count| count > 0)?;
        bytes.extend(bits.to_le_bytes().iter().take(count));
        if bits >> (8 * count) != 0 {
            return None;
        }
    }
    Some(bytes)
}
