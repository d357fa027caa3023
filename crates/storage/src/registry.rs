//! THE list of back ends: a new one is a folder in [`backend`](crate::backend) and a row here.

use std::sync::Arc;

use crate::backend::local::{self, LocalBackend};
use crate::backend::memory;
use crate::backend::object;
use crate::capability::Capabilities;
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
    // For tests; no account can ask for it.
    Row {
        name: "memory",
        capabilities: &memory::CAPABILITIES,
    },
];

/// What the back ends of one process share. A clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Backends {
    local: LocalBackend,
    counters: Arc<StoreCounters>,
}

impl Backends {
    /// Prepares every back end of the list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Directories of this machine.
    pub fn local(&self) -> &LocalBackend {
        &self.local
    }

    /// What back ends count of themselves.
    pub fn counters(&self) -> &StoreCounters {
        &self.counters
    }
}
