//! The list of drivers. A new one is a row in [`open`] and [`initialize`].

use std::sync::Arc;

use sftpgo_model::UserRecord;

use crate::config::{DataProviderSettings, Driver};
use crate::error::DataResult;
use crate::kv::{MemoryProvider, bolt};
use crate::provider::DataProvider;
use crate::sql::{SchemaUpdate, SqlProvider, mysql, postgres, sqlite};

/// What [`initialize`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initialized {
    /// The database was empty and has its tables now.
    Created,
    /// The tables were those of an older version.
    Upgraded {
        /// The schema version before.
        from: i64,
        /// The schema version now.
        to: i64,
    },
    /// Nothing was to be done.
    UpToDate,
    /// This driver needs no preparation.
    NotRequired,
}

/// Opens the data provider that the settings name; databases are created and brought up to date.
///
/// `users` is what the memory provider begins with: read by [`crate::dump::load`] from the file of the settings and
/// validated by the caller. Other drivers leave it alone.
///
/// # Errors
/// `Corrupt` or `TooNew` if the database is not ours to use, `Unavailable` if it cannot be reached at present,
/// `Internal` if the settings or the rights of the database user are to be changed first.
pub async fn open(
    settings: &DataProviderSettings,
    users: Vec<UserRecord>,
) -> DataResult<Arc<dyn DataProvider>> {
    match settings.driver {
        Driver::Sqlite => Ok(Arc::new(sqlite::open(settings).await?.0)),
        Driver::Postgresql => Ok(Arc::new(postgres::open(settings).await?.0)),
        Driver::Mysql => Ok(Arc::new(mysql::open(settings).await?.0)),
        Driver::Memory => Ok(Arc::new(MemoryProvider::with_users(users)?)),
        Driver::Bolt => Ok(Arc::new(bolt::open(settings).await?.0)),
    }
}

/// Prepares the data provider without serving from it.
///
/// # Errors
/// As [`open`].
pub async fn initialize(settings: &DataProviderSettings) -> DataResult<Initialized> {
    match settings.driver {
        Driver::Sqlite => Ok(closed(sqlite::open(settings).await?).await),
        Driver::Postgresql => Ok(closed(postgres::open(settings).await?).await),
        Driver::Mysql => Ok(closed(mysql::open(settings).await?).await),
        Driver::Memory => Ok(Initialized::NotRequired),
        Driver::Bolt => {
            let (provider, found) = bolt::open(settings).await?;
            provider.close().await;
            Ok(match found {
                bolt::Found::Empty => Initialized::Created,
                bolt::Found::UpToDate => Initialized::UpToDate,
            })
        }
    }
}

async fn closed((provider, update): (SqlProvider, SchemaUpdate)) -> Initialized {
    provider.close().await;
    match (update.from, update.to) {
        (0, _) => Initialized::Created,
        (from, to) if from != to => Initialized::Upgraded { from, to },
        _ => Initialized::UpToDate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DataProviderConfig;

    fn settings(driver: &str) -> DataProviderSettings {
        let config = DataProviderConfig {
            driver: driver.to_owned(),
            name: "name".to_owned(),
            ..DataProviderConfig::default()
        };
        config.resolve("/nowhere".as_ref()).unwrap().0
    }

    #[tokio::test]
    async fn memory_begins_with_the_given_users_and_needs_no_preparation() {
        let user = UserRecord {
            username: "alice".to_owned(),
            ..UserRecord::default()
        };
        let provider = open(&settings("memory"), vec![user]).await.unwrap();
        assert!(provider.user_by_name("alice").await.unwrap().is_some());
        assert_eq!(
            initialize(&settings("memory")).await.unwrap(),
            Initialized::NotRequired
        );
    }
}
