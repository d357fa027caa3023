//! Reading through a handle that is open for writing, too: limited, counted and told like any other download.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use sftpgo_model::{FileEvent, VirtualPath};
use tokio_util::sync::CancellationToken;

use super::Pacer;
use crate::action::FileReport;
use crate::error::{OpErrorKind, OpResult};
use crate::metrics::Metrics;
use crate::registry::{Connection, Direction, TransferGuard};

/// What a client reads back of what it writes. It becomes a transfer with the first byte.
#[derive(Debug)]
pub(crate) struct ReadBack {
    pub(crate) connection: Arc<Connection>,
    pub(crate) path: VirtualPath,
    pub(crate) server_path: String,
    pub(crate) report: FileReport,
    pub(crate) pacer: Option<Pacer>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) cancel: CancellationToken,
    pub(crate) opened: Instant,
    pub(crate) begun: OnceLock<TransferGuard>,
}

impl ReadBack {
    /// Counts bytes that were read, and waits until they may go.
    ///
    /// # Errors
    /// `Aborted` if the connection ends meanwhile.
    pub(super) async fn pass(&self, bytes: u64) -> OpResult<()> {
        let guard = self.begun.get_or_init(|| {
            self.connection
                .begin_transfer(Direction::Download, self.path.clone())
        });
        guard.transfer.record(bytes);
        let Some(pacer) = &self.pacer else {
            return Ok(());
        };
        tokio::select! {
            () = pacer.pass(bytes, &guard.transfer) => Ok(()),
            () = self.cancel.cancelled() => Err(OpErrorKind::Aborted.into()),
        }
    }
}

impl Drop for ReadBack {
    /// It ends with the handle. Clients read back what they like, so ending early is no failure.
    fn drop(&mut self) {
        let Some(guard) = self.begun.get() else {
            return;
        };
        let bytes = guard.transfer.bytes();
        let elapsed = self.opened.elapsed();
        self.metrics.downloads.record_completed(bytes, elapsed);
        tracing::info!(
            sender = "Download",
            elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            size_bytes = bytes,
            username = self.connection.username,
            file_path = self.server_path,
            connection_id = self.connection.info.id,
            protocol = self.connection.protocol.as_str(),
        );
        self.report
            .tell(FileEvent::Download, &self.connection.username, bytes);
    }
}
