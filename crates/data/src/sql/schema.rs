//! Brings the schema of a database up to date, or says why it cannot be used (reference 5.3).

use super::dialect::Dialect;
use super::engine::{SchemaLock, SqlEngine};
use super::migration::{MIGRATIONS, Migration, pending};
use super::record::COLUMNS;
use super::table_name::TableName;
use crate::error::{DataError, DataErrorKind, DataResult};

/// What was found and done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SchemaUpdate {
    /// The version found; 0 if there were no tables.
    pub(crate) from: i64,
    /// The version now.
    pub(crate) to: i64,
}

/// How often somebody else may get in the way, one at a time, before this is given up.
const ATTEMPTS: u32 = 5;

/// Creates the tables or applies what is missing, while other processes that want to do the same wait.
///
/// Without `manage_users` no more is applied than reading needs, and a database that has that is only looked at: the
/// table may be a view, and the database user may have the right to read and no other.
pub(crate) async fn update(
    engine: &dyn SqlEngine,
    table: &TableName,
    manage_users: bool,
) -> DataResult<SchemaUpdate> {
    let place = Place {
        location: engine.location(),
        dialect: engine.dialect(),
        table,
    };
    let mut attempt = 1;
    loop {
        match place.update(engine, manage_users).await {
            Err(error) if error.kind() == DataErrorKind::Conflict && attempt < ATTEMPTS => {
                attempt += 1;
            }
            done => return done,
        }
    }
}

/// The database that is looked at.
struct Place<'a> {
    location: &'a str,
    dialect: &'static Dialect,
    table: &'a TableName,
}

impl Place<'_> {
    async fn update(&self, engine: &dyn SqlEngine, manage_users: bool) -> DataResult<SchemaUpdate> {
        let mut lock = engine.lock_schema().await?;
        let mut from = self.version(lock.as_mut()).await?;
        if from > 0 && pending(from, manage_users).next().is_some() {
            // Only now does it matter that nobody else is at it; whoever was may have done it all.
            let found = lock.number(self.stated_version(self.dialect.for_update));
            from = self.usable(found.await?)?;
        }
        let mut to = from;
        for migration in pending(from, manage_users) {
            self.apply(lock.as_mut(), migration).await?;
            to = migration.version;
        }
        // Before it is made so: a table that is not one of users stays as it was.
        self.check_columns(lock.as_mut()).await?;
        lock.commit().await?;
        if to != from {
            tracing::info!(from, to, "schema of the data provider updated");
        }
        Ok(SchemaUpdate { from, to })
    }

    async fn apply(&self, lock: &mut dyn SchemaLock, migration: &Migration) -> DataResult<()> {
        for step in (migration.steps)(self.dialect, self.table) {
            let wanted = match step.only_if {
                Some(probe) => lock.number(probe).await?.is_some_and(|number| number != 0),
                None => true,
            };
            if wanted {
                lock.execute(step.sql).await.map_err(|error| {
                    let version = migration.version;
                    let what = format!("cannot bring the schema to version {version}");
                    DataError::with_source(error.kind(), what, error)
                })?;
            }
        }
        let quoted = TableName::schema_version().quoted(self.dialect.quote);
        let version = migration.version;
        lock.execute(format!("UPDATE {quoted} SET version = {version}"))
            .await
    }

    /// The version that `schema_version` states, 0 for an empty database.
    async fn version(&self, lock: &mut dyn SchemaLock) -> DataResult<i64> {
        let schema_version = TableName::schema_version();
        let mut states_version = lock.has_table(&schema_version).await?;
        let has_users = lock.has_table(self.table).await?;
        if has_users && !states_version {
            // Another server may have made both between the two looks.
            states_version = lock.has_table(&schema_version).await?;
        }
        if !states_version {
            if !has_users || self.is_interrupted(lock, has_users).await? {
                return Ok(0);
            }
            return Err(self.corrupt(
                "has users but no table schema_version: it was made by SFTPGo 0.9.5 or older; \
                 apply the upgrade scripts of that release first",
            ));
        }
        let version = lock.number(self.stated_version("")).await?;
        if version.is_none() && self.is_interrupted(lock, has_users).await? {
            return Ok(0);
        }
        let version = self.usable(version)?;
        if has_users {
            return Ok(version);
        }
        let message = format!(
            "has no table {}; see data_provider.users_table",
            self.name()
        );
        Err(self.corrupt(&message))
    }

    fn stated_version(&self, for_update: &str) -> String {
        let quoted = TableName::schema_version().quoted(self.dialect.quote);
        format!("SELECT version FROM {quoted} ORDER BY id{for_update}")
    }

    fn usable(&self, version: Option<i64>) -> DataResult<i64> {
        let version = version.filter(|version| *version > 0);
        let version = version.ok_or_else(|| self.corrupt("states no version in schema_version"))?;
        self.check_known(version)?;
        Ok(version)
    }

    /// Whether the creation of the tables was interrupted: possible where it is not one transaction, and seen by the
    /// users' table that is not there, or has every column of the first version and not one user.
    async fn is_interrupted(&self, lock: &mut dyn SchemaLock, has_users: bool) -> DataResult<bool> {
        let Some(count) = self.dialect.count_column else {
            return Ok(false);
        };
        if !has_users {
            return Ok(true);
        }
        let quoted = self.table.quoted(self.dialect.quote);
        let users = lock
            .number(format!("SELECT COUNT(*) FROM {quoted}"))
            .await?;
        let filesystem = lock.number(count(self.table, "filesystem")).await?;
        Ok(users == Some(0) && filesystem == Some(1))
    }

    fn check_known(&self, version: i64) -> DataResult<()> {
        if MIGRATIONS
            .iter()
            .any(|migration| migration.version == version)
        {
            return Ok(());
        }
        let newest = MIGRATIONS.last().map_or(0, |migration| migration.version);
        let message = format!(
            "{} has schema version {version}, this program knows versions up to {newest}: \
             it was written by a newer or another program",
            self.location
        );
        Err(DataError::new(DataErrorKind::TooNew, message))
    }

    /// A table of that name need not be one of accounts.
    async fn check_columns(&self, lock: &mut dyn SchemaLock) -> DataResult<()> {
        let columns = COLUMNS.join(", ");
        let quoted = self.table.quoted(self.dialect.quote);
        let probe = lock
            .number(format!("SELECT {columns} FROM {quoted} WHERE 1 = 0"))
            .await;
        probe.map(drop).map_err(|error| {
            if error.kind() != DataErrorKind::Internal {
                return error;
            }
            let what = format!("table {} is not a table of SFTPGo users", self.name());
            let context = format!("{}: {what}", self.location);
            DataError::with_source(DataErrorKind::Corrupt, context, error)
        })
    }

    fn name(&self) -> String {
        self.table.quoted('"')
    }

    fn corrupt(&self, what: &str) -> DataError {
        DataError::new(DataErrorKind::Corrupt, format!("{} {what}", self.location))
    }
}
