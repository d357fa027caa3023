//! The operations of a data provider on a SQL database.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use sftpgo_model::{UnixMillis, UserRecord};
use tokio::time::timeout;

use super::engine::{Row, SqlEngine, Statement, Value};
use super::record;
use super::statement::Statements;
use super::table_name::TableName;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::gate::Gate;
use crate::provider::{DataProvider, QuotaDelta, QuotaStore, QuotaUsage, UserQuery, UserStore};
use crate::quota::{self, COUNTER_MAX};

/// Longest time a call may take, waiting for a connection and for a lock included.
const CALL_DEADLINE: Duration = Duration::from_secs(20);
/// Longest time [`DataProvider::check`] may take (reference 5.1).
const CHECK_DEADLINE: Duration = Duration::from_secs(10);

/// A data provider on a SQL database.
pub struct SqlProvider {
    engine: Box<dyn SqlEngine>,
    statements: Statements,
    gate: Gate,
}

impl SqlProvider {
    /// A provider on a database whose schema is up to date.
    pub(crate) fn new(engine: Box<dyn SqlEngine>, table: &TableName) -> Self {
        let statements = Statements::new(engine.dialect(), table);
        Self {
            engine,
            statements,
            gate: Gate::new(),
        }
    }

    async fn within<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = DataResult<T>> + Send,
    ) -> DataResult<T> {
        let _inside = self.gate.enter().await?;
        timeout(deadline, work).await.unwrap_or_else(|_| {
            let message = format!("{} did not answer in time", self.engine.location());
            Err(DataError::new(DataErrorKind::Unavailable, message))
        })
    }

    async fn query(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<Vec<Row>> {
        self.within(CALL_DEADLINE, self.engine.query(statement, values))
            .await
    }

    async fn execute(&self, statement: &Statement, values: &[Value<'_>]) -> DataResult<u64> {
        self.within(CALL_DEADLINE, self.engine.execute(statement, values))
            .await
    }

    async fn one_user(
        &self,
        statement: &Statement,
        value: Value<'_>,
    ) -> DataResult<Option<UserRecord>> {
        let rows = self.query(statement, &[value]).await?;
        rows.into_iter().next().map(record::from_row).transpose()
    }
}

impl fmt::Debug for SqlProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlProvider")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl UserStore for SqlProvider {
    async fn user_by_name(&self, username: &str) -> DataResult<Option<UserRecord>> {
        self.one_user(&self.statements.user_by_name, username.into())
            .await
    }

    async fn user_by_id(&self, id: i64) -> DataResult<Option<UserRecord>> {
        self.one_user(&self.statements.user_by_id, id.into()).await
    }

    async fn users(&self, query: &UserQuery) -> DataResult<Vec<UserRecord>> {
        let limit = i64::from(query.limit).into();
        let offset = i64::from(query.offset).into();
        let rows = match &query.username {
            Some(name) => {
                let values = [name.as_str().into(), limit, offset];
                self.query(&self.statements.page_of_one, &values).await?
            }
            None => {
                self.query(self.statements.page(query.order), &[limit, offset])
                    .await?
            }
        };
        rows.into_iter().map(record::from_row).collect()
    }

    async fn add_user(&self, record: &UserRecord) -> DataResult<UserRecord> {
        let mut values = vec![record.username.as_str().into()];
        values.extend(record::writable_values(record)?);
        let insert = self.engine.insert(&self.statements.insert, &values);
        let id = self.within(CALL_DEADLINE, insert).await.map_err(|error| {
            if error.kind() == DataErrorKind::Duplicate {
                return duplicate(&record.username);
            }
            error
        })?;
        Ok(UserRecord {
            id,
            used_quota_size: 0,
            used_quota_files: 0,
            last_quota_update: 0,
            last_login: 0,
            ..record.clone()
        })
    }

    async fn update_user(&self, record: &UserRecord) -> DataResult<()> {
        let mut values = record::writable_values(record)?.to_vec();
        values.push(record.id.into());
        match self.execute(&self.statements.update, &values).await? {
            0 => Err(no_user_with_id(record.id)),
            _ => Ok(()),
        }
    }

    async fn delete_user(&self, id: i64) -> DataResult<()> {
        match self.execute(&self.statements.delete, &[id.into()]).await? {
            0 => Err(no_user_with_id(id)),
            _ => Ok(()),
        }
    }

    async fn set_last_login(&self, username: &str, at: UnixMillis) -> DataResult<()> {
        let values = [at.0.into(), username.into()];
        self.execute(&self.statements.set_last_login, &values)
            .await?;
        Ok(())
    }
}

#[async_trait]
impl QuotaStore for SqlProvider {
    async fn reserve_quota(
        &self,
        username: &str,
        delta: QuotaDelta,
        at: UnixMillis,
    ) -> DataResult<bool> {
        let QuotaDelta { files, bytes } = quota::bounded(delta);
        let (files, bytes) = (Value::Int(files), Value::Int(bytes));
        let values = [
            files.clone(),
            bytes.clone(),
            at.0.into(),
            username.into(),
            files.clone(),
            files,
            bytes.clone(),
            bytes,
        ];
        if self
            .execute(&self.statements.reserve_quota, &values)
            .await?
            > 0
        {
            return Ok(true);
        }
        match self.quota(username).await? {
            Some(_) => Ok(false),
            None => {
                let message = format!("there is no user {username:?}");
                Err(DataError::new(DataErrorKind::NotFound, message))
            }
        }
    }

    async fn add_quota(&self, username: &str, delta: QuotaDelta, at: UnixMillis) -> DataResult<()> {
        let QuotaDelta { files, bytes } = quota::bounded(delta);
        let values = [files.into(), bytes.into(), at.0.into(), username.into()];
        self.execute(&self.statements.add_quota, &values).await?;
        Ok(())
    }

    async fn set_quota(
        &self,
        username: &str,
        files: i64,
        bytes: i64,
        at: UnixMillis,
    ) -> DataResult<()> {
        let bound = |counter: i64| Value::Int(counter.clamp(0, COUNTER_MAX));
        let values = [bound(files), bound(bytes), at.0.into(), username.into()];
        self.execute(&self.statements.set_quota, &values).await?;
        Ok(())
    }

    async fn quota(&self, username: &str) -> DataResult<Option<QuotaUsage>> {
        let rows = self
            .query(&self.statements.quota, &[username.into()])
            .await?;
        rows.into_iter()
            .next()
            .map(record::usage_from_row)
            .transpose()
    }
}

#[async_trait]
impl DataProvider for SqlProvider {
    fn driver(&self) -> &'static str {
        self.engine.driver()
    }

    async fn check(&self) -> DataResult<()> {
        let query = self.engine.query(&self.statements.check, &[]);
        let check = self.within(CHECK_DEADLINE, query);
        timeout(CHECK_DEADLINE, check).await.unwrap_or_else(|_| {
            Err(DataError::new(
                DataErrorKind::Unavailable,
                "the data provider has too much to do",
            ))
        })?;
        Ok(())
    }

    async fn close(&self) {
        if self.gate.close(CALL_DEADLINE).await {
            self.engine.close().await;
        }
    }
}

fn duplicate(username: &str) -> DataError {
    let message = format!("there is already a user {username:?}");
    DataError::new(DataErrorKind::Duplicate, message)
}

fn no_user_with_id(id: i64) -> DataError {
    DataError::new(
        DataErrorKind::NotFound,
        format!("there is no user with id {id}"),
    )
}
