//! Objects that somebody keeps an eye on: whether this process has ended them meanwhile.
//!
//! A store keeps nothing for us. So a pin is what was found when it was made, and is told when something here removes or
//! replaces the object; what others do to it is seen by whoever acts, who looks again and compares identities
//! ([`Expected`](crate::Expected)).

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::error::StorageResult;
use crate::metadata::Metadata;
use crate::storage::Pinned;

type Table = Mutex<HashMap<String, Vec<Weak<Mutex<Metadata>>>>>;

/// The pins of one storage, by key.
#[derive(Debug, Clone, Default)]
pub(super) struct Pins(Arc<Table>);

impl Pins {
    /// Keeps an eye on what was just found at a key.
    pub(super) fn keep(&self, key: &str, found: Metadata) -> ObjectPin {
        let metadata = Arc::new(Mutex::new(found));
        let mut table = self.0.lock();
        let pins = table.entry(key.to_owned()).or_default();
        pins.push(Arc::downgrade(&metadata));
        ObjectPin {
            metadata,
            key: key.to_owned(),
            table: Arc::clone(&self.0),
        }
    }

    /// Says that what was at a key is gone, or is another now.
    pub(super) fn ended(&self, key: &str) {
        let Some(pins) = self.0.lock().remove(key) else {
            return;
        };
        for pin in pins.iter().filter_map(Weak::upgrade) {
            pin.lock().links = 0;
        }
    }
}

/// What was at a key. Dropping it, deliberately, takes it off the table.
#[derive(Debug)]
pub(super) struct ObjectPin {
    metadata: Arc<Mutex<Metadata>>,
    key: String,
    table: Arc<Table>,
}

#[async_trait]
impl Pinned for ObjectPin {
    async fn stat(&self) -> StorageResult<Metadata> {
        Ok(*self.metadata.lock())
    }
}

impl Drop for ObjectPin {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        let Some(pins) = table.get_mut(&self.key) else {
            return;
        };
        let own = Arc::as_ptr(&self.metadata);
        pins.retain(|pin| !std::ptr::eq(pin.as_ptr(), own));
        if pins.is_empty() {
            table.remove(&self.key);
        }
    }
}

/// What an upload has become: nothing yet, a file, or nothing for ever.
#[derive(Debug)]
pub(super) struct UploadPin(Mutex<Metadata>);

impl UploadPin {
    pub(super) fn new(metadata: Metadata) -> Self {
        Self(Mutex::new(metadata))
    }

    pub(super) fn set(&self, metadata: Metadata) {
        *self.0.lock() = metadata;
    }

    pub(super) fn get(&self) -> Metadata {
        *self.0.lock()
    }
}

#[async_trait]
impl Pinned for UploadPin {
    async fn stat(&self) -> StorageResult<Metadata> {
        Ok(self.get())
    }
}
