//! The asynchronous side of a file that is open for reading.

use std::sync::Arc;

use async_trait::async_trait;

use super::attributes::apply_to_open;
use super::disk::stat_open;
use super::file::OpenFile;
use super::pool::Pool;
use crate::error::StorageResult;
use crate::metadata::{Metadata, SetAttributes};
use crate::storage::ReadHandle;

#[derive(Debug)]
pub(super) struct LocalRead {
    file: Arc<OpenFile>,
    pool: Arc<Pool>,
}

impl LocalRead {
    pub(super) fn new(file: OpenFile, pool: Arc<Pool>) -> Self {
        Self {
            file: Arc::new(file),
            pool,
        }
    }
}

/// Reads on the pool; short only at the end of the file.
pub(super) async fn read_on_pool(
    pool: &Arc<Pool>,
    file: &Arc<OpenFile>,
    offset: u64,
    len: usize,
    mut buffer: Vec<u8>,
) -> StorageResult<Vec<u8>> {
    let file = Arc::clone(file);
    pool.run(move || file.read(offset, len, &mut buffer).map(|()| buffer))
        .await
}

#[async_trait]
impl ReadHandle for LocalRead {
    async fn stat(&self) -> StorageResult<Metadata> {
        if self.file.knows_attributes() {
            return stat_open(&*self.file);
        }
        let file = Arc::clone(&self.file);
        self.pool.run(move || stat_open(&*file)).await
    }

    fn try_read_at(
        &self,
        offset: u64,
        len: usize,
        buffer: &mut Vec<u8>,
    ) -> Option<StorageResult<usize>> {
        self.file.try_read(offset, len, buffer)
    }

    async fn read_at(&self, offset: u64, len: usize, buffer: Vec<u8>) -> StorageResult<Vec<u8>> {
        read_on_pool(&self.pool, &self.file, offset, len, buffer).await
    }

    async fn set_attributes(&self, changes: &SetAttributes) -> StorageResult<()> {
        let (file, changes) = (Arc::clone(&self.file), *changes);
        self.pool.run(move || apply_to_open(&*file, &changes)).await
    }
}
