//! Digests of files and streams, for hash commands and SFTP's check-file. They are checksums that clients compare, not
//! protection: MD5 and SHA-1 are here because sync tools ask for nothing else.

use std::sync::Arc;

use aws_lc_rs::digest as aws;
use bytes::Bytes;
use md5::Digest as _;
use sftpgo_storage::{ReadHandle, StorageResult, WriteHandle};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::error::{OpError, OpErrorKind, OpResult};
use crate::registry::Connection;

/// What is read and hashed in one step: long enough to be worth the hop to another thread, short enough to share the cores.
const STEP: usize = 1 << 20;

/// The digests that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// RFC 1321.
    Md5,
    /// FIPS 180-4.
    Sha1,
    /// FIPS 180-4.
    Sha256,
    /// FIPS 180-4.
    Sha384,
    /// FIPS 180-4.
    Sha512,
}

impl DigestAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// `md5`, `sha1`, ...: the name in commands and in check-file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of a digest in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no digest is empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The algorithm of that name.
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().as_bytes() == name)
    }
}

/// A digest on its way.
pub(crate) struct Hasher(Inner);

enum Inner {
    Md5(md5::Md5),
    Sha(aws::Context),
}

impl Hasher {
    pub(crate) fn new(algorithm: DigestAlgorithm) -> Self {
        let sha = |algorithm| Inner::Sha(aws::Context::new(algorithm));
        Self(match algorithm {
            DigestAlgorithm::Md5 => Inner::Md5(md5::Md5::new()),
            DigestAlgorithm::Sha1 => sha(&aws::SHA1_FOR_LEGACY_USE_ONLY),
            DigestAlgorithm::Sha256 => sha(&aws::SHA256),
            DigestAlgorithm::Sha384 => sha(&aws::SHA384),
            DigestAlgorithm::Sha512 => sha(&aws::SHA512),
        })
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Inner::Md5(md5) => md5.update(bytes),
            Inner::Sha(sha) => sha.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        match self.0 {
            Inner::Md5(md5) => md5.finalize().to_vec(),
            Inner::Sha(sha) => sha.finish().as_ref().to_vec(),
        }
    }
}

/// An open file that can be read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Readable<'a> {
    Reading(&'a dyn ReadHandle),
    Writing(&'a dyn WriteHandle),
}

impl Readable<'_> {
    async fn read_at(self, offset: u64, len: usize, buffer: Vec<u8>) -> StorageResult<Vec<u8>> {
        match self {
            Self::Reading(file) => file.read_at(offset, len, buffer).await,
            Self::Writing(file) => file.read_at(offset, len, buffer).await,
        }
    }
}

/// Who asks, and what must not be overrun by it.
#[derive(Debug, Clone)]
pub(crate) struct DigestWork {
    /// Steps that may be computed at a time, in the whole process: as many as there are cores.
    pub(crate) steps: Arc<Semaphore>,
    pub(crate) connection: Arc<Connection>,
}

impl DigestWork {
    /// Hashes `bytes` on a thread that may be busy, and gives the hasher back with the buffer.
    async fn step<B: AsRef<[u8]> + Send + 'static>(
        &self,
        mut hasher: Hasher,
        bytes: B,
    ) -> OpResult<(Hasher, B)> {
        // Noted for every step: a client that waits for the digest of a large file does not idle.
        self.connection.touch();
        let cancel: &CancellationToken = &self.connection.info.cancel;
        let place = tokio::select! {
            place = Arc::clone(&self.steps).acquire_owned() => place,
            () = cancel.cancelled() => return Err(OpErrorKind::Aborted.into()),
        };
        let hashed = tokio::task::spawn_blocking(move || {
            hasher.update(bytes.as_ref());
            drop(place);
            (hasher, bytes)
        });
        hashed
            .await
            .map_err(|error| OpError::with_source(OpErrorKind::Internal, error))
    }

    /// The digest of up to `len` bytes from `offset`, and how many there were.
    pub(crate) async fn range(
        &self,
        file: Readable<'_>,
        algorithm: DigestAlgorithm,
        offset: u64,
        len: u64,
    ) -> OpResult<(Vec<u8>, u64)> {
        let mut hasher = Hasher::new(algorithm);
        let mut buffer = Vec::new();
        let mut done = 0_u64;
        while done < len {
            let step = usize::try_from(len - done).unwrap_or(STEP).min(STEP);
            buffer.clear();
            buffer = file
                .read_at(offset.saturating_add(done), step, buffer)
                .await?;
            if buffer.is_empty() {
                break;
            }
            done += buffer.len() as u64;
            (hasher, buffer) = self.step(hasher, buffer).await?;
        }
        Ok((hasher.finish(), done))
    }
}

/// A file whose digests may be asked for.
#[derive(Debug)]
pub struct DigestFile {
    pub(crate) handle: Box<dyn ReadHandle>,
    pub(crate) work: DigestWork,
}

impl DigestFile {
    /// Length of the file now, in bytes.
    pub async fn size(&self) -> OpResult<u64> {
        Ok(self.handle.stat().await?.size)
    }

    /// The digest of up to `len` bytes from `offset`, and how many bytes there were.
    ///
    /// # Errors
    /// `Aborted` when the connection ends, and what the storage says.
    pub async fn range(
        &self,
        algorithm: DigestAlgorithm,
        offset: u64,
        len: u64,
    ) -> OpResult<(Vec<u8>, u64)> {
        let file = Readable::Reading(&*self.handle);
        self.work.range(file, algorithm, offset, len).await
    }
}

/// The digest of bytes that a client sends.
pub struct DigestStream {
    /// `None` after a failure.
    hasher: Option<Hasher>,
    work: DigestWork,
}

impl std::fmt::Debug for DigestStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestStream")
    }
}

impl DigestStream {
    pub(crate) fn new(algorithm: DigestAlgorithm, work: DigestWork) -> Self {
        Self {
            hasher: Some(Hasher::new(algorithm)),
            work,
        }
    }

    /// Adds bytes.
    pub async fn update(&mut self, bytes: Bytes) -> OpResult<()> {
        let hasher = self.hasher.take().ok_or(OpErrorKind::Aborted)?;
        let (hasher, _) = self.work.step(hasher, bytes).await?;
        self.hasher = Some(hasher);
        Ok(())
    }

    /// The digest of everything that was added.
    pub fn finish(self) -> OpResult<Vec<u8>> {
        Ok(self.hasher.ok_or(OpErrorKind::Aborted)?.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_nothing_are_those_of_the_standards() {
        let hex = |algorithm| -> String {
            let digest = Hasher::new(algorithm).finish();
            assert_eq!(digest.len(), algorithm.len());
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(
            hex(DigestAlgorithm::Md5),
            "d41d8cd98f00b204e9800998ecf8427e"
        );
        assert_eq!(
            hex(DigestAlgorithm::Sha1),
            "da39a3ee5e6b4b0d3255bfef95601890afd80709"
        );
        assert_eq!(
            hex(DigestAlgorithm::Sha256),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert!(hex(DigestAlgorithm::Sha384).starts_with("38b060a751ac9638"));
        assert!(hex(DigestAlgorithm::Sha512).starts_with("cf83e1357eefb8bd"));
    }

    #[test]
    fn every_algorithm_is_found_by_its_name() {
        for algorithm in DigestAlgorithm::ALL {
            assert_eq!(
                DigestAlgorithm::named(algorithm.name().as_bytes()),
                Some(algorithm)
            );
        }
        assert_eq!(DigestAlgorithm::named(b"crc32"), None);
    }
}
