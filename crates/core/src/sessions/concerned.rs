//! Who else must know what happens to sessions and accounts.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use sftpgo_data::DataResult;

use crate::auth::PasswordChecks;
use crate::engine::Core;
use crate::quota::{Quiet, QuotaLedger};

/// Told of what concerns it. Whoever tells waits, the beat of the server among them: what takes long runs in a task of its
/// own. Nothing here may take or give back a session of the user.
#[async_trait]
pub(crate) trait Concerned: fmt::Debug + Send + Sync {
    /// Another server has sessions of the user, too: from now on, and when this returns, the others are told what this
    /// server does to the user's files.
    ///
    /// # Errors
    /// The data provider does not answer; the others are not told then.
    async fn share(&self, username: &str) -> DataResult<()>;

    /// The user has no session here any more, which the others hear next: what was counted of the user's files must be
    /// written before that.
    ///
    /// # Errors
    /// The data provider does not answer.
    async fn settle(&self, username: &str) -> DataResult<()>;

    /// The user has no session here any more: nobody need be told.
    async fn unshare(&self, username: &str);

    /// A server that had sessions of the user died: what it had reserved is nobody's.
    async fn recount(&self, username: &str);

    /// The account was changed or removed, or, without a name, any may have been: what was remembered of it is stale.
    fn forget(&self, username: Option<&str>);
}

/// What of this server is concerned: quotas, their scans, passwords that were right a moment ago.
#[derive(Debug)]
pub(crate) struct ThisServer {
    quota: QuotaLedger,
    passwords: Arc<PasswordChecks>,
    core: OnceLock<Weak<Core>>,
}

impl ThisServer {
    pub(crate) fn new(quota: QuotaLedger, passwords: Arc<PasswordChecks>) -> Self {
        Self {
            quota,
            passwords,
            core: OnceLock::new(),
        }
    }

    /// Introduces the whole, of which this is a part.
    pub(crate) fn is_part_of(&self, core: &Arc<Core>) {
        // Done once, by what makes both.
        let _ = self.core.set(Arc::downgrade(core));
    }
}

#[async_trait]
impl Concerned for ThisServer {
    async fn share(&self, username: &str) -> DataResult<()> {
        self.quota.share(username).await
    }

    async fn settle(&self, username: &str) -> DataResult<()> {
        self.quota.settle(username).await
    }

    async fn unshare(&self, username: &str) {
        self.quota.unshare(username).await;
    }

    /// In the background, for it takes as long as the walk through the files does.
    async fn recount(&self, username: &str) {
        let Some(core) = self.core.get().and_then(Weak::upgrade) else {
            return;
        };
        if core.quota.is_off() {
            return;
        }
        tracing::info!(
            username,
            "a server died with sessions of the user; the quota is scanned"
        );
        let names = vec![username.to_owned()];
        core.tasks().clone().spawn(async move {
            core.scan_quotas(names, Quiet::Serving).await;
        });
    }

    fn forget(&self, username: Option<&str>) {
        // Without a name nothing is done: what is remembered is of no use with another stored hash.
        if let Some(username) = username {
            self.passwords.forget(username);
        }
    }
}
