//! Counters and what a scan of the files finds.

use sftpgo_data::{QuotaDelta, QuotaUsage};
use sftpgo_model::User;
use sftpgo_storage::Usage;

use super::activity::Watch;
use super::ledger::QuotaLedger;
use super::state::to_signed;
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
        let set = self
            .inner
            .counters
            .set(&user.username, delta_of(found))
            .await;
        if let Err(error) = set {
            tracing::error!(username = user.username, %error, "what a scan found was not written");
        }
    }

    /// Makes the counters at least what a scan found while uploads were open: theirs stay counted.
    pub(crate) async fn raise(&self, user: &User, found: Usage) {
        self.flush().await;
        let Ok(used) = self.used(user).await else {
            return;
        };
        let found = delta_of(found);
        let delta = QuotaDelta {
            files: found.files.saturating_sub(used.files).max(0),
            bytes: found.bytes.saturating_sub(used.bytes).max(0),
        };
        if delta != QuotaDelta::default() {
            self.inner.counters.add(&user.username, delta).await;
        }
    }

    pub(super) async fn used(&self, user: &User) -> OpResult<QuotaUsage> {
        self.inner.counters.used(&user.username).await
    }
}

fn delta_of(found: Usage) -> QuotaDelta {
    QuotaDelta {
        files: to_signed(found.files),
        bytes: to_signed(found.bytes),
    }
}
