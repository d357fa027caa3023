//! What happened to accounts: noted with every change in one transaction, read by every server.
//!
//! One row counts the changes. Who changes an account takes the next number and so waits for everybody who took one before:
//! numbers become visible in their order, and a reader that saw one has seen all below it.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::dialect::Dialect;
use super::engine::{Row, SqlTransaction, Statement, Value};
use super::fields::Fields;
use super::link::Link;
use super::provider::SqlProvider;
use super::record::WRITABLE_COLUMNS;
use super::table_name::TableName;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::provider::{ChangeFeed, ChangeMark, Changes};

/// How often it is worth to look, where the database does not tell.
const LOOK_AGAIN: Duration = Duration::from_millis(400);
/// How often anything may have changed in a database that has no place to note it.
const ANYTHING_CHANGED: Duration = Duration::from_secs(10);
/// Accounts told at once; when more changed, all may have.
const MOST: usize = 1000;

/// Changes accounts, and tells of it.
#[derive(Debug)]
pub(super) struct Feed {
    link: Link,
    /// the writable columns, then `id`
    update: Statement,
    /// `id`
    delete: Statement,
    /// `id`; gives the name
    name: Statement,
    /// `None` if the database has no place to note changes.
    noting: Option<Noting>,
    /// Somebody changed something in this process.
    changed: Notify,
    /// Changes of this process do not conflict with each other.
    turn: tokio::sync::Mutex<()>,
    /// Since when the marks count that stand for moments.
    began: Instant,
}

/// The statements of a database that has the tables.
#[derive(Debug)]
struct Noting {
    /// nothing
    count: Statement,
    /// nothing; gives the number
    newest: Statement,
    /// name, number
    note: Statement,
    /// number, limit; gives name, number
    since: Statement,
    /// name; what else is stored of a user who goes
    leftovers: [Statement; 2],
    /// nothing; tells the others
    tell: Option<Statement>,
}

/// What is done to an account.
enum Change<'a> {
    Update(Vec<Value<'a>>),
    Delete,
}

impl Feed {
    pub(super) fn new(link: Link, users: &TableName, noted: bool) -> Self {
        let dialect = link.dialect();
        let statement = |sql: String| Statement(dialect.with_parameters(&sql).into());
        let quoted = users.quoted(dialect.quote);
        let assignments = WRITABLE_COLUMNS
            .map(|column| format!("{column} = ?"))
            .join(", ");
        Self {
            update: statement(format!("UPDATE {quoted} SET {assignments} WHERE id = ?")),
            delete: statement(format!("DELETE FROM {quoted} WHERE id = ?")),
            name: statement(format!("SELECT username FROM {quoted} WHERE id = ?")),
            noting: noted.then(|| Noting::new(dialect)),
            link,
            changed: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            began: Instant::now(),
        }
    }

    /// Replaces the writable columns of an account; `NotFound` if there is none.
    pub(super) async fn update(&self, id: i64, mut values: Vec<Value<'_>>) -> DataResult<()> {
        values.push(id.into());
        self.change(id, Change::Update(values)).await.map(drop)
    }

    /// Removes an account and gives its name; `NotFound` if there is none.
    pub(super) async fn delete(&self, id: i64) -> DataResult<String> {
        self.change(id, Change::Delete).await
    }

    /// Gives the name of the account.
    async fn change(&self, id: i64, change: Change<'_>) -> DataResult<String> {
        let changed = match &self.noting {
            Some(noting) => {
                let noted = self.link.retried(|| self.try_change(noting, id, &change));
                noted.await?
            }
            None => self.change_alone(id, &change).await?,
        };
        let name = changed.ok_or_else(|| {
            let message = format!("there is no user with id {id}");
            DataError::new(DataErrorKind::NotFound, message)
        })?;
        self.changed.notify_one();
        Ok(name)
    }

    async fn change_alone(&self, id: i64, change: &Change<'_>) -> DataResult<Option<String>> {
        let rows = self.link.query(&self.name, &[id.into()]).await?;
        let name = first_name(rows)?;
        let found = match change {
            Change::Update(values) => self.link.execute(&self.update, values).await?,
            Change::Delete => self.link.execute(&self.delete, &[id.into()]).await?,
        };
        Ok(name.filter(|_| found > 0))
    }

    async fn try_change(
        &self,
        noting: &Noting,
        id: i64,
        change: &Change<'_>,
    ) -> DataResult<Option<String>> {
        // Held across awaits on purpose: it is the queue of those who would only conflict with each other.
        let _turn = self.turn.lock().await;
        let mut transaction = self.link.begin().await?;
        transaction.execute(&noting.count, &[]).await?;
        let rows = transaction.query(&self.name, &[id.into()]).await?;
        let Some(name) = first_name(rows)? else {
            return Ok(None);
        };
        noting.note_in(transaction.as_mut(), &name).await?;
        let found = match change {
            Change::Update(values) => transaction.execute(&self.update, values).await?,
            Change::Delete => {
                // Counters are changed in this order, too: the mark, then the account.
                for leftover in &noting.leftovers {
                    transaction
                        .execute(leftover, &[name.as_str().into()])
                        .await?;
                }
                transaction.execute(&self.delete, &[id.into()]).await?
            }
        };
        if found == 0 {
            return Ok(None);
        }
        if let Some(tell) = &noting.tell {
            transaction.query(tell, &[]).await?;
        }
        transaction.commit().await?;
        Ok(Some(name))
    }

    /// Notes a change of an account that stays as it is.
    async fn touch(&self, username: &str) -> DataResult<()> {
        if let Some(noting) = &self.noting {
            self.link
                .retried(|| self.try_touch(noting, username))
                .await?;
        }
        self.changed.notify_one();
        Ok(())
    }

    async fn try_touch(&self, noting: &Noting, username: &str) -> DataResult<()> {
        // As above.
        let _turn = self.turn.lock().await;
        let mut transaction = self.link.begin().await?;
        transaction.execute(&noting.count, &[]).await?;
        noting.note_in(transaction.as_mut(), username).await?;
        if let Some(tell) = &noting.tell {
            transaction.query(tell, &[]).await?;
        }
        transaction.commit().await
    }

    /// The mark of now, for a database that has no place to note changes: how long this has been running.
    fn moment(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Noting {
    fn new(dialect: &Dialect) -> Self {
        let statement = |sql: String| Statement(dialect.with_parameters(&sql).into());
        let quoted = |table: TableName| table.quoted(dialect.quote);
        let changes = quoted(TableName::changes());
        let (sessions, marks) = (
            quoted(TableName::sessions()),
            quoted(TableName::quota_marks()),
        );
        Self {
            count: statement(format!(
                "UPDATE {changes} SET changed = changed + 1 WHERE username = ''"
            )),
            newest: statement(format!("SELECT changed FROM {changes} WHERE username = ''")),
            note: statement(format!(
                "INSERT INTO {changes} (username, changed) VALUES (?, ?){}",
                dialect.or_update("username", &["changed"])
            )),
            since: statement(format!(
                "SELECT username, changed FROM {changes} WHERE changed > ? ORDER BY changed LIMIT ?"
            )),
            leftovers: [
                statement(format!("DELETE FROM {marks} WHERE username = ?")),
                statement(format!(
                    "DELETE FROM {sessions} WHERE username = ? AND node = ''"
                )),
            ],
            tell: dialect.notify.map(|sql| statement(sql.to_owned())),
        }
    }

    /// Notes the user under the number that was just counted.
    async fn note_in(&self, transaction: &mut dyn SqlTransaction, name: &str) -> DataResult<()> {
        let number = first_number(transaction.query(&self.newest, &[]).await?)?;
        let values = [name.into(), number.into()];
        transaction.execute(&self.note, &values).await?;
        Ok(())
    }

    async fn newest(&self, link: &Link) -> DataResult<ChangeMark> {
        let rows = link.query(&self.newest, &[]).await?;
        first_number(rows).map(ChangeMark)
    }

    async fn since(&self, link: &Link, after: ChangeMark) -> DataResult<Changes> {
        // Asked all the time, and nearly always nothing happened.
        let newest = self.newest(link).await?;
        if newest == after {
            return Ok(Changes::Of(Vec::new(), after));
        }
        // One that is lower than before was restored from a copy.
        if newest < after {
            return Ok(Changes::Unknown(newest));
        }
        let limit = i64::try_from(MOST).unwrap_or(i64::MAX).saturating_add(2);
        let rows = link
            .query(&self.since, &[after.0.into(), limit.into()])
            .await?;
        let mut names = Vec::new();
        let mut mark = after;
        for row in rows {
            let mut fields = Fields::of(row, TableName::changes());
            let name = fields.text()?;
            mark = ChangeMark(fields.int()?);
            // The counter itself.
            if !name.is_empty() {
                names.push(name);
            }
        }
        if names.len() > MOST {
            return Ok(Changes::Unknown(newest));
        }
        Ok(Changes::Of(names, mark))
    }
}

#[async_trait]
impl ChangeFeed for SqlProvider {
    async fn change_mark(&self) -> DataResult<ChangeMark> {
        let feed = self.feed();
        match &feed.noting {
            Some(noting) => noting.newest(&feed.link).await,
            None => Ok(ChangeMark(feed.moment())),
        }
    }

    async fn wait_for_changes(&self, at_most: Duration) {
        let feed = self.feed();
        tokio::select! {
            () = feed.changed.notified() => {}
            () = feed.link.engine().told() => {}
            () = sleep(at_most.min(LOOK_AGAIN)) => {}
        }
    }

    async fn touch(&self, username: &str) -> DataResult<()> {
        self.feed().touch(username).await
    }

    async fn changes(&self, after: ChangeMark) -> DataResult<Changes> {
        let feed = self.feed();
        if let Some(noting) = &feed.noting {
            return noting.since(&feed.link, after).await;
        }
        let (now, long) = (feed.moment(), ANYTHING_CHANGED.as_millis());
        let elapsed = now.saturating_sub(after.0);
        if u128::try_from(elapsed).is_ok_and(|elapsed| elapsed >= long) {
            return Ok(Changes::Unknown(ChangeMark(now)));
        }
        Ok(Changes::Of(Vec::new(), after))
    }
}

fn first_number(rows: Vec<Row>) -> DataResult<i64> {
    match rows.into_iter().next() {
        Some(row) => Fields::of(row, TableName::changes()).int(),
        None => Err(DataError::new(
            DataErrorKind::Corrupt,
            "the table sftpgo_changes has lost its counter; add it: \
             INSERT INTO sftpgo_changes (username, changed) VALUES ('', 0)",
        )),
    }
}

fn first_name(rows: Vec<Row>) -> DataResult<Option<String>> {
    let read = |row| Fields::of(row, TableName::changes()).text();
    rows.into_iter().next().map(read).transpose()
}
