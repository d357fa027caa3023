//! Keys as the protocol writes them: percent-encoded in the source of a copy and in listings.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What a key has in a URL as it is (RFC 3986 2.3), and `/`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The source of a copy. The reference did not encode it, so that some keys could not be renamed (16.2).
pub(super) fn copy_source(bucket: &str, key: &str) -> String {
    format!("{bucket}/{}", utf8_percent_encode(key, ENCODED))
}

/// A key of a listing that was asked for with `encoding-type=url`; `None` if it is no text. A space may come as `+`.
pub(super) fn decoded(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_anything_in_them_can_be_copied() {
        let source = copy_source("b", "dir/a b+c?d#é%.txt");
        assert_eq!(source, "b/dir/a%20b%2Bc%3Fd%23%C3%A9%25.txt");
    }

    #[test]
    fn keys_of_listings_are_decoded() {
        assert_eq!(decoded("a+b%2Bc%0A%C3%A9").unwrap(), "a b+c\né");
        assert_eq!(decoded("%FF"), None);
    }
}
