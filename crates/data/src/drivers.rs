//! The list of drivers. A new one is a row in [`open`] and [`initialize`].

use std::sync::Arc;

use sftpgo_model::UserRecord;

use crate::config::{DataProviderSettings, Driver};
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::kv::MemoryProvider;
use crate::provider::DataProvider;
use crate::sql::sqlite;

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
/// `Corrupt` or `TooNew` if the database is not ours to use, `Unavailable` if it cannot be reached, `Internal` if the
/// driver does not exist yet.
pub async fn open(
    settings: &DataProviderSettings,
    users: Vec<UserRecord>,
) -> DataResult<Arc<dyn DataProvider>> {
    match settings.driver {
        Driver::Sqlite => Ok(Arc::new(sqlite::open(settings).await?.0)),
        Driver::Memory => Ok(Arc::new(MemoryProvider::with_users(users)?)),
        Driver::Postgresql | Driver::Mysql | Driver::Bolt => Err(not_built(settings.driver)),
    }
}

/// Prepares the data provider without serving from it.
///
/// # Errors
/// As [`open`].
pub async fn initialize(settings: &DataProviderSettings) -> DataResult<Initialized> {
    match settings.driver {
        Driver::Sqlite => {
            let (provider, update) = sqlite::open(settings).await?;
            provider.close().await;
            Ok(match (update.from, update.to) {
                (0, _) => Initialized::Created,
                (from, to) if from != to => Initialized::Upgraded { from, to },
                _ => Initialized::UpToDate,
            })
        }
        Driver::Memory => Ok(Initialized::NotRequired),
        Driver::Postgresql | Driver::Mysql | Driver::Bolt => Err(not_built(settings.driver)),
    }
}

fn not_built(driver: Driver) -> DataError {
    let message = format!(
        "data_provider.driver: {} is not available in this release; use sqlite or memory",
        driver.name()
    );
    DataError::new(DataErrorKind::Internal, message)
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
    async fn a_driver_that_is_not_built_names_the_setting_and_what_works() {
        for driver in ["postgresql", "mysql", "bolt"] {
            let opened = open(&settings(driver), Vec::new())
                .await
                .unwrap_err()
                .to_string();
            let initialized = initialize(&settings(driver)).await.unwrap_err().to_string();
            for text in ["data_provider.driver", driver, "sqlite", "memory"] {
                assert!(
                    opened.contains(text) && initialized.contains(text),
                    "{opened}"
                );
            }
        }
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
