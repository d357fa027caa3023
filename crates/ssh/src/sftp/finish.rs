//! Ending work, and sending answers in order.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use sftpgo_core::model::VirtualPath;
use sftpgo_core::session::OpenFile;
use sftpgo_wire::sftp::{MAX_NAME_REPLY, StatusCode, encode_handle};

use super::engine::{Done, Engine};
use super::handles::{Directory, HandleId, HandleOp, MAX_HANDLES, Open, Queued};
use super::output::BUDGET;
use super::path::PathOutcome;
use super::replies::Sequence;
use super::status;

/// Answers are handed over when this much has come together.
pub(super) const OUTPUT_BATCH: usize = 128 * 1024;

impl Engine {
    pub(super) fn finish(&mut self, done: Done) {
        match done {
            Done::Path {
                sequence,
                id,
                outcome,
            } => {
                self.path_runs = false;
                let reply = match *outcome {
                    PathOutcome::Reply(reply) => reply,
                    PathOutcome::File(path, file) => {
                        let open = match *file {
                            OpenFile::Download(file) => Open::Download(Arc::new(file)),
                            OpenFile::Upload(file) => Open::Upload(Arc::new(file)),
                        };
                        self.open(id, open, path)
                    }
                    PathOutcome::Directory(path, listing) => {
                        let directory = Directory {
                            listing,
                            left: VecDeque::new(),
                        };
                        self.open(id, Open::Directory(Some(directory)), path)
                    }
                    // Who uploads sees what it has written so far: sshfs looks by name right after its OPEN, and asks for
                    // the size of an open file by its name.
                    PathOutcome::Looked(path, reply) => match self.handles.upload_of(&path) {
                        Some(upload) => return self.stat_upload(upload, sequence, id),
                        None => reply,
                    },
                };
                self.replies.complete(sequence, reply);
            }
            Done::Read {
                handle,
                sequence,
                reserved,
                reply,
            } => {
                self.reserved = self.reserved.saturating_sub(reserved);
                self.replies.complete(sequence, reply);
                if let Some(state) = self.handles.get_mut(handle) {
                    state.reads = state.reads.saturating_sub(1);
                }
                self.pump(handle);
            }
            Done::Written { handle, replies } => {
                for (sequence, reply) in replies {
                    self.replies.complete(sequence, reply);
                }
                self.free(handle);
            }
            Done::Listed {
                handle,
                sequence,
                reply,
                directory,
            } => {
                self.reserved = self.reserved.saturating_sub(MAX_NAME_REPLY);
                self.replies.complete(sequence, reply);
                if let Some(state) = self.handles.get_mut(handle) {
                    state.open = Open::Directory(Some(*directory));
                }
                self.free(handle);
            }
            Done::Other {
                handle,
                sequence,
                reply,
                directory,
            } => {
                self.replies.complete(sequence, reply);
                if let (Some(state), Some(directory)) = (self.handles.get_mut(handle), directory) {
                    state.open = Open::Directory(Some(*directory));
                }
                self.free(handle);
            }
            Done::Copied {
                copy,
                sequence,
                reply,
            } => {
                self.replies.complete(sequence, reply);
                self.free(copy.source);
                self.free(copy.target);
            }
            Done::Freed { handle } => self.pump(handle),
            Done::Closed { sequence, reply } => self.replies.complete(sequence, reply),
        }
    }

    fn free(&mut self, handle: HandleId) {
        if let Some(state) = self.handles.get_mut(handle) {
            state.busy = false;
        }
        self.pump(handle);
    }

    /// Answers a look by name as one by handle. Everything before it is done, so it comes before what waits there.
    fn stat_upload(&mut self, upload: HandleId, sequence: Sequence, id: u32) {
        let op = HandleOp::Stat;
        if let Some(state) = self.handles.get_mut(upload) {
            state.queue.push_front(Queued { sequence, id, op });
        }
        self.pump(upload);
    }

    fn open(&mut self, id: u32, open: Open, path: VirtualPath) -> Bytes {
        if self.handles.len() >= MAX_HANDLES {
            // What was opened is dropped; an upload is aborted by that.
            let text = "Failure: too many open handles";
            return status::status(id, StatusCode::Failure, text);
        }
        let handle = self.handles.insert(open, path);
        let mut out = BytesMut::with_capacity(32);
        encode_handle(&mut out, id, &self.handles.to_wire(handle));
        out.freeze()
    }

    /// Moves answers whose turn it is into the batch, as long as the client takes them; large ones go out as they are.
    pub(super) fn take_ready_replies(&mut self) {
        while self.on_its_way() < BUDGET {
            let Some(reply) = self.replies.take_ready() else {
                return;
            };
            if reply.len() >= OUTPUT_BATCH / 4 {
                self.flush();
                self.output.send(reply);
            } else {
                self.batch.extend_from_slice(&reply);
                if self.batch.len() >= OUTPUT_BATCH {
                    self.flush();
                }
            }
        }
    }

    pub(super) fn flush(&mut self) {
        self.output
            .send(Bytes::from(std::mem::take(&mut self.batch)));
    }
}
