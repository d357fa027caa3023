//! What has come of a file: parts that were sent, the one that is being filled, and what waits for its turn.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::super::budget::Slot;
use super::super::copy::{Begun, Source};
use super::super::storage::{Inner, unsupported};
use super::super::store::{Condition, ObjectInfo, PutOptions, Uploads};
use super::continued::Continued;
use super::finish::made_meanwhile;
use super::placed;
use super::sender::Sender;
use super::window::{Refused, Window};
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::storage::Chunk;

/// Parts of the size that was set; later ones are larger, so that their number suffices.
const EQUAL_PARTS: u32 = 5000;
/// Each so many parts are twice as long as those before, up to [`LARGEST`] times.
const STEP: u32 = 1000;
const LARGEST: u64 = 16;
/// Bytes of a file that need no leave: a thousand small files that are open at once wait for nobody.
const SMALL: usize = 64 << 10;

/// A file that is being put together. After an error it takes nothing more.
#[derive(Debug)]
pub(super) struct Assembly {
    inner: Arc<Inner>,
    key: String,
    /// What must hold in the end.
    condition: Condition,
    /// What is there and is to be continued, until the first byte comes.
    base: Option<ObjectInfo>,
    /// The end of what has come without a gap.
    next: u64,
    early: Window,
    filling: Filling,
    /// What is there, where what comes is put behind it in the end.
    continued: Option<Continued>,
    /// Made with the second part.
    sender: Option<Sender>,
    failed: Option<StorageErrorKind>,
}

/// The part that bytes are added to.
enum Filling {
    /// At most [`SMALL`].
    Small(Vec<u8>),
    /// A reserved part.
    Part(Arc<Slot>),
}

impl fmt::Debug for Filling {
    /// What clients write is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filling({} bytes)", self.len())
    }
}

impl Filling {
    fn len(&self) -> usize {
        match self {
            Self::Small(bytes) => bytes.len(),
            Self::Part(slot) => slot.len(),
        }
    }

    /// Adds bytes, for which there is room.
    fn extend(&mut self, bytes: &[u8]) -> StorageResult<()> {
        match self {
            Self::Small(small) => small.extend_from_slice(bytes),
            Self::Part(slot) if slot.extend(bytes) => {}
            Self::Part(_) => return Err(taken_away()),
        }
        Ok(())
    }

    fn freeze(self) -> StorageResult<Bytes> {
        match self {
            Self::Small(bytes) => Ok(bytes.into()),
            Self::Part(slot) => Ok(slot.take().ok_or_else(taken_away)?.freeze()),
        }
    }
}

impl Default for Filling {
    fn default() -> Self {
        Self::Small(Vec::new())
    }
}

impl Assembly {
    pub(super) fn new(
        inner: Arc<Inner>,
        key: &str,
        condition: Condition,
        base: Option<ObjectInfo>,
    ) -> Self {
        Self {
            early: Window::new(inner.engine.early.clone()),
            inner,
            key: key.to_owned(),
            condition,
            next: base.as_ref().map_or(0, |base| base.size),
            base,
            filling: Filling::default(),
            continued: None,
            sender: None,
            failed: None,
        }
    }

    /// Bytes that the file has now.
    pub(super) fn len(&self) -> u64 {
        self.early.end(self.next)
    }

    /// The same, where everything has come.
    pub(super) fn end(&self) -> u64 {
        self.next
    }

    /// Whether nothing was written to a file that is continued: it is what it was.
    pub(super) fn is_untouched(&self) -> bool {
        self.base.is_some()
    }

    pub(super) fn has_gap(&self) -> bool {
        !self.early.is_empty()
    }

    /// Fails everything from now on.
    pub(super) fn fail(&mut self, kind: StorageErrorKind) {
        self.failed = Some(kind);
    }

    pub(super) fn check(&self) -> StorageResult<()> {
        match self.failed {
            None => Ok(()),
            Some(kind) => Err(StorageError::new(kind, "the upload has failed before")),
        }
    }

    /// Adds bytes; waits while the parts that are on their way are as many as may be, or memory is short.
    pub(super) async fn write(&mut self, chunks: &[Chunk]) -> StorageResult<()> {
        self.check()?;
        // Whoever stops waiting for this leaves something undone, and the file would have a hole.
        self.fail(StorageErrorKind::Unavailable);
        let written = self.add(chunks).await;
        self.failed = written.as_ref().err().map(StorageError::kind);
        written
    }

    async fn add(&mut self, chunks: &[Chunk]) -> StorageResult<()> {
        for chunk in chunks {
            check_range(chunk)?;
            for (offset, piece) in placed(chunk).filter(|(_, piece)| !piece.is_empty()) {
                self.start(offset).await?;
                if offset == self.next {
                    self.push(piece).await?;
                } else {
                    let put = self.early.put(self.next, offset, piece);
                    put.map_err(refused)?;
                }
                while let Some(piece) = self.early.take(self.next) {
                    self.push(&piece).await?;
                }
            }
        }
        Ok(())
    }

    /// Adds bytes if that needs no waiting; `None` with nothing done if it does.
    pub(super) fn try_write(&mut self, chunks: &[Chunk]) -> Option<StorageResult<()>> {
        if self.failed.is_some() || self.base.is_some() || !self.early.is_empty() {
            return None;
        }
        let total = chunks.iter().map(Chunk::len).fold(0, u64::saturating_add);
        let mut at = self.next;
        for chunk in chunks {
            if chunk.offset != at {
                return None;
            }
            at = chunk.end();
        }
        let room = self.room();
        if total > room {
            return None;
        }
        for (_, piece) in chunks.iter().flat_map(placed) {
            if let Err(error) = self.filling.extend(piece) {
                self.fail(error.kind());
                return Some(Err(error));
            }
        }
        self.next = at;
        Some(Ok(()))
    }

    /// Bytes that can be added without asking anybody.
    fn room(&self) -> u64 {
        let limit = match &self.filling {
            Filling::Small(_) => (SMALL as u64).min(self.part_len()),
            Filling::Part(_) => self.part_len(),
        };
        limit.saturating_sub(self.filling.len() as u64)
    }

    /// Bytes of the part that is being filled.
    fn part_len(&self) -> u64 {
        let limits = self.inner.calls.limits();
        let number = self.sender.as_ref().map_or(1, Sender::number);
        let factor = match self.inner.calls.uploads() {
            Uploads::InParts => {
                let doublings = number.saturating_sub(EQUAL_PARTS).div_ceil(STEP);
                1_u64.checked_shl(doublings).unwrap_or(LARGEST).min(LARGEST)
            }
            // There may be as many as it takes.
            Uploads::InOrder => 1,
        };
        let part = self.inner.settings.part_size;
        part.saturating_mul(factor)
            .clamp(limits.min_part.max(1), limits.max_part)
    }

    async fn push(&mut self, mut bytes: &[u8]) -> StorageResult<()> {
        while !bytes.is_empty() {
            let full = self.part_len();
            let have = self.filling.len() as u64;
            if have >= full {
                // There is more than this part: only now, so that a file of exactly one part is sent by one call.
                self.send().await?;
                continue;
            }
            let room = usize::try_from(full.saturating_sub(have)).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.fill(now).await?;
            self.next = self.next.saturating_add(now.len() as u64);
            bytes = later;
        }
        Ok(())
    }

    /// Adds bytes to the part, for which there is room.
    async fn fill(&mut self, bytes: &[u8]) -> StorageResult<()> {
        let full = self.part_len();
        if let Filling::Small(small) = &mut self.filling
            && small.len().saturating_add(bytes.len()) > SMALL
        {
            let budget = &self.inner.engine.uploads;
            let reservation = budget.reserve(full).await?;
            let capacity = usize::try_from(full).unwrap_or(usize::MAX);
            let mut part = Filling::Part(budget.slot(reservation, capacity));
            part.extend(small)?;
            self.filling = part;
        }
        self.filling.extend(bytes)
    }

    /// Sends the part that was filled.
    async fn send(&mut self) -> StorageResult<()> {
        let part = std::mem::take(&mut self.filling).freeze()?;
        self.begin().await?.send(part).await
    }

    /// Begins a multipart upload, if that was not done.
    async fn begin(&mut self) -> StorageResult<&mut Sender> {
        let sender = match self.sender.take() {
            Some(sender) => sender,
            None => {
                // The time of the last change is not known yet; it is set in the end.
                let new = PutOptions {
                    attributes: self.inner.new_attributes(),
                    condition: self.condition,
                };
                let (key, options) = match &self.continued {
                    Some(continued) => (continued.rest(), continued.options()),
                    None => (self.key.as_str(), new),
                };
                let begun = self.inner.calls.create_upload(key, &options).await;
                let begun = match self.condition {
                    Condition::Absent => begun.map_err(made_meanwhile)?,
                    Condition::None => begun?,
                };
                Sender::new(Arc::clone(&self.inner), Begun::new(&self.inner, begun))
            }
        };
        Ok(self.sender.insert(sender))
    }

    /// Takes over what is there, if the first byte of a file that is continued comes.
    async fn start(&mut self, offset: u64) -> StorageResult<()> {
        let Some(base) = self.base.take() else {
            return Ok(());
        };
        if offset < base.size {
            return Err(refused(Refused::Twice));
        }
        let limits = *self.inner.calls.limits();
        if base.size == 0 {
            return Ok(());
        }
        if base.size < limits.min_part {
            let get = self.inner.calls.get(&self.key, &base.etag, 0..base.size);
            let bytes = get.await?;
            self.next = 0;
            return self.push(&bytes.whole()).await;
        }
        if limits.copies_parts {
            let source = Source::new(&self.key, &base);
            return self.begin().await?.copy(&source).await;
        }
        if !self.inner.calls.appends() {
            return Err(unsupported("this store cannot continue an object"));
        }
        let continued = Continued::new(Arc::clone(&self.inner), &self.key, base)?;
        self.continued = Some(continued);
        Ok(())
    }

    /// What is there and what has come belongs behind, if that is how it is continued.
    pub(super) fn take_continued(&mut self) -> Option<Continued> {
        self.continued.take()
    }

    /// Sizes that can be had: the one that there is, and none at all before anything was sent.
    pub(super) fn set_len(&mut self, size: u64) -> StorageResult<()> {
        self.check()?;
        if size == self.next && self.early.is_empty() {
            return Ok(());
        }
        if size > 0 || self.sender.is_some() {
            return Err(unsupported(
                "a file in an object store cannot be cut or extended",
            ));
        }
        self.base = None;
        self.early.clear();
        self.filling = Filling::default();
        self.next = 0;
        Ok(())
    }

    /// What was not sent yet, if nothing was: the file is to be sent by one call.
    pub(super) fn take_whole(&mut self) -> StorageResult<Option<Bytes>> {
        if self.sender.is_some() {
            return Ok(None);
        }
        let whole = std::mem::take(&mut self.filling).freeze()?;
        Ok(Some(whole))
    }

    /// Sends the last part and waits until the store has all of them.
    pub(super) async fn take_parts(&mut self) -> StorageResult<Option<Sender>> {
        if self.sender.is_none() {
            return Ok(None);
        }
        // One that was taken away is none: sending it fails.
        if !matches!(&self.filling, Filling::Small(small) if small.is_empty()) {
            let part = std::mem::take(&mut self.filling).freeze()?;
            self.begin().await?.send_last(part).await?;
        }
        let Some(mut sender) = self.sender.take() else {
            return Ok(None);
        };
        sender.wait().await?;
        Ok(Some(sender))
    }

    /// Lets go of everything; what the store has of it is removed.
    pub(super) async fn give_up(&mut self) {
        self.fail(StorageErrorKind::Unavailable);
        self.filling = Filling::default();
        self.early.clear();
        if let Some(sender) = self.sender.take() {
            sender.abort().await;
        }
        if let Some(continued) = self.continued.take() {
            continued.remove().await;
        }
    }
}

fn taken_away() -> StorageError {
    let context = "the upload sent nothing for so long that others needed its memory";
    StorageError::new(StorageErrorKind::Unavailable, context)
}

/// Offsets end where those of files do.
fn check_range(chunk: &Chunk) -> StorageResult<()> {
    let end = chunk.offset.checked_add(chunk.len());
    if end.is_some_and(|end| i64::try_from(end).is_ok()) {
        return Ok(());
    }
    let context = "an offset that no file has";
    Err(StorageError::new(
        StorageErrorKind::InvalidArgument,
        context,
    ))
}

fn refused(why: Refused) -> StorageError {
    match why {
        Refused::TooFar => unsupported(
            "files in object stores are written from their start to their end: a write is too far ahead",
        ),
        Refused::Twice => unsupported(
            "files in object stores are written once, from their start to their end: a write goes back",
        ),
        Refused::Full => StorageError::new(
            StorageErrorKind::Unavailable,
            "too many uploads send their bytes out of order",
        ),
    }
}
