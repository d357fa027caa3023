//! Stores of one process that say the same about themselves are one: connections and credentials are had once for all sessions
//! of an account.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use aws_lc_rs::digest::{Context, SHA256};
use parking_lot::Mutex;

/// Tells settings apart without keeping what is secret in them.
pub struct Fingerprint(Context);

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint")
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Fingerprint {
    /// Adds a text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.update(&(text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
        self
    }

    /// Adds a text that may not be there, which is not the same as an empty one.
    #[must_use]
    pub fn option(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text("some").text(text),
            None => self.text("none"),
        }
    }

    /// What it is of all that was added.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        let digest = self.0.finish();
        let mut fingerprint = [0_u8; 32];
        for (to, from) in fingerprint.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        fingerprint
    }
}

/// The stores that are in use.
#[derive(Debug)]
pub(crate) struct InUse<S> {
    stores: Mutex<HashMap<[u8; 32], Weak<S>>>,
}

impl<S> Default for InUse<S> {
    fn default() -> Self {
        Self {
            stores: Mutex::default(),
        }
    }
}

impl<S> InUse<S> {
    /// The store of these settings, if somebody uses it.
    pub(crate) fn get(&self, fingerprint: &[u8; 32]) -> Option<Arc<S>> {
        self.stores.lock().get(fingerprint)?.upgrade()
    }

    /// Notes a store that was made. If another was made meanwhile it is that one.
    pub(crate) fn put(&self, fingerprint: [u8; 32], store: S) -> Arc<S> {
        let mut stores = self.stores.lock();
        stores.retain(|_, store| store.strong_count() > 0);
        if let Some(there) = stores.get(&fingerprint).and_then(Weak::upgrade) {
            return there;
        }
        let store = Arc::new(store);
        stores.insert(fingerprint, Arc::downgrade(&store));
        store
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_shared_while_somebody_uses_it() {
        let stores = InUse::default();
        let one = stores.put([1; 32], "one");
        assert!(Arc::ptr_eq(&one, &stores.put([1; 32], "again")));
        assert!(stores.get(&[2; 32]).is_none());
        drop(one);
        assert!(stores.get(&[1; 32]).is_none());
    }

    #[test]
    fn texts_are_not_run_together() {
        let of = |texts: &[&str]| {
            let add = |print: Fingerprint, text: &&str| print.text(text);
            texts.iter().fold(Fingerprint::default(), add).finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(
            Fingerprint::default().option(None).finish(),
            Fingerprint::default().option(Some("")).finish()
        );
    }
}
