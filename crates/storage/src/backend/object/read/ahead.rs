//! Which ranges are fetched before they are asked for.
//!
//! A download is taken for sequential from its second read on: first one range, then two, up to the setting, each twice as
//! long as the one before it up to the setting. Reads of several requests at a time come a little out of order, which is still
//! sequential; what lies further away is random and fetched by itself, with nothing around it.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::budget::Reservation;
use super::super::content::Content;
use super::super::storage::Inner;
use super::super::store::{ObjectError, ObjectErrorKind, ObjectInfo};

/// How far a read may be from where the last one ended: what a client has in flight.
const NEAR: u64 = 4 << 20;
/// The first range of a download.
const FIRST: u64 = 256 << 10;

type Fetched = Result<Arc<Content>, Arc<ObjectError>>;

/// What one download has fetched and not passed yet.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// In order, without gaps between them.
    pieces: VecDeque<Arc<Piece>>,
    /// Where the reads are.
    at: u64,
    /// Reads that followed each other.
    run: usize,
    /// Bytes of the next piece.
    step: u64,
}

impl Ahead {
    /// The pieces that hold `wanted`, which is not empty and within the object. `None` if it is to be fetched by itself.
    pub(super) fn plan(
        &mut self,
        inner: &Inner,
        key: &Arc<str>,
        info: &ObjectInfo,
        wanted: Range<u64>,
    ) -> Option<Vec<Arc<Piece>>> {
        let near = self.at.saturating_sub(NEAR)..=self.at.saturating_add(NEAR);
        if !near.contains(&wanted.start) {
            // The next read may follow this one.
            self.forget();
            self.at = wanted.end;
            return None;
        }
        self.at = self.at.max(wanted.end);
        self.run = self.run.saturating_add(1);
        self.pass();
        if self.pieces.is_empty() {
            self.begin(inner, key, info, &wanted)?;
        }
        if self.first() > wanted.start {
            return None;
        }
        while self.end() < wanted.end {
            self.add(inner, key, info, wanted.end)?;
        }
        self.look_ahead(inner, key, info);
        let overlaps =
            |piece: &&Arc<Piece>| piece.range.start < wanted.end && wanted.start < piece.range.end;
        Some(self.pieces.iter().filter(overlaps).cloned().collect())
    }

    /// The same pieces with their bytes, if they are all there; asks for nothing.
    pub(super) fn ready(&self, wanted: Range<u64>) -> Option<Vec<(Arc<Piece>, Arc<Content>)>> {
        if self.pieces.is_empty() || self.first() > wanted.start || self.end() < wanted.end {
            return None;
        }
        let mut ready = Vec::new();
        for piece in &self.pieces {
            if piece.range.start < wanted.end && wanted.start < piece.range.end {
                ready.push((Arc::clone(piece), piece.bytes()?));
            }
        }
        Some(ready)
    }

    /// Gives up what was fetched.
    pub(super) fn forget(&mut self) {
        self.pieces.clear();
        self.run = 0;
        self.step = 0;
    }

    /// Lets go of what lies behind all reads.
    fn pass(&mut self) {
        let behind = self.at.saturating_sub(NEAR);
        while self
            .pieces
            .front()
            .is_some_and(|piece| piece.range.end <= behind)
        {
            self.pieces.pop_front();
        }
    }

    fn first(&self) -> u64 {
        self.pieces
            .front()
            .map_or(u64::MAX, |piece| piece.range.start)
    }

    fn end(&self) -> u64 {
        self.pieces.back().map_or(0, |piece| piece.range.end)
    }

    fn begin(
        &mut self,
        inner: &Inner,
        key: &Arc<str>,
        info: &ObjectInfo,
        wanted: &Range<u64>,
    ) -> Option<()> {
        self.step = FIRST.min(inner.settings.read_size.max(1));
        let len = self.step.max(wanted.end.saturating_sub(wanted.start));
        self.push(inner, key, info, wanted.start, len)
    }

    fn look_ahead(&mut self, inner: &Inner, key: &Arc<str>, info: &ObjectInfo) {
        let depth = self
            .run
            .saturating_sub(1)
            .min(inner.settings.read_concurrency);
        while self.end() < info.size {
            let beyond = |piece: &&Arc<Piece>| piece.range.start >= self.at;
            if self.pieces.iter().filter(beyond).count() >= depth {
                return;
            }
            if self.add(inner, key, info, 0).is_none() {
                // Others need the memory more.
                return;
            }
        }
    }

    /// Adds the next piece, up to `end` at least.
    fn add(&mut self, inner: &Inner, key: &Arc<str>, info: &ObjectInfo, end: u64) -> Option<()> {
        let longest = inner.settings.read_size.max(1);
        self.step = self
            .step
            .saturating_mul(2)
            .clamp(FIRST.min(longest), longest);
        let start = self.end();
        let len = self.step.max(end.saturating_sub(start));
        self.push(inner, key, info, start, len)
    }

    fn push(
        &mut self,
        inner: &Inner,
        key: &Arc<str>,
        info: &ObjectInfo,
        start: u64,
        len: u64,
    ) -> Option<()> {
        let end = start.saturating_add(len).min(info.size);
        let reservation = inner.engine.reads.try_reserve(end.saturating_sub(start))?;
        let piece = Piece::fetch(inner, key, &info.etag, start..end, reservation);
        self.pieces.push_back(Arc::new(piece));
        Some(())
    }
}

/// A range that is being fetched, or was.
#[derive(Debug)]
pub(super) struct Piece {
    range: Range<u64>,
    fetched: watch::Receiver<Option<Fetched>>,
    task: Option<JoinHandle<()>>,
    /// As long as the bytes are kept.
    _reservation: Reservation,
}

impl Piece {
    fn fetch(
        inner: &Inner,
        key: &Arc<str>,
        etag: &str,
        range: Range<u64>,
        reservation: Reservation,
    ) -> Self {
        let (told, fetched) = watch::channel(None);
        let (calls, key, etag) = (inner.calls.clone(), Arc::clone(key), etag.to_owned());
        let asked = range.clone();
        let task = inner.engine.tasks.spawn(async move {
            let content = calls.get(&key, &etag, asked).await;
            told.send_replace(Some(content.map(Arc::new).map_err(Arc::new)));
        });
        Self {
            range,
            fetched,
            task,
            _reservation: reservation,
        }
    }

    /// Waits for the bytes; each call to the store has its deadline.
    pub(super) async fn wait(&self) -> Fetched {
        let mut fetched = self.fetched.clone();
        let told = fetched.wait_for(Option::is_some).await;
        match told.ok().and_then(|told| told.clone()) {
            Some(fetched) => fetched,
            // The task is gone: the server stops.
            None => Err(Arc::new(ObjectError::new(
                ObjectErrorKind::Unavailable,
                "nobody fetches any more",
            ))),
        }
    }

    /// The bytes if they are there.
    fn bytes(&self) -> Option<Arc<Content>> {
        match &*self.fetched.borrow() {
            Some(Ok(bytes)) => Some(Arc::clone(bytes)),
            Some(Err(_)) | None => None,
        }
    }

    /// Appends what of `wanted` is in this piece.
    pub(super) fn copy(&self, content: &Content, wanted: Range<u64>, buffer: &mut Vec<u8>) {
        let within = |at: u64| {
            let at = at.clamp(self.range.start, self.range.end);
            usize::try_from(at.saturating_sub(self.range.start)).unwrap_or(usize::MAX)
        };
        content.copy(within(wanted.start)..within(wanted.end), buffer);
    }
}

impl Drop for Piece {
    /// What nobody waits for any more is not fetched to its end.
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
