//! The streams of a running program: paced, listed as transfers, bounded by the quota.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio_util::sync::CancellationToken;

use super::allowance::Allowance;
use crate::error::{OpErrorKind, OpResult};
use crate::metrics::Metrics;
use crate::registry::TransferGuard;
use crate::transfer::Pacer;

/// What is read of a program at once (reference C).
const BUFFER: usize = 32 * 1024;

/// Everything both directions need.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) guard: TransferGuard,
    pub(super) pacer: Option<Pacer>,
    pub(super) metrics: Arc<Metrics>,
    /// Cancelled when the program is to end.
    pub(super) stop: CancellationToken,
    pub(super) failed: bool,
    /// When it began.
    pub(super) opened: Instant,
}

impl Stream {
    async fn pass(&self, bytes: usize) -> OpResult<()> {
        let bytes = bytes as u64;
        if let Some(pacer) = &self.pacer {
            tokio::select! {
                () = pacer.pass(bytes, &self.guard.transfer) => {}
                () = self.stop.cancelled() => return Err(OpErrorKind::Aborted.into()),
            }
        }
        self.guard.transfer.record(bytes);
        Ok(())
    }
}

impl Drop for Stream {
    /// Counted when it ends, however it ends.
    fn drop(&mut self) {
        let transfer = &self.guard.transfer;
        let counters = self.metrics.transfers(transfer.direction);
        if self.failed || self.stop.is_cancelled() {
            counters.record_failed(transfer.bytes());
        } else {
            counters.record_completed(transfer.bytes(), self.opened.elapsed());
        }
    }
}

/// Standard input. Dropping it closes it.
#[derive(Debug)]
pub struct ProgramInput {
    pub(super) pipe: Option<ChildStdin>,
    pub(super) stream: Stream,
    pub(super) allowance: Allowance,
}

impl ProgramInput {
    /// Writes all of `bytes`; waits until the program takes them. What a program does not read any more is dropped.
    ///
    /// # Errors
    /// `Aborted` if the program is to end, `QuotaExceeded` if these bytes are more than the account may store; the program is
    /// stopped then.
    pub async fn write(&mut self, bytes: &[u8]) -> OpResult<()> {
        let result = self.try_write(bytes).await;
        self.stream.failed |= result.is_err();
        result
    }

    async fn try_write(&mut self, bytes: &[u8]) -> OpResult<()> {
        self.stream.pass(bytes.len()).await?;
        self.allowance.take(bytes.len() as u64).await?;
        let Some(pipe) = &mut self.pipe else {
            return Ok(());
        };
        let written = tokio::select! {
            written = pipe.write_all(bytes) => written,
            () = self.stream.stop.cancelled() => return Err(OpErrorKind::Aborted.into()),
        };
        if written.is_err() {
            // The program closed its end; how it ends says what that means.
            self.pipe = None;
        }
        Ok(())
    }

    /// Tells the program that nothing more comes.
    pub fn close(&mut self) {
        self.pipe = None;
    }
}

/// Where output comes from.
#[derive(Debug)]
pub(super) enum Pipe {
    Output(ChildStdout),
    Errors(ChildStderr),
}

/// Standard output, or what the program says of errors.
#[derive(Debug)]
pub struct ProgramOutput {
    pub(super) pipe: Pipe,
    pub(super) stream: Stream,
}

impl ProgramOutput {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// `Aborted` if the program is to end.
    pub async fn read(&mut self) -> OpResult<Option<Bytes>> {
        let result = self.try_read().await;
        self.stream.failed |= result.is_err();
        result
    }

    async fn try_read(&mut self) -> OpResult<Option<Bytes>> {
        let mut buffer = Vec::with_capacity(BUFFER);
        let read = async {
            match &mut self.pipe {
                Pipe::Output(pipe) => pipe.read_buf(&mut buffer).await,
                Pipe::Errors(pipe) => pipe.read_buf(&mut buffer).await,
            }
        };
        let count: io::Result<usize> = tokio::select! {
            count = read => count,
            () = self.stream.stop.cancelled() => return Err(OpErrorKind::Aborted.into()),
        };
        if count.unwrap_or(0) == 0 {
            return Ok(None);
        }
        self.stream.pass(buffer.len()).await?;
        Ok(Some(Bytes::from(buffer)))
    }
}
