//! Open files and directories of a channel, and the requests that wait for them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use sftpgo_core::model::VirtualPath;
use sftpgo_core::session::DirectoryListing;
use sftpgo_core::transfer::{Download, Upload};
use sftpgo_core::{Chunk, Entry};
use sftpgo_wire::sftp::Attrs;

use super::replies::Sequence;
use crate::transport::gate::Held;

/// Open handles of one channel, files and directories together.
pub(super) const MAX_HANDLES: usize = 1024;
const HANDLE_LEN: usize = 8;

/// Names a handle inside the engine; never reused in a channel.
pub(super) type HandleId = u64;

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
    Close,
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
}

/// All handles of a channel.
#[derive(Debug)]
pub(super) struct Handles {
    table: HashMap<HandleId, Handle>,
    next: HandleId,
}

impl Handles {
    /// An empty table. The first number is random, so that a handle of one channel means nothing in another.
    pub(super) fn new() -> Self {
        let mut start = [0_u8; 8];
        // A start at 0 is merely easier to guess, and guessing a handle of one's own channel gains nothing.
        let _ = aws_lc_rs::rand::fill(&mut start);
        Self {
            table: HashMap::new(),
            next: u64::from_be_bytes(start),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Adds what was opened.
    pub(super) fn insert(&mut self, open: Open, path: VirtualPath) -> HandleId {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let handle = Handle {
            open,
            path,
            queue: VecDeque::new(),
            reads: 0,
            busy: false,
        };
        self.table.insert(id, handle);
        id
    }

    pub(super) fn get_mut(&mut self, id: HandleId) -> Option<&mut Handle> {
        self.table.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: HandleId) -> Option<Handle> {
        self.table.remove(&id)
    }

    /// The wire form of a handle.
    pub(super) fn to_wire(id: HandleId) -> [u8; HANDLE_LEN] {
        id.to_be_bytes()
    }

    /// The handle a client names; `None` if it is not open.
    pub(super) fn find(&self, wire: &[u8]) -> Option<HandleId> {
        let id = HandleId::from_be_bytes(wire.try_into().ok()?);
        self.table.contains_key(&id).then_some(id)
    }
}
