//! The operations of a data provider on a key/value store, with the semantics of the SQL databases.
//!
//! The reference's stores matched updates by name and took used quota and last login from the request, so that saving a
//! form reset both (reference 5.5); deliberately not so here.

use std::sync::Arc;

use async_trait::async_trait;
use sftpgo_model::{Secret, UnixMillis, UserRecord};

use super::engine::{KvEngine, ReadTable as _, WriteTable as _};
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::provider::{DataProvider, QuotaDelta, QuotaStore, QuotaUsage, UserQuery, UserStore};
use crate::quota::{self, COUNTER_MAX};

/// A data provider on a key/value store.
#[derive(Debug)]
pub struct KvProvider<E> {
    engine: E,
}

impl<E: KvEngine> KvProvider<E> {
    /// A provider on an open store.
    pub fn new(engine: E) -> Self {
        Self { engine }
    }

    pub(super) fn engine(&self) -> &E {
        &self.engine
    }

    /// Changes the account of that name; `false` if there is none.
    fn change(&self, username: &str, change: impl FnOnce(&mut UserRecord)) -> DataResult<bool> {
        let mut table = self.engine.write()?;
        let Some(mut record) = table.by_name(username)? else {
            return Ok(false);
        };
        change(Arc::make_mut(&mut record));
        table.put(record)?;
        table.commit()?;
        Ok(true)
    }
}

#[async_trait]
impl<E: KvEngine> UserStore for KvProvider<E> {
    async fn user_by_name(&self, username: &str) -> DataResult<Option<UserRecord>> {
        Ok(self
            .engine
            .read()?
            .by_name(username)?
            .map(Arc::unwrap_or_clone))
    }

    async fn user_by_id(&self, id: i64) -> DataResult<Option<UserRecord>> {
        Ok(self.engine.read()?.by_id(id)?.map(Arc::unwrap_or_clone))
    }

    async fn users(&self, query: &UserQuery) -> DataResult<Vec<UserRecord>> {
        let table = self.engine.read()?;
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let (offset, limit) = (count(query.offset), count(query.limit));
        match &query.username {
            None => table.page(query.order, offset, limit),
            Some(name) => {
                let found = table.by_name(name)?.filter(|_| offset == 0 && limit > 0);
                Ok(found.map(Arc::unwrap_or_clone).into_iter().collect())
            }
        }
    }

    async fn add_user(&self, record: &UserRecord) -> DataResult<UserRecord> {
        check_storable(record)?;
        let mut table = self.engine.write()?;
        if table.by_name(&record.username)?.is_some() {
            let message = format!("there is already a user {:?}", record.username);
            return Err(DataError::new(DataErrorKind::Duplicate, message));
        }
        let added = UserRecord {
            id: table.next_id()?,
            used_quota_size: 0,
            used_quota_files: 0,
            last_quota_update: 0,
            last_login: 0,
            ..record.clone()
        };
        table.put(Arc::new(added.clone()))?;
        table.commit()?;
        Ok(added)
    }

    async fn update_user(&self, record: &UserRecord) -> DataResult<()> {
        check_storable(record)?;
        let mut table = self.engine.write()?;
        let stored = table
            .by_id(record.id)?
            .ok_or_else(|| no_user_with_id(record.id))?;
        table.put(Arc::new(UserRecord {
            username: stored.username.clone(),
            used_quota_size: stored.used_quota_size,
            used_quota_files: stored.used_quota_files,
            last_quota_update: stored.last_quota_update,
            last_login: stored.last_login,
            ..record.clone()
        }))?;
        table.commit()
    }

    async fn delete_user(&self, id: i64) -> DataResult<()> {
        let mut table = self.engine.write()?;
        let stored = table.by_id(id)?.ok_or_else(|| no_user_with_id(id))?;
        table.remove(&stored)?;
        table.commit()
    }

    async fn set_last_login(&self, username: &str, at: UnixMillis) -> DataResult<()> {
        self.change(username, |record| record.last_login = at.0)?;
        Ok(())
    }
}

#[async_trait]
impl<E: KvEngine> QuotaStore for KvProvider<E> {
    async fn reserve_quota(
        &self,
        username: &str,
        delta: QuotaDelta,
        at: UnixMillis,
    ) -> DataResult<bool> {
        let delta = quota::bounded(delta);
        let mut table = self.engine.write()?;
        let Some(mut record) = table.by_name(username)? else {
            let message = format!("there is no user {username:?}");
            return Err(DataError::new(DataErrorKind::NotFound, message));
        };
        if !quota::admits(record.used_quota_files, delta.files, record.quota_files)
            || !quota::admits(record.used_quota_size, delta.bytes, record.quota_size)
        {
            return Ok(false);
        }
        add(Arc::make_mut(&mut record), delta, at);
        table.put(record)?;
        table.commit()?;
        Ok(true)
    }

    async fn add_quota(&self, username: &str, delta: QuotaDelta, at: UnixMillis) -> DataResult<()> {
        self.change(username, |record| add(record, quota::bounded(delta), at))?;
        Ok(())
    }

    async fn set_quota(
        &self,
        username: &str,
        files: i64,
        bytes: i64,
        at: UnixMillis,
    ) -> DataResult<()> {
        self.change(username, |record| {
            record.used_quota_files = files.clamp(0, COUNTER_MAX);
            record.used_quota_size = bytes.clamp(0, COUNTER_MAX);
            record.last_quota_update = at.0;
        })?;
        Ok(())
    }

    async fn quota(&self, username: &str) -> DataResult<Option<QuotaUsage>> {
        Ok(self
            .engine
            .read()?
            .by_name(username)?
            .map(|record| QuotaUsage {
                files: record.used_quota_files,
                bytes: record.used_quota_size,
                updated: UnixMillis(record.last_quota_update),
            }))
    }
}

#[async_trait]
impl<E: KvEngine> DataProvider for KvProvider<E> {
    fn driver(&self) -> &'static str {
        self.engine.driver()
    }

    async fn check(&self) -> DataResult<()> {
        self.engine.read().map(drop)
    }

    async fn close(&self) {
        self.engine.close();
    }
}

fn add(record: &mut UserRecord, delta: QuotaDelta, at: UnixMillis) {
    record.used_quota_files = quota::added(record.used_quota_files, delta.files);
    record.used_quota_size = quota::added(record.used_quota_size, delta.bytes);
    record.last_quota_update = at.0;
}

/// A secret that nobody sealed must not come to rest anywhere; the JSON of the SQL databases refuses it too.
fn check_storable(record: &UserRecord) -> DataResult<()> {
    if matches!(record.filesystem.s3config.access_secret, Secret::Plain(_)) {
        let message = format!("the secret of user {:?} is not sealed", record.username);
        return Err(DataError::new(DataErrorKind::Internal, message));
    }
    Ok(())
}

fn no_user_with_id(id: i64) -> DataError {
    DataError::new(
        DataErrorKind::NotFound,
        format!("there is no user with id {id}"),
    )
}
