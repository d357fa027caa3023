//! Holding a file: its account, locked, for as long as somebody looks at it and changes it.

use std::sync::Arc;

use sftpgo_data::QuotaDelta;
use sftpgo_storage::{FileId, Metadata};
use tokio::sync::OwnedMutexGuard;

use super::files::FileAccount;
use super::sharing::{Mode, Sharing};
use super::state::FileState;
use crate::error::OpResult;

/// A file that can be held. Let it go before the file itself is no longer pinned.
#[derive(Debug)]
pub(super) struct FileHandle {
    account: FileAccount,
    sharing: Arc<Sharing>,
}

impl FileHandle {
    pub(super) fn new(account: FileAccount, sharing: Arc<Sharing>) -> Self {
        Self { account, sharing }
    }

    /// Which file.
    pub(super) fn id(&self) -> FileId {
        self.account.key().id
    }

    /// Waits until nobody else holds the file, on this server or another one.
    ///
    /// # Errors
    /// `Unavailable` if other servers work on the user's files, too, and cannot be asked.
    pub(super) async fn lock(&self) -> OpResult<FileLock> {
        let mode = self.sharing.mode(&self.account.key().username).await;
        self.lock_in(mode).await
    }

    /// The same for who holds another file of the same user already.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub(super) async fn lock_beside(&self, held: &FileLock) -> OpResult<FileLock> {
        match &held.mode {
            Some(mode) => self.lock_in(Arc::clone(mode)).await,
            None => self.lock().await,
        }
    }

    async fn lock_in(&self, mode: Mode) -> OpResult<FileLock> {
        let key = self.account.key();
        let mut state = self.account.lock().await;
        let shared = if **mode {
            let shared = Shared {
                sharing: Arc::clone(&self.sharing),
                username: Arc::clone(&key.username),
                name: key.shared_name(),
            };
            *state = self.sharing.hold(&shared.name).await?;
            Some(shared)
        } else {
            None
        };
        Ok(FileLock {
            shared,
            here: self.sharing.here().to_owned(),
            state: Some(state),
            mode: Some(mode),
        })
    }
}

/// A file that this server holds among others.
#[derive(Debug)]
struct Shared {
    sharing: Arc<Sharing>,
    username: Arc<str>,
    name: String,
}

impl Shared {
    async fn let_go(&self, state: &FileState) {
        self.sharing.let_go(&self.username, &self.name, state).await;
    }
}

/// A file that nobody else looks at or changes. Apply what was counted before it is let go: what another server takes off
/// the counters must have been added to them. Dropping it lets the next one have it, a little later if other servers wait
/// for it, too.
#[derive(Debug)]
pub(super) struct FileLock {
    /// Where what is counted is written, if other servers want to know.
    shared: Option<Shared>,
    here: String,
    /// Gone only when it is let go.
    state: Option<OwnedMutexGuard<FileState>>,
    mode: Option<Mode>,
}

impl FileLock {
    fn with<T: Default>(&mut self, act: impl FnOnce(&mut FileState) -> T) -> T {
        self.state.as_deref_mut().map(act).unwrap_or_default()
    }

    /// The account.
    pub(super) fn state(&mut self) -> Option<&mut FileState> {
        self.state.as_deref_mut()
    }

    /// Notes that somebody has the file open, which is `now` as it is.
    pub(super) fn enter(&mut self, now: &Metadata) {
        let here = self.here.clone();
        self.with(|state| state.enter(&here, now));
    }

    /// Notes that somebody has closed the file; the last one learns what the counters have to be changed by.
    pub(super) fn leave(&mut self, now: &Metadata) -> QuotaDelta {
        let here = self.here.clone();
        self.with(|state| state.leave(&here, now))
    }

    /// As [`FileState::changed`].
    pub(super) fn changed(&mut self, before: &Metadata, after: &Metadata) -> QuotaDelta {
        self.with(|state| state.changed(before, after))
    }

    /// As [`FileState::price_of_name`].
    pub(super) fn price_of_name(&mut self, file: &Metadata) -> QuotaDelta {
        self.with(|state| state.price_of_name(file))
    }

    /// As [`FileState::covered`].
    pub(super) fn covered(&mut self) -> u64 {
        self.with(|state| state.covered())
    }

    /// Lets the next one have it, and waits until that is so.
    pub(super) async fn release(mut self) {
        if let (Some(shared), Some(state)) = (self.shared.take(), self.state.take()) {
            shared.let_go(&state).await;
        }
    }
}

impl Drop for FileLock {
    /// Whoever was interrupted with the file in hand: other servers must not wait for it.
    fn drop(&mut self) {
        let (Some(shared), Some(state), Some(mode)) =
            (self.shared.take(), self.state.take(), self.mode.take())
        else {
            return;
        };
        tokio::spawn(async move {
            shared.let_go(&state).await;
            drop((state, mode));
        });
    }
}
