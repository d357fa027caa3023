//! Which key a path is, and which name a key is.
//!
//! A key is the prefix of the account and the path. Stores take keys that no path is: with empty names (`a//b`), `.` and
//! `..`, control characters, names over 255 bytes. Listings leave them out, and nothing here can make or reach one: two keys
//! are never one path.

use sftpgo_model::StoragePath;
use sftpgo_model::path::MAX_NAME_LEN;

use super::store::KeyRule;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::reserved::is_reserved;

/// The keys of one account: all begin with its prefix.
#[derive(Debug, Clone)]
pub(super) struct KeySpace {
    /// Empty, or ends with `/`.
    prefix: String,
    max_key: usize,
    rule: KeyRule,
}

impl KeySpace {
    /// The keys below `prefix`, which gets a trailing `/` if it has none.
    pub(super) fn new(prefix: &str, max_key: usize) -> Self {
        let mut prefix = prefix.trim_start_matches('/').to_owned();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Self {
            prefix,
            max_key,
            rule: |_| None,
        }
    }

    /// The same at a store that cannot have every key.
    pub(super) fn under(self, rule: KeyRule) -> Self {
        Self { rule, ..self }
    }

    /// The key of the file at `path`, which is not the root.
    ///
    /// # Errors
    /// `InvalidPath` if no key is meant by it.
    pub(super) fn file(&self, path: &StoragePath) -> StorageResult<String> {
        if path.is_root() {
            return Err(invalid("the root is no object"));
        }
        let text = std::str::from_utf8(path.as_bytes())
            .map_err(|_| invalid("names in object stores are UTF-8"))?;
        if text.chars().any(char::is_control) {
            return Err(invalid("a control character in a name"));
        }
        // Room for the `/` of a folder, so that what can be a file can be a folder, too.
        if self.prefix.len().saturating_add(text.len()) >= self.max_key {
            return Err(invalid("the key is too long"));
        }
        let key = format!("{}{text}", self.prefix);
        if let Some(why) = (self.rule)(&key) {
            return Err(invalid(why));
        }
        Ok(key)
    }

    /// Whether the store can have a key, which another program may have made all the same.
    pub(super) fn admits(&self, key: &str) -> bool {
        (self.rule)(key).is_none()
    }

    /// What the keys below the directory at `path` begin with; the key of its marker.
    ///
    /// # Errors
    /// As [`file`](Self::file).
    pub(super) fn folder(&self, path: &StoragePath) -> StorageResult<String> {
        if path.is_root() {
            return Ok(self.prefix.clone());
        }
        let mut key = self.file(path)?;
        key.push('/');
        Ok(key)
    }

    /// What every key begins with.
    pub(super) fn root(&self) -> &str {
        &self.prefix
    }
}

/// The name that a key below `folder` shows as there; `None` if it has none. A folder's key may end with `/`.
pub(super) fn name_in<'a>(folder: &str, key: &'a str) -> Option<&'a str> {
    let rest = key.strip_prefix(folder)?;
    let name = rest.strip_suffix('/').unwrap_or(rest);
    is_name(name).then_some(name)
}

/// Whether every name of a key below `root` is one, so that a path leads to it. A marker's key ends with `/`.
pub(super) fn is_addressable(root: &str, key: &str) -> bool {
    let Some(rest) = key.strip_prefix(root) else {
        return false;
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    rest.split('/').all(is_name)
}

fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.len() <= MAX_NAME_LEN
        && !name.contains('/')
        && !name.chars().any(char::is_control)
        && !is_reserved(name.as_bytes())
}

fn invalid(context: &'static str) -> StorageError {
    StorageError::new(StorageErrorKind::InvalidPath, context)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> StoragePath {
        StoragePath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_key_is_the_prefix_and_the_path() {
        for (prefix, file, folder) in [
            ("", "a/b c", "a/b c/"),
            ("p", "p/a/b c", "p/a/b c/"),
            ("/p/q/", "p/q/a/b c", "p/q/a/b c/"),
        ] {
            let keys = KeySpace::new(prefix, 1024);
            assert_eq!(keys.file(&path("a/b c")).unwrap(), file);
            assert_eq!(keys.folder(&path("a/b c")).unwrap(), folder);
            assert_eq!(keys.folder(&StoragePath::root()).unwrap(), keys.root());
        }
    }

    #[test]
    fn what_the_store_would_take_for_another_key_is_none() {
        let keys = KeySpace::new("p", 1024)
            .under(|key| key.ends_with('.').then_some("no dots in the end"));
        assert_eq!(keys.file(&path("a.b")).unwrap(), "p/a.b");
        let refused = keys.file(&path("a.")).unwrap_err();
        assert_eq!(refused.kind(), StorageErrorKind::InvalidPath);
        assert!(keys.folder(&path("a.")).is_err());
        assert!(keys.admits("p/a.b") && !keys.admits("p/a."));
    }

    #[test]
    fn what_no_listing_shows_cannot_be_made() {
        let keys = KeySpace::new("p", 1024);
        assert!(keys.file(&StoragePath::root()).is_err());
        for name in [
            &b"caf\xe9"[..],
            b"new\nline",
            b"\x01",
            b"\x7f",
            "\u{85}".as_bytes(),
        ] {
            let made = keys.file(&StoragePath::parse(name).unwrap());
            assert_eq!(made.unwrap_err().kind(), StorageErrorKind::InvalidPath);
        }
        let long = vec!["x".repeat(255); 4].join("/");
        assert!(keys.file(&path(&long)).is_err());
    }

    #[test]
    fn keys_that_are_no_path_have_no_name() {
        for key in [
            "p/", "p//", "p//x", "p/./", "p/..", "p/a\nb", "p/\u{1}/", "q/x",
        ] {
            assert_eq!(name_in("p/", key), None, "{key:?}");
        }
        assert_eq!(name_in("p/", "p/a b"), Some("a b"));
        assert_eq!(name_in("p/", "p/ /"), Some(" "));
        assert_eq!(name_in("", "p/"), Some("p"));
        assert!(is_addressable("p/", "p/a/b/"));
        for key in ["p/a//b", "p/a/../b", "p/a/\t", "p//", "p/", "q"] {
            assert!(!is_addressable("p/", key), "{key:?}");
        }
    }

    proptest! {
        /// A path goes to its key and back, and what is no path never comes back as one.
        #[test]
        fn a_path_and_its_key_belong_together(text in "[a-c./ \\x00-\\x1fé]{0,12}") {
            let keys = KeySpace::new("p", 1024);
            if let Ok(parsed) = StoragePath::parse(text.as_bytes())
                && let Ok(key) = keys.file(&parsed)
            {
                prop_assert!(is_addressable(keys.root(), &key));
                let folder = keys.folder(&parsed.parent()).unwrap();
                let name = name_in(&folder, &key).map(str::as_bytes);
                prop_assert_eq!(name, Some(parsed.file_name()));
            }
            let key = format!("p/{text}");
            if is_addressable("p/", &key) {
                let back = StoragePath::parse(text.as_bytes()).unwrap();
                prop_assert_eq!(keys.file(&back).unwrap(), key.trim_end_matches('/'));
            }
        }
    }
}
