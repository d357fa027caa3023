//! The counters' side of quota: reservations in the data provider, and whose files are changed just now.

use std::future::Future;
use std::sync::Arc;

use sftpgo_data::{DataProvider, DataResult, QuotaDelta};
use sftpgo_model::{User, VirtualPath};
use tokio_util::sync::CancellationToken;

use super::QuotaTracking;
use super::activity::Activity;
use super::counters::Counters;
use super::files::Files;
use super::mount::MountQuota;
use super::sharing::Sharing;
use crate::error::OpResult;

/// What this server knows of quotas.
#[derive(Debug, Clone)]
pub struct QuotaLedger {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) counters: Counters,
    tracking: QuotaTracking,
    /// Files that somebody changes.
    pub(super) files: Files,
    /// Whose files other servers change, too.
    pub(super) sharing: Arc<Sharing>,
    /// What moves while somebody scans.
    pub(super) activity: Activity,
}

impl QuotaLedger {
    pub(crate) fn new(provider: Arc<dyn DataProvider>, tracking: QuotaTracking) -> Self {
        let counters = Counters::new(Arc::clone(&provider));
        Self {
            inner: Arc::new(Inner {
                sharing: Arc::new(Sharing::new(provider, counters.clone())),
                counters,
                tracking,
                files: Files::default(),
                activity: Activity::default(),
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

    /// Whether nobody's changes are counted.
    pub(crate) fn is_off(&self) -> bool {
        self.inner.tracking == QuotaTracking::Off
    }

    /// The quota of a user's files below one mount.
    pub(crate) fn at(&self, user: &Arc<User>, mount: &VirtualPath) -> MountQuota {
        MountQuota {
            ledger: self.clone(),
            user: Arc::clone(user),
            mount: mount.clone(),
        }
    }

    /// From now on tells other servers what is done to a user's files, and before it returns what is open now.
    ///
    /// # Errors
    /// The data provider does not answer; nothing is told then.
    pub(crate) async fn share(&self, username: &str) -> DataResult<()> {
        self.inner.sharing.share(username, &self.inner.files).await
    }

    /// Writes what waits to be written of a user.
    ///
    /// # Errors
    /// The data provider does not answer; it waits on.
    pub(crate) async fn settle(&self, username: &str) -> DataResult<()> {
        self.inner.counters.write(username).await
    }

    /// Ends [`share`](Self::share), when no session of the user and nothing that one did is left on this server.
    pub(crate) async fn unshare(&self, username: &str) {
        self.inner.sharing.unshare(username).await;
    }

    /// Reserves in the data provider; `false` if the limits do not allow it.
    pub(super) async fn reserve(&self, user: &User, delta: QuotaDelta) -> OpResult<bool> {
        self.inner.counters.reserve(&user.username, delta).await
    }

    /// What is still free for a limited user, in bytes.
    pub(crate) async fn free_bytes(&self, user: &User) -> OpResult<u64> {
        let used = self.used(user).await?;
        let limit = user.quota.bytes.unwrap_or(u64::MAX);
        Ok(limit.saturating_sub(u64::try_from(used.bytes).unwrap_or(0)))
    }

    /// Counts a change: at once for limited users, a little later for others.
    pub(crate) async fn apply(&self, user: &User, delta: QuotaDelta) {
        if !self.tracks(user) || delta == QuotaDelta::default() {
            return;
        }
        self.inner.activity.note_change(&user.username);
        let counters = &self.inner.counters;
        if user.quota.is_unlimited() {
            // Nobody decides by these counters, so they may be written a little later, several changes together.
            counters.add_later(&user.username, delta);
        } else {
            counters.add(&user.username, delta).await;
        }
    }

    /// Writes what waits. When it returns, everything applied before the call is in the data provider, if that answers.
    pub async fn flush(&self) {
        self.inner.counters.flush().await;
    }

    /// The background work that writes what waits; ends after `stop`, with nothing left if the data provider answers.
    pub(crate) fn flusher(&self, stop: CancellationToken) -> impl Future<Output = ()> + use<> {
        self.inner.counters.clone().write_behind(stop)
    }
}
