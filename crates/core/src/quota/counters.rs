//! The counters in the data provider: changed one at a time for each user, and nothing is lost while it does not answer.
//!
//! A change whose answer got lost may have been made or not. It is asked for before anything else of that user is changed:
//! then a change that was not made is made, and a reservation that nobody got is given back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sftpgo_data::{
    DataError, DataErrorKind, DataProvider, DataResult, QuotaChange, QuotaDelta, QuotaUsage,
};
use sftpgo_model::UnixMillis;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::state::{difference, sum};
use crate::error::{OpErrorKind, OpResult};

/// How long changes of users without a limit may wait to be written together.
const WRITE_BEHIND: Duration = Duration::from_millis(200);
/// Between two attempts while the data provider does not answer, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// How long who changed something waits for it to be written; what takes longer is written behind.
const PATIENCE: Duration = Duration::from_secs(2);

const NOTHING: QuotaDelta = QuotaDelta { files: 0, bytes: 0 };

/// The counters of all users. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    provider: Arc<dyn DataProvider>,
    /// Only users of whom something is under way or has to be written.
    users: Mutex<HashMap<String, Arc<Account>>>,
    changed: Notify,
    /// Numbers ascend over all users, and so for each of them, also for one who was forgotten meanwhile.
    number: AtomicU64,
}

/// The changes of one user's counters.
#[derive(Debug, Default)]
struct Account {
    /// To be added as soon as possible.
    waiting: Mutex<QuotaDelta>,
    line: tokio::sync::Mutex<Line>,
}

/// Who has this changes the counters.
#[derive(Debug, Default)]
struct Line {
    /// The change whose answer got lost.
    lost: Option<Lost>,
}

#[derive(Debug, Clone, Copy)]
struct Lost {
    number: u64,
    delta: QuotaDelta,
    /// Whether it was a reservation, of which nobody knows any more.
    reserved: bool,
}

impl Counters {
    pub(super) fn new(provider: Arc<dyn DataProvider>) -> Self {
        Self {
            inner: Arc::new(Inner {
                provider,
                users: Mutex::default(),
                changed: Notify::new(),
                number: AtomicU64::new(1),
            }),
        }
    }

    /// Reserves; `false` if the limits do not allow it. Given back by itself if the caller does not wait for the answer.
    ///
    /// # Errors
    /// `Unavailable` if the data provider does not answer; nothing is reserved then.
    pub(super) async fn reserve(&self, username: &str, delta: QuotaDelta) -> OpResult<bool> {
        let (answer, answered) = oneshot::channel();
        let (inner, username) = (Arc::clone(&self.inner), username.to_owned());
        // On its own, so that it is known to its end also if the client goes away meanwhile.
        tokio::spawn(async move {
            let reserved = inner.reserve(&username, delta).await;
            if let Err(Ok(true)) = answer.send(reserved) {
                inner.wait(&username, difference(delta, NOTHING));
            }
        });
        match answered.await {
            Ok(reserved) => Ok(reserved?),
            Err(_) => Err(OpErrorKind::ShuttingDown.into()),
        }
    }

    /// Adds a change, and waits until it is written, if that is soon.
    pub(super) async fn add(&self, username: &str, delta: QuotaDelta) {
        self.inner.wait(username, delta);
        if !matches!(timeout(PATIENCE, self.write(username)).await, Ok(Ok(()))) {
            self.inner.changed.notify_one();
        }
    }

    /// Adds a change that need not be seen at once.
    pub(super) fn add_later(&self, username: &str, delta: QuotaDelta) {
        self.inner.wait(username, delta);
        self.inner.changed.notify_one();
    }

    /// The counters as they are written.
    pub(super) async fn used(&self, username: &str) -> OpResult<QuotaUsage> {
        let used = self.inner.provider.quota(username).await?;
        Ok(used.unwrap_or_default())
    }

    /// Writes what waits, and then sets the counters to what `found` says.
    pub(super) async fn set(&self, username: &str, found: QuotaDelta) -> DataResult<()> {
        let account = self.inner.account(username);
        let mut line = account.line.lock().await;
        let written = self.inner.write_line(username, &account, &mut line).await;
        let result = match written {
            Ok(()) => {
                let (files, bytes) = (found.files, found.bytes);
                let at = UnixMillis::now();
                self.inner
                    .provider
                    .set_quota(username, files, bytes, at)
                    .await
            }
            Err(error) => Err(error),
        };
        drop(line);
        self.inner.forget(username, account);
        result
    }

    /// Writes what waits of one user.
    ///
    /// # Errors
    /// The data provider does not answer.
    pub(super) async fn write(&self, username: &str) -> DataResult<()> {
        if !self.inner.users.lock().contains_key(username) {
            return Ok(());
        }
        let (inner, username) = (Arc::clone(&self.inner), username.to_owned());
        // On its own: a statement that nobody waits for any more would be one whose answer got lost.
        let writing = tokio::spawn(async move { inner.write(&username).await });
        writing
            .await
            .map_err(|error| DataError::with_source(DataErrorKind::Internal, "quota", error))?
    }

    /// Writes what waits. When it returns, everything added before the call is in the data provider, unless that does not
    /// answer: then it says so.
    pub(super) async fn flush(&self) -> bool {
        let names: Vec<String> = self.inner.users.lock().keys().cloned().collect();
        let mut all = true;
        for username in names {
            if let Err(error) = self.inner.write(&username).await {
                tracing::debug!(username, %error, "a change of the quota waits");
                all = false;
            }
        }
        all
    }

    /// The background work that writes what waits; ends after `stop`, with everything written that can be.
    pub(super) async fn write_behind(self, stop: CancellationToken) {
        let mut pause = RETRY.0;
        let mut told = false;
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.inner.changed.notified() => {}
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(WRITE_BEHIND) => {}
            }
            if self.flush().await {
                if told {
                    tracing::info!(
                        "changes of quotas that waited for the data provider are written"
                    );
                }
                (pause, told) = (RETRY.0, false);
                continue;
            }
            if !told {
                tracing::warn!("the data provider does not answer; changes of quotas wait for it");
                told = true;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(RETRY.1);
            self.inner.changed.notify_one();
        }
        self.flush().await;
        self.inner.report_unwritten();
    }
}

impl Inner {
    fn account(&self, username: &str) -> Arc<Account> {
        let mut users = self.users.lock();
        Arc::clone(users.entry(username.to_owned()).or_default())
    }

    /// Takes a user out of the table of whom nothing is left to be done.
    fn forget(&self, username: &str, account: Arc<Account>) {
        let mut users = self.users.lock();
        let idle = *account.waiting.lock() == NOTHING
            && account
                .line
                .try_lock()
                .is_ok_and(|line| line.lost.is_none());
        drop(account);
        // Taken under the lock of the table, by which everybody else gets it.
        if idle
            && users
                .get(username)
                .is_some_and(|account| Arc::strong_count(account) == 1)
        {
            users.remove(username);
        }
    }

    fn wait(&self, username: &str, delta: QuotaDelta) {
        // Under the lock of the table: nobody forgets the user in between.
        let mut users = self.users.lock();
        let account = users.entry(username.to_owned()).or_default();
        let mut waiting = account.waiting.lock();
        *waiting = sum(*waiting, delta);
    }

    async fn reserve(&self, username: &str, delta: QuotaDelta) -> DataResult<bool> {
        let account = self.account(username);
        let mut line = account.line.lock().await;
        let reserved = match self.write_line(username, &account, &mut line).await {
            Ok(()) => self.ask(username, delta, true, &mut line).await,
            Err(error) => Err(error),
        };
        drop(line);
        self.forget(username, account);
        reserved
    }

    async fn write(&self, username: &str) -> DataResult<()> {
        let account = self.account(username);
        let mut line = account.line.lock().await;
        let written = self.write_line(username, &account, &mut line).await;
        drop(line);
        self.forget(username, account);
        written
    }

    /// Makes sure that nothing is lost and nothing waits.
    async fn write_line(
        &self,
        username: &str,
        account: &Account,
        line: &mut Line,
    ) -> DataResult<()> {
        if let Some(lost) = line.lost {
            let made = self
                .provider
                .quota_change_made(username, lost.number)
                .await?;
            line.lost = None;
            let still = match (lost.reserved, made) {
                // Whoever asked was told that it failed.
                (true, true) => difference(lost.delta, NOTHING),
                (false, false) => lost.delta,
                (true, false) | (false, true) => NOTHING,
            };
            let mut waiting = account.waiting.lock();
            *waiting = sum(*waiting, still);
        }
        let waiting = std::mem::take(&mut *account.waiting.lock());
        if waiting == NOTHING {
            return Ok(());
        }
        match self.ask(username, waiting, false, line).await {
            Ok(_) => Ok(()),
            Err(error) => {
                if line.lost.is_none() {
                    let mut again = account.waiting.lock();
                    *again = sum(*again, waiting);
                }
                Err(error)
            }
        }
    }

    /// Asks the data provider for a change. If the answer gets lost, or nobody waits for it any more, the line knows.
    async fn ask(
        &self,
        username: &str,
        delta: QuotaDelta,
        reserved: bool,
        line: &mut Line,
    ) -> DataResult<bool> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        line.lost = Some(Lost {
            number,
            delta,
            reserved,
        });
        let change = QuotaChange {
            username,
            delta,
            at: UnixMillis::now(),
            number,
        };
        let done = if reserved {
            self.provider.reserve_quota(&change).await
        } else {
            self.provider.add_quota(&change).await.map(|()| true)
        };
        if !done.as_ref().is_err_and(may_be_done) {
            line.lost = None;
        }
        done
    }

    fn report_unwritten(&self) {
        for (username, account) in self.users.lock().iter() {
            let waiting = *account.waiting.lock();
            if waiting != NOTHING {
                tracing::error!(
                    username,
                    files = waiting.files,
                    bytes = waiting.bytes,
                    "a change of the quota was not written; scan the user's quota when the data provider works again"
                );
            }
        }
    }
}

/// Whether a change that failed so may have been made all the same.
fn may_be_done(error: &DataError) -> bool {
    match error.kind() {
        DataErrorKind::Unavailable => true,
        DataErrorKind::NotFound
        | DataErrorKind::Duplicate
        | DataErrorKind::Corrupt
        | DataErrorKind::TooNew
        | DataErrorKind::Conflict
        | DataErrorKind::Internal => false,
    }
}
