//! What the implementation asks of a key/value store: accounts by name, an index of ids, a counter of ids.

use std::fmt;
use std::sync::Arc;

use sftpgo_model::UserRecord;

use crate::error::DataResult;
use crate::provider::SortOrder;

/// A store that keeps accounts. Calls are short and do not block on anything but each other; an engine on a disk runs
/// them on a thread of its own.
pub trait KvEngine: fmt::Debug + Send + Sync + 'static {
    /// What sees the store as it is now.
    type Read<'a>: ReadTable
    where
        Self: 'a;
    /// What changes the store, one at a time.
    type Write<'a>: WriteTable
    where
        Self: 'a;

    /// The name of the driver in the settings.
    fn driver(&self) -> &'static str;

    /// Begins to read. `Unavailable` once closed.
    fn read(&self) -> DataResult<Self::Read<'_>>;

    /// Begins to write, when every other writer is done. `Unavailable` once closed.
    fn write(&self) -> DataResult<Self::Write<'_>>;

    /// Ends the store, when every reader and writer is done.
    fn close(&self);
}

/// Accounts to look at.
pub trait ReadTable {
    /// The account of that name.
    fn by_name(&self, username: &str) -> DataResult<Option<Arc<UserRecord>>>;

    /// The account of that id.
    fn by_id(&self, id: i64) -> DataResult<Option<Arc<UserRecord>>>;

    /// A page of accounts, by name.
    fn page(&self, order: SortOrder, offset: usize, limit: usize) -> DataResult<Vec<UserRecord>>;
}

/// Accounts to change. All checks come before the first change: an engine may apply changes at once.
pub trait WriteTable: ReadTable {
    /// A new id, higher than any before.
    fn next_id(&mut self) -> DataResult<i64>;

    /// Stores an account under its name and id, in place of what was there.
    fn put(&mut self, record: Arc<UserRecord>) -> DataResult<()>;

    /// Removes an account.
    fn remove(&mut self, record: &UserRecord) -> DataResult<()>;

    /// Makes the changes last.
    fn commit(self) -> DataResult<()>;
}
