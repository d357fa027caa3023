//! [`Connections`]: one client for all accounts that believe the same authorities.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::client::Http;
use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// Authorities of accounts that have connections kept for them; more than that open anew.
const TRUSTS: usize = 64;

/// The clients of a process.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    clients: Mutex<HashMap<Option<String>, Http>>,
}

impl Connections {
    /// The client for these certificate authorities (PEM), or for those of the machine.
    ///
    /// # Errors
    /// `Internal` if the authorities are none.
    pub(crate) async fn trusting(&self, authorities: Option<&str>) -> StorageResult<Http> {
        let key = authorities.map(str::to_owned);
        if let Some(http) = self.clients.lock().get(&key) {
            return Ok(http.clone());
        }
        let pem = key.clone();
        // Reading those of the machine takes a while.
        let made = tokio::task::spawn_blocking(move || Http::new(pem.as_deref()));
        let http = made.await.map_err(|error| {
            let context = "make a client of HTTP";
            StorageError::with_source(StorageErrorKind::Internal, context, error)
        })??;
        let mut clients = self.clients.lock();
        if clients.len() < TRUSTS {
            clients.insert(key, http.clone());
        }
        Ok(http)
    }
}
