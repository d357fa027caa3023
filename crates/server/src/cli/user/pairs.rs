//! Flags of two parts, `PATH::WHAT`, in the form of the reference's script: virtual folders and extensions.

use std::collections::BTreeMap;
use std::str::FromStr;

use sftpgo_model::{ExtensionFilter, VirtualFolder};

/// A path that the client sees, and what there is about it. An empty text removes all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathPair {
    /// An empty text.
    Nothing,
    /// What stands on both sides of `::`.
    Pair(String, String),
}

impl FromStr for PathPair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::Nothing);
        }
        match text.split_once("::") {
            Some((path, rest)) if path.starts_with('/') && !rest.is_empty() => {
                Ok(Self::Pair(path.to_owned(), rest.to_owned()))
            }
            Some(_) | None => Err("expected an absolute path, two colons and a text".to_owned()),
        }
    }
}

/// The virtual folders; `None` if no flag was given, empty if all shall be removed.
pub(super) fn folders(given: &[PathPair]) -> Option<Vec<VirtualFolder>> {
    let folder = |(path, directory): (&str, &str)| VirtualFolder {
        virtual_path: path.to_owned(),
        mapped_path: directory.to_owned(),
    };
    (!given.is_empty()).then(|| parts(given).map(folder).collect())
}

/// The extension filters, one for each directory; `None` if no flag was given, empty if all shall be removed.
pub(super) fn extensions(
    allowed: &[PathPair],
    denied: &[PathPair],
) -> Option<Vec<ExtensionFilter>> {
    if allowed.is_empty() && denied.is_empty() {
        return None;
    }
    let mut filters: BTreeMap<&str, ExtensionFilter> = BTreeMap::new();
    for (given, of_filter) in [
        (
            allowed,
            allowed_of as fn(&mut ExtensionFilter) -> &mut Vec<String>,
        ),
        (denied, denied_of),
    ] {
        for (path, list) in parts(given) {
            let filter = filters.entry(path).or_default();
            path.clone_into(&mut filter.path);
            let names = list
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty());
            of_filter(filter).extend(names.map(str::to_owned));
        }
    }
    Some(filters.into_values().collect())
}

fn allowed_of(filter: &mut ExtensionFilter) -> &mut Vec<String> {
    &mut filter.allowed_extensions
}

fn denied_of(filter: &mut ExtensionFilter) -> &mut Vec<String> {
    &mut filter.denied_extensions
}

fn parts(given: &[PathPair]) -> impl Iterator<Item = (&str, &str)> {
    given.iter().filter_map(|pair| match pair {
        PathPair::Nothing => None,
        PathPair::Pair(path, rest) => Some((path.as_str(), rest.as_str())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(texts: &[&str]) -> Vec<PathPair> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_pair_is_a_path_and_a_text() {
        let pair = PathPair::Pair("/a:b".to_owned(), "/srv::x".to_owned());
        assert_eq!("/a:b::/srv::x".parse(), Ok(pair));
        assert_eq!("".parse(), Ok(PathPair::Nothing));
        for text in ["/a", "/a:/b", "a::/b", "/a::", "::/b"] {
            assert!(text.parse::<PathPair>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_empty_text_removes_and_no_flag_keeps() {
        assert_eq!(folders(&[]), None);
        assert_eq!(folders(&pairs(&[""])), Some(vec![]));
        assert_eq!(extensions(&[], &[]), None);
        assert_eq!(extensions(&[], &pairs(&[""])), Some(vec![]));
    }

    #[test]
    fn what_is_allowed_and_denied_in_a_directory_is_one_filter() {
        let filters = extensions(
            &pairs(&["/a::.jpg, .png"]),
            &pairs(&["/b::.exe", "/a::.x.png"]),
        );
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let expected = [
            ExtensionFilter {
                path: "/a".to_owned(),
                allowed_extensions: texts(&[".jpg", ".png"]),
                denied_extensions: texts(&[".x.png"]),
            },
            ExtensionFilter {
                path: "/b".to_owned(),
                allowed_extensions: vec![],
                denied_extensions: texts(&[".exe"]),
            },
        ];
        assert_eq!(filters.unwrap(), expected);
    }
}
