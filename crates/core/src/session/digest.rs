//! Digests of files, for those who may see them.

use sftpgo_model::{Permission, VirtualPath};

use super::Session;
use crate::access::{Demand, Scope};
use crate::digest::{DigestAlgorithm, DigestFile, DigestStream, DigestWork};
use crate::error::OpResult;

/// A digest tells whether a file is the one somebody has, not what is in it: `list` is enough (reference 3.3). The
/// permissions are those of the path itself, as there, which differ from its directory's only where some are set for it.
const DIGEST: Demand = Demand {
    scope: Scope::Itself,
    ..Demand::file(&[Permission::List])
};

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
