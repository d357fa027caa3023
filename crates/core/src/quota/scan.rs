//! Counters and what a scan of the files finds.

use sftpgo_data::{QuotaDelta, QuotaUsage};
use sftpgo_model::{UnixMillis, User};
use sftpgo_storage::Usage;

use super::activity::Watch;
use super::ledger::QuotaLedger;
use crate::error::OpResult;

impl QuotaLedger {
    /// Whether this user's limits are enforced.
    pub(crate) fn limits(&self, user: &User) -> bool {
        self.tracks(user) && !user.quota.is_unlimited()
    }

    /// Whether the account has reached a limit, of files or of bytes.
    pub(crate) async fn is_full(&self, user: &User) -> OpResult<bool> {
        let used = self.used(user).await?;
        let full = |limit: Option<u64>, used: i64| {
            limit.is_some_and(|limit| u64::try_from(used).unwrap_or(0) >= limit)
        };
        Ok(full(user.quota.bytes, used.bytes) || full(user.quota.files, used.files))
    }

    /// Watches for changes of the counters, to know whether a scan can be believed. Everything counted before is written first.
    pub(crate) fn watch(&self, username: &str) -> Watch {
        self.inner.activity.watch(username)
    }

    /// Makes the counters what a scan found. What waits to be written is part of what was found.
    pub(crate) async fn set(&self, user: &User, found: Usage) {
        self.flush().await;
        let (files, bytes) = (to_signed(found.files), to_signed(found.bytes));
        let at = UnixMillis::now();
        let provider = &self.inner.provider;
        if let Err(error) = provider.set_quota(&user.username, files, bytes, at).await {
            tracing::error!(username = user.username, %error, "what a scan found was not written");
        }
    }

    /// Makes the counters at least what a scan found while uploads were open: theirs stay counted.
    pub(crate) async fn raise(&self, user: &User, found: Usage) {
        self.flush().await;
        let Ok(used) = self.used(user).await else {
            return;
        };
        let delta = QuotaDelta {
            files: (to_signed(found.files) - used.files).max(0),
            bytes: (to_signed(found.bytes) - used.bytes).max(0),
        };
        if delta != QuotaDelta::default() {
            let at = UnixMillis::now();
            let added = self
                .inner
                .provider
                .add_quota(&user.username, delta, at)
                .await;
            if let Err(error) = added {
                tracing::error!(username = user.username, %error, "what a scan found was not written");
            }
        }
    }

    async fn used(&self, user: &User) -> OpResult<QuotaUsage> {
        let used = self.inner.provider.quota(&user.username).await?;
        Ok(used.unwrap_or_default())
    }
}

fn to_signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
