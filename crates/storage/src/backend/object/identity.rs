//! Identities of objects: which version of which key, as a number that every server computes alike.

use aws_lc_rs::digest::{Context, SHA256};

use crate::metadata::FileId;

/// Makes the identities of one bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identities {
    device: u64,
}

impl Identities {
    /// For the store that calls itself so.
    pub(super) fn new(store: &str) -> Self {
        Self {
            device: hash(&[store]),
        }
    }

    /// A version of an object. What replaces it has another identity, also under the same key.
    pub(super) fn object(self, key: &str, etag: &str) -> FileId {
        self.id(hash(&["object", key, etag]))
    }

    /// A directory: there is one under each key.
    pub(super) fn folder(self, key: &str) -> FileId {
        self.id(hash(&["folder", key]))
    }

    /// An upload that has no object yet. `number` differs between those of this process, `start` between processes.
    pub(super) fn upload(self, key: &str, start: u64, number: u64) -> FileId {
        let (start, number) = (start.to_string(), number.to_string());
        self.id(hash(&["upload", key, &start, &number]))
    }

    fn id(self, inode: u64) -> FileId {
        FileId {
            device: self.device,
            inode,
        }
    }
}

/// The first bytes of a digest; a length before each part keeps two lists of parts apart.
fn hash(parts: &[&str]) -> u64 {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    let mut first = [0_u8; 8];
    for (to, from) in first.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_of_each_key_of_each_bucket_is_another() {
        let (one, two) = (Identities::new("one"), Identities::new("two"));
        let ids = [
            one.object("a", "b"),
            one.object("a", "c"),
            one.object("ab", ""),
            one.object("", "ab"),
            two.object("a", "b"),
            one.folder("a"),
            one.upload("a", 0, 1),
            one.upload("a", 0, 2),
            one.upload("a", 1, 1),
        ];
        let different: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
        assert_eq!(
            one.object("a", "b"),
            Identities::new("one").object("a", "b")
        );
    }
}
