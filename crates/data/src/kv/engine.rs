//! What the implementation asks of a key/value store: accounts by name, an index of ids, what changes often apart from
//! the rest, a counter of ids.

use std::fmt;
use std::sync::Arc;

use sftpgo_model::UserRecord;

use crate::error::DataResult;
use crate::name_range::NameRange;
use crate::provider::SortOrder;

/// How soon a change must survive the end of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// Before the caller hears of it: accounts.
    Now,
    /// A moment later, so that it costs the caller no write to a disk: counters and times.
    Soon,
}

/// A store that keeps accounts. It decides where its work runs: in place if that never blocks, else on threads of its
/// own, in a bounded number and time.
pub trait KvEngine: fmt::Debug + Send + Sync + 'static {
    /// The name of the driver in the settings.
    fn driver(&self) -> &'static str;

    /// Looks at the store as it is at one moment. `Unavailable` once closed.
    fn read<T, L>(&self, look: L) -> impl Future<Output = DataResult<T>> + Send
    where
        T: Send + 'static,
        L: FnOnce(&dyn ReadTable) -> DataResult<T> + Send + 'static;

    /// Changes the store, one change after the other. All checks of a change come before its first write: an engine may
    /// apply writes at once, and does several changes together. A change that was begun is not interrupted when the
    /// caller goes away. `Unavailable` once closed.
    fn write<T, C>(
        &self,
        lasting: Lasting,
        change: C,
    ) -> impl Future<Output = DataResult<T>> + Send
    where
        T: Send + 'static,
        C: FnOnce(&mut dyn WriteTable) -> DataResult<T> + Send + 'static;

    /// Whether the store can be read and written; at most 10 s.
    fn check(&self) -> impl Future<Output = DataResult<()>> + Send;

    /// Ends the store, when every call on its way is done.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// Which accounts are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Names of this range; it is not empty.
    pub range: NameRange,
    /// Direction.
    pub order: SortOrder,
    /// Accounts to leave out at the start.
    pub offset: usize,
    /// At most this many.
    pub limit: usize,
}

/// Accounts to look at.
pub trait ReadTable {
    /// The account of that name.
    fn by_name(&self, username: &str) -> DataResult<Option<Arc<UserRecord>>>;

    /// The account of that id.
    fn by_id(&self, id: i64) -> DataResult<Option<Arc<UserRecord>>>;

    /// What changes often about the account of that name.
    fn usage(&self, username: &str) -> DataResult<Option<Usage>>;

    /// A page of accounts, by name.
    fn page(&self, page: &Page) -> DataResult<Vec<UserRecord>>;
}

/// Accounts to change.
pub trait WriteTable: ReadTable {
    /// A new id, higher than any before.
    fn next_id(&mut self) -> DataResult<i64>;

    /// Stores an account under its name and id, in place of what was there.
    fn put(&mut self, record: Arc<UserRecord>) -> DataResult<()>;

    /// Stores counters and times of an account that is there; its limits stay as they are.
    fn set_usage(&mut self, username: &str, usage: Usage) -> DataResult<()>;

    /// Removes an account.
    fn remove(&mut self, record: &UserRecord) -> DataResult<()>;
}

/// What changes often about an account, and the limits that such a change is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Files in use.
    pub files: i64,
    /// Bytes in use.
    pub bytes: i64,
    /// When they last changed.
    pub updated: i64,
    /// The last login.
    pub last_login: i64,
    /// Files that may be in use; 0 is unlimited.
    pub limit_files: i64,
    /// Bytes that may be in use; 0 is unlimited.
    pub limit_bytes: i64,
}

impl Usage {
    /// That of an account.
    pub fn of(record: &UserRecord) -> Self {
        Self {
            files: record.used_quota_files,
            bytes: record.used_quota_size,
            updated: record.last_quota_update,
            last_login: record.last_login,
            limit_files: record.quota_files,
            limit_bytes: record.quota_size,
        }
    }

    /// Puts counters and times into an account.
    pub fn store_in(&self, record: &mut UserRecord) {
        record.used_quota_files = self.files;
        record.used_quota_size = self.bytes;
        record.last_quota_update = self.updated;
        record.last_login = self.last_login;
    }
}
