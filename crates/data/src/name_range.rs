//! Which names a [`UserQuery`] is about, as one range in byte order: what an index can answer without looking at the rest.

use std::ops::{Bound, RangeBounds};

use crate::provider::{SortOrder, UserQuery};

/// Names from a lower to an upper bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRange {
    /// The lowest name, or the one it comes after.
    pub lower: Bound<String>,
    /// Names come before this one.
    pub upper: Option<String>,
}

impl NameRange {
    /// The range of the query's `after` and `search`.
    pub fn of(query: &UserQuery) -> Self {
        let prefix = query.search.as_deref().unwrap_or_default();
        let mut range = Self {
            lower: match prefix {
                "" => Bound::Unbounded,
                _ => Bound::Included(prefix.to_owned()),
            },
            upper: successor(prefix),
        };
        match (&query.after, query.order) {
            (None, _) => {}
            (Some(after), SortOrder::Ascending) => {
                if after.as_str() >= prefix {
                    range.lower = Bound::Excluded(after.clone());
                }
            }
            (Some(after), SortOrder::Descending) => {
                if range.upper.as_ref().is_none_or(|upper| after < upper) {
                    range.upper = Some(after.clone());
                }
            }
        }
        range
    }

    /// Whether there can be no name in it. Ordered maps do not like to be asked.
    pub fn is_empty(&self) -> bool {
        match (&self.lower, &self.upper) {
            (Bound::Included(lower) | Bound::Excluded(lower), Some(upper)) => lower >= upper,
            (Bound::Unbounded, Some(_)) | (_, None) => false,
        }
    }

    /// Whether the name is in it.
    pub fn contains(&self, name: &str) -> bool {
        RangeBounds::<str>::contains(&self.bounds(), name)
    }

    /// The bounds, for ordered maps.
    pub fn bounds(&self) -> (Bound<&str>, Bound<&str>) {
        let lower = self.lower.as_ref().map(String::as_str);
        let upper = self.upper.as_deref();
        (lower, upper.map_or(Bound::Unbounded, Bound::Excluded))
    }
}

/// The lowest text above everything that begins with `prefix`; `None` if nothing is. The order of code points is that of
/// their UTF-8 bytes.
fn successor(prefix: &str) -> Option<String> {
    let mut characters = prefix.chars();
    while let Some(last) = characters.next_back() {
        // A range of characters leaves out the surrogates, which are none. The last code point has no successor: what
        // stands before it has.
        if let Some(next) = (last..=char::MAX).nth(1) {
            let mut text = characters.as_str().to_owned();
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_successor_of_a_prefix_is_the_next_code_point() {
        for (prefix, expected) in [
            ("", None),
            ("a", Some("b")),
            ("a\u{7f}", Some("a\u{80}")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("a\u{10ffff}\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ] {
            assert_eq!(successor(prefix).as_deref(), expected, "{prefix:?}");
        }
    }

    #[test]
    fn bounds_that_cross_are_an_empty_range() {
        let range = |order, after: &str| {
            NameRange::of(&UserQuery {
                order,
                after: Some(after.to_owned()),
                search: Some("m".to_owned()),
                ..UserQuery::default()
            })
        };
        assert!(range(SortOrder::Ascending, "n").is_empty());
        assert!(range(SortOrder::Descending, "m").is_empty());
        assert!(!range(SortOrder::Ascending, "a").is_empty());
        assert!(!range(SortOrder::Descending, "z").is_empty());
    }

    proptest! {
        #[test]
        fn a_name_is_in_the_range_if_it_begins_so_and_comes_after(
            name in "[a-c\u{7f}\u{80}\u{d7ff}\u{e000}\u{10ffff}]{0,4}",
            after in proptest::option::of("[a-c\u{80}\u{10ffff}]{0,3}"),
            search in proptest::option::of("[a-c\u{7f}\u{d7ff}\u{10ffff}]{0,2}"),
            descending: bool,
        ) {
            let order = if descending { SortOrder::Descending } else { SortOrder::Ascending };
            let comes = |after: &String| if descending { name < *after } else { name > *after };
            let expected = search.as_ref().is_none_or(|text| name.starts_with(text.as_str()))
                && after.as_ref().is_none_or(comes);
            let query = UserQuery { order, after, search, ..UserQuery::default() };
            let range = NameRange::of(&query);
            prop_assert_eq!(range.contains(&name), expected);
            prop_assert!(!(expected && range.is_empty()));
        }
    }
}
