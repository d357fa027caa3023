//! Digests of files, for those who may see them.

use sftpgo_model::{Permission, VirtualPath};

use super::Session;
use crate::access::{Demand, Scope};
use crate::digest::{DigestAlgorithm, DigestFile, DigestStream, DigestWork};
use crate::error::OpResult;
use crate::transfer::Source;

/// A digest tells whether a file is the one somebody has, not what is in it: `list` is enough (reference 3.3). The
/// permissions are those of the path itself, as there, which differ from its directory's only where some are set for it.
const DIGEST: Demand = Demand {
    scope: Scope::Itself,
    ..Demand::file(&[Permission::List])
};

const DOWNLOAD: Demand = Demand::file(&[Permission::Download]);

impl Session {
    /// Opens a regular file for its digests. Needs `list`, and a name that the extension filters allow.
    pub async fn open_digest(&self, path: &VirtualPath) -> OpResult<DigestFile> {
        let permit = self.permit(path, DIGEST)?;
        let handle = permit.storage()?.open_read(&permit.target).await?;
        Ok(DigestFile {
            handle,
            work: self.digest_work(),
        })
    }

    /// Opens a regular file for digests of parts of it. They tell what is in it (a part may be a single byte), so `download`
    /// is needed besides what [`open_digest`](Self::open_digest) needs.
    pub async fn open_digest_of_parts(&self, path: &VirtualPath) -> OpResult<DigestFile> {
        let permit = self.permit(path, DOWNLOAD)?;
        let permit = self.permit(path, DIGEST)?.and(&permit);
        let handle = self.open_to_read(&permit).await?;
        Ok(DigestFile {
            handle,
            work: self.digest_work(),
        })
    }

    /// The digest of up to `len` bytes of an open file from `offset`, and how many bytes there were. They do not count as
    /// transferred.
    ///
    /// # Errors
    /// `PermissionDenied` for an upload that may not be read back; `Aborted` when the connection ends.
    pub async fn digest_of_open(
        &self,
        file: Source<'_>,
        algorithm: DigestAlgorithm,
        offset: u64,
        len: u64,
    ) -> OpResult<(Vec<u8>, u64)> {
        let file = file.readable()?;
        self.digest_work().range(file, algorithm, offset, len).await
    }

    /// Begins the digest of bytes that the client sends.
    pub fn digest_stream(&self, algorithm: DigestAlgorithm) -> DigestStream {
        DigestStream::new(algorithm, self.digest_work())
    }

    pub(crate) fn digest_work(&self) -> DigestWork {
        DigestWork {
            steps: self.inner.core.digest_steps.clone(),
            connection: self.connection().clone(),
        }
    }
}
