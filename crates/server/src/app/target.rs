//! [`Target`]: what a command works on.

use sftpgo_client::{Client, ClientSettings};

use super::AppError;
use crate::config::Settings;

/// What a command works on.
#[derive(Debug)]
pub enum Target {
    /// The data provider of these settings, without a server or beside one.
    Provider(Box<Settings>),
    /// A running server, over its REST API.
    Server(Box<ClientSettings>),
}

/// A client of a server, which asks nobody yet.
pub(super) async fn client(server: ClientSettings) -> Result<Client, AppError> {
    // Reading the authorities of the machine takes a while.
    let made = tokio::task::spawn_blocking(move || Client::new(server)).await;
    let made = made.map_err(AppError::new)?;
    made.map_err(|error| AppError(format!("the certificates to believe (--ca-file): {error}")))
}
