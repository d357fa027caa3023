//! Opening the data provider that the settings name, and creating its schema.

use std::sync::Arc;

use sftpgo_core::model::UserRecord;
use sftpgo_core::model::user::UserRules;
use sftpgo_data::config::{DataProviderSettings, Driver};
use sftpgo_data::{DataProvider, Initialized};

use super::AppError;
use crate::config::Settings;

/// Opens the data provider; one in memory begins with the users of its dump file.
pub(super) async fn open(
    settings: &DataProviderSettings,
) -> Result<Arc<dyn DataProvider>, AppError> {
    let mut users = Vec::new();
    if settings.driver == Driver::Memory {
        let settings = settings.clone();
        let loaded = tokio::task::spawn_blocking(move || load_dump(&settings)).await;
        users = loaded.map_err(AppError::new)??;
    }
    let opened = sftpgo_data::open(settings, users).await;
    opened.map_err(|error| unusable(settings.driver, &error))
}

fn unusable(driver: Driver, error: &dyn std::fmt::Display) -> AppError {
    AppError(format!(
        "cannot use the data provider ({}): {error}",
        driver.name()
    ))
}

/// Reads and checks the users of the memory provider. A user that is not valid stops the start: leaving it out would
/// lock somebody out without a word.
fn load_dump(settings: &DataProviderSettings) -> Result<Vec<UserRecord>, AppError> {
    let Some(path) = &settings.file else {
        return Ok(Vec::new());
    };
    let fail = |error: &dyn std::fmt::Display| unusable(Driver::Memory, error);
    let users = sftpgo_data::dump::load(path).map_err(|error| fail(&error))?;
    let rules = UserRules {
        users_base_dir: settings.users_base_dir.clone(),
        has_gcs_credentials: false,
    };
    let checked = users.into_iter().map(|user| {
        let name = user.username.clone();
        user.validate(&rules)
            .map_err(|error| fail(&format!("{}: user {name:?}: {error}", path.display())))
    });
    checked.collect()
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
