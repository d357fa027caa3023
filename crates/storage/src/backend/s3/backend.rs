//! [`S3Backend`]: what the S3 storages of a process share: connections, buffers, counters.

use std::sync::Arc;

use aws_sdk_s3::config::SharedHttpClient;

use super::super::object::{InUse, ObjectEngine, ObjectStorage};
use super::super::rest::Connections;
use super::client::client;
use super::settings::S3Settings;
use super::store::S3Store;
use super::trust::http_client;
use crate::counters::ObjectStoreCounters;
use crate::error::StorageResult;

/// Opens buckets. A clone is the same.
#[derive(Debug, Clone)]
pub struct S3Backend {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: ObjectEngine,
    counters: Arc<ObjectStoreCounters>,
    stores: InUse<S3Store>,
    connections: Connections<SharedHttpClient>,
}

impl S3Backend {
    /// Counts in `counters`, and shares buffers with whoever has the same `engine`.
    pub fn new(engine: ObjectEngine, counters: Arc<ObjectStoreCounters>) -> Self {
        Self {
            shared: Arc::new(Shared {
                engine,
                counters,
                stores: InUse::default(),
                connections: Connections::new(http_client),
            }),
        }
    }

    /// Opens what the settings name. Makes no call to the store.
    ///
    /// # Errors
    /// `Internal` if the certificate authorities are none.
    pub async fn open(&self, settings: &S3Settings) -> StorageResult<ObjectStorage> {
        let store = self.store(settings).await?;
        Ok(ObjectStorage::new(
            store,
            settings.objects.clone(),
            self.shared.engine.clone(),
            Arc::clone(&self.shared.counters),
        ))
    }

    async fn store(&self, settings: &S3Settings) -> StorageResult<Arc<S3Store>> {
        let fingerprint = settings.fingerprint();
        if let Some(store) = self.shared.stores.get(&fingerprint) {
            return Ok(store);
        }
        let authorities = settings.certificate_authorities.as_deref();
        let http = self.shared.connections.trusting(authorities).await?;
        let client = client(settings, http).await;
        let store = S3Store::new(client, settings);
        Ok(self.shared.stores.put(fingerprint, store))
    }
}
