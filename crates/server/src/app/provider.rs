//! Opening the data provider that the settings name, reading the users of one in memory, and creating schemas.

use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use sftpgo_core::admin::{AccountDirectories, prepared};
use sftpgo_core::auth::PasswordHasher;
use sftpgo_core::model::UserRecord;
use sftpgo_data::config::{DataProviderSettings, Driver};
use sftpgo_data::{DataErrorKind, DataProvider, DataResult, Initialized, MemoryProvider};
use tokio::time::{Instant, sleep};

use super::AppError;
use crate::config::Settings;

/// How long a server that starts waits for its database server, which may be starting too.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often it says so.
const REMINDER: Duration = Duration::from_secs(15);

/// An open data provider.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) provider: Arc<dyn DataProvider>,
    /// The same, if it is the one in memory, whose users can be read again.
    pub(super) memory: Option<MemoryUsers>,
}

/// Opens the data provider for serving; waits for a database server that cannot be reached at present, but not for one
/// that refuses.
pub(super) async fn open_patiently(settings: &DataProviderSettings) -> Result<Opened, AppError> {
    match settings.driver {
        Driver::Postgresql | Driver::Mysql => {
            let opened = patiently(PATIENCE, INTERVAL, async || {
                sftpgo_data::open(settings, Vec::new()).await
            });
            let provider = opened
                .await
                .map_err(|error| unusable(settings.driver, &error))?;
            Ok(Opened {
                provider,
                memory: None,
            })
        }
        Driver::Sqlite | Driver::Bolt | Driver::Memory => open(settings).await,
    }
}

/// Tries again what is unavailable, until it succeeds, fails in another way, or `patience` is at its end.
async fn patiently<T>(
    patience: Duration,
    interval: Duration,
    attempt: impl AsyncFn() -> DataResult<T>,
) -> Result<T, String> {
    let began = Instant::now();
    let mut reminded: Option<Instant> = None;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if error.kind() != DataErrorKind::Unavailable {
            return Err(error.to_string());
        }
        let seconds = patience.as_secs();
        if began.elapsed() + interval > patience {
            return Err(format!("waited {seconds} s in vain: {error}"));
        }
        if reminded.is_none_or(|at| at.elapsed() >= REMINDER) {
            reminded = Some(Instant::now());
            tracing::warn!(
                sender = "service",
                "waiting up to {seconds} s for the database: {error}"
            );
        }
        sleep(interval).await;
    }
}

/// Opens the data provider; one in memory begins with the users of its dump file.
pub(super) async fn open(settings: &DataProviderSettings) -> Result<Opened, AppError> {
    let fail = |error| unusable(settings.driver, &error);
    if settings.driver != Driver::Memory {
        let provider = sftpgo_data::open(settings, Vec::new())
            .await
            .map_err(fail)?;
        return Ok(Opened {
            provider,
            memory: None,
        });
    }
    let users = load_users(settings).await?;
    let provider = Arc::new(MemoryProvider::with_users(users).map_err(fail)?);
    Ok(Opened {
        provider: Arc::clone(&provider) as Arc<dyn DataProvider>,
        memory: Some(MemoryUsers {
            provider,
            settings: settings.clone(),
        }),
    })
}

/// The users of a data provider in memory, and where they came from.
#[derive(Debug)]
pub(super) struct MemoryUsers {
    provider: Arc<MemoryProvider>,
    settings: DataProviderSettings,
}

impl MemoryUsers {
    /// Reads the dump file again and replaces all users at once; gives their number. Ids, used quotas and last logins
    /// of those who stay are kept. `None` if no file is named.
    ///
    /// # Errors
    /// The file cannot be read, or a user in it is not valid; then nothing changed.
    pub(super) async fn reload(&self) -> Result<Option<usize>, AppError> {
        if self.settings.file.is_none() {
            return Ok(None);
        }
        let users = load_users(&self.settings).await?;
        let count = users.len();
        let replaced = self.provider.replace_users(users);
        replaced.map_err(|error| unusable(Driver::Memory, &error))?;
        Ok(Some(count))
    }
}

fn unusable(driver: Driver, error: &dyn std::fmt::Display) -> AppError {
    AppError(format!(
        "cannot use the data provider ({}): {error}",
        driver.name()
    ))
}

/// Reads the users of the memory provider and prepares them as REST would. A user that is not valid makes all of it
/// fail: leaving it out would lock somebody out without a word.
async fn load_users(settings: &DataProviderSettings) -> Result<Vec<UserRecord>, AppError> {
    let Some(path) = settings.file.clone() else {
        return Ok(Vec::new());
    };
    let file = path.clone();
    let loaded = tokio::task::spawn_blocking(move || sftpgo_data::dump::load(&file)).await;
    let users = loaded.map_err(AppError::new)?;
    let users = users.map_err(|error| unusable(Driver::Memory, &error))?;
    let hasher = PasswordHasher::new();
    let directories = directories(settings);
    let prepared = users
        .into_iter()
        .map(|user| prepare(user, &directories, &hasher, &path));
    // Plain passwords take a while; no more of them at a time than the hasher computes.
    let at_a_time = available_parallelism().map_or(2, usize::from);
    let prepared = futures_util::stream::iter(prepared).buffered(at_a_time);
    prepared.try_collect().await
}

async fn prepare(
    user: UserRecord,
    directories: &AccountDirectories,
    hasher: &PasswordHasher,
    file: &Path,
) -> Result<UserRecord, AppError> {
    let name = user.username.clone();
    let prepared = prepared(user, directories, hasher).await;
    prepared.map_err(|error| {
        let message = format!("{}: user {name:?}: {error}", file.display());
        unusable(Driver::Memory, &message)
    })
}

/// Where the server keeps what records do not say.
pub(super) fn directories(settings: &DataProviderSettings) -> AccountDirectories {
    AccountDirectories {
        users_base_dir: settings.users_base_dir.clone(),
        credentials_dir: settings.credentials_dir.clone(),
    }
}

/// Creates or upgrades the schema of the data provider.
///
/// # Errors
/// The data provider cannot be reached or changed.
pub async fn init_provider(settings: &Settings) -> Result<(), AppError> {
    let settings = &settings.data_provider;
    let driver = settings.driver.name();
    let done = sftpgo_data::initialize(settings)
        .await
        .map_err(|error| unusable(settings.driver, &error))?;
    match done {
        Initialized::Created => {
            tracing::info!(sender = "initprovider", "{driver}: the schema was created");
        }
        Initialized::Upgraded { from, to } => tracing::info!(
            sender = "initprovider",
            "{driver}: the schema was brought from version {from} to {to}"
        ),
        Initialized::UpToDate => tracing::info!(
            sender = "initprovider",
            "{driver}: the schema is there and up to date, nothing was changed"
        ),
        Initialized::NotRequired => tracing::warn!(
            sender = "initprovider",
            "{driver}: this data provider needs no initialization"
        ),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use sftpgo_data::DataError;

    use super::*;

    async fn attempts(kinds: &[DataErrorKind]) -> (Result<(), String>, u32) {
        let count = AtomicU32::new(0);
        let done = patiently(
            Duration::from_millis(20),
            Duration::from_millis(1),
            async || {
                let index = count.fetch_add(1, Ordering::Relaxed);
                match kinds.get(index as usize) {
                    Some(kind) => Err(DataError::new(*kind, "no answer from the database")),
                    None => Ok(()),
                }
            },
        );
        (done.await, count.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn what_is_unavailable_is_waited_for() {
        let unavailable = DataErrorKind::Unavailable;
        assert_eq!(attempts(&[unavailable, unavailable]).await, (Ok(()), 3));
    }

    #[tokio::test]
    async fn what_is_refused_is_not_waited_for() {
        let (done, count) = attempts(&[DataErrorKind::Internal]).await;
        assert_eq!((done.is_err(), count), (true, 1));
    }

    #[tokio::test]
    async fn waiting_ends_with_the_reason() {
        let (done, count) = attempts(&[DataErrorKind::Unavailable; 1000]).await;
        let message = done.unwrap_err();
        assert!(message.contains("no answer from the database"), "{message}");
        assert!(message.contains("in vain") && count > 1, "{message}");
    }
}
