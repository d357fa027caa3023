//! One change at a time to a name: what happens on the disk and what is noted of it in the ledger belong together.
//!
//! Without it an upload that has opened a file and not entered the ledger yet could be removed, cut or joined by others who
//! take its empty beginning for what was counted. Names that links give to one file are apart here; their file's account
//! in the ledger keeps them together.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

type Table = Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>;

/// The names that are being changed on this server, by their place there.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(Arc<Table>);

/// A name that nobody else changes until this is dropped.
#[derive(Debug)]
pub(crate) struct NameGuard {
    table: Arc<Table>,
    name: String,
    /// Gone only while this is dropped.
    guard: Option<OwnedMutexGuard<()>>,
}

impl Names {
    /// Waits until nobody changes the name. Whoever needs two takes the lesser first; see [`Names::lock_both`].
    pub(super) async fn lock(&self, name: String) -> NameGuard {
        let lock = Arc::clone(self.0.lock().entry(name.clone()).or_default());
        let guard = lock.lock_owned().await;
        NameGuard {
            table: Arc::clone(&self.0),
            name,
            guard: Some(guard),
        }
    }

    /// Both names, in an order that everybody keeps.
    pub(super) async fn lock_both(
        &self,
        one: String,
        other: String,
    ) -> (NameGuard, Option<NameGuard>) {
        let (first, second) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        let same = first == second;
        let first = self.lock(first).await;
        let second = if same {
            None
        } else {
            Some(self.lock(second).await)
        };
        (first, second)
    }
}

impl Drop for NameGuard {
    /// The last one takes the name out of the table.
    fn drop(&mut self) {
        let mut table = self.table.lock();
        drop(self.guard.take());
        // Taken under the lock of the table, by which everybody else gets it: if only the table has it, nobody waits.
        if table
            .get(&self.name)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            table.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_changed_by_one_at_a_time_and_forgotten_afterwards() {
        let names = Names::default();
        let held = names.lock("/a".to_owned()).await;
        let other = names.lock("/b".to_owned()).await;
        let waiting = tokio::spawn({
            let names = names.clone();
            async move { drop(names.lock_both("/b".to_owned(), "/a".to_owned()).await) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held);
        drop(other);
        waiting.await.unwrap();
        drop(names.lock_both("/c".to_owned(), "/c".to_owned()).await);
        assert!(names.0.lock().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_nothing() {
        let names = Names::default();
        let held = names.lock("/a".to_owned()).await;
        let waiting = tokio::spawn({
            let names = names.clone();
            async move { names.lock("/a".to_owned()).await }
        });
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.is_err());
        drop(held);
        assert!(names.0.lock().is_empty());
    }
}
