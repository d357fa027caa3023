//! THE list of back ends: a new one is a folder in [`backend`](crate::backend) and a row here.

use std::sync::Arc;

use crate::backend::azblob::AzureBackend;
use crate::backend::gcs::GcsBackend;
use crate::backend::local::{self, LocalBackend};
use crate::backend::memory;
use crate::backend::object::{self, ObjectEngine};
use crate::backend::s3::S3Backend;
use crate::capability::Capabilities;
use crate::config::ObjectStoresSettings;
use crate::counters::StoreCounters;

/// One back end of the list.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name in documents and logs.
    pub name: &'static str,
    /// What it can do.
    pub capabilities: &'static Capabilities,
}

/// Every back end.
pub const BACKENDS: &[Row] = &[
    Row {
        name: "local",
        capabilities: &local::CAPABILITIES,
    },
    Row {
        name: "s3",
        capabilities: &object::CAPABILITIES,
    },
    Row {
        name: "gcs",
        capabilities: &object::CAPABILITIES,
    },
    Row {
        name: "azblob",
        capabilities: &object::CAPABILITIES,
    },
    // For tests; no account can ask for it.
    Row {
        name: "memory",
        capabilities: &memory::CAPABILITIES,
    },
];

/// What the back ends of one process share. A clone is the same.
#[derive(Debug, Clone)]
pub struct Backends {
    local: LocalBackend,
    s3: S3Backend,
    gcs: GcsBackend,
    azblob: AzureBackend,
    counters: Arc<StoreCounters>,
}

impl Default for Backends {
    fn default() -> Self {
        Self::with(&ObjectStoresSettings::default())
    }
}

impl Backends {
    /// Prepares every back end of the list, with the default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Prepares every back end of the list. Object stores have one pool of buffers together, and work on the runtime of the
    /// caller.
    pub fn with(object_stores: &ObjectStoresSettings) -> Self {
        let counters = Arc::<StoreCounters>::default();
        let engine = ObjectEngine::of(object_stores);
        Self {
            local: LocalBackend::default(),
            s3: S3Backend::new(engine.clone(), Arc::clone(&counters.s3)),
            gcs: GcsBackend::new(engine.clone(), Arc::clone(&counters.gcs)),
            azblob: AzureBackend::new(engine, Arc::clone(&counters.azblob)),
            counters,
        }
    }

    /// Directories of this machine.
    pub fn local(&self) -> &LocalBackend {
        &self.local
    }

    /// Buckets of S3 and what speaks like it.
    pub fn s3(&self) -> &S3Backend {
        &self.s3
    }

    /// Buckets of Google Cloud Storage.
    pub fn gcs(&self) -> &GcsBackend {
        &self.gcs
    }

    /// Containers of Azure Blob Storage.
    pub fn azblob(&self) -> &AzureBackend {
        &self.azblob
    }

    /// What back ends count of themselves.
    pub fn counters(&self) -> &StoreCounters {
        &self.counters
    }
}
