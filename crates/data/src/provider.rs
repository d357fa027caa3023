//! The role traits of a data provider: records in, records out. No hooks, HTTP or password policy here.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use sftpgo_model::{UnixMillis, UserRecord};

use crate::cluster::ClusterStore;
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserQuery {
    /// At most this many records.
    pub limit: u32,
    /// Records to leave out at the start.
    pub offset: u32,
    /// Direction.
    pub order: SortOrder,
    /// Only this user; exact and case-sensitive.
    pub username: Option<String>,
    /// Only users that come after this name in the asked order; there need not be such a user. The offset counts from
    /// there.
    pub after: Option<String>,
    /// Only users whose name begins with this text, byte by byte.
    pub search: Option<String>,
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

/// A change of counters, told apart from every other one, so that a change whose answer was lost is not made twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaChange<'a> {
    /// Whose counters.
    pub username: &'a str,
    /// By how much.
    pub delta: QuotaDelta,
    /// When.
    pub at: UnixMillis,
    /// Which change of that user's counters it is of this process. A process makes them one at a time for each user,
    /// with ascending numbers.
    pub number: u64,
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
///
/// A call that fails with `Unavailable` may have been done all the same: the answer can be lost on its way.
/// [`quota_change_made`](Self::quota_change_made) tells. Every other error means that nothing changed.
#[async_trait]
pub trait QuotaStore: Send + Sync {
    /// Adds the delta if the result stays within the limits stored with the account *now* (0 is unlimited); `Ok(false)`,
    /// and nothing changed, if it does not. Only a growing counter is compared with its limit. `NotFound` if there is no
    /// such user. Made once, however often it is asked for.
    async fn reserve_quota(&self, change: &QuotaChange<'_>) -> DataResult<bool>;

    /// Adds the delta whatever the limits say (commit of what is there, or release). Counters do not fall below 0. A user
    /// that is gone is not an error: an upload can outlive its account. Made once, however often it is asked for.
    async fn add_quota(&self, change: &QuotaChange<'_>) -> DataResult<()>;

    /// Whether this process made the change of that number of that user's counters; asked only about the last one.
    async fn quota_change_made(&self, username: &str, number: u64) -> DataResult<bool>;

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

/// Where in the sequence of changes somebody has read up to. It means nothing to another provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ChangeMark(pub i64);

/// What happened to accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// These accounts were changed or removed, by whatever server. Everything before the mark is in it.
    Of(Vec<String>, ChangeMark),
    /// Any account may have changed: too much happened, or this data provider cannot tell.
    Unknown(ChangeMark),
}

/// Tells that accounts changed, whoever changed them through a data provider.
#[async_trait]
pub trait ChangeFeed: Send + Sync {
    /// The mark of now: what is changed later comes after it.
    async fn change_mark(&self) -> DataResult<ChangeMark>;

    /// Waits until there is something to be read, as far as that can be known, or `at_most` so long.
    async fn wait_for_changes(&self, at_most: Duration);

    /// Makes every server look at an account as if it had been changed.
    async fn touch(&self, username: &str) -> DataResult<()>;

    /// What changed after the mark.
    async fn changes(&self, after: ChangeMark) -> DataResult<Changes>;
}

/// A data provider: every role, and its own life.
#[async_trait]
pub trait DataProvider: UserStore + QuotaStore + ChangeFeed + fmt::Debug {
    /// What several servers on one data provider tell each other; `None` if there can be one server only, or if the
    /// database has no place for it.
    fn cluster(&self) -> Option<&dyn ClusterStore>;

    /// The name of the driver as it stands in the settings.
    fn driver(&self) -> &'static str;

    /// Whether the provider answers; at most 10 s.
    async fn check(&self) -> DataResult<()>;

    /// Ends all connections; every later call fails with `Unavailable`.
    async fn close(&self);
}
