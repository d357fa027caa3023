//! Which changes of counters this process made, for drivers whose answers cannot be lost: a change ends in this process,
//! whoever still waits for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::error::{DataError, DataErrorKind, DataResult};

/// The last change of each user's counters. One number for every user whose counters this process ever changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct MadeChanges {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    users: Mutex<HashMap<String, Last>>,
    ended: Notify,
}

#[derive(Debug, Clone, Copy, Default)]
struct Last {
    /// The last that was made; 0 if none was.
    made: u64,
    /// One whose end is not known yet.
    running: Option<u64>,
}

impl MadeChanges {
    /// Whether the change of that number, or a later one, was made. Waits for one that is on its way.
    ///
    /// # Errors
    /// `Unavailable` if it is still on its way after `limit`.
    pub(crate) async fn is_made(
        &self,
        username: &str,
        number: u64,
        limit: Duration,
    ) -> DataResult<bool> {
        let settled = async {
            loop {
                let ended = self.inner.ended.notified();
                tokio::pin!(ended);
                ended.as_mut().enable();
                let last = self.last(username);
                if last.running.is_none() {
                    return last.made >= number;
                }
                ended.await;
            }
        };
        timeout(limit, settled).await.map_err(|_| {
            let message = format!("the last change of the quota of {username:?} is not done yet");
            DataError::new(DataErrorKind::Unavailable, message)
        })
    }

    /// Whether the change of that number, or a later one, was made; for drivers whose changes are made under a lock.
    pub(crate) fn was_made(&self, username: &str, number: u64) -> bool {
        self.last(username).made >= number
    }

    /// Notes a change that was made.
    pub(crate) fn note(&self, username: &str, number: u64) {
        let mut users = self.inner.users.lock();
        let last = users.entry(username.to_owned()).or_default();
        last.made = last.made.max(number);
    }

    /// Notes that a change begins; it ends with what is returned.
    pub(crate) fn begin(&self, username: &str, number: u64) -> Running {
        let mut users = self.inner.users.lock();
        users.entry(username.to_owned()).or_default().running = Some(number);
        Running {
            changes: self.clone(),
            username: username.to_owned(),
            number,
        }
    }

    /// Forgets a user that is no more.
    pub(crate) fn forget(&self, username: &str) {
        let mut users = self.inner.users.lock();
        if users
            .get(username)
            .is_some_and(|last| last.running.is_none())
        {
            users.remove(username);
        }
    }

    fn last(&self, username: &str) -> Last {
        let users = self.inner.users.lock();
        users.get(username).copied().unwrap_or_default()
    }
}

/// A change on its way; dropped without [`made`](Self::made), it was not.
#[derive(Debug)]
pub(crate) struct Running {
    changes: MadeChanges,
    username: String,
    number: u64,
}

impl Running {
    /// Notes that it was made.
    pub(crate) fn made(self) {
        self.changes.note(&self.username, self.number);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut users = self.changes.inner.users.lock();
        if let Some(last) = users.get_mut(&self.username) {
            if last.running == Some(self.number) {
                last.running = None;
            }
            if last.running.is_none() && last.made == 0 {
                users.remove(&self.username);
            }
        }
        drop(users);
        self.changes.inner.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_change_counts_as_made_once_it_ended_well() {
        let changes = MadeChanges::default();
        changes.begin("alice", 1).made();
        assert!(changes.is_made("alice", 1, SOON).await.unwrap());
        drop(changes.begin("alice", 2));
        assert!(!changes.is_made("alice", 2, SOON).await.unwrap());
        assert!(changes.is_made("alice", 1, SOON).await.unwrap());
        assert!(!changes.is_made("bob", 1, SOON).await.unwrap());
    }

    #[tokio::test]
    async fn who_asks_waits_for_the_end_of_a_change() {
        let changes = MadeChanges::default();
        let running = changes.begin("alice", 1);
        let error = changes.is_made("alice", 1, Duration::ZERO).await;
        assert_eq!(error.unwrap_err().kind(), DataErrorKind::Unavailable);
        let (made, ()) = tokio::join!(changes.is_made("alice", 1, SOON), async {
            tokio::task::yield_now().await;
            running.made();
        });
        assert!(made.unwrap());
    }
}
