//! Files that are kept, so that their inode is nobody else's.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use async_trait::async_trait;

use super::disk::stat_open;
use super::error::settle;
use super::file::OpenFile;
use super::names::pinned;
use super::pool::Pool;
use super::root::Place;
use crate::error::StorageResult;
use crate::metadata::Metadata;
use crate::storage::Pinned;

/// An object that a descriptor keeps.
#[derive(Debug)]
pub(super) struct LocalPin {
    pub(super) file: Arc<OpenFile>,
    pub(super) pool: Arc<Pool>,
}

#[async_trait]
impl Pinned for LocalPin {
    async fn stat(&self) -> StorageResult<Metadata> {
        stat_on_pool(&self.pool, &self.file).await
    }
}

/// Keeps what this descriptor, which may be one that names the object only, was opened for.
pub(super) fn pin(object: OwnedFd, pool: &Arc<Pool>) -> Box<dyn Pinned> {
    Box::new(LocalPin {
        file: Arc::new(OpenFile::new(object)),
        pool: Arc::clone(pool),
    })
}

/// Opens what is at a place, if something is. Waits for the disk.
pub(super) fn pin_place(place: &Place) -> StorageResult<Option<OwnedFd>> {
    settle(|| match place.stat()? {
        Some(there) => pinned(place, &there).map(Some),
        None => Ok(None),
    })
}

/// Attributes of an open file, on the pool where the file system has to ask somebody.
pub(super) async fn stat_on_pool(
    pool: &Arc<Pool>,
    file: &Arc<OpenFile>,
) -> StorageResult<Metadata> {
    if file.knows_attributes() {
        return stat_open(&**file);
    }
    let file = Arc::clone(file);
    pool.run(move || stat_open(&*file)).await
}
