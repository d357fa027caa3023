//! [`AzureBackend`]: what the Azure storages of a process share: connections, buffers, counters.

use std::sync::Arc;

use super::super::object::{InUse, ObjectEngine, ObjectStorage};
use super::super::rest::{Connections, Http};
use super::settings::AzureSettings;
use super::store::AzureStore;
use crate::counters::ObjectStoreCounters;
use crate::error::StorageResult;

/// Opens containers of Azure Blob Storage. A clone is the same.
#[derive(Debug, Clone)]
pub struct AzureBackend {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: ObjectEngine,
    counters: Arc<ObjectStoreCounters>,
    stores: InUse<AzureStore>,
    connections: Connections<Http>,
}

impl AzureBackend {
    /// Counts in `counters`, and shares buffers with whoever has the same `engine`.
    pub fn new(engine: ObjectEngine, counters: Arc<ObjectStoreCounters>) -> Self {
        Self {
            shared: Arc::new(Shared {
                engine,
                counters,
                stores: InUse::default(),
                connections: Connections::new(Http::new),
            }),
        }
    }

    /// Opens what the settings name. Makes no call to the store.
    ///
    /// # Errors
    /// `Internal` if the settings are none that can be used.
    pub async fn open(&self, settings: &AzureSettings) -> StorageResult<ObjectStorage> {
        let store = self.store(settings).await?;
        Ok(ObjectStorage::new(
            store,
            settings.objects.clone(),
            self.shared.engine.clone(),
            Arc::clone(&self.shared.counters),
        ))
    }

    async fn store(&self, settings: &AzureSettings) -> StorageResult<Arc<AzureStore>> {
        let shared = &self.shared;
        let fingerprint = settings.fingerprint();
        if let Some(store) = shared.stores.get(&fingerprint) {
            return Ok(store);
        }
        let authorities = settings.certificate_authorities.as_deref();
        let http = shared.connections.trusting(authorities).await?;
        Ok(shared
            .stores
            .put(fingerprint, AzureStore::new(http, settings)?))
    }
}
