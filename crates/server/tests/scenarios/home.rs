//! Where the account has its home, and what is in it, seen past the server.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use futures_util::StreamExt as _;
use sftpgo_storage::Capabilities;
use sftpgo_storage::registry::BACKENDS;
use sftpgo_testkit::{Account, Bucket, StoreKind, TestServer, Usage, usage};

/// A kind of home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// A directory of the server.
    Disk,
    /// In an object store.
    Store(StoreKind),
}

/// The home of one account.
pub(crate) enum Place {
    Disk(PathBuf),
    Store(Bucket),
}

impl Home {
    /// Every kind.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let stores = StoreKind::ALL.iter().map(|kind| Self::Store(*kind));
        std::iter::once(Self::Disk).chain(stores)
    }

    pub(crate) fn capabilities(self) -> &'static Capabilities {
        let name = match self {
            Self::Disk => "local",
            Self::Store(kind) => kind.back_end(),
        };
        let row = BACKENDS.iter().find(|row| row.name == name);
        row.unwrap().capabilities
    }

    pub(crate) fn holds(self, name: &str) -> bool {
        match self {
            Self::Disk => true,
            Self::Store(kind) => kind.holds(name),
        }
    }

    /// An empty home, and the account with it.
    pub(crate) async fn make(self, server: &TestServer, account: Account) -> (Place, Account) {
        match self {
            Self::Disk => {
                let home = server.home(account.name());
                fs::create_dir(&home).unwrap();
                (Place::Disk(home), account)
            }
            Self::Store(kind) => {
                let bucket = Bucket::new(kind).await;
                let account = account.with("filesystem", bucket.filesystem());
                (Place::Store(bucket), account)
            }
        }
    }
}

impl Place {
    pub(crate) async fn make(&self, path: &str, content: &[u8]) {
        match self {
            Self::Disk(home) => fs::write(home.join(path), content).unwrap(),
            Self::Store(bucket) => bucket.put(path, content).await,
        }
    }

    pub(crate) async fn make_all(&self, paths: impl Iterator<Item = String>) {
        let making = paths.map(|path| async move { self.make(&path, b"").await });
        futures_util::stream::iter(making)
            .buffer_unordered(8)
            .collect::<()>()
            .await;
    }

    pub(crate) async fn make_dir(&self, path: &str) {
        match self {
            Self::Disk(home) => fs::create_dir_all(home.join(path)).unwrap(),
            Self::Store(bucket) => {
                let ends = path.match_indices('/').map(|(end, _)| end);
                for end in ends.chain([path.len()]) {
                    bucket.put(&format!("{}/", &path[..end]), b"").await;
                }
            }
        }
    }

    pub(crate) async fn content(&self, path: &str) -> Option<Vec<u8>> {
        match self {
            Self::Disk(home) => fs::read(home.join(OsStr::from_bytes(path.as_bytes()))).ok(),
            Self::Store(bucket) => bucket.content(path).await,
        }
    }

    pub(crate) async fn names(&self) -> Vec<String> {
        let names: BTreeSet<String> = match self {
            Self::Disk(home) => {
                let entries = fs::read_dir(home).unwrap();
                let names = entries.map(|entry| entry.unwrap().file_name());
                names
                    .map(|name| name.to_string_lossy().into_owned())
                    .collect()
            }
            Self::Store(bucket) => {
                assert!(bucket.open_uploads().await.is_empty(), "an upload was left");
                let keys = bucket.keys().await.into_iter();
                keys.map(|key| match key.split_once('/') {
                    Some((directory, _)) => directory.to_owned(),
                    None => key,
                })
                .collect()
            }
        };
        names.into_iter().collect()
    }

    pub(crate) async fn usage(&self) -> Usage {
        match self {
            Self::Disk(home) => usage(home),
            Self::Store(bucket) => {
                let mut sum = Usage { files: 0, bytes: 0 };
                for key in bucket.keys().await {
                    if !key.ends_with('/') {
                        let content = bucket.content(&key).await.unwrap();
                        sum.files += 1;
                        sum.bytes += i64::try_from(content.len()).unwrap();
                    }
                }
                sum
            }
        }
    }

    pub(crate) fn many(&self) -> usize {
        match self {
            Self::Disk(_) => 3_000,
            Self::Store(bucket) => bucket.kind().many(),
        }
    }
}
