//! `copy-data`: copies between two open handles (draft-ietf-secsh-filexfer-extensions-00 7), as OpenSSH's server does it.
//!
//! A copy stands in the queues of both handles and runs when it is the first in both, with nothing beside it. Other handles
//! go on meanwhile. Two copies never wait for each other, because they stand in the same order wherever they meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::future::FutureExt as _;
use sftpgo_core::transfer::{CopyRange, Download, Source, Upload, copy};

use crate::sftp::engine::{Done, Engine};
use crate::sftp::handles::{CopyOp, Handle, HandleId, HandleOp, Open, Queued};
use crate::sftp::replies::Sequence;
use crate::sftp::status;
use crate::sftp::table::Copy;

/// The file to read, held while the copy runs.
enum Held {
    Download(Arc<Download>),
    Upload(Arc<Upload>),
}

impl Engine {
    /// Puts a copy into both queues.
    pub(in crate::sftp) fn enqueue_copy(&mut self, sequence: Sequence, id: u32, request: &Copy) {
        let source = self.handles.find(&request.source);
        let target = self.handles.find(&request.target);
        let (Some(source), Some(target)) = (source, target) else {
            let reply = status::no_such_handle(id);
            self.replies.complete(sequence, reply);
            return;
        };
        // With itself a handle could never be the first in "both" queues; and it would be one file anyway.
        if source == target {
            self.replies.complete(sequence, status::wrong_handle(id));
            return;
        }
        let copy = Arc::new(CopyOp {
            source,
            target,
            range: request.range,
            dropped: AtomicBool::new(false),
        });
        for handle in [source, target] {
            if let Some(state) = self.handles.get_mut(handle) {
                let op = HandleOp::Copy(Arc::clone(&copy));
                state.queue.push_back(Queued { sequence, id, op });
            }
            self.list(handle);
        }
    }

    /// Takes a copy out of the queue of `handle`, whose first request it is, if it may run now: its twin goes with it. What is
    /// left of a dropped one goes without being run.
    pub(in crate::sftp) fn take_copy(
        &mut self,
        handle: HandleId,
        copy: &CopyOp,
        sequence: Sequence,
    ) -> Option<Queued> {
        if copy.is_dropped() {
            return self.pop(handle);
        }
        let other = copy.other(handle);
        if !self.handles.is_next(handle, sequence) || !self.handles.is_next(other, sequence) {
            return None;
        }
        self.pop(other)?;
        self.pop(handle)
    }

    fn pop(&mut self, handle: HandleId) -> Option<Queued> {
        self.handles.get_mut(handle)?.queue.pop_front()
    }

    /// Notes that one of the handles of a copy is closed; `false` if that was noted before, and answered.
    pub(in crate::sftp) fn drop_copy(&mut self, copy: &CopyOp, closed: HandleId) -> bool {
        if copy.dropped.swap(true, Ordering::AcqRel) {
            return false;
        }
        // Whatever stands behind it there may be next.
        let handle = copy.other(closed);
        self.finished.push_back(Done::Freed { handle });
        true
    }

    pub(in crate::sftp) fn start_copy(&mut self, copy: Arc<CopyOp>, sequence: Sequence, id: u32) {
        if copy.is_dropped() {
            return;
        }
        let source = self.handles.get_mut(copy.source).and_then(readable);
        let target = self.handles.get_mut(copy.target).and_then(writable);
        let (Some(source), Some(target)) = (source, target) else {
            self.replies.complete(sequence, status::wrong_handle(id));
            for handle in [copy.source, copy.target] {
                self.finished.push_back(Done::Freed { handle });
            }
            return;
        };
        for handle in [copy.source, copy.target] {
            if let Some(state) = self.handles.get_mut(handle) {
                state.busy = true;
            }
        }
        let places = Arc::clone(&self.heavy);
        let copying = async move {
            // Never closed; and who waits here holds nothing yet.
            let place = places.acquire_owned().await;
            let reply = run(id, &source, &target, copy.range).await;
            drop(place);
            // The files must not be held when a CLOSE behind this takes them.
            drop((source, target));
            Done::Copied {
                copy,
                sequence,
                reply,
            }
        };
        self.spawn(copying.boxed());
    }
}

fn readable(handle: &mut Handle) -> Option<Held> {
    match &handle.open {
        Open::Download(file) => Some(Held::Download(Arc::clone(file))),
        Open::Upload(file) => Some(Held::Upload(Arc::clone(file))),
        Open::Directory(_) => None,
    }
}

fn writable(handle: &mut Handle) -> Option<Arc<Upload>> {
    match &handle.open {
        Open::Upload(file) => Some(Arc::clone(file)),
        Open::Download(_) | Open::Directory(_) => None,
    }
}

/// Copies to the end. Fewer bytes than were asked for are answered with EOF, as by OpenSSH's server.
async fn run(id: u32, source: &Held, target: &Upload, range: CopyRange) -> Bytes {
    let source = match source {
        Held::Download(file) => Source::Download(file),
        Held::Upload(file) => Source::Upload(file),
    };
    match copy(source, target, range).await {
        Ok(copied) if range.len.is_some_and(|len| copied < len) => status::eof(id),
        Ok(_) => status::ok(id),
        Err(error) => status::failure(id, &error),
    }
}
