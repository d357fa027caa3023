//! The role traits of a data provider: records in, records out. No hooks, HTTP or password policy here.

use std::fmt;

use async_trait::async_trait;
use sftpgo_model::{UnixMillis, UserRecord};

use crate::error::DataResult;

/// Order of a user list; by username, byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortOrder {
    /// From the lowest.
    #[default]
    Ascending,
    /// From the highest.
    Descending,
}

/// Which part of the user list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserQuery {
    /// At most this many records.
    pub limit: u32,
    /// Records to leave out at the start.
    pub offset: u32,
    /// Direction.
    pub order: SortOrder,
    /// Only this user; exact and case-sensitive.
    pub username: Option<String>,
}

/// A change of the quota counters of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuotaDelta {
    /// Files more (or fewer).
    pub files: i64,
    /// Bytes more (or fewer).
    pub bytes: i64,
}

/// The quota counters of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuotaUsage {
    /// Files in use, open reservations included.
    pub files: i64,
    /// Bytes in use, open reservations included.
    pub bytes: i64,
    /// When they last changed.
    pub updated: UnixMillis,
}

/// Accounts.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// The account of that name, whole (password hash and sealed secrets included).
    async fn user_by_name(&self, username: &str) -> DataResult<Option<UserRecord>>;

    /// The account of that id, whole.
    async fn user_by_id(&self, id: i64) -> DataResult<Option<UserRecord>>;

    /// A page of accounts, whole; the caller hides what may not be shown.
    async fn users(&self, query: &UserQuery) -> DataResult<Vec<UserRecord>>;

    /// Stores a new account and gives it back with its id. Used quota, last quota update and last login start at 0,
    /// whatever the record says. `Duplicate` if the name is taken.
    async fn add_user(&self, record: &UserRecord) -> DataResult<UserRecord>;

    /// Replaces the account with the id of `record`. Name, used quota, last quota update and last login stay as stored.
    /// `NotFound` if there is none.
    async fn update_user(&self, record: &UserRecord) -> DataResult<()>;

    /// Removes the account. `NotFound` if there is none.
    async fn delete_user(&self, id: i64) -> DataResult<()>;

    /// Notes the time of a login. A user that is gone is not an error.
    async fn set_last_login(&self, username: &str, at: UnixMillis) -> DataResult<()>;
}

/// Quota counters, changed in atomic steps, so that several servers on one database agree.
#[async_trait]
pub trait QuotaStore: Send + Sync {
    /// Adds `delta` if the result stays within the limits stored with the account *now* (0 is unlimited); `Ok(false)`, and
    /// nothing changed, if it does not. Only a growing counter is compared with its limit. `NotFound` if there is no such user.
    async fn reserve_quota(
        &self,
        username: &str,
        delta: QuotaDelta,
        at: UnixMillis,
    ) -> DataResult<bool>;

    /// Adds `delta` whatever the limits say (commit of what is there, or release). Counters do not fall below 0.
    /// A user that is gone is not an error: an upload can outlive its account.
    async fn add_quota(&self, username: &str, delta: QuotaDelta, at: UnixMillis) -> DataResult<()>;

    /// Sets the counters to what a scan found, at least 0. A user that is gone is not an error.
    async fn set_quota(
        &self,
        username: &str,
        files: i64,
        bytes: i64,
        at: UnixMillis,
    ) -> DataResult<()>;

    /// The counters now.
    async fn quota(&self, username: &str) -> DataResult<Option<QuotaUsage>>;
}

/// A data provider: every role, and its own life.
#[async_trait]
pub trait DataProvider: UserStore + QuotaStore + fmt::Debug {
    /// The name of the driver as it stands in the settings.
    fn driver(&self) -> &'static str;

    /// Whether the provider answers; at most 10 s.
    async fn check(&self) -> DataResult<()>;

    /// Ends all connections; every later call fails with `Unavailable`.
    async fn close(&self);
}
