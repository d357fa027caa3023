//! [`Connections`]: one client for all accounts that believe the same authorities.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// Authorities of accounts that have connections kept for them; more than that open anew.
const TRUSTS: usize = 64;

/// The clients of a process, of whatever library.
#[derive(Debug)]
pub(crate) struct Connections<C> {
    clients: Mutex<HashMap<Option<String>, C>>,
    make: fn(Option<&str>) -> StorageResult<C>,
}

impl<C: Clone + Send + 'static> Connections<C> {
    /// None so far; `make` makes one, and may take a while.
    pub(crate) fn new(make: fn(Option<&str>) -> StorageResult<C>) -> Self {
        Self {
            clients: Mutex::default(),
            make,
        }
    }

    /// The client for these certificate authorities (PEM), or for those of the machine.
    ///
    /// # Errors
    /// `Internal` if the authorities are none.
    pub(crate) async fn trusting(&self, authorities: Option<&str>) -> StorageResult<C> {
        let key = authorities.map(str::to_owned);
        if let Some(http) = self.clients.lock().get(&key) {
            return Ok(http.clone());
        }
        let (pem, make) = (key.clone(), self.make);
        // Reading those of the machine takes a while.
        let made = tokio::task::spawn_blocking(move || make(pem.as_deref()));
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
