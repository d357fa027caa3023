//! The composition root: the only place that constructs the parts and connects them.

use std::path::PathBuf;

use crate::cli::user::Command as UserCommand;
use crate::config::Settings;
use crate::telemetry::LogHandle;

/// What `serve` needs besides the settings.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The settings file that was used, for the log.
    pub settings_file: Option<PathBuf>,
    /// The log, for a signal that asks to begin a new file.
    pub log: LogHandle,
}

/// Why a command failed, as shown to the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AppError(pub String);

/// Runs the server until it is told to stop.
///
/// # Errors
/// The server could not start, or stopped by itself.
pub async fn serve(settings: Settings, options: ServeOptions) -> Result<(), AppError> {
    let _ = (settings, options);
    Err(AppError("this build has no servers".into()))
}

/// Creates the schema of the data provider.
///
/// # Errors
/// The data provider cannot be reached or changed.
pub async fn init_provider(settings: Settings) -> Result<(), AppError> {
    let _ = settings;
    Err(AppError("this build has no data provider".into()))
}

/// Runs a `user` command against the data provider.
///
/// # Errors
/// The data provider cannot be reached, or refuses the change.
pub async fn manage_users(settings: Settings, command: UserCommand) -> Result<(), AppError> {
    let _ = (settings, command);
    Err(AppError("this build has no data provider".into()))
}
