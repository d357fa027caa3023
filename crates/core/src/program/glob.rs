//! Patterns in paths, as a shell on the server would expand them for an rsync client.

use sftpgo_model::VirtualPath;

use crate::error::{OpError, OpErrorKind, OpResult};
use crate::session::Session;

/// Paths that a pattern may become.
const MAX_MATCHES: usize = 1000;
/// Entries that may be looked at for it.
const MAX_ENTRIES: usize = 100_000;

/// Whether a path has a pattern in it.
pub(super) fn has_pattern(path: &VirtualPath) -> bool {
    path.as_bytes()
        .iter()
        .any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

impl Session {
    /// The paths that match, sorted; none if nothing does.
    pub(super) async fn expand(&self, pattern: &VirtualPath) -> OpResult<Vec<VirtualPath>> {
        let mut found = vec![VirtualPath::root()];
        let mut looked_at = 0;
        for name in pattern.components() {
            let mut next = Vec::new();
            for directory in found {
                if !name.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[')) {
                    next.extend(directory.join(name).ok());
                    continue;
                }
                let Ok(mut listing) = self.list(&directory).await else {
                    continue;
                };
                loop {
                    let page = listing.next_page(500).await?;
                    if page.is_empty() {
                        break;
                    }
                    looked_at += page.len();
                    let names = page.into_iter().map(|entry| entry.name);
                    let fitting = names.filter(|entry| matches(name, entry));
                    next.extend(fitting.filter_map(|entry| directory.join(&entry).ok()));
                    if next.len() > MAX_MATCHES || looked_at > MAX_ENTRIES {
                        return Err(OpError::new(
                            OpErrorKind::InvalidArgument,
                            "the pattern matches too much",
                        ));
                    }
                }
            }
            found = next;
        }
        found.sort();
        Ok(found)
    }
}

/// Whether a name fits a pattern of `*`, `?` and `[...]`; a leading dot must be written. Time is bounded by the product of both
/// lengths.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut at, mut here) = (0, 0);
    // Where to go on if the last star takes one more byte.
    let mut again: Option<(usize, usize)> = None;
    while here < name.len() {
        let step = pattern
            .get(at..)
            .and_then(|rest| one(rest, name.get(here).copied()?));
        if pattern.get(at) == Some(&b'*') {
            again = Some((at + 1, here));
            at += 1;
        } else if let Some(length) = step {
            at += length;
            here += 1;
        } else if let Some((star, taken)) = again {
            again = Some((star, taken + 1));
            at = star;
            here = taken + 1;
        } else {
            return false;
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|byte| *byte == b'*')
}

/// How much of the pattern one byte takes; `None` if it does not fit.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => match class(rest, byte) {
            Some((length, true)) => Some(length + 1),
            Some((_, false)) => None,
            // Not closed: itself.
            None => (byte == b'[').then_some(1),
        },
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

/// The length of a class up to its `]`, and whether the byte is in it.
fn class(pattern: &[u8], byte: u8) -> Option<(usize, bool)> {
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let start = usize::from(negated);
    let mut fits = false;
    let mut at = start;
    loop {
        let low = *pattern.get(at)?;
        if low == b']' && at > start {
            return Some((at + 1, fits != negated));
        }
        match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some(b'-'), Some(high)) if *high != b']' => {
                fits |= (low..=*high).contains(&byte);
                at += 3;
            }
            _ => {
                fits |= low == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*", "a", true),
            ("*", "", true),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt~", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("?", "ab", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("[a", "a", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let pattern = b"*a".repeat(50);
        let name = vec![b'a'; 255];
        assert!(!matches(&[pattern.as_slice(), b"b"].concat(), &name));
    }
}
