//! Names of blobs: as URLs write them, and which of them Azure cannot keep.
//! <https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a name has in a URL as it is (RFC 3986 2.3), and `/`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The longest name, as Azure counts: in UTF-16.
const LONGEST: usize = 1024;
/// Names between slashes.
const SEGMENTS: usize = 254;
/// The longest name in bytes: three for each that Azure counts.
pub(super) const MAX_KEY: usize = LONGEST * 3;

/// A name, or a value of a query, as URLs write it.
pub(super) fn in_url(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Why there can be no blob of that name. Azure takes `\` for `/` and drops dots at the end of a name, so that what was written
/// under one name would be found under another.
pub(super) fn refusal(key: &str) -> Option<&'static str> {
    let names = key.strip_suffix('/').unwrap_or(key);
    // One more is for the `/` of a folder: what can be a file can be a folder, too.
    if names.encode_utf16().count() >= LONGEST {
        return Some("Azure keeps no name of more than 1,024 characters");
    }
    if key.contains('\\') {
        return Some("Azure takes a backslash for a slash");
    }
    if names.split('/').any(|name| name.ends_with('.')) {
        return Some("Azure drops a dot at the end of a name");
    }
    if names.split('/').count() > SEGMENTS {
        return Some("Azure keeps no more than 254 directories above each other");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_anything_in_them_have_a_url() {
        assert_eq!(
            in_url("dir/a b+c?d#é%&=.txt"),
            "dir/a%20b%2Bc%3Fd%23%C3%A9%25%26%3D.txt"
        );
    }

    #[test]
    fn names_that_azure_would_change_are_refused() {
        for name in [
            "a.",
            "a./b",
            "a./",
            "a/...",
            "a\\b",
            &"x".repeat(1024),
            &"a/".repeat(255),
        ] {
            assert!(refusal(name).is_some(), "{name}");
        }
        for name in [
            "a",
            ".a",
            "a.b",
            "a//b",
            "a/b/",
            "a ",
            &"ü".repeat(1023),
            &"😀".repeat(511),
            &"a/".repeat(254),
        ] {
            assert_eq!(refusal(name), None, "{name}");
        }
        assert!(MAX_KEY > "ü".repeat(1023).len());
    }
}
