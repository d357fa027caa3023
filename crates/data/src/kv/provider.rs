//! The operations of a data provider on a key/value store, with the semantics of the SQL databases.
//!
//! The reference's stores matched updates by name and took used quota and last login from the request, so that saving a
//! form reset both (reference 5.5); deliberately not so here.

use std::sync::Arc;

use async_trait::async_trait;
use sftpgo_model::{UnixMillis, UserRecord};

use super::engine::{KvEngine, Lasting, Page, Usage};
use super::feed::ChangeLog;
use crate::cluster::ClusterStore;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::made::MadeChanges;
use crate::name_range::NameRange;
use crate::provider::{
    DataProvider, QuotaChange, QuotaDelta, QuotaStore, QuotaUsage, UserQuery, UserStore,
};
use crate::quota::{self, COUNTER_MAX};

/// A data provider on a key/value store.
#[derive(Debug)]
pub struct KvProvider<E> {
    engine: E,
    changes: ChangeLog,
    made: MadeChanges,
}

impl<E: KvEngine> KvProvider<E> {
    /// A provider on an open store.
    pub fn new(engine: E) -> Self {
        Self {
            engine,
            changes: ChangeLog::default(),
            made: MadeChanges::default(),
        }
    }

    /// What happened to accounts.
    pub(super) fn changes(&self) -> &ChangeLog {
        &self.changes
    }

    pub(super) fn engine(&self) -> &E {
        &self.engine
    }

    /// Changes counters and times of the account of that name, if there is one.
    async fn change(
        &self,
        username: &str,
        change: impl FnOnce(&mut Usage) + Send + 'static,
    ) -> DataResult<()> {
        let username = username.to_owned();
        let write = self.engine.write(Lasting::Soon, move |table| {
            if let Some(mut usage) = table.usage(&username)? {
                change(&mut usage);
                table.set_usage(&username, usage)?;
            }
            Ok(())
        });
        write.await
    }
}

#[async_trait]
impl<E: KvEngine> UserStore for KvProvider<E> {
    async fn user_by_name(&self, username: &str) -> DataResult<Option<UserRecord>> {
        let username = username.to_owned();
        let found = self.engine.read(move |table| table.by_name(&username));
        Ok(found.await?.map(Arc::unwrap_or_clone))
    }

    async fn user_by_id(&self, id: i64) -> DataResult<Option<UserRecord>> {
        let found = self.engine.read(move |table| table.by_id(id)).await?;
        Ok(found.map(Arc::unwrap_or_clone))
    }

    async fn users(&self, query: &UserQuery) -> DataResult<Vec<UserRecord>> {
        let range = NameRange::of(query);
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let username = query.username.clone();
        let page = Page {
            range,
            order: query.order,
            offset: count(query.offset),
            limit: count(query.limit),
        };
        let users = self.engine.read(move |table| {
            let Some(name) = &username else {
                return table.page(&page);
            };
            let asked = page.offset == 0 && page.limit > 0 && page.range.contains(name);
            let found = table.by_name(name)?.filter(|_| asked);
            Ok(found.map(Arc::unwrap_or_clone).into_iter().collect())
        });
        users.await
    }

    async fn add_user(&self, record: &UserRecord) -> DataResult<UserRecord> {
        check_storable(record)?;
        let record = record.clone();
        let add = self.engine.write(Lasting::Now, move |table| {
            if table.usage(&record.username)?.is_some() {
                let message = format!("there is already a user {:?}", record.username);
                return Err(DataError::new(DataErrorKind::Duplicate, message));
            }
            let added = Arc::new(UserRecord {
                id: table.next_id()?,
                used_quota_size: 0,
                used_quota_files: 0,
                last_quota_update: 0,
                last_login: 0,
                ..record
            });
            table.put(Arc::clone(&added))?;
            Ok(added)
        });
        Ok(Arc::unwrap_or_clone(add.await?))
    }

    async fn update_user(&self, record: &UserRecord) -> DataResult<()> {
        check_storable(record)?;
        let record = record.clone();
        let update = self.engine.write(Lasting::Now, move |table| {
            let stored = table
                .by_id(record.id)?
                .ok_or_else(|| no_user_with_id(record.id))?;
            let mut updated = UserRecord {
                username: stored.username.clone(),
                ..record
            };
            Usage::of(&stored).store_in(&mut updated);
            table.put(Arc::new(updated))?;
            Ok(stored.username.clone())
        });
        self.changes.note(&update.await?);
        Ok(())
    }

    async fn delete_user(&self, id: i64) -> DataResult<()> {
        let delete = self.engine.write(Lasting::Now, move |table| {
            let stored = table.by_id(id)?.ok_or_else(|| no_user_with_id(id))?;
            table.remove(&stored)?;
            Ok(stored.username.clone())
        });
        let username = delete.await?;
        self.made.forget(&username);
        self.changes.note(&username);
        Ok(())
    }

    async fn set_last_login(&self, username: &str, at: UnixMillis) -> DataResult<()> {
        self.change(username, move |usage| usage.last_login = at.0)
            .await
    }
}

#[async_trait]
impl<E: KvEngine> QuotaStore for KvProvider<E> {
    async fn reserve_quota(&self, change: &QuotaChange<'_>) -> DataResult<bool> {
        if self.made.was_made(change.username, change.number) {
            return Ok(true);
        }
        let running = self.made.begin(change.username, change.number);
        let (delta, at) = (quota::bounded(change.delta), change.at);
        let username = change.username.to_owned();
        let reserve = self.engine.write(Lasting::Soon, move |table| {
            let Some(mut usage) = table.usage(&username)? else {
                let message = format!("there is no user {username:?}");
                return Err(DataError::new(DataErrorKind::NotFound, message));
            };
            let admitted = quota::admits(usage.files, delta.files, usage.limit_files)
                && quota::admits(usage.bytes, delta.bytes, usage.limit_bytes);
            if admitted {
                add(&mut usage, delta, at);
                table.set_usage(&username, usage)?;
            }
            Ok(admitted)
        });
        let reserved = reserve.await?;
        if reserved {
            running.made();
        }
        Ok(reserved)
    }

    async fn add_quota(&self, change: &QuotaChange<'_>) -> DataResult<()> {
        if self.made.was_made(change.username, change.number) {
            return Ok(());
        }
        let running = self.made.begin(change.username, change.number);
        let (delta, at) = (quota::bounded(change.delta), change.at);
        self.change(change.username, move |usage| add(usage, delta, at))
            .await?;
        running.made();
        Ok(())
    }

    async fn quota_change_made(&self, username: &str, number: u64) -> DataResult<bool> {
        // What is closed knows nothing.
        self.check().await?;
        Ok(self.made.was_made(username, number))
    }

    async fn set_quota(
        &self,
        username: &str,
        files: i64,
        bytes: i64,
        at: UnixMillis,
    ) -> DataResult<()> {
        let change = self.change(username, move |usage| {
            usage.files = files.clamp(0, COUNTER_MAX);
            usage.bytes = bytes.clamp(0, COUNTER_MAX);
            usage.updated = at.0;
        });
        change.await
    }

    async fn quota(&self, username: &str) -> DataResult<Option<QuotaUsage>> {
        let username = username.to_owned();
        let usage = self
            .engine
            .read(move |table| table.usage(&username))
            .await?;
        Ok(usage.map(|usage| QuotaUsage {
            files: usage.files,
            bytes: usage.bytes,
            updated: UnixMillis(usage.updated),
        }))
    }
}

#[async_trait]
impl<E: KvEngine> DataProvider for KvProvider<E> {
    fn cluster(&self) -> Option<&dyn ClusterStore> {
        // One process has the store.
        None
    }

    fn driver(&self) -> &'static str {
        self.engine.driver()
    }

    async fn check(&self) -> DataResult<()> {
        self.engine.check().await
    }

    async fn close(&self) {
        self.engine.close().await;
    }
}

fn add(usage: &mut Usage, delta: QuotaDelta, at: UnixMillis) {
    usage.files = quota::added(usage.files, delta.files);
    usage.bytes = quota::added(usage.bytes, delta.bytes);
    usage.updated = at.0;
}

/// A secret that nobody sealed must not come to rest anywhere; the JSON of the SQL databases refuses it too.
fn check_storable(record: &UserRecord) -> DataResult<()> {
    if record.filesystem.has_plain_secret() {
        let message = format!("a secret of user {:?} is not sealed", record.username);
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
