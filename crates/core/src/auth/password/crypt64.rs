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
