//! [`GcsBackend`]: what the Google storages of a process share: connections, buffers, counters.

use std::sync::Arc;

use super::super::object::{InUse, ObjectEngine, ObjectSettings, ObjectStorage};
use super::super::rest::{Connections, Http, context};
use super::settings::GcsSettings;
use super::store::GcsStore;
use super::upload::GRAIN;
use crate::counters::ObjectStoreCounters;
use crate::error::StorageResult;

/// Opens buckets of Google Cloud Storage. A clone is the same.
#[derive(Debug, Clone)]
pub struct GcsBackend {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: ObjectEngine,
    counters: Arc<ObjectStoreCounters>,
    stores: InUse<GcsStore>,
    connections: Connections<Http>,
}

impl GcsBackend {
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
    pub async fn open(&self, settings: &GcsSettings) -> StorageResult<ObjectStorage> {
        let store = self.store(settings).await?;
        let part_size = settings.objects.part_size.max(1);
        let objects = ObjectSettings {
            part_size: part_size.checked_next_multiple_of(GRAIN).unwrap_or(GRAIN),
            ..settings.objects.clone()
        };
        Ok(ObjectStorage::new(
            store,
            objects,
            self.shared.engine.clone(),
            Arc::clone(&self.shared.counters),
        ))
    }

    async fn store(&self, settings: &GcsSettings) -> StorageResult<Arc<GcsStore>> {
        let shared = &self.shared;
        let fingerprint = settings.fingerprint();
        if let Some(store) = shared.stores.get(&fingerprint) {
            return Ok(store);
        }
        let authorities = settings.certificate_authorities.as_deref();
        let http = shared.connections.trusting(authorities).await?;
        // Who gives credentials is not behind the endpoint, and has none of its authorities.
        let asking = context(&shared.connections.trusting(None).await?);
        let store = GcsStore::new(http, asking, settings)?;
        Ok(shared.stores.put(fingerprint, store))
    }
}
