//! Brings the schema of a database up to date, or says why it cannot be used (reference 5.3).

use super::dialect::Dialect;
use super::engine::{SchemaLock, SqlEngine};
use super::migration::{MIGRATIONS, Migration};
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

/// Creates the tables or applies what is missing, in one transaction that shuts other processes out.
pub(crate) async fn update(engine: &dyn SqlEngine, table: &TableName) -> DataResult<SchemaUpdate> {
    let dialect = engine.dialect();
    let mut lock = engine.lock_schema().await?;
    let place = Place {
        location: engine.location(),
        dialect,
        table,
    };
    let from = place.version(lock.as_mut()).await?;
    let mut to = from;
    for migration in pending(from) {
        for sql in (migration.statements)(dialect, table) {
            lock.execute(sql).await?;
        }
        to = migration.version;
    }
    if to != from {
        let quoted = TableName::schema_version().quoted(dialect.quote);
        lock.execute(format!("UPDATE {quoted} SET version = {to}"))
            .await?;
        place.check_columns(lock.as_mut()).await?;
        lock.commit().await?;
        tracing::info!(from, to, "schema of the data provider updated");
    } else {
        place.check_columns(lock.as_mut()).await?;
    }
    Ok(SchemaUpdate { from, to })
}

fn pending(from: i64) -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS
        .iter()
        .filter(move |migration| migration.version > from)
}

/// The database that is looked at.
struct Place<'a> {
    location: &'a str,
    dialect: &'static Dialect,
    table: &'a TableName,
}

impl Place<'_> {
    /// The version that `schema_version` states, 0 for an empty database.
    async fn version(&self, lock: &mut dyn SchemaLock) -> DataResult<i64> {
        let schema_version = TableName::schema_version();
        let has_users = lock.has_table(self.table).await?;
        if !lock.has_table(&schema_version).await? {
            return match has_users {
                false => Ok(0),
                true => Err(self.corrupt(
                    "has users but no table schema_version: it was made by SFTPGo 0.9.5 or older; \
                     apply the upgrade scripts of that release first",
                )),
            };
        }
        let quoted = schema_version.quoted(self.dialect.quote);
        let version = lock
            .number(format!("SELECT version FROM {quoted} ORDER BY id"))
            .await?;
        let version = version.filter(|version| *version > 0);
        let version = version.ok_or_else(|| self.corrupt("states no version in schema_version"))?;
        self.check_known(version)?;
        if has_users {
            return Ok(version);
        }
        let message = format!(
            "has no table {}; see data_provider.users_table",
            self.name()
        );
        Err(self.corrupt(&message))
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
