//! An S3 in this process that keeps small objects only, and takes and serves those of any size.
//!
//! Of what is not kept it knows the length and the CRC-32. What equals the [`Pattern`](crate::Pattern) of its length is
//! served again all the same. It refuses what S3 refuses: parts that are too small or not there, a copy over 5 GiB, a
//! body that is not the one announced; with [`Settings::keys`], wrong signatures too.

mod answer;
mod asked;
mod bucket;
mod chunked;
mod dispatch;
mod list;
mod multipart;
mod object;
mod receive;
mod state;
mod verify;
mod xml;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio_util::sync::DropGuard;

use crate::content::{Content, Data, Keeper};
use crate::{Keys, Requests, serve};
use state::{Attributes, Object, State};

/// How a fake is to be.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Whose signatures it accepts; without, it looks at none.
    pub keys: Option<Keys>,
    /// The session token that belongs to these keys, which every request must then have.
    pub session_token: Option<&'static str>,
    /// Objects of no more bytes are kept.
    pub keep_each: usize,
    /// No more bytes are kept of all objects together.
    pub keep_all: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keys: None,
            session_token: None,
            keep_each: 256 * 1024,
            keep_all: 64 * 1024 * 1024,
        }
    }
}

/// A running fake. Dropped, it ends with all connections.
#[derive(Debug)]
pub struct FakeS3 {
    address: SocketAddr,
    shared: Arc<Shared>,
    _end: DropGuard,
}

/// What its connections share.
#[derive(Debug)]
struct Shared {
    settings: Settings,
    state: Mutex<State>,
    keeper: Keeper,
    requests: Requests,
}

/// An object.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its length.
    pub size: u64,
    /// The CRC-32 of its content.
    pub crc32: u32,
    /// Its content, if it was kept.
    pub content: Option<Bytes>,
    /// How many parts it was uploaded in; 0 if it was uploaded at once.
    pub parts: usize,
    /// The headers that were stored with it: name, in lower case, and value.
    pub headers: Vec<(String, String)>,
    /// Its storage class.
    pub storage_class: String,
}

/// A multipart upload that was neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The key of the object that would be.
    pub key: String,
    /// Parts that have come.
    pub parts: usize,
    /// Their bytes.
    pub bytes: u64,
    /// When it began.
    pub started: Timestamp,
}

impl FakeS3 {
    /// Starts one that accepts everybody.
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    /// Starts one.
    pub async fn with(settings: Settings) -> Self {
        let (listener, address) = serve::listen().await;
        let shared = Arc::new(Shared {
            settings,
            state: Mutex::default(),
            keeper: Keeper::new(settings.keep_each, settings.keep_all),
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

    /// What the settings of an account call the endpoint.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
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
    pub fn put_pattern(&self, bucket: &str, key: &str, size: u64) {
        let data = Data::pattern(0, size);
        self.put_data(bucket, key, data);
    }

    /// Puts `count` empty objects there, named `prefix` and a number of six digits, from 0.
    pub fn fill(&self, bucket: &str, prefix: &str, count: u32) {
        for number in 0..count {
            let data = Data {
                content: Content::Pattern(0),
                size: 0,
                crc32: 0,
            };
            self.put_data(bucket, &format!("{prefix}{number:06}"), data);
        }
    }

    fn put_data(&self, bucket: &str, key: &str, data: Data) {
        let mut state = self.shared.state.lock();
        let objects = state.buckets.get_mut(bucket).expect("a bucket");
        objects.insert(key.to_owned(), Object::new(data, Attributes::default(), 0));
    }

    /// The object of this key, if there is one.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<Found> {
        let state = self.shared.state.lock();
        state.buckets.get(bucket)?.get(key).map(Object::found)
    }

    /// All keys of a bucket, in their order.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let state = self.shared.state.lock();
        let objects = state.buckets.get(bucket).expect("a bucket");
        objects.keys().cloned().collect()
    }

    /// The multipart uploads of a bucket that were neither completed nor aborted.
    #[must_use]
    pub fn uploads(&self, bucket: &str) -> Vec<Stay> {
        let state = self.shared.state.lock();
        let uploads = state.uploads.values();
        uploads
            .filter(|upload| upload.bucket == bucket)
            .map(state::Upload::stay)
            .collect()
    }
}
