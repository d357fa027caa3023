//! Quota counters in SQL: each change made once, though its answer may be lost.
//!
//! A database server keeps, beside the counters, the number of the last change that each server made, and both change
//! together or not at all. Where the database works in this process, the process itself remembers.

mod statement;

use std::collections::HashSet;

use async_trait::async_trait;
use parking_lot::Mutex;
use sftpgo_model::UnixMillis;

use self::statement::{Named, Parameters, Statements};
use super::dialect::Marks;
use super::engine::Value;
use super::fields::Fields;
use super::link::{CALL_DEADLINE, Link};
use super::provider::SqlProvider;
use super::record;
use super::table_name::TableName;
use crate::cluster::NodeId;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::made::MadeChanges;
use crate::provider::{QuotaChange, QuotaStore, QuotaUsage};
use crate::quota::{self, COUNTER_MAX};

/// How often a change is tried whose mark somebody removes meanwhile.
const ATTEMPTS: usize = 3;

/// The counters of one database.
#[derive(Debug)]
pub(super) struct Counting {
    link: Link,
    node: NodeId,
    statements: Statements,
    marks: Marks,
    /// What this process made, where marks are kept in it.
    made: MadeChanges,
    /// Users for whom there is a mark of this server in the database. One name for every user whose counters this process
    /// ever changed.
    marked: Mutex<HashSet<String>>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Made,
    /// The limits do not allow it.
    Refused,
    /// There is no such user.
    Nobody,
}

impl Counting {
    /// `noted` says whether the database has a place for marks. If not, a change whose answer a connection lost is taken
    /// for one that was not made.
    pub(super) fn new(link: Link, users: &TableName, node: NodeId, noted: bool) -> Self {
        let dialect = link.dialect();
        let marks = match noted {
            true => dialect.marks,
            false => Marks::Process,
        };
        Self {
            statements: Statements::new(dialect, users, marks),
            link,
            node,
            marks,
            made: MadeChanges::default(),
            marked: Mutex::default(),
        }
    }

    /// Forgets a user that is no more.
    pub(super) fn forget(&self, username: &str) {
        self.made.forget(username);
        self.marked.lock().remove(username);
    }

    async fn make(&self, named: &Named, change: &QuotaChange<'_>) -> DataResult<Outcome> {
        let parameters = self.parameters(change);
        match self.marks {
            Marks::Process => self.make_here(named, change, &parameters).await,
            Marks::With | Marks::Join => self.make_there(named, &parameters).await,
        }
    }

    fn parameters<'a>(&'a self, change: &QuotaChange<'a>) -> Parameters<'a> {
        let delta = quota::bounded(change.delta);
        Parameters {
            files: delta.files,
            bytes: delta.bytes,
            at: change.at.0,
            user: change.username,
            node: self.node.as_str(),
            number: signed(change.number),
        }
    }

    /// Runs the change to its end, whoever still waits for it, and remembers it.
    async fn make_here(
        &self,
        named: &Named,
        change: &QuotaChange<'_>,
        parameters: &Parameters<'_>,
    ) -> DataResult<Outcome> {
        let QuotaChange {
            username, number, ..
        } = *change;
        if self.made.is_made(username, number, CALL_DEADLINE).await? {
            return Ok(Outcome::Made);
        }
        let values = named.values(parameters);
        let (engine, statement) = (self.link.engine().clone(), named.statement.clone());
        let call = async {
            let running = self.made.begin(username, number);
            let task = tokio::spawn(async move {
                let done = engine.execute(&statement, &values).await;
                if done.as_ref().is_ok_and(|rows| *rows > 0) {
                    running.made();
                }
                done
            });
            task.await
                .map_err(|error| DataError::with_source(DataErrorKind::Internal, "quota", error))?
        };
        if self.link.within(CALL_DEADLINE, call).await? > 0 {
            return Ok(Outcome::Made);
        }
        match self.usage(username).await? {
            Some(_) => Ok(Outcome::Refused),
            None => Ok(Outcome::Nobody),
        }
    }

    /// Makes the change together with its mark.
    async fn make_there(&self, named: &Named, parameters: &Parameters<'_>) -> DataResult<Outcome> {
        let values = named.values(parameters);
        let engine = self.link.engine();
        for _ in 0..ATTEMPTS {
            self.prepare_mark(parameters.user).await?;
            let change = self
                .link
                .retried(|| engine.execute(&named.statement, &values));
            if change.await? > 0 {
                return Ok(Outcome::Made);
            }
            match self.mark(parameters.user).await? {
                Some(number) if number >= parameters.number => return Ok(Outcome::Made),
                Some(_) => {
                    return match self.usage(parameters.user).await? {
                        Some(_) => Ok(Outcome::Refused),
                        None => Ok(Outcome::Nobody),
                    };
                }
                // The others took this server for dead, or the account was removed.
                None => self.marked.lock().remove(parameters.user),
            };
        }
        let message = format!("the quota of {:?} changes too often", parameters.user);
        Err(DataError::new(DataErrorKind::Unavailable, message))
    }

    /// Makes sure that there is a mark to be changed.
    async fn prepare_mark(&self, username: &str) -> DataResult<()> {
        if self.marked.lock().contains(username) {
            return Ok(());
        }
        let values = [username.into(), self.node.as_str().into()];
        let engine = self.link.engine();
        let insert = self
            .link
            .retried(|| engine.execute(&self.statements.new_mark, &values));
        insert.await?;
        self.marked.lock().insert(username.to_owned());
        Ok(())
    }

    async fn mark(&self, username: &str) -> DataResult<Option<i64>> {
        let values = [username.into(), self.node.as_str().into()];
        let rows = self.link.query(&self.statements.mark, &values).await?;
        let read = |row| Fields::of(row, TableName::quota_marks()).int();
        rows.into_iter().next().map(read).transpose()
    }

    async fn is_made(&self, username: &str, number: u64) -> DataResult<bool> {
        match self.marks {
            Marks::Process => {
                let made = self.made.is_made(username, number, CALL_DEADLINE);
                self.link.within(CALL_DEADLINE, made).await
            }
            Marks::With | Marks::Join => {
                let mark = self.mark(username).await?;
                Ok(mark.is_some_and(|made| made >= signed(number)))
            }
        }
    }

    async fn usage(&self, username: &str) -> DataResult<Option<QuotaUsage>> {
        let rows = self
            .link
            .query(&self.statements.usage, &[username.into()])
            .await?;
        rows.into_iter()
            .next()
            .map(record::usage_from_row)
            .transpose()
    }
}

#[async_trait]
impl QuotaStore for SqlProvider {
    async fn reserve_quota(&self, change: &QuotaChange<'_>) -> DataResult<bool> {
        let counting = self.counting();
        match counting.make(&counting.statements.reserve, change).await? {
            Outcome::Made => Ok(true),
            Outcome::Refused => Ok(false),
            Outcome::Nobody => {
                let message = format!("there is no user {:?}", change.username);
                Err(DataError::new(DataErrorKind::NotFound, message))
            }
        }
    }

    async fn add_quota(&self, change: &QuotaChange<'_>) -> DataResult<()> {
        let counting = self.counting();
        match counting.make(&counting.statements.add, change).await? {
            // It knows no limits that could refuse it: the account came into being after the statement.
            Outcome::Made | Outcome::Nobody | Outcome::Refused => Ok(()),
        }
    }

    async fn quota_change_made(&self, username: &str, number: u64) -> DataResult<bool> {
        self.counting().is_made(username, number).await
    }

    async fn set_quota(
        &self,
        username: &str,
        files: i64,
        bytes: i64,
        at: UnixMillis,
    ) -> DataResult<()> {
        let counting = self.counting();
        let set = &counting.statements.set;
        let values: Vec<Value<'_>> = set.values(&Parameters {
            files: files.clamp(0, COUNTER_MAX),
            bytes: bytes.clamp(0, COUNTER_MAX),
            at: at.0,
            user: username,
            node: "",
            number: 0,
        });
        counting.link.execute(&set.statement, &values).await?;
        Ok(())
    }

    async fn quota(&self, username: &str) -> DataResult<Option<QuotaUsage>> {
        self.counting().usage(username).await
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
