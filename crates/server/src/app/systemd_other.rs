//! No service manager of this system speaks as systemd does.

use std::convert::Infallible;
use std::net::TcpListener;

use super::AppError;
use super::compose::App;

/// Listening sockets of the service manager: there are none.
#[derive(Debug, Default)]
pub struct InheritedSockets {
    /// For SSH.
    pub ssh: Option<TcpListener>,
    /// For HTTP.
    pub http: Option<TcpListener>,
}

/// Nobody is told anything.
#[derive(Debug)]
pub struct ServiceManager;

impl ServiceManager {
    /// Takes nothing.
    ///
    /// # Errors
    /// None.
    pub fn of_process() -> Result<Self, AppError> {
        Ok(Self)
    }

    pub(super) fn take_sockets(&mut self) -> InheritedSockets {
        InheritedSockets::default()
    }

    pub(super) async fn ready(&self, _app: &App) {}

    pub(super) async fn reloading(&self) {}

    pub(super) async fn stopping(&self) {}

    pub(super) async fn keep_informed(&self, _app: &App) -> Infallible {
        std::future::pending().await
    }
}
