//! Reads the fields of SSH's data (RFC 4251 section 5), bounded by what is there: nothing is allocated.

/// The bytes that are still to be read. Every method takes a field off the front, or `None` if it is not there whole; what
/// was read before stays read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Begins at the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `byte`, or `boolean`.
    pub const fn byte(&mut self) -> Option<u8> {
        let Some((byte, rest)) = self.0.split_first() else {
            return None;
        };
        self.0 = rest;
        Some(*byte)
    }

    /// `uint32`.
    pub fn u32(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    /// `uint64`.
    pub fn u64(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*bytes))
    }

    /// `string`: any bytes.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let mut inner = *self;
        let length = usize::try_from(inner.u32()?).ok()?;
        let (string, rest) = inner.0.split_at_checked(length)?;
        self.0 = rest;
        Some(string)
    }

    /// `string` that is UTF-8 without a NUL, as names and texts are.
    pub fn text(&mut self) -> Option<&'a str> {
        let text = std::str::from_utf8(self.string()?).ok()?;
        (!text.contains('\0')).then_some(text)
    }

    /// `string` that holds fields itself.
    pub fn nested(&mut self) -> Option<Self> {
        self.string().map(Fields)
    }

    /// `mpint` that is not negative: its bytes without leading zeros, none for 0.
    pub fn number(&mut self) -> Option<&'a [u8]> {
        let bytes = self.string()?;
        if bytes.first().is_some_and(|first| *first >= 0x80) {
            return None;
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.get(zeros..)
    }
}

/// Appends a `string`. What is longer than its length can say is cut, which nothing in memory is.
pub(super) fn put_string(to: &mut Vec<u8>, string: &[u8]) {
    let length = u32::try_from(string.len()).unwrap_or(u32::MAX);
    to.extend_from_slice(&length.to_be_bytes());
    to.extend(string.iter().take(length as usize));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_whole_or_not_at_all() {
        let mut fields = Fields::new(&[7, 0, 0, 0, 2, b'o', b'k', 0, 0, 0, 9, 1]);
        assert_eq!(fields.byte(), Some(7));
        assert_eq!(fields.text(), Some("ok"));
        assert_eq!(fields.string(), None, "more is promised than there is");
        assert_eq!(fields.u32(), Some(9));
        assert_eq!(fields.u64(), None);
        assert_eq!(fields.rest(), [1]);
        assert_eq!(Fields::new(&[0xff; 8]).string(), None);
    }

    #[test]
    fn numbers_are_not_negative_and_lose_their_zeros() {
        let number = |bytes: &[u8]| {
            let mut field = Vec::new();
            put_string(&mut field, bytes);
            Fields::new(&field).number().map(<[u8]>::to_vec)
        };
        assert_eq!(number(&[]), Some(vec![]));
        assert_eq!(number(&[0, 0x80]), Some(vec![0x80]));
        assert_eq!(number(&[0, 0, 1]), Some(vec![1]));
        assert_eq!(number(&[0x80]), None);
    }

    #[test]
    fn a_text_is_utf8_without_nul() {
        let text = |bytes: &[u8]| {
            let mut field = Vec::new();
            put_string(&mut field, bytes);
            Fields::new(&field).text().map(str::to_owned)
        };
        assert_eq!(text("né".as_bytes()), Some("né".to_owned()));
        assert_eq!(text(b"alice\0root"), None);
        assert_eq!(text(&[0xff]), None);
    }
}
