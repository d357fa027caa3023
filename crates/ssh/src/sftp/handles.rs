//! Open files and directories of a channel, and the requests that wait for them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sftpgo_core::model::VirtualPath;
use sftpgo_core::session::DirectoryListing;
use sftpgo_core::transfer::{CopyRange, Download, Upload};
use sftpgo_core::{Chunk, Entry};
use sftpgo_wire::sftp::Attrs;

use super::replies::Sequence;
use super::table::CheckFile;
use crate::transport::window::Held;

/// Open handles of one channel, files and directories together.
pub(super) const MAX_HANDLES: usize = 1024;
const HANDLE_LEN: usize = 8;

/// Names a handle inside the engine; not reused in a channel (but after four thousand million handles in one place).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HandleId {
    index: u32,
    taken: u32,
}

/// What is open.
#[derive(Debug)]
pub(super) enum Open {
    /// For reading.
    Download(Arc<Download>),
    /// For writing, perhaps for reading too.
    Upload(Arc<Upload>),
    /// A directory; `None` while a page is being fetched.
    Directory(Option<Directory>),
}

/// An open directory and the entries of the last page that did not fit into an answer.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) listing: DirectoryListing,
    pub(super) left: VecDeque<Entry>,
}

/// A request for a handle, in its queue.
#[derive(Debug)]
pub(super) enum HandleOp {
    Read { offset: u64, len: usize },
    Write(Box<WriteOp>),
    Stat,
    SetStat(Box<Attrs>),
    ReadDir,
    Sync,
    Space,
    Copy(Arc<CopyOp>),
    CheckFile(Box<CheckFile>),
    Close,
}

/// A copy between two handles. It stands in the queues of both, and runs when it is the first in both.
#[derive(Debug)]
pub(super) struct CopyOp {
    pub(super) source: HandleId,
    pub(super) target: HandleId,
    pub(super) range: CopyRange,
    /// Set when one of the handles was closed before: what is left in the other's queue is nothing any more.
    pub(super) dropped: AtomicBool,
}

impl CopyOp {
    /// The handle that takes part besides `this`.
    pub(super) fn other(&self, this: HandleId) -> HandleId {
        if this == self.source {
            self.target
        } else {
            self.source
        }
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::Acquire)
    }
}

/// A WRITE and its claim on the budget of received bytes, given back when it is stored.
#[derive(Debug)]
pub(super) struct WriteOp {
    pub(super) chunk: Chunk,
    pub(super) held: Held,
}

/// A queued request.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) sequence: Sequence,
    pub(super) id: u32,
    pub(super) op: HandleOp,
}

/// One open handle.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) open: Open,
    pub(super) path: VirtualPath,
    pub(super) queue: VecDeque<Queued>,
    /// READs that run.
    pub(super) reads: usize,
    /// Whether something else runs, beside which nothing may.
    pub(super) busy: bool,
    /// Whether it stands in the list of handles to look at.
    pub(super) listed: bool,
}

/// All handles of a channel. A handle's number is its place in the table and a count of how often the place was taken, so
/// that a closed handle never means a later one.
#[derive(Debug)]
pub(super) struct Handles {
    places: Vec<Place>,
    free: Vec<u32>,
    /// Mixed into the wire form, so that a handle of one channel means nothing in another.
    salt: u64,
}

#[derive(Debug, Default)]
struct Place {
    taken: u32,
    handle: Option<Handle>,
}

impl Handles {
    /// An empty table.
    pub(super) fn new() -> Self {
        let mut salt = [0_u8; 8];
        // Without it handles are merely easier to guess, and guessing a handle of one's own channel gains nothing.
        let _ = aws_lc_rs::rand::fill(&mut salt);
        Self {
            places: Vec::new(),
            free: Vec::new(),
            salt: u64::from_be_bytes(salt),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Adds what was opened.
    pub(super) fn insert(&mut self, open: Open, path: VirtualPath) -> HandleId {
        let queue = VecDeque::new();
        let handle = Handle {
            open,
            path,
            queue,
            reads: 0,
            busy: false,
            listed: false,
        };
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
        });
        let mut taken = 0;
        if let Some(place) = self.places.get_mut(index as usize) {
            place.taken = place.taken.wrapping_add(1);
            taken = place.taken;
            place.handle = Some(handle);
        }
        HandleId { index, taken }
    }

    pub(super) fn get_mut(&mut self, id: HandleId) -> Option<&mut Handle> {
        let place = self.places.get_mut(id.index as usize)?;
        place.handle.as_mut().filter(|_| place.taken == id.taken)
    }

    /// Whether a request is the first that a handle has left, with nothing running beside it.
    pub(super) fn is_next(&self, id: HandleId, sequence: Sequence) -> bool {
        let place = self.places.get(id.index as usize);
        let handle = place
            .filter(|place| place.taken == id.taken)
            .and_then(|place| place.handle.as_ref());
        handle.is_some_and(|handle| {
            let first = handle.queue.front().map(|queued| queued.sequence);
            first == Some(sequence) && !handle.busy && handle.reads == 0
        })
    }

    pub(super) fn remove(&mut self, id: HandleId) -> Option<Handle> {
        let place = self.places.get_mut(id.index as usize)?;
        if place.taken != id.taken {
            return None;
        }
        let handle = place.handle.take()?;
        self.free.push(id.index);
        Some(handle)
    }

    /// The upload that takes that path in the end, if one is open.
    pub(super) fn upload_of(&self, path: &VirtualPath) -> Option<HandleId> {
        let found = self.places.iter().zip(0..).find_map(|(place, index)| {
            let handle = place.handle.as_ref()?;
            let Open::Upload(upload) = &handle.open else {
                return None;
            };
            (handle.path == *path && upload.is_hidden()).then_some((index, place.taken))
        });
        found.map(|(index, taken)| HandleId { index, taken })
    }

    /// The wire form of a handle.
    pub(super) fn to_wire(&self, id: HandleId) -> [u8; HANDLE_LEN] {
        let number = u64::from(id.taken) << 32 | u64::from(id.index);
        (number ^ self.salt).to_be_bytes()
    }

    /// The handle a client names; `None` if it is not open.
    pub(super) fn find(&self, wire: &[u8]) -> Option<HandleId> {
        let number = u64::from_be_bytes(wire.try_into().ok()?) ^ self.salt;
        let index = u32::try_from(number & u64::from(u32::MAX)).ok()?;
        let taken = u32::try_from(number >> 32).ok()?;
        let place = self.places.get(index as usize)?;
        (place.taken == taken && place.handle.is_some()).then_some(HandleId { index, taken })
    }
}
