//! What differs between the emulators.

use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;

use super::{azurite, gcs, moto, rclone};
use crate::{Call, Dialect, Keys};

/// An emulator that tests can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// moto: S3, of which it does nearly everything. Accepts every signature.
    Moto,
    /// `rclone serve s3`: S3 over a directory. Checks signatures; knows no markers of folders and no `//` in keys, ignores
    /// `If-None-Match`, and copies no parts.
    Rclone,
    /// azurite: Azure Blob Storage. Checks signatures.
    Azurite,
    /// gcp-storage-emulator: the JSON interface of Google Cloud Storage. Accepts everybody; ignores `maxResults`, page tokens and
    /// preconditions.
    Gcs,
}

impl Product {
    /// The language that it speaks.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Moto | Self::Rclone => Dialect::S3,
            Self::Azurite => Dialect::Azure,
            Self::Gcs => Dialect::Gcs,
        }
    }

    /// The program, in the foreground, on a port of 127.0.0.1; its data in `data` of the directory.
    pub(super) fn serve(self, directory: &Path, port: u16) -> Command {
        match self {
            Self::Moto => moto::serve(port),
            Self::Rclone => rclone::serve(directory, port),
            Self::Azurite => azurite::serve(directory, port),
            Self::Gcs => gcs::serve(port),
        }
    }

    /// What shows that it serves: a path, and words of the answer, its head included.
    pub(super) fn ready(self) -> (&'static str, &'static str) {
        match self {
            Self::Moto => moto::READY,
            Self::Rclone => rclone::READY,
            Self::Azurite => azurite::READY,
            Self::Gcs => gcs::READY,
        }
    }

    /// What stands before the bucket in every path.
    pub(super) fn root(self) -> &'static str {
        match self {
            Self::Moto | Self::Rclone | Self::Gcs => "",
            Self::Azurite => azurite::ROOT,
        }
    }

    pub(super) fn keys(self) -> Keys {
        match self {
            Self::Moto | Self::Rclone | Self::Gcs => rclone::KEYS,
            Self::Azurite => azurite::KEYS,
        }
    }

    pub(super) fn make_bucket(self, name: &str) -> Call {
        match self {
            Self::Moto | Self::Rclone => Call::new("PUT", format!("/{name}")),
            Self::Azurite => azurite::make_bucket(name),
            Self::Gcs => gcs::make_bucket(name),
        }
    }

    pub(super) fn put(self, bucket: &str, key: &str, content: Bytes) -> Call {
        match self {
            Self::Moto | Self::Rclone => Call::new("PUT", s3_path(bucket, key)).body(content),
            // It wants to be told that there is nothing, too.
            Self::Azurite => azurite::put(bucket, key)
                .header("content-length", content.len().to_string())
                .body(content),
            Self::Gcs => gcs::put(bucket, key, &content),
        }
    }

    pub(super) fn content(self, bucket: &str, key: &str) -> Call {
        match self {
            Self::Moto | Self::Rclone => Call::new("GET", s3_path(bucket, key)),
            Self::Azurite => azurite::content(bucket, key),
            Self::Gcs => gcs::content(bucket, key),
        }
    }
}

fn s3_path(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", crate::encode_key(key))
}

/// A file of what `scripts/test` has installed beside the emulators too, for tests that need more of it: `venv/bin/rclone` is
/// a client that is newer than Debian's, and `venv/bin/python` has boto3.
///
/// # Panics
///
/// If it is not there.
#[must_use]
pub fn installed(path: &str) -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-stores");
    let root = std::env::var_os("SFTPGO_TEST_STORES").map_or_else(default, PathBuf::from);
    let path = root.join(path);
    assert!(
        path.is_file(),
        "there is no {}: run scripts/test, which installs what tests need",
        path.display()
    );
    path
}
