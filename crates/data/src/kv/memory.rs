//! The `memory` driver: accounts that live as long as the process (reference 5.5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::{RwLock, RwLockWriteGuard};
use sftpgo_model::UserRecord;

use super::engine::{KvEngine, Lasting, Page, ReadTable, Usage, WriteTable};
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
        let mut state = self.engine().lock()?;
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
        drop(state);
        self.changes().note_everybody();
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
            let id = users.free_id()?;
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

    fn free_id(&self) -> DataResult<i64> {
        self.highest_id.checked_add(1).ok_or_else(|| {
            DataError::new(
                DataErrorKind::Internal,
                "there is no id left for another user",
            )
        })
    }
}

impl MemoryEngine {
    fn lock(&self) -> DataResult<RwLockWriteGuard<'_, State>> {
        let state = self.state.write();
        if state.closed {
            Err(gate::closed())
        } else {
            Ok(state)
        }
    }
}

impl KvEngine for MemoryEngine {
    fn driver(&self) -> &'static str {
        "memory"
    }

    async fn read<T, L>(&self, look: L) -> DataResult<T>
    where
        T: Send + 'static,
        L: FnOnce(&dyn ReadTable) -> DataResult<T> + Send + 'static,
    {
        let state = self.state.read();
        if state.closed {
            Err(gate::closed())
        } else {
            look(&state.users)
        }
    }

    async fn write<T, C>(&self, _lasting: Lasting, change: C) -> DataResult<T>
    where
        T: Send + 'static,
        C: FnOnce(&mut dyn WriteTable) -> DataResult<T> + Send + 'static,
    {
        change(&mut self.lock()?.users)
    }

    async fn check(&self) -> DataResult<()> {
        self.read(|_| Ok(())).await
    }

    async fn close(&self) {
        self.state.write().closed = true;
    }
}

impl ReadTable for Users {
    fn by_name(&self, username: &str) -> DataResult<Option<Arc<UserRecord>>> {
        Ok(self.by_name.get(username).cloned())
    }

    fn by_id(&self, id: i64) -> DataResult<Option<Arc<UserRecord>>> {
        let name = self.names.get(&id);
        Ok(name.and_then(|name| self.by_name.get(name)).cloned())
    }

    fn usage(&self, username: &str) -> DataResult<Option<Usage>> {
        let record = self.by_name.get(username);
        Ok(record.map(|record| Usage::of(record)))
    }

    fn page(&self, page: &Page) -> DataResult<Vec<UserRecord>> {
        let copy = |(_, record): (&String, &Arc<UserRecord>)| UserRecord::clone(record);
        let records = self.by_name.range::<str, _>(page.range.bounds());
        let (offset, limit) = (page.offset, page.limit);
        Ok(match page.order {
            SortOrder::Ascending => records.skip(offset).take(limit).map(copy).collect(),
            SortOrder::Descending => records.rev().skip(offset).take(limit).map(copy).collect(),
        })
    }
}

impl WriteTable for Users {
    fn next_id(&mut self) -> DataResult<i64> {
        self.free_id()
    }

    fn put(&mut self, record: Arc<UserRecord>) -> DataResult<()> {
        self.insert(record);
        Ok(())
    }

    fn set_usage(&mut self, username: &str, usage: Usage) -> DataResult<()> {
        if let Some(record) = self.by_name.get_mut(username) {
            usage.store_in(Arc::make_mut(record));
        }
        Ok(())
    }

    fn remove(&mut self, record: &UserRecord) -> DataResult<()> {
        self.by_name.remove(&record.username);
        self.names.remove(&record.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::samples::{everybody, user};
    use crate::provider::UserStore as _;

    fn with_id(username: &str, id: i64) -> UserRecord {
        UserRecord {
            id,
            ..user(username)
        }
    }

    async fn ids(provider: &MemoryProvider) -> Vec<(String, i64)> {
        let users = provider.users(&everybody()).await.unwrap();
        users
            .into_iter()
            .map(|user| (user.username, user.id))
            .collect()
    }

    #[tokio::test]
    async fn given_ids_are_kept_and_others_follow_the_highest() {
        let given = [
            with_id("a", 0),
            with_id("b", 7),
            with_id("c", 7),
            with_id("d", -1),
        ];
        let provider = MemoryProvider::with_users(given.to_vec()).unwrap();
        let expected = [("a", 8), ("b", 7), ("c", 9), ("d", 10)];
        assert_eq!(
            ids(&provider).await,
            expected.map(|(name, id)| (name.to_owned(), id))
        );
        assert_eq!(provider.add_user(&user("e")).await.unwrap().id, 11);
    }

    #[tokio::test]
    async fn counters_and_logins_are_kept_as_given() {
        let given = UserRecord {
            used_quota_files: 3,
            last_login: 5,
            ..with_id("a", 1)
        };
        let provider = MemoryProvider::with_users(vec![given.clone()]).unwrap();
        assert_eq!(provider.user_by_id(1).await.unwrap(), Some(given));
    }

    #[test]
    fn two_users_of_one_name_are_refused() {
        let error = MemoryProvider::with_users(vec![user("a"), user("a")]).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Duplicate);
    }

    #[tokio::test]
    async fn when_no_id_is_left_adding_fails() {
        let provider = MemoryProvider::with_users(vec![with_id("a", i64::MAX)]).unwrap();
        let error = provider.add_user(&user("b")).await.unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Internal);
    }

    #[tokio::test]
    async fn replacing_keeps_ids_and_counters_of_those_who_stay() {
        let stays = UserRecord {
            used_quota_size: 9,
            last_login: 4,
            ..with_id("stays", 1)
        };
        let provider = MemoryProvider::with_users(vec![stays.clone(), with_id("goes", 2)]).unwrap();
        let changed = UserRecord {
            home_dir: "/new".to_owned(),
            ..with_id("stays", 5)
        };
        provider
            .replace_users(vec![with_id("comes", 1), changed])
            .unwrap();
        let expected = UserRecord {
            home_dir: "/new".to_owned(),
            ..stays
        };
        assert_eq!(
            provider.user_by_name("stays").await.unwrap(),
            Some(expected)
        );
        let expected = [("comes", 3), ("stays", 1)];
        assert_eq!(
            ids(&provider).await,
            expected.map(|(name, id)| (name.to_owned(), id))
        );
    }

    #[tokio::test]
    async fn a_failed_replacement_changes_nothing() {
        let provider = MemoryProvider::with_users(vec![with_id("a", 1)]).unwrap();
        assert!(provider.replace_users(vec![user("b"), user("b")]).is_err());
        assert_eq!(ids(&provider).await, [("a".to_owned(), 1)]);
    }
}
