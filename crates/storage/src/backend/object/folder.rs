//! A key `a` and keys `a/...` at once: a file that is a directory, too. The file is what is shown and meant.
//!
//! Keys between `a` and `a/` all begin with `a`, so a listing need only remember files that its last key begins with.

/// Finds, in a listing in the order of keys, folders that a file of their name hides.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// Files that the last key begins with; each begins with the one before.
    files: Vec<String>,
    last: String,
}

impl Folded {
    /// Whether the next key of the listing is shown. A folder's key ends with `/`.
    pub(super) fn admits(&mut self, key: &str) -> bool {
        while self
            .files
            .last()
            .is_some_and(|file| !key.starts_with(file.as_str()))
        {
            self.files.pop();
        }
        let Some(name) = key.strip_suffix('/') else {
            self.files.push(key.to_owned());
            return true;
        };
        // A marker that a store shows as an object, and again as a folder.
        let again = self.last == key;
        key.clone_into(&mut self.last);
        !again && !self.files.iter().any(|file| file == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_folder_is_hidden_by_a_file_of_its_name_only() {
        let mut folded = Folded::default();
        for (key, shown) in [
            ("a", true),
            ("a ", true),
            ("a-b", true),
            ("a/", false),
            ("ab/", true),
            ("ab/", false),
            ("b/", true),
        ] {
            assert_eq!(folded.admits(key), shown, "{key}");
        }
        assert!(folded.files.len() <= 1);
    }

    proptest! {
        #[test]
        fn nothing_is_shown_twice(keys in prop::collection::btree_set("[ab.]{1,3}/?", 0..30)) {
            let mut folded = Folded::default();
            let mut shown = BTreeSet::new();
            for key in &keys {
                if folded.admits(key) {
                    prop_assert!(shown.insert(key.trim_end_matches('/').to_owned()));
                }
                prop_assert!(folded.files.len() <= 3);
            }
            let names: BTreeSet<_> = keys.iter().map(|key| key.trim_end_matches('/').to_owned()).collect();
            prop_assert_eq!(shown, names);
        }
    }
}
