//! The `memory` driver: accounts that live as long as the process (reference 5.5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use sftpgo_model::UserRecord;

use super::engine::{KvEngine, ReadTable, WriteTable};
use super::provider::KvProvider;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::gate;
use crate::provider::SortOrder;

/// Accounts in memory.
pub type MemoryProvider = KvProvider<MemoryEngine>;

impl MemoryProvider {
    /// A provider that begins with these accounts, counters and logins as given. An id that is 0 or taken is replaced
    /// by the highest plus one.
    ///
    /// # Errors
    /// `Duplicate` if two accounts have one name.
    pub fn with_users(users: Vec<UserRecord>) -> DataResult<Self> {
        let users = Users::new(users, 0)?;
        Ok(Self::new(MemoryEngine {
            state: RwLock::new(State {
                users,
                closed: false,
            }),
        }))
    }

    /// Replaces all accounts at once. Those whose name was there before keep id, used quota and last login.
    ///
    /// # Errors
    /// As [`with_users`](Self::with_users), and `Unavailable` once closed; then nothing changed.
    pub fn replace_users(&self, users: Vec<UserRecord>) -> DataResult<()> {
        let mut state = self.engine().write()?.0;
        let users = users
            .into_iter()
            .map(|user| match state.users.by_name.get(&user.username) {
                Some(old) => UserRecord {
                    id: old.id,
                    used_quota_size: old.used_quota_size,
                    used_quota_files: old.used_quota_files,
                    last_quota_update: old.last_quota_update,
                    last_login: old.last_login,
                    ..user
                },
                // Its id may belong to somebody who stays.
                None => UserRecord { id: 0, ..user },
            });
        state.users = Users::new(users.collect(), state.users.highest_id)?;
        Ok(())
    }
}

/// The engine below [`MemoryProvider`]. Nothing in it waits: locks are held for single steps only.
#[derive(Debug)]
pub struct MemoryEngine {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    users: Users,
    closed: bool,
}

#[derive(Debug, Default)]
struct Users {
    by_name: BTreeMap<String, Arc<UserRecord>>,
    names: BTreeMap<i64, String>,
    /// Ever given: an id in somebody's browser never comes to mean another account.
    highest_id: i64,
}

impl Users {
    fn new(records: Vec<UserRecord>, highest_id: i64) -> DataResult<Self> {
        let mut users = Self {
            highest_id,
            ..Self::default()
        };
        let mut taken = BTreeSet::new();
        let (numbered, other): (Vec<_>, Vec<_>) = records
            .into_iter()
            .partition(|record| record.id > 0 && taken.insert(record.id));
        for record in numbered {
            users.insert_new(record)?;
        }
        for record in other {
            let id = users.next_id()?;
            users.insert_new(UserRecord { id, ..record })?;
        }
        Ok(users)
    }

    fn insert_new(&mut self, record: UserRecord) -> DataResult<()> {
        if self.by_name.contains_key(&record.username) {
            let message = format!("there are two users {:?}", record.username);
            return Err(DataError::new(DataErrorKind::Duplicate, message));
        }
        self.insert(Arc::new(record));
        Ok(())
    }

    fn insert(&mut self, record: Arc<UserRecord>) {
        self.highest_id = self.highest_id.max(record.id);
        self.names.insert(record.id, record.username.clone());
        self.by_name.insert(record.username.clone(), record);
    }

    fn next_id(&self) -> DataResult<i64> {
        self.highest_id.checked_add(1).ok_or_else(|| {
            DataError::new(
                DataErrorKind::Internal,
                "there is no id left for another user",
            )
        })
    }

    fn by_id(&self, id: i64) -> Option<Arc<UserRecord>> {
        self.by_name.get(self.names.get(&id)?).cloned()
    }

    fn page(&self, order: SortOrder, offset: usize, limit: usize) -> Vec<UserRecord> {
        let copy = |record: &Arc<UserRecord>| UserRecord::clone(record);
        let records = self.by_name.values();
        match order {
            SortOrder::Ascending => records.skip(offset).take(limit).map(copy).collect(),
            SortOrder::Descending => records.rev().skip(offset).take(limit).map(copy).collect(),
        }
    }
}

/// Accounts to look at.
#[derive(Debug)]
pub struct MemoryRead<'a>(RwLockReadGuard<'a, State>);

/// Accounts to change. Changes apply at once.
#[derive(Debug)]
pub struct MemoryWrite<'a>(RwLockWriteGuard<'a, State>);

impl KvEngine for MemoryEngine {
    type Read<'a> = MemoryRead<'a>;
    type Write<'a> = MemoryWrite<'a>;

    fn driver(&self) -> &'static str {
        "memory"
    }

    fn read(&self) -> DataResult<MemoryRead<'_>> {
        let state = self.state.read();
        if state.closed {
            Err(gate::closed())
        } else {
            Ok(MemoryRead(state))
        }
    }

    fn write(&self) -> DataResult<MemoryWrite<'_>> {
        let state = self.state.write();
        if state.closed {
            Err(gate::closed())
        } else {
            Ok(MemoryWrite(state))
        }
    }

    fn close(&self) {
        self.state.write().closed = true;
    }
}

impl ReadTable for MemoryRead<'_> {
    fn by_name(&self, username: &str) -> DataResult<Option<Arc<UserRecord>>> {
        Ok(self.0.users.by_name.get(username).cloned())
    }

    fn by_id(&self, id: i64) -> DataResult<Option<Arc<UserRecord>>> {
        Ok(self.0.users.by_id(id))
    }

    fn page(&self, order: SortOrder, offset: usize, limit: usize) -> DataResult<Vec<UserRecord>> {
        Ok(self.0.users.page(order, offset, limit))
    }
}

impl ReadTable for MemoryWrite<'_> {
    fn by_name(&self, username: &str) -> DataResult<Option<Arc<UserRecord>>> {
        Ok(self.0.users.by_name.get(username).cloned())
    }

    fn by_id(&self, id: i64) -> DataResult<Option<Arc<UserRecord>>> {
        Ok(self.0.users.by_id(id))
    }

    fn page(&self, order: SortOrder, offset: usize, limit: usize) -> DataResult<Vec<UserRecord>> {
        Ok(self.0.users.page(order, offset, limit))
    }
}

impl WriteTable for MemoryWrite<'_> {
    fn next_id(&mut self) -> DataResult<i64> {
        self.0.users.next_id()
    }

    fn put(&mut self, record: Arc<UserRecord>) -> DataResult<()> {
        self.0.users.insert(record);
        Ok(())
    }

    fn remove(&mut self, record: &UserRecord) -> DataResult<()> {
        self.0.users.by_name.remove(&record.username);
        self.0.users.names.remove(&record.id);
        Ok(())
    }

    fn commit(self) -> DataResult<()> {
        Ok(())
    }
}
