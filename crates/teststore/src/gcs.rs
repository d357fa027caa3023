//! A Google Cloud Storage in this process: the JSON interface, <https://cloud.google.com/storage/docs/json_api/v1>, with what
//! gcp-storage-emulator lacks: pages, preconditions, tokens, uploads of any size of which little is kept.

mod answer;
mod asked;
mod dispatch;
mod object;
mod state;
mod upload;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio_util::sync::DropGuard;

use crate::content::{Data, Keeper};
use crate::{Requests, serve};
use state::{Object, Resource, State};

/// Objects of no more bytes are kept.
const KEEP_EACH: usize = 256 * 1024;
/// No more bytes are kept of all objects together.
const KEEP_ALL: usize = 64 * 1024 * 1024;

/// A running fake. Dropped, it ends with all connections.
#[derive(Debug)]
pub struct FakeGcs {
    address: SocketAddr,
    shared: Arc<Shared>,
    _end: DropGuard,
}

/// What its connections share.
#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    token: Option<&'static str>,
    /// Bytes of a chunk that are taken.
    takes: AtomicU64,
    state: Mutex<State>,
    keeper: Keeper,
    requests: Requests,
}

/// An object of [`FakeGcs`].
#[derive(Debug, Clone)]
pub struct FoundGcs {
    /// Its length.
    pub size: u64,
    /// The CRC-32 of its content; not what the store's own `crc32c` is.
    pub crc32: u32,
    /// Its content, if it was kept.
    pub content: Option<Bytes>,
    /// Its generation, which every upload changes.
    pub generation: u64,
    /// Its resource, as the store answers it.
    pub resource: serde_json::Value,
}

impl FakeGcs {
    /// Starts one. With a token, it refuses who does not show it.
    pub async fn start(token: Option<&'static str>) -> Self {
        let (listener, address) = serve::listen().await;
        let shared = Arc::new(Shared {
            address,
            token,
            takes: AtomicU64::new(u64::MAX),
            state: Mutex::default(),
            keeper: Keeper::new(KEEP_EACH, KEEP_ALL),
            requests: Requests::default(),
        });
        let answering = Arc::clone(&shared);
        let end = serve::each(listener, move |client| {
            let shared = Arc::clone(&answering);
            serve::serve(client, move |request| {
                dispatch::answer(Arc::clone(&shared), request)
            })
        });
        Self {
            address,
            shared,
            _end: end,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.shared.requests
    }

    /// Makes an empty bucket.
    pub fn make_bucket(&self, name: &str) {
        let mut state = self.shared.state.lock();
        state.buckets.entry(name.to_owned()).or_default();
    }

    /// Puts an object there, of as many bytes of the pattern.
    pub fn put_pattern(&self, bucket: &str, name: &str, size: u64) {
        let mut state = self.shared.state.lock();
        let generation = state.next();
        let objects = state.buckets.get_mut(bucket).expect("a bucket");
        let object = Object::new(Data::pattern(0, size), Resource::default(), generation);
        objects.insert(name.to_owned(), object);
    }

    /// Puts `count` empty objects there, named `prefix` and a number of six digits, from 0.
    pub fn fill(&self, bucket: &str, prefix: &str, count: u32) {
        for number in 0..count {
            self.put_pattern(bucket, &format!("{prefix}{number:06}"), 0);
        }
    }

    /// The object of this name, if there is one.
    #[must_use]
    pub fn object(&self, bucket: &str, name: &str) -> Option<FoundGcs> {
        let state = self.shared.state.lock();
        let object = state.buckets.get(bucket)?.get(name)?;
        Some(object.found(bucket, name))
    }

    /// All names of a bucket, in their order.
    #[must_use]
    pub fn names(&self, bucket: &str) -> Vec<String> {
        let state = self.shared.state.lock();
        let objects = state.buckets.get(bucket).expect("a bucket");
        objects.keys().cloned().collect()
    }

    /// From now on it takes no more than so many bytes of a chunk, a multiple of 256 KiB, as a store may that is busy.
    pub fn take_at_most(&self, bytes: u64) {
        self.shared.takes.store(bytes, Ordering::SeqCst);
    }

    /// How many resumable uploads were neither finished nor given up.
    #[must_use]
    pub fn uploads(&self) -> usize {
        self.shared.state.lock().uploads.len()
    }
}
