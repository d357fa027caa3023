//! A file open for reading by a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use sftpgo_model::FileEvent;
use sftpgo_storage::{Metadata, ReadHandle, SetAttributes, StorageError};
use tokio_util::sync::CancellationToken;

use super::{Changeable, Pacer};
use crate::action::FileReport;
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::metrics::Metrics;
use crate::registry::TransferGuard;

/// An open download. [`finish`](Self::finish) it when the client closes it; dropped unfinished it counts as failed.
#[derive(Debug)]
pub struct Download {
    pub(crate) handle: Box<dyn ReadHandle>,
    pub(crate) guard: TransferGuard,
    pub(crate) pacer: Option<Pacer>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) server_path: String,
    pub(crate) report: FileReport,
    pub(crate) cancel: CancellationToken,
    pub(crate) opened: Instant,
    pub(crate) changeable: Changeable,
    pub(crate) failed: AtomicBool,
    pub(crate) finished: bool,
}

impl Download {
    /// Appends up to `len` bytes from `offset` to `buffer` if nothing has to be waited for; `None` says "use
    /// [`read_at`](Self::read_at)". Fewer bytes than asked for mean the end of the file only there.
    pub fn try_read_at(
        &self,
        offset: u64,
        len: usize,
        buffer: &mut Vec<u8>,
    ) -> Option<OpResult<usize>> {
        if self.pacer.is_some() || self.cancel.is_cancelled() {
            return None;
        }
        let result = self.handle.try_read_at(offset, len, buffer)?;
        Some(match result {
            Ok(count) => {
                self.guard.transfer.record(count as u64);
                Ok(count)
            }
            Err(error) => Err(self.fail(error)),
        })
    }

    /// Appends up to `len` bytes from `offset` to `buffer` and gives it back; fewer only at the end of the file.
    pub async fn read_at(&self, offset: u64, len: usize, buffer: Vec<u8>) -> OpResult<Vec<u8>> {
        if self.cancel.is_cancelled() {
            return Err(OpErrorKind::Aborted.into());
        }
        let before = buffer.len();
        let buffer = match self.handle.read_at(offset, len, buffer).await {
            Ok(buffer) => buffer,
            Err(error) => return Err(self.fail(error)),
        };
        let count = buffer.len().saturating_sub(before) as u64;
        self.guard.transfer.record(count);
        if let Some(pacer) = &self.pacer {
            tokio::select! {
                () = pacer.pass(count, &self.guard.transfer) => {}
                () = self.cancel.cancelled() => return Err(OpErrorKind::Aborted.into()),
            }
        }
        Ok(buffer)
    }

    /// Makes it one that has failed; the first time with a line in the log.
    fn fail(&self, error: StorageError) -> OpError {
        let error = OpError::from(error);
        if !self.failed.swap(true, Ordering::AcqRel) {
            let connection = self.guard.connection();
            connection.log_failure("read", &self.server_path, &error);
        }
        error
    }

    /// Whether a bandwidth limit holds bytes back: small reads then make an even stream.
    pub fn is_paced(&self) -> bool {
        self.pacer.is_some()
    }

    /// Attributes of the open file.
    pub async fn stat(&self) -> OpResult<Metadata> {
        Ok(self.handle.stat().await?)
    }

    /// Changes attributes of the open file, if the account may.
    pub async fn set_attributes(&self, changes: &SetAttributes) -> OpResult<()> {
        let changes = self.changeable.check(changes)?;
        Ok(self.handle.set_attributes(&changes).await?)
    }

    /// Completes the download: log line and metrics. A client may stop reading where it likes.
    pub fn finish(mut self) {
        self.finished = true;
        let failed = self.failed.load(Ordering::Acquire);
        self.conclude(!failed);
    }

    fn conclude(&self, ok: bool) {
        let bytes = self.guard.transfer.bytes();
        let connection = &self.guard.connection();
        let elapsed = self.opened.elapsed();
        if ok {
            self.metrics.downloads.record_completed(bytes, elapsed);
            tracing::info!(
                sender = "Download",
                elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                size_bytes = bytes,
                username = connection.username,
                file_path = self.server_path,
                connection_id = connection.info.id,
                protocol = connection.protocol.as_str(),
            );
            self.report
                .tell(FileEvent::Download, &connection.username, bytes);
        } else {
            self.metrics.downloads.record_failed(bytes);
            tracing::warn!(
                connection_id = connection.info.id,
                username = connection.username,
                file_path = self.server_path,
                size_bytes = bytes,
                "download failed"
            );
        }
    }
}

impl Drop for Download {
    /// A client that goes away in the middle leaves a line in the log.
    fn drop(&mut self) {
        if !self.finished {
            self.conclude(false);
        }
    }
}
