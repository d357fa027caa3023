//! The files that somebody changes just now: one at a time for each file, whatever its name.
//!
//! Looking at a file, changing it and noting what that means for the counters is one step for everybody who asks here
//! first. Who holds a file keeps it pinned, too, so that its identity is not another file's meanwhile.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use super::sharing::FileKey;
use super::state::FileState;

type Shared = Arc<tokio::sync::Mutex<FileState>>;
type Table = Mutex<HashMap<FileKey, Shared>>;

/// The files of this server that are open for writing, or that somebody waits for.
#[derive(Debug, Clone, Default)]
pub(super) struct Files(Arc<Table>);

impl Files {
    /// Finds the account of a file, which is forgotten with the last one who has it.
    pub(super) fn account(&self, key: FileKey) -> FileAccount {
        let state = Arc::clone(self.0.lock().entry(key.clone()).or_default());
        FileAccount {
            table: Arc::clone(&self.0),
            key,
            state: Some(state),
        }
    }

    /// Everything of a user that is open now.
    pub(super) fn accounts_of(&self, username: &str) -> Vec<FileAccount> {
        let keys: Vec<FileKey> = self
            .0
            .lock()
            .keys()
            .filter(|key| &*key.username == username)
            .cloned()
            .collect();
        keys.into_iter().map(|key| self.account(key)).collect()
    }
}

/// Somebody's claim on the account of a file. Let it go before the file itself.
#[derive(Debug)]
pub(super) struct FileAccount {
    table: Arc<Table>,
    key: FileKey,
    /// Gone only while this is dropped.
    state: Option<Shared>,
}

impl FileAccount {
    /// Which file.
    pub(super) fn key(&self) -> &FileKey {
        &self.key
    }

    /// Waits until nobody else looks at the file or changes it.
    pub(super) async fn lock(&self) -> OwnedMutexGuard<FileState> {
        // It is there until `drop`.
        let state = self.state.clone().unwrap_or_default();
        state.lock_owned().await
    }
}

impl Drop for FileAccount {
    /// The last one takes the account out of the table.
    fn drop(&mut self) {
        let mut table = self.table.lock();
        drop(self.state.take());
        // Taken under the lock of the table, by which everybody else gets it: if only the table has it, nobody waits, and
        // whoever entered has left.
        if table
            .get(&self.key)
            .is_some_and(|state| Arc::strong_count(state) == 1)
        {
            table.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use sftpgo_model::VirtualPath;
    use sftpgo_storage::FileId;

    use super::*;

    fn key() -> FileKey {
        FileKey {
            username: "alice".into(),
            mount: VirtualPath::root(),
            id: FileId {
                device: 1,
                inode: 2,
            },
        }
    }

    #[tokio::test]
    async fn a_file_is_changed_by_one_at_a_time_and_forgotten_afterwards() {
        let files = Files::default();
        let first = files.account(key());
        let held = first.lock().await;
        let waiting = tokio::spawn({
            let files = files.clone();
            async move { drop(files.account(key()).lock().await) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held);
        drop(first);
        waiting.await.unwrap();
        assert!(files.0.lock().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_nothing() {
        let files = Files::default();
        let first = files.account(key());
        let held = first.lock().await;
        let waiting = tokio::spawn({
            let files = files.clone();
            async move { drop(files.account(key()).lock().await) }
        });
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.is_err());
        drop(held);
        drop(first);
        assert!(files.0.lock().is_empty());
    }
}
