//! Ranges of bytes: RFC 9110 14.1.

/// The first byte and how many, of `size`; `None`, if there is nothing in the range, or it is none.
pub(crate) fn parse(text: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let number = |digits: &str| digits.parse::<u64>().ok();
    let (first, end) = match (first, last) {
        ("", last) => (size.saturating_sub(number(last)?), size),
        (first, "") => (number(first)?, size),
        (first, last) => (number(first)?, number(last)?.saturating_add(1).min(size)),
    };
    let length = end.checked_sub(first).filter(|length| *length > 0)?;
    Some((first, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_http() {
        let of = |text| parse(text, 10);
        assert_eq!(of("bytes=0-0"), Some((0, 1)));
        assert_eq!(of("bytes=3-"), Some((3, 7)));
        assert_eq!(of("bytes=-4"), Some((6, 4)));
        assert_eq!(of("bytes=8-100"), Some((8, 2)));
        for wrong in [
            "bytes=10-",
            "bytes=5-4",
            "bytes=-0",
            "items=1-2",
            "bytes=a-",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
