//! The pieces every encoder appends.

use bytes::{BufMut, BytesMut};

/// Length of the field in front of a packet and of a string.
pub(crate) const LENGTH_LEN: usize = 4;

/// A length as it goes on the wire. Nothing that is encoded here comes near the limit; a longer one is cut, so that
/// a length never promises bytes that do not follow.
pub(crate) fn wire_len(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Appends a string: its length and its bytes.
pub(crate) fn put_string(out: &mut BytesMut, value: &[u8]) {
    let len = wire_len(value.len());
    out.put_u32(len);
    out.put_slice(value.get(..len as usize).unwrap_or(value));
}

/// Appends one packet: `body` writes what comes after the type byte, and the length in front is filled in after it.
pub(crate) fn put_packet(out: &mut BytesMut, type_byte: u8, body: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_u32(0);
    out.put_u8(type_byte);
    body(out);
    fix_length(out, start);
}

/// Appends a string whose length is known only after `body` wrote it.
pub(crate) fn put_string_with(out: &mut BytesMut, body: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_u32(0);
    body(out);
    fix_length(out, start);
}

/// Writes the number of bytes that follow the length field at `start` into that field.
pub(crate) fn fix_length(out: &mut BytesMut, start: usize) {
    let len = out.len().saturating_sub(start + LENGTH_LEN);
    overwrite_u32(out, start, wire_len(len));
}

/// Replaces the 32-bit field at `start`, which was appended before.
pub(crate) fn overwrite_u32(out: &mut BytesMut, start: usize, value: u32) {
    if let Some(field) = out.get_mut(start..start + LENGTH_LEN) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}

/// Appends `value` in decimal, padded with spaces to `width`, without allocating.
pub(crate) fn put_decimal(out: &mut BytesMut, value: u64, width: usize, align: Align) {
    let mut digits = [0; 20]; // u64::MAX has 20 digits
    let mut rest = value;
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    let padding = width.saturating_sub(used);
    if align == Align::Right {
        out.put_bytes(b' ', padding);
    }
    out.put_slice(digits.get(digits.len() - used..).unwrap_or_default());
    if align == Align::Left {
        out.put_bytes(b' ', padding);
    }
}

/// Where padded text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// At the start of its column.
    Left,
    /// At the end of its column.
    Right,
}
