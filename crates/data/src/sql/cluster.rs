//! What servers on one database tell each other: [`ClusterStore`] in SQL.

mod statement;

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::Instant;

use self::statement::Statements;
use super::engine::{Row, SqlTransaction, Value};
use super::fields::Fields;
use super::link::{CALL_DEADLINE, Link};
use super::table_name::TableName;
use crate::cluster::{
    Beat, Claimed, ClusterStore, Load, NODE_LIFETIME, Neighbour, NodeId, SessionClaim, SharedValue,
    random_number,
};
use crate::error::{DataError, DataErrorKind, DataResult};

/// This server among those on its database.
#[derive(Debug)]
pub(crate) struct Servers {
    link: Link,
    node: NodeId,
    statements: Statements,
    /// Whether others were ever told of this server.
    joined: AtomicBool,
    /// Whether others forgot it since the last beat.
    forgotten: AtomicBool,
    /// What this server said of itself last.
    load: Mutex<Load>,
    patience: Mutex<Patience>,
    /// Users of servers that this one buried, until somebody was told.
    orphans: Mutex<Vec<String>>,
}

/// While the database was away, no server could say that it lives.
#[derive(Debug, Default)]
struct Patience {
    /// When this server last said so.
    last_beat: Option<Instant>,
    /// Until when it takes nobody for dead.
    until: Option<Instant>,
}

impl Patience {
    /// Notes a beat; `false` if the one before was so long ago that the others may have missed theirs, too.
    fn beat(&mut self, now: Instant) -> bool {
        let last = self.last_beat.replace(now);
        if last.is_some_and(|last| now.duration_since(last) > NODE_LIFETIME * 2 / 3) {
            self.until = Some(now + NODE_LIFETIME);
        }
        self.until.is_none_or(|until| now >= until)
    }
}

impl Servers {
    pub(super) fn new(link: Link, node: NodeId) -> Self {
        let statements = Statements::new(link.dialect());
        Self {
            link,
            node,
            statements,
            joined: AtomicBool::new(false),
            forgotten: AtomicBool::new(false),
            load: Mutex::default(),
            patience: Mutex::default(),
            orphans: Mutex::default(),
        }
    }

    /// Makes it seem that the database was away for a while.
    #[cfg(test)]
    pub(crate) fn miss_beats(&self) {
        let past = Instant::now().checked_sub(NODE_LIFETIME);
        self.patience.lock().last_beat = Some(past.unwrap());
    }

    /// Makes the last beat look old.
    #[cfg(test)]
    pub(crate) async fn play_dead(&self) {
        let dialect = self.link.dialect();
        let table = TableName::nodes().quoted(dialect.quote);
        let sql = format!("UPDATE {table} SET beat = beat - 60000 WHERE node = ?");
        let statement = super::engine::Statement(dialect.with_parameters(&sql).into());
        let found = self.link.execute(&statement, &[self.own()]).await;
        assert_eq!(found.unwrap(), 1);
    }

    fn own(&self) -> Value<'_> {
        self.node.as_str().into()
    }

    /// Says that this server lives, without a transaction.
    async fn say_alive(&self) -> DataResult<()> {
        let load = *self.load.lock();
        let (sessions, transfers) = (i64::from(load.sessions), i64::from(load.transfers));
        let engine = self.link.engine();
        let beat = [sessions.into(), transfers.into(), self.own()];
        if engine.execute(&self.statements.beat, &beat).await? > 0 {
            return Ok(());
        }
        let join = [self.own(), sessions.into(), transfers.into()];
        engine.execute(&self.statements.join, &join).await?;
        if self.joined.swap(true, Ordering::AcqRel) {
            self.forgotten.store(true, Ordering::Release);
        }
        Ok(())
    }

    async fn try_claim(&self, claim: &SessionClaim<'_>) -> DataResult<Claimed> {
        let username = || Value::from(claim.username);
        loop {
            let mut transaction = self.link.begin().await?;
            transaction
                .execute(&self.statements.lock_user, &[username()])
                .await?;
            let rows = transaction
                .query(&self.statements.sessions, &[username()])
                .await?;
            let Some(neighbours) = self.neighbours(rows)? else {
                // What this server notes would count for nobody.
                drop(transaction);
                self.say_alive().await?;
                continue;
            };
            if !fits(claim, &neighbours) {
                return Ok(Claimed::TooMany);
            }
            let values = [
                username(),
                self.own(),
                i64::from(claim.own).into(),
                i64::from(claim.sharing).into(),
            ];
            transaction.execute(&self.statements.note, &values).await?;
            transaction.commit().await?;
            return Ok(Claimed::Noted(neighbours));
        }
    }

    /// Forgets a user of this server, which never is too many.
    async fn release(&self, username: &str) -> DataResult<Claimed> {
        let (engine, statements) = (self.link.engine(), &self.statements);
        let values = [username.into(), self.own()];
        engine.execute(&statements.unnote, &values).await?;
        let rows = engine
            .query(&statements.sessions, &[username.into()])
            .await?;
        Ok(Claimed::Noted(self.neighbours(rows)?.unwrap_or_default()))
    }

    /// The others that have sessions; `None` if this server is not among those that live.
    fn neighbours(&self, rows: Vec<Row>) -> DataResult<Option<Vec<Neighbour>>> {
        let mut lives = false;
        let mut neighbours = Vec::new();
        for row in rows {
            let mut fields = Fields::of(row, TableName::sessions());
            let node = NodeId::from_text(fields.text()?);
            let (sessions, sharing) = (fields.count()?, fields.int()? != 0);
            if node == self.node {
                lives = true;
            } else if sessions > 0 {
                neighbours.push(Neighbour {
                    node,
                    sessions,
                    sharing,
                });
            }
        }
        Ok(lives.then_some(neighbours))
    }

    /// Forgets servers that died. Of several that see it, one gets their users.
    async fn bury_dead(&self) -> DataResult<()> {
        let rows = self.link.query(&self.statements.dead, &[]).await?;
        for row in rows {
            let node = Fields::of(row, TableName::nodes()).text()?;
            let buried = self.link.within(CALL_DEADLINE, self.bury(&node)).await;
            match buried {
                Ok(Some(users)) => {
                    tracing::warn!(node, users, "a server on this database died");
                }
                Ok(None) => {}
                // Whoever was faster has them; if nobody was, the next beat tries again.
                Err(error) if error.kind() == DataErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// How many users a dead server leaves; `None` if it lives, or somebody else buried it.
    async fn bury(&self, node: &str) -> DataResult<Option<usize>> {
        let mut transaction = self.link.begin().await?;
        if transaction
            .execute(&self.statements.bury, &[node.into()])
            .await?
            == 0
        {
            return Ok(None);
        }
        let users = self.take_users(transaction.as_mut(), node).await?;
        let count = users.len();
        match transaction.commit().await {
            Err(error) if error.kind() == DataErrorKind::Conflict => return Err(error),
            // If the answer was lost, it may be done all the same, and nobody else will be told.
            committed => {
                self.orphans.lock().extend(users);
                committed?;
            }
        }
        Ok(Some(count))
    }

    async fn take_users(
        &self,
        transaction: &mut dyn SqlTransaction,
        node: &str,
    ) -> DataResult<Vec<String>> {
        let rows = transaction
            .query(&self.statements.users_of, &[node.into()])
            .await?;
        for statement in [
            &self.statements.forget_sessions,
            &self.statements.forget_marks,
        ] {
            transaction.execute(statement, &[node.into()]).await?;
        }
        usernames(rows)
    }

    async fn live(&self) -> DataResult<Vec<(NodeId, Load)>> {
        let rows = self.link.query(&self.statements.live, &[]).await?;
        let read = |row| {
            let mut fields = Fields::of(row, TableName::nodes());
            let node = NodeId::from_text(fields.text()?);
            let load = Load {
                sessions: fields.count()?,
                transfers: fields.count()?,
            };
            Ok((node, load))
        };
        rows.into_iter().map(read).collect()
    }
}

#[async_trait]
impl ClusterStore for Servers {
    fn node(&self) -> &NodeId {
        &self.node
    }

    async fn claim_sessions(&self, claim: &SessionClaim<'_>) -> DataResult<Claimed> {
        if claim.own == 0 {
            return self.link.retried(|| self.release(claim.username)).await;
        }
        self.link.retried(|| self.try_claim(claim)).await
    }

    async fn beat(&self, load: Load) -> DataResult<Beat> {
        *self.load.lock() = load;
        self.link.retried(|| self.say_alive()).await?;
        if self.patience.lock().beat(Instant::now()) {
            self.bury_dead().await?;
        }
        let to_share = self
            .link
            .query(&self.statements.to_share, &[self.own()])
            .await?;
        let to_share = usernames(to_share)?;
        let mut everywhere = Load::default();
        for (_, load) in self.live().await? {
            everywhere.sessions = everywhere.sessions.saturating_add(load.sessions);
            everywhere.transfers = everywhere.transfers.saturating_add(load.transfers);
        }
        // Nothing may fail after this.
        let mut orphans = std::mem::take(&mut *self.orphans.lock());
        orphans.sort();
        orphans.dedup();
        Ok(Beat {
            was_forgotten: self.forgotten.swap(false, Ordering::AcqRel),
            orphans,
            to_share,
            everywhere,
        })
    }

    async fn leave(&self) -> DataResult<()> {
        for statement in [
            &self.statements.forget_sessions,
            &self.statements.forget_marks,
            &self.statements.forget_node,
        ] {
            self.link.execute(statement, &[self.own()]).await?;
        }
        self.joined.store(false, Ordering::Release);
        Ok(())
    }

    async fn live_nodes(&self) -> DataResult<Vec<NodeId>> {
        let live = self.live().await?;
        Ok(live.into_iter().map(|(node, _)| node).collect())
    }

    async fn shared(&self, name: &str) -> DataResult<Option<SharedValue>> {
        let rows = self
            .link
            .query(&self.statements.shared, &[name.into()])
            .await?;
        let read = |row| {
            let mut fields = Fields::of(row, TableName::shared());
            Ok(SharedValue {
                text: fields.text()?,
                version: fields.int()?,
            })
        };
        rows.into_iter().next().map(read).transpose()
    }

    async fn swap_shared(
        &self,
        name: &str,
        version: Option<i64>,
        text: Option<&str>,
    ) -> DataResult<bool> {
        let statements = &self.statements;
        let swap = match (version, text) {
            (None, None) => return Ok(self.shared(name).await?.is_none()),
            (None, Some(text)) => {
                let values = [name.into(), text.into(), first_version().into()];
                self.link.execute(&statements.share_new, &values).await
            }
            (Some(version), Some(text)) => {
                let values = [text.into(), name.into(), version.into()];
                self.link.execute(&statements.share, &values).await
            }
            (Some(version), None) => {
                let values = [name.into(), version.into()];
                self.link.execute(&statements.unshare, &values).await
            }
        };
        match swap {
            Ok(found) => Ok(found > 0),
            Err(error) if lost_the_race(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn fits(claim: &SessionClaim<'_>, neighbours: &[Neighbour]) -> bool {
    let others = neighbours.iter().map(|other| u64::from(other.sessions));
    let all = others.sum::<u64>() + u64::from(claim.own);
    claim.limit.is_none_or(|limit| all <= u64::from(limit))
}

fn usernames(rows: Vec<Row>) -> DataResult<Vec<String>> {
    let read = |row| Fields::of(row, TableName::sessions()).text();
    rows.into_iter().map(read).collect()
}

/// A text that is made anew must not have a version that an older one had. There is room for more versions than anybody
/// counts.
fn first_version() -> i64 {
    i64::from_ne_bytes((random_number() >> 2).to_ne_bytes())
}

fn lost_the_race(error: &DataError) -> bool {
    matches!(
        error.kind(),
        DataErrorKind::Duplicate | DataErrorKind::Conflict
    )
}
