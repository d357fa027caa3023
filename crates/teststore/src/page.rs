//! Names in their order, some at a time, with folders made of what they have in common.

use std::collections::BTreeMap;
use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// One answer.
pub(crate) struct Page<'a, T> {
    pub(crate) objects: Vec<(&'a str, &'a T)>,
    pub(crate) folders: Vec<&'a str>,
    /// From where the next one goes on, if this is not all.
    pub(crate) next: Option<Bound<String>>,
}

/// At most `most` names that begin with `prefix`.
pub(crate) fn page<'a, T>(
    objects: &'a BTreeMap<String, T>,
    prefix: &str,
    delimiter: &str,
    from: Bound<String>,
    most: usize,
) -> Page<'a, T> {
    let mut page = Page {
        objects: Vec::new(),
        folders: Vec::new(),
        next: None,
    };
    let mut from = match from {
        Bound::Included(key) | Bound::Excluded(key) if key.as_str() < prefix => {
            Bound::Included(prefix.to_owned())
        }
        Bound::Unbounded => Bound::Included(prefix.to_owned()),
        from @ (Bound::Included(_) | Bound::Excluded(_)) => from,
    };
    loop {
        let mut rest = objects.range((from.clone(), Bound::Unbounded));
        let Some((key, object)) = rest.next().filter(|(key, _)| key.starts_with(prefix)) else {
            return page;
        };
        if page.objects.len() + page.folders.len() == most {
            page.next = (most > 0).then_some(from);
            return page;
        }
        let folder = folder(key, prefix, delimiter);
        from = match folder {
            None => {
                page.objects.push((key, object));
                Bound::Excluded(key.clone())
            }
            Some(folder) => {
                page.folders.push(folder);
                match behind(folder) {
                    Some(next) => Bound::Included(next),
                    None => return page,
                }
            }
        };
    }
}

/// The name up to the delimiter behind the prefix.
pub(crate) fn folder<'a>(key: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    if delimiter.is_empty() {
        return None;
    }
    let at = key.get(prefix.len()..)?.find(delimiter)?;
    key.get(..prefix.len() + at + delimiter.len())
}

/// The least key that is behind all that begin with this.
pub(crate) fn behind(start: &str) -> Option<String> {
    let mut letters: Vec<char> = start.chars().collect();
    while let Some(last) = letters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// A place as clients are told it.
pub(crate) fn token(place: &Bound<String>) -> String {
    let text = match place {
        Bound::Included(key) => format!("i{key}"),
        Bound::Excluded(key) => format!("e{key}"),
        Bound::Unbounded => String::new(),
    };
    URL_SAFE_NO_PAD.encode(text)
}

/// The place that a client was told.
pub(crate) fn place(token: &str) -> Option<Bound<String>> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    if let Some(key) = text.strip_prefix('i') {
        return Some(Bound::Included(key.to_owned()));
    }
    Some(Bound::Excluded(text.strip_prefix('e')?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(keys: &[&str], prefix: &str, delimiter: &str, most: usize) -> (Vec<String>, usize) {
        let objects: BTreeMap<String, ()> =
            keys.iter().map(|key| ((*key).to_owned(), ())).collect();
        let (mut names, mut pages, mut from) = (Vec::new(), 0, Bound::Unbounded);
        loop {
            let page = page(&objects, prefix, delimiter, from, most);
            pages += 1;
            let mut all: Vec<&str> = page.objects.iter().map(|(key, _)| *key).collect();
            all.extend(&page.folders);
            all.sort_unstable();
            names.extend(all.into_iter().map(str::to_owned));
            match page.next {
                Some(next) => from = place(&token(&next)).unwrap(),
                None => return (names, pages),
            }
        }
    }

    #[test]
    fn pages_of_any_size_name_everything_once() {
        let keys = [
            "a",
            "a/",
            "a/b",
            "a/c/d",
            "a/c/e",
            "a//f",
            "a0",
            "b",
            "\u{10ffff}/x",
        ];
        for most in 1..10 {
            let (names, pages) = walk(&keys, "", "/", most);
            assert_eq!(names, ["a", "a/", "a0", "b", "\u{10ffff}/"]);
            assert_eq!(pages, 5_usize.div_ceil(most));
            assert_eq!(walk(&keys, "a/", "/", most).0, ["a/", "a//", "a/b", "a/c/"]);
            assert_eq!(walk(&keys, "a/c", "", most).0, ["a/c/d", "a/c/e"]);
            assert!(walk(&keys, "none", "/", most).0.is_empty());
        }
    }
}
