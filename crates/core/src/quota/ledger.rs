//! The counters' side of quota: reservations in the data provider, and which files are open for writing on this server.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sftpgo_data::{DataProvider, QuotaDelta};
use sftpgo_model::{UnixMillis, User};
use sftpgo_storage::{FileId, Metadata};
use tokio::sync::{Notify, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use super::QuotaTracking;
use super::activity::Activity;
use super::hold::{FileAccount, QuotaHold};
use super::names::{NameGuard, Names};
use crate::error::{OpErrorKind, OpResult};

/// How long changes of users without a limit may wait to be written together.
const WRITE_BEHIND: Duration = Duration::from_millis(200);

/// What this server knows of quotas.
#[derive(Debug, Clone)]
pub struct QuotaLedger {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) provider: Arc<dyn DataProvider>,
    tracking: QuotaTracking,
    /// Files open for writing, so that two uploads of one file, or its removal meanwhile, are counted once.
    open_files: Mutex<HashMap<FileId, Arc<FileAccount>>>,
    /// Changes of users without a limit, summed up. Nobody decides by these counters, so they may be written a little later;
    /// limited users' changes are never put here.
    pending: Mutex<HashMap<String, QuotaDelta>>,
    changed: Notify,
    /// What moves while somebody scans.
    pub(super) activity: Activity,
    names: Names,
    /// One flush at a time, so that who waits for a flush knows that nothing is in flight.
    flushing: tokio::sync::Mutex<()>,
}

impl QuotaLedger {
    pub(crate) fn new(provider: Arc<dyn DataProvider>, tracking: QuotaTracking) -> Self {
        Self {
            inner: Arc::new(Inner {
                provider,
                tracking,
                open_files: Mutex::default(),
                pending: Mutex::default(),
                changed: Notify::new(),
                activity: Activity::default(),
                names: Names::default(),
                flushing: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// Whether changes of this user are counted.
    pub(crate) fn tracks(&self, user: &User) -> bool {
        match self.inner.tracking {
            QuotaTracking::Off => false,
            QuotaTracking::Always => true,
            QuotaTracking::LimitedOnly => !user.quota.is_unlimited(),
        }
    }

    /// Lets nobody else change what is under a name of the server until the guard is dropped: to be held over a change of it
    /// on the disk and of what the ledger knows of it.
    pub(crate) async fn lock_name(&self, name: String) -> NameGuard {
        self.inner.names.lock(name).await
    }

    /// As [`lock_name`](Self::lock_name) for a change of two names.
    pub(crate) async fn lock_names(
        &self,
        one: String,
        other: String,
    ) -> (NameGuard, Option<NameGuard>) {
        self.inner.names.lock_both(one, other).await
    }

    /// A hold for a change that needs no room.
    pub(crate) fn hold(&self, user: &Arc<User>) -> QuotaHold {
        let upload = self.inner.activity.enter(&user.username);
        QuotaHold::new(self.clone(), Arc::clone(user), self.tracks(user), upload)
    }

    /// Makes sure that an upload may begin, and reserves a file if none is there yet.
    ///
    /// # Errors
    /// `QuotaExceeded` if the account is full already.
    pub(crate) async fn begin(&self, user: &Arc<User>, new_file: bool) -> OpResult<QuotaHold> {
        let mut hold = self.hold(user);
        if hold.is_limited() {
            let used = self
                .inner
                .provider
                .quota(&user.username)
                .await?
                .unwrap_or_default();
            let full = |limit: Option<u64>, used: i64| {
                limit.is_some_and(|limit| u64::try_from(used).unwrap_or(0) >= limit)
            };
            if full(user.quota.bytes, used.bytes) {
                return Err(OpErrorKind::QuotaExceeded.into());
            }
            if new_file {
                let file = QuotaDelta { files: 1, bytes: 0 };
                if !self.reserve(&user.username, file).await? {
                    return Err(OpErrorKind::QuotaExceeded.into());
                }
                hold.note_reserved_file();
            }
        }
        Ok(hold)
    }

    /// Reserves in the data provider; `false` if the limits do not allow it.
    pub(super) async fn reserve(&self, username: &str, delta: QuotaDelta) -> OpResult<bool> {
        Ok(self
            .inner
            .provider
            .reserve_quota(username, delta, UnixMillis::now())
            .await?)
    }

    /// What is still free for a limited user, in bytes.
    pub(crate) async fn free_bytes(&self, user: &User) -> OpResult<u64> {
        let used = self
            .inner
            .provider
            .quota(&user.username)
            .await?
            .unwrap_or_default();
        let limit = user.quota.bytes.unwrap_or(u64::MAX);
        Ok(limit.saturating_sub(u64::try_from(used.bytes).unwrap_or(0)))
    }

    /// Counts a change: at once for limited users, a little later for others.
    pub(crate) async fn apply(&self, user: &User, delta: QuotaDelta) {
        if !self.tracks(user) || delta == QuotaDelta::default() {
            return;
        }
        self.inner.activity.note_change(&user.username);
        if user.quota.is_unlimited() {
            let mut pending = self.inner.pending.lock();
            let sum = pending.entry(user.username.clone()).or_default();
            sum.files = sum.files.saturating_add(delta.files);
            sum.bytes = sum.bytes.saturating_add(delta.bytes);
            drop(pending);
            self.inner.changed.notify_one();
            return;
        }
        self.write(&user.username, delta).await;
    }

    /// Counts a removed or replaced file, unless it is open for writing: then its account settles it.
    pub(crate) async fn apply_removed(&self, user: &User, removed: &Metadata) {
        if !removed.is_file() || self.left_to_its_uploads(removed) {
            return;
        }
        let bytes = i64::try_from(removed.size).unwrap_or(i64::MAX);
        self.apply(
            user,
            QuotaDelta {
                files: -1,
                bytes: -bytes,
            },
        )
        .await;
    }

    /// Notes that a file lost its name, if it is open for writing; whoever closes it last then takes it out of the count.
    /// `false` if nobody will.
    pub(super) fn left_to_its_uploads(&self, removed: &Metadata) -> bool {
        let Some(id) = removed.id else { return false };
        // Noted under the lock: an upload that leaves has either seen it, or can no longer be found.
        let mut files = self.inner.open_files.lock();
        // A file with further names stays where they are; the sum over names loses this one.
        if removed.links > 1 {
            return files
                .get(&id)
                .is_some_and(|account| account.lose_name(removed.links));
        }
        match files.get(&id) {
            Some(account) => account.note_removed(),
            None => {
                // An upload has opened it and has not joined yet: it will find that nothing is left to be counted.
                if id.generation != 0 {
                    files.insert(id, Arc::new(FileAccount::gone()));
                }
                false
            }
        }
    }

    /// Notes that a file has a new name, if it is open for writing; whoever closes it last then counts it, and settles what
    /// `hold` reserved for it. `false` if nobody will.
    pub(super) fn add_name(&self, linked: &Metadata, hold: &FileAccount) -> bool {
        let Some(id) = linked.id else { return false };
        let files = self.inner.open_files.lock();
        files
            .get(&id)
            .is_some_and(|account| account.gain_name(linked.links, hold))
    }

    /// Where the reservations of a file end that is open for writing.
    pub(super) fn covered(&self, file: &Metadata) -> Option<u64> {
        let files = self.inner.open_files.lock();
        Some(files.get(&file.id?)?.covered())
    }

    /// Keeps the uploads of a file from ending, while somebody else changes its size; `None` if it has none.
    pub(crate) async fn hold_still(&self, file: &Metadata) -> Option<OwnedMutexGuard<()>> {
        let open = file
            .id
            .and_then(|id| self.inner.open_files.lock().get(&id).cloned());
        match open {
            Some(account) => Some(account.hold_still().await),
            None => None,
        }
    }

    /// Joins the account of a file, which another upload may have opened already.
    pub(super) fn join(&self, id: FileId, fresh: &Arc<FileAccount>) -> Arc<FileAccount> {
        let mut files = self.inner.open_files.lock();
        let account = files.entry(id).or_insert_with(|| Arc::clone(fresh));
        account.enter();
        Arc::clone(account)
    }

    /// Leaves the account of a file; the last to leave gets `true` and settles it.
    pub(super) fn leave(&self, id: FileId, account: &FileAccount) -> bool {
        let mut files = self.inner.open_files.lock();
        let last = account.exit();
        if last {
            files.remove(&id);
        }
        last
    }

    async fn write(&self, username: &str, delta: QuotaDelta) {
        let at = UnixMillis::now();
        if let Err(error) = self.inner.provider.add_quota(username, delta, at).await {
            tracing::error!(
                username, %error, files = delta.files, bytes = delta.bytes,
                "a change of the quota was not written; scan the user's quota when the data provider works again"
            );
        }
    }

    /// Writes what waits. When it returns, everything applied before the call is in the data provider.
    pub async fn flush(&self) {
        let _one_at_a_time = self.inner.flushing.lock().await;
        let pending = std::mem::take(&mut *self.inner.pending.lock());
        for (username, delta) in pending {
            self.write(&username, delta).await;
        }
    }

    /// The background work that writes what waits; ends after `stop`, with nothing left.
    pub(crate) fn flusher(&self, stop: CancellationToken) -> impl Future<Output = ()> + use<> {
        let ledger = self.clone();
        async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = ledger.inner.changed.notified() => {}
                }
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(WRITE_BEHIND) => {}
                }
                ledger.flush().await;
            }
            ledger.flush().await;
        }
    }
}
