//! A file open for writing by a client: the one upload path of every protocol.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use sftpgo_model::FileEvent;
use sftpgo_storage::{Capabilities, Chunk, Ending, FileId, Metadata, SetAttributes, WriteHandle};
use tokio_util::sync::CancellationToken;

use super::{Changeable, Pacer, ReadBack};
use crate::action::FileReport;
use crate::digest::Readable;
use crate::engine::Core;
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::quota::QuotaHold;
use crate::registry::TransferGuard;
use crate::sessions::SessionSlot;

/// Where writes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// To the offsets that they name.
    Offset,
    /// To the end of the file, behind what others have written meanwhile, whatever offset they name.
    End,
    /// The same for storages where nobody sees what others write: behind what was there and what this handle has written.
    Behind,
}

impl Place {
    /// For what a client has asked for, in a storage that can do this.
    pub(crate) fn of(append: bool, can: &Capabilities) -> Self {
        match (append, can.append) {
            (false, _) => Self::Offset,
            (true, true) => Self::End,
            (true, false) => Self::Behind,
        }
    }
}

/// What an upload consists of.
#[derive(Debug)]
pub(crate) struct UploadParts {
    pub(crate) core: Arc<Core>,
    pub(crate) handle: Box<dyn WriteHandle>,
    pub(crate) hold: QuotaHold,
    pub(crate) guard: TransferGuard,
    pub(crate) pacer: Option<Pacer>,
    pub(crate) server_path: String,
    pub(crate) report: FileReport,
    pub(crate) cancel: CancellationToken,
    /// Whether the file itself is written, and not one that takes its name in the end.
    pub(crate) in_place: bool,
    pub(crate) place: Place,
    /// Set if the client may read back through this handle.
    pub(crate) read_back: Option<ReadBack>,
    pub(crate) changeable: Changeable,
    /// The session counts until what it did is settled, also if its client is gone.
    pub(crate) slot: Arc<SessionSlot>,
}

/// An open upload. [`finish`](Self::finish) it when the client closes it; dropped unfinished it is aborted: what the upload
/// mode does not keep is removed, the quota is settled and the failure is reported.
#[derive(Debug)]
pub struct Upload {
    parts: Option<Box<UploadParts>>,
    opened: Instant,
    failed: AtomicBool,
}

impl Upload {
    pub(crate) fn new(parts: UploadParts) -> Self {
        Self {
            parts: Some(Box::new(parts)),
            opened: Instant::now(),
            failed: AtomicBool::new(false),
        }
    }

    fn parts(&self) -> OpResult<&UploadParts> {
        // Only `finish` and `drop` take the parts, and both end the upload.
        self.parts
            .as_deref()
            .ok_or_else(|| OpErrorKind::Aborted.into())
    }

    /// Writes chunks in their order. After an error the upload has failed: later writes fail too, and so does
    /// [`finish`](Self::finish).
    ///
    /// # Errors
    /// `QuotaExceeded`, `StorageFull`, `Aborted` after an earlier failure or when the connection ends, and what the storage says.
    pub async fn write_at(&self, mut chunks: Vec<Chunk>) -> OpResult<()> {
        let parts = self.parts()?;
        if self.failed.load(Ordering::Acquire) || parts.cancel.is_cancelled() {
            return Err(OpErrorKind::Aborted.into());
        }
        let result = self.store(parts, &mut chunks).await;
        if let Err(error) = &result
            && !self.failed.swap(true, Ordering::AcqRel)
        {
            let connection = parts.guard.connection();
            connection.log_failure("written", &parts.server_path, error);
        }
        result
    }

    async fn store(&self, parts: &UploadParts, chunks: &mut Vec<Chunk>) -> OpResult<()> {
        let total = chunks.iter().map(Chunk::len).fold(0, u64::saturating_add);
        let end = chunks.iter().map(Chunk::end).max().unwrap_or(0);
        if parts.place == Place::Offset && i64::try_from(end).is_err() {
            return Err(OpErrorKind::InvalidArgument.into());
        }
        if let Some(pacer) = &parts.pacer {
            tokio::select! {
                () = pacer.pass(total, &parts.guard.transfer) => {}
                () = parts.cancel.cancelled() => return Err(OpErrorKind::Aborted.into()),
            }
        }
        match parts.place {
            Place::End => {
                let pieces = chunks.drain(..).flat_map(|chunk| chunk.pieces).collect();
                let end = parts.handle.lock_end().await?;
                parts.hold.grow(end.at().saturating_add(total)).await?;
                parts.handle.append(end, pieces).await?;
            }
            Place::Behind => {
                let size = parts.handle.stat().await?.size;
                let pieces = chunks.drain(..).flat_map(|chunk| chunk.pieces).collect();
                parts.hold.grow(size.saturating_add(total)).await?;
                let chunk = Chunk {
                    offset: size,
                    pieces,
                };
                parts.handle.write_at(vec![chunk]).await?;
            }
            Place::Offset => {
                parts.hold.grow(end).await?;
                match parts.handle.try_write_at(chunks) {
                    Some(result) => result?,
                    None => parts.handle.write_at(std::mem::take(chunks)).await?,
                }
            }
        }
        parts.guard.transfer.record(total);
        Ok(())
    }

    /// Reads back from a handle that was opened for reading too.
    pub async fn read_at(&self, offset: u64, len: usize, buffer: Vec<u8>) -> OpResult<Vec<u8>> {
        let parts = self.parts()?;
        let Some(read_back) = &parts.read_back else {
            return Err(OpErrorKind::PermissionDenied.into());
        };
        let before = buffer.len();
        let buffer = parts.handle.read_at(offset, len, buffer).await?;
        read_back
            .pass(buffer.len().saturating_sub(before) as u64)
            .await?;
        Ok(buffer)
    }

    /// What is written, to be read back, if the client may.
    pub(crate) fn readable(&self) -> OpResult<Readable<'_>> {
        let parts = self.parts()?;
        if parts.read_back.is_none() {
            return Err(OpErrorKind::PermissionDenied.into());
        }
        Ok(Readable::Writing(&*parts.handle))
    }

    /// Whether this writes to that file, or takes its place in the end.
    pub(crate) async fn writes_to(&self, file: Option<FileId>) -> OpResult<bool> {
        let parts = self.parts()?;
        let replaced = parts.handle.replaced().and_then(|file| file.id);
        let own = parts.handle.stat().await?.id;
        let same = |id: FileId| file == Some(id);
        Ok([own, replaced].into_iter().flatten().any(same))
    }

    /// Makes the upload one that has failed.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Whether what is written has no name, or another file has it, until [`finish`](Self::finish).
    pub fn is_hidden(&self) -> bool {
        self.parts.as_ref().is_some_and(|parts| !parts.in_place)
    }

    /// Told how large the file will be, gives up one that does not fit into the quota before anything of it is sent. Nothing
    /// is left of it when the refusal is told: the client's next file may need the room.
    pub async fn announce(self, size: u64) -> OpResult<Self> {
        if self.parts()?.hold.would_fit(size).await? {
            return Ok(self);
        }
        self.failed.store(true, Ordering::Release);
        // That it failed is known.
        let _ = self.finish().await;
        Err(OpErrorKind::QuotaExceeded.into())
    }

    /// Attributes of the file being written.
    pub async fn stat(&self) -> OpResult<Metadata> {
        Ok(self.parts()?.handle.stat().await?)
    }

    /// Changes the size, if one is given, and then the attributes of the file being written; the latter hold after
    /// [`finish`](Self::finish). Whether the account may do all of it is checked before any of it is done.
    pub async fn set_attributes(&self, size: Option<u64>, changes: &SetAttributes) -> OpResult<()> {
        let parts = self.parts()?;
        let changes = parts.changeable.check(changes)?;
        if let Some(size) = size {
            self.set_len(size).await?;
        }
        if changes.is_empty() {
            return Ok(());
        }
        Ok(parts.handle.set_attributes(&changes).await?)
    }

    /// Cuts or extends the file being written.
    pub async fn set_len(&self, size: u64) -> OpResult<()> {
        let parts = self.parts()?;
        parts.hold.grow(size).await?;
        Ok(parts.handle.set_len(size).await?)
    }

    /// Brings what was written to stable storage.
    pub async fn sync(&self) -> OpResult<()> {
        Ok(self.parts()?.handle.sync().await?)
    }

    /// Completes the upload: the file becomes visible, the quota is settled, the log line is written.
    ///
    /// # Errors
    /// The upload had failed before, or making it visible failed; it is then aborted.
    pub async fn finish(mut self) -> OpResult<()> {
        let Some(parts) = self.parts.take() else {
            return Err(OpErrorKind::Aborted.into());
        };
        let failed = self.failed.load(Ordering::Acquire);
        // Once begun this must end, also if the connection goes away meanwhile: it runs on its own.
        let tasks = parts.core.tasks().clone();
        let opened = self.opened;
        let done = tasks.spawn(async move {
            if failed {
                abort(*parts).await;
                return Err(OpError::from(OpErrorKind::Aborted));
            }
            complete(*parts, opened).await
        });
        done.await
            .map_err(|error| OpError::with_source(OpErrorKind::Internal, error))?
    }
}

impl Drop for Upload {
    /// A client that goes away in the middle: the clean-up runs on its own, and the server does not stop before it ended.
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take() {
            parts.core.tasks().clone().spawn(abort(*parts));
        }
    }
}

async fn complete(parts: UploadParts, opened: Instant) -> OpResult<()> {
    let UploadParts {
        core,
        handle,
        hold,
        guard,
        server_path,
        report,
        slot: _slot,
        ..
    } = parts;
    let ended = match hold.conclude(handle, Ending::Finish).await {
        Ok(ended) => ended,
        Err(error) => {
            report_failure(&core, &guard, &server_path);
            return Err(error);
        }
    };
    let connection = guard.connection();
    let bytes = guard.transfer.bytes();
    let elapsed = opened.elapsed();
    core.metrics().uploads.record_completed(bytes, elapsed);
    tracing::info!(
        sender = "Upload",
        elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        size_bytes = bytes,
        username = connection.username,
        file_path = server_path,
        connection_id = connection.info.id,
        protocol = connection.protocol.as_str(),
    );
    // The size that the file has: bytes of this upload may lie over each other, or beside what was there.
    let size = ended.map_or(bytes, |(file, _)| file.size);
    report.tell(FileEvent::Upload, &connection.username, size);
    Ok(())
}

async fn abort(parts: UploadParts) {
    let UploadParts {
        core,
        handle,
        hold,
        guard,
        server_path,
        slot: _slot,
        ..
    } = parts;
    if let Err(error) = hold.conclude(handle, Ending::GiveUp).await {
        tracing::error!(%error, file_path = server_path, "an unfinished upload was not cleaned up");
    }
    report_failure(&core, &guard, &server_path);
}

fn report_failure(core: &Core, guard: &TransferGuard, server_path: &str) {
    let connection = guard.connection();
    core.metrics().uploads.record_failed(guard.transfer.bytes());
    tracing::warn!(
        connection_id = connection.info.id,
        username = connection.username,
        file_path = server_path,
        size_bytes = guard.transfer.bytes(),
        "upload failed"
    );
}
