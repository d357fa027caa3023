//! The operations of a data provider on a SQL database.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use sftpgo_model::{UnixMillis, UserRecord};
use tokio::time::timeout;

use super::bookmarks::Bookmarks;
use super::cluster::Servers;
use super::counting::Counting;
use super::engine::{Row, SqlEngine, Statement, Value};
use super::feed::Feed;
use super::link::Link;
use super::migration;
use super::record;
use super::statement::Statements;
use super::table_name::TableName;
use crate::cluster::{ClusterStore, NodeId};
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::provider::{DataProvider, UserQuery, UserStore};

/// Longest time [`DataProvider::check`] may take (reference 5.1).
const CHECK_DEADLINE: Duration = Duration::from_secs(10);

/// A data provider on a SQL database.
pub struct SqlProvider {
    link: Link,
    statements: Statements,
    counting: Counting,
    feed: Feed,
    bookmarks: Bookmarks,
    servers: Option<Servers>,
}

impl SqlProvider {
    /// A provider on a database whose schema has that version.
    pub(crate) fn new(engine: Box<dyn SqlEngine>, table: &TableName, version: i64) -> Self {
        let link = Link::new(engine);
        let node = NodeId::random();
        let noted = version >= migration::SERVERS;
        Self {
            statements: Statements::new(link.dialect(), table, version),
            counting: Counting::new(link.clone(), table, node.clone(), noted),
            feed: Feed::new(link.clone(), table, noted),
            bookmarks: Bookmarks::default(),
            servers: noted.then(|| Servers::new(link.clone(), node)),
            link,
        }
    }

    pub(super) fn counting(&self) -> &Counting {
        &self.counting
    }

    pub(super) fn feed(&self) -> &Feed {
        &self.feed
    }

    #[cfg(test)]
    pub(crate) fn servers(&self) -> Option<&Servers> {
        self.servers.as_ref()
    }

    /// The same part of the list as what comes after a name. That name is in the index alone, so nobody reads the records
    /// that are left out. `None` if there are no more than those.
    async fn without_offset<'q>(
        &self,
        query: &'q UserQuery,
    ) -> DataResult<Option<Cow<'q, UserQuery>>> {
        let mut near = Cow::Borrowed(query);
        if let Some((name, offset)) = self.bookmarks.before(query) {
            near = Cow::Owned(after(query, name, query.offset.saturating_sub(offset)));
        }
        let Some(before) = near.offset.checked_sub(1) else {
            return Ok(Some(near));
        };
        let before = UserQuery {
            limit: 1,
            offset: before,
            ..near.into_owned()
        };
        let Some((statement, values)) = self.statements.pages.names(&before) else {
            return Ok(None);
        };
        let edition = self.bookmarks.edition();
        let rows = self.link.query(&statement, &values).await?;
        let Some(row) = rows.into_iter().next() else {
            return Ok(None);
        };
        let name = record::name_from_row(row)?;
        self.bookmarks.note(query, query.offset, &name, edition);
        Ok(Some(Cow::Owned(after(query, name, 0))))
    }

    async fn one_user(
        &self,
        statement: &Statement,
        value: Value<'_>,
    ) -> DataResult<Option<UserRecord>> {
        let rows = self.link.query(statement, &[value]).await?;
        rows.into_iter().next().map(record::from_row).transpose()
    }
}

impl fmt::Debug for SqlProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlProvider")
            .field("engine", &self.link)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl UserStore for SqlProvider {
    async fn user_by_name(&self, username: &str) -> DataResult<Option<UserRecord>> {
        let rows = self
            .link
            .query(&self.statements.user_by_name, &[username.into()])
            .await?;
        Ok(named(rows, username)?.into_iter().next())
    }

    async fn user_by_id(&self, id: i64) -> DataResult<Option<UserRecord>> {
        self.one_user(&self.statements.user_by_id, id.into()).await
    }

    async fn users(&self, query: &UserQuery) -> DataResult<Vec<UserRecord>> {
        let edition = self.bookmarks.edition();
        let Some(near) = self.without_offset(query).await? else {
            return Ok(Vec::new());
        };
        let Some((statement, values)) = self.statements.pages.records(&near) else {
            return Ok(Vec::new());
        };
        let rows = self.link.query(&statement, &values).await?;
        let users: Vec<_> = match &query.username {
            Some(name) => named(rows, name)?,
            None => rows
                .into_iter()
                .map(record::from_row)
                .collect::<DataResult<_>>()?,
        };
        if let Some(last) = users.last() {
            let read = u32::try_from(users.len()).unwrap_or(u32::MAX);
            let end = query.offset.saturating_add(read);
            self.bookmarks.note(query, end, &last.username, edition);
        }
        Ok(users)
    }

    async fn add_user(&self, record: &UserRecord) -> DataResult<UserRecord> {
        let mut values = vec![record.username.as_str().into()];
        values.extend(record::writable_values(record)?);
        let inserted = self.link.insert(&self.statements.insert, &values).await;
        // Also if it failed: an answer may be lost.
        self.bookmarks.clear();
        let id = inserted.map_err(|error| {
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
        let values = record::writable_values(record)?;
        self.feed.update(record.id, values.to_vec()).await
    }

    async fn delete_user(&self, id: i64) -> DataResult<()> {
        let removed = self.feed.delete(id).await;
        self.bookmarks.clear();
        let removed = removed?;
        self.counting.forget(&removed);
        Ok(())
    }

    async fn set_last_login(&self, username: &str, at: UnixMillis) -> DataResult<()> {
        let values = [at.0.into(), username.into()];
        self.link
            .execute(&self.statements.set_last_login, &values)
            .await?;
        Ok(())
    }
}

#[async_trait]
impl DataProvider for SqlProvider {
    fn cluster(&self) -> Option<&dyn ClusterStore> {
        self.servers.as_ref().map(|servers| servers as _)
    }

    fn driver(&self) -> &'static str {
        self.link.engine().driver()
    }

    async fn check(&self) -> DataResult<()> {
        let query = self.link.engine().query(&self.statements.check, &[]);
        let check = self.link.within(CHECK_DEADLINE, query);
        timeout(CHECK_DEADLINE, check).await.unwrap_or_else(|_| {
            Err(DataError::new(
                DataErrorKind::Unavailable,
                "the data provider has too much to do",
            ))
        })?;
        Ok(())
    }

    async fn close(&self) {
        self.link.close().await;
    }
}

/// The same list from this name on.
fn after(query: &UserQuery, name: String, offset: u32) -> UserQuery {
    UserQuery {
        after: Some(name),
        offset,
        ..query.clone()
    }
}

/// The accounts of exactly this name. The table may be one of somebody else's that takes `Alice` for `alice`.
fn named(rows: Vec<Row>, username: &str) -> DataResult<Vec<UserRecord>> {
    let is_named = |row: &Row| matches!(row.get(record::USERNAME), Some(Value::Text(text)) if text == username);
    rows.into_iter()
        .filter(is_named)
        .map(record::from_row)
        .collect()
}

/// The version whose tables are used. Where users are managed elsewhere the database user may have no right to write, also
/// to the tables of what servers tell each other.
pub(super) fn noted_version(version: i64, manage_users: bool) -> i64 {
    if manage_users {
        version
    } else {
        version.min(migration::REFERENCE_VERSION)
    }
}

fn duplicate(username: &str) -> DataError {
    let message = format!("there is already a user {username:?}");
    DataError::new(DataErrorKind::Duplicate, message)
}
