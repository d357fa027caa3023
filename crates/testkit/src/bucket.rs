//! [`Bucket`]: a home in an object store that somebody else wrote.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use sftpgo_teststore::{Call, Dialect, Emulator, Keys, Product, azurite, encode_key, gcs, moto};

/// Keys of every home begin with this.
const PREFIX: &str = "homes/one/";

/// A kind of store that accounts can have their home in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// S3, served by moto.
    S3,
    /// Google Cloud Storage, served by gcp-storage-emulator.
    Gcs,
    /// Azure Blob Storage, served by azurite.
    Azure,
}

impl StoreKind {
    /// Every kind: tests that are about all of them go through this list.
    pub const ALL: &'static [Self] = &[Self::S3, Self::Gcs, Self::Azure];

    /// The name of its back end in the list of the product.
    #[must_use]
    pub fn back_end(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Azure => "azblob",
        }
    }

    /// Whether a name that is text can be one in this store.
    #[must_use]
    pub fn holds(self, name: &str) -> bool {
        match self {
            Self::S3 | Self::Gcs => true,
            // It takes the one for a slash, and drops the other.
            Self::Azure => !name.contains('\\') && !name.ends_with('.'),
        }
    }

    /// Names that are more than a listing gets at once; fewer where the emulator knows no pages, and has trouble with many.
    #[must_use]
    pub fn many(self) -> usize {
        match self {
            Self::S3 | Self::Azure => 1_100,
            Self::Gcs => 200,
        }
    }

    /// The emulator that serves it, for a test that wants one of its own.
    #[must_use]
    pub fn product(self) -> Product {
        match self {
            Self::S3 => Product::Moto,
            Self::Gcs => Product::Gcs,
            Self::Azure => Product::Azurite,
        }
    }

    fn emulator(self) -> Arc<Emulator> {
        match self {
            Self::S3 => moto(),
            Self::Gcs => gcs(),
            Self::Azure => azurite(),
        }
    }

    /// What an account says to have its home below [`PREFIX`] of a bucket.
    fn filesystem(self, endpoint: &str, keys: Keys, bucket: &str) -> Value {
        match self {
            Self::S3 => s3_filesystem(endpoint, keys, bucket),
            Self::Gcs => json!({
                "provider": 2,
                "gcsconfig": {
                    "bucket": bucket,
                    "key_prefix": PREFIX,
                    "endpoint": endpoint,
                    // As small as those of the others.
                    "upload_part_size": 5,
                },
            }),
            Self::Azure => json!({
                "provider": 3,
                "azblobconfig": {
                    "container": bucket,
                    "key_prefix": PREFIX,
                    "endpoint": endpoint,
                    "account_name": keys.id,
                    "account_key": keys.secret,
                    "use_emulator": true,
                },
            }),
        }
    }
}

/// The `filesystem` of an account whose home is in a bucket of S3, below a prefix.
#[must_use]
pub fn s3_filesystem(endpoint: &str, keys: Keys, bucket: &str) -> Value {
    json!({
        "provider": 1,
        "s3config": {
            "bucket": bucket,
            "key_prefix": PREFIX,
            "region": "us-east-1",
            "endpoint": endpoint,
            "access_key": keys.id,
            "access_secret": keys.secret,
        },
    })
}

/// A bucket of its own in the emulator that the tests of a process share, and a home in it.
#[derive(Debug)]
pub struct Bucket {
    kind: StoreKind,
    emulator: Arc<Emulator>,
    name: String,
}

impl Bucket {
    /// An empty one. The first blocks for some seconds, in which the emulator starts.
    pub async fn new(kind: StoreKind) -> Self {
        Self::of(kind, kind.emulator()).await
    }

    /// One in an emulator that the test has for itself.
    pub async fn of(kind: StoreKind, emulator: Arc<Emulator>) -> Self {
        let name = emulator.bucket().await;
        Self {
            kind,
            emulator,
            name,
        }
    }

    /// What kind of store it is in.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        self.kind
    }

    /// The name of the bucket.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The emulator.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// The `filesystem` of an account that has its home here.
    #[must_use]
    pub fn filesystem(&self) -> Value {
        self.filesystem_by(self.emulator.address())
    }

    /// The same by way of a proxy.
    #[must_use]
    pub fn filesystem_by(&self, address: SocketAddr) -> Value {
        let endpoint = self.emulator.endpoint(address);
        self.kind
            .filesystem(&endpoint, self.emulator.keys(), &self.name)
    }

    /// Puts a file into the home as another program might have. A name that ends with `/` is the marker of a directory.
    pub async fn put(&self, path: &str, content: &[u8]) {
        let key = format!("{PREFIX}{path}");
        self.emulator.put(&self.name, &key, content.to_vec()).await;
    }

    /// A file of the home, past the server.
    pub async fn content(&self, path: &str) -> Option<Vec<u8>> {
        let key = format!("{PREFIX}{path}");
        let content = self.emulator.content(&self.name, &key).await;
        content.map(|content| content.to_vec())
    }

    /// The keys of the home, without the prefix, sorted.
    pub async fn keys(&self) -> Vec<String> {
        let mut keys = match self.emulator.product().dialect() {
            Dialect::S3 => self.s3_keys().await,
            Dialect::Gcs => self.gcs_keys().await,
            Dialect::Azure => self.azure_keys().await,
        };
        keys.retain_mut(|key| match key.strip_prefix(PREFIX) {
            Some(rest) => {
                *key = rest.to_owned();
                true
            }
            None => false,
        });
        keys.sort();
        keys
    }

    /// The keys of uploads that were begun and neither ended nor given up, where the store tells.
    pub async fn open_uploads(&self) -> Vec<String> {
        match self.emulator.product().dialect() {
            Dialect::S3 => {
                let call = Call::new("GET", format!("/{}?uploads=", self.name));
                let text = self.emulator.call(call).await.succeeded().text();
                elements(&text, "Key")
            }
            // Neither tells: Google's uploads have a name that only their owner knows, Azure's blocks belong to no upload.
            Dialect::Gcs | Dialect::Azure => Vec::new(),
        }
    }

    async fn s3_keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut next = String::new();
        loop {
            // In the order that signatures want.
            let target = if next.is_empty() {
                format!("/{}?list-type=2", self.name)
            } else {
                let token = encode_key(&next).replace('/', "%2F");
                format!("/{}?continuation-token={token}&list-type=2", self.name)
            };
            let text = self.emulator.call(Call::new("GET", target)).await;
            let text = text.succeeded().text();
            keys.extend(elements(&text, "Key"));
            match elements(&text, "NextContinuationToken").pop() {
                Some(token) => next = token,
                None => return keys,
            }
        }
    }

    async fn gcs_keys(&self) -> Vec<String> {
        let call = Call::new("GET", format!("/storage/v1/b/{}/o", self.name));
        let text = self.emulator.call(call).await.succeeded().text();
        let page: Value = serde_json::from_str(&text).unwrap();
        let items = page.get("items").and_then(Value::as_array);
        let names = items.into_iter().flatten().map(|item| item.get("name"));
        names
            .map(|name| name.and_then(Value::as_str).unwrap().to_owned())
            .collect()
    }

    async fn azure_keys(&self) -> Vec<String> {
        let root = self.emulator.keys().id;
        let target = format!("/{root}/{}?restype=container&comp=list", self.name);
        let text = self.emulator.call(Call::new("GET", target)).await;
        elements(&text.succeeded().text(), "Name")
    }
}

/// The texts of all elements of a name, which have nothing in them but text.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let texts = xml
        .split(&begin)
        .skip(1)
        .filter_map(|rest| rest.split_once(&end));
    texts.map(|(text, _)| unescaped(text)).collect()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}
