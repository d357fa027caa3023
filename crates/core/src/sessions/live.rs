//! The logins that are in use, by user, with the rules that hold for each of them now.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use sftpgo_model::User;

use super::SessionSlot;
use crate::auth::Proved;
use crate::registry::ConnectionInfo;

/// A login in use: who, how, and what it may do now.
#[derive(Debug)]
pub(crate) struct LiveLogin {
    user: ArcSwap<User>,
    proved: Proved,
    pub(super) info: ConnectionInfo,
    username: String,
    slot: Arc<SessionSlot>,
    table: Live,
    key: u64,
}

impl LiveLogin {
    /// The rules as they are now.
    pub(crate) fn user(&self) -> Arc<User> {
        self.user.load_full()
    }

    /// Whose login it is; that never changes.
    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    /// What the login was made with; that never changes either.
    pub(crate) fn proved(&self) -> &Proved {
        &self.proved
    }

    /// One of the user's sessions, for what goes on after the login.
    pub(crate) fn slot(&self) -> Arc<SessionSlot> {
        Arc::clone(&self.slot)
    }

    /// Makes other rules hold from now on.
    pub(super) fn replace(&self, user: Arc<User>) {
        self.user.store(user);
    }

    /// Ends the connection.
    pub(super) fn end(&self, reason: &str) {
        tracing::info!(
            sender = "core",
            connection_id = %self.info.id,
            username = self.username,
            "connection closed: {reason}"
        );
        self.info.cancel.cancel();
    }
}

impl Drop for LiveLogin {
    fn drop(&mut self) {
        let key = self.key;
        self.table.change(&self.username, |user| {
            user.logins.remove(&key);
        });
    }
}

/// The table. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Live {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    users: Mutex<HashMap<String, OfUser>>,
    /// One review at a time, so that no older rules replace newer ones. Held across awaits on purpose.
    reviewing: tokio::sync::Mutex<()>,
}

/// What is known of one user; kept while there is a login or one is expected.
#[derive(Debug, Default)]
struct OfUser {
    logins: HashMap<u64, Weak<LiveLogin>>,
    next: u64,
    expected: usize,
    /// Changes of the account, seen while it is kept.
    changes: u64,
}

/// Somebody who is about to log in: from before the account is looked up, so that no change of it is missed.
#[derive(Debug)]
pub(crate) struct Expected {
    table: Live,
    username: String,
    changes: u64,
}

impl Live {
    /// Notes that an account will be looked up for a login.
    pub(crate) fn expect(&self, username: &str) -> Expected {
        let changes = self.change(username, |user| {
            user.expected += 1;
            user.changes
        });
        Expected {
            table: self.clone(),
            username: username.to_owned(),
            changes,
        }
    }

    /// The logins of a user whose account was changed.
    pub(super) fn changed(&self, username: &str) -> Vec<Arc<LiveLogin>> {
        let mut users = self.inner.users.lock();
        let Some(user) = users.get_mut(username) else {
            return Vec::new();
        };
        user.changes += 1;
        user.logins.values().filter_map(Weak::upgrade).collect()
    }

    /// Everybody who has a login, or is about to.
    pub(super) fn usernames(&self) -> Vec<String> {
        self.inner.users.lock().keys().cloned().collect()
    }

    /// Waits for the turn to review.
    pub(super) async fn review(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.reviewing.lock().await
    }

    /// Changes what is known of a user, and forgets it if it is nothing.
    fn change<T>(&self, username: &str, change: impl FnOnce(&mut OfUser) -> T) -> T {
        let mut users = self.inner.users.lock();
        let user = users.entry(username.to_owned()).or_default();
        let result = change(user);
        if user.logins.is_empty() && user.expected == 0 {
            users.remove(username);
        }
        result
    }
}

impl Expected {
    /// Enters the login. `true` beside it if the account was changed since it was [expected](Live::expect): `user` may be
    /// out of date.
    pub(crate) fn enter(
        self,
        user: Arc<User>,
        info: ConnectionInfo,
        proved: Proved,
        slot: Arc<SessionSlot>,
    ) -> (Arc<LiveLogin>, bool) {
        let username = user.username.clone();
        let (login, changes) = self.table.change(&username, |known| {
            let key = known.next;
            known.next += 1;
            let login = Arc::new(LiveLogin {
                user: ArcSwap::new(user),
                proved,
                info,
                username: username.clone(),
                slot,
                table: self.table.clone(),
                key,
            });
            known.logins.insert(key, Arc::downgrade(&login));
            (login, known.changes)
        });
        // A data provider may find an account by another spelling than its own.
        let stale = changes != self.changes || username != self.username;
        (login, stale)
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.table.change(&self.username, |user| user.expected -= 1);
    }
}
