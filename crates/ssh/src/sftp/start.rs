//! Starting work: what may run now, beside what.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use sftpgo_core::transfer::Download;
use sftpgo_wire::sftp::{
    DATA_HEADER_LEN, MAX_NAME_REPLY, MAX_PACKET, StatusCode, write_data_header,
};

use super::engine::{Done, Engine, QueuedPath};
use super::finish::OUTPUT_BATCH;
use super::handle_request::{Target, TargetFile};
use super::handles::{HandleId, HandleOp, Open, Queued, WriteOp};
use super::output::BUDGET;
use super::read::ReadOp;
use super::replies::Sequence;
use super::table::PathAction;
use super::{listing, path, status};

/// READs of one handle that run at the same time, when they have to wait for a disk.
const PARALLEL_READS: usize = 8;
/// WRITEs that are stored in one go, and their bytes.
const WRITE_BATCH: usize = 128;
const WRITE_BATCH_BYTES: u64 = 4 << 20;
/// More than any answer but those of READ and READDIR; the longest is a path, twice.
const SMALL_ANSWER: usize = 16 * 1024;

impl Engine {
    /// Starts what is at the head of a handle's queue, as far as it may run.
    pub(super) fn pump(&mut self, handle: HandleId) {
        while let Some(queued) = self.take_next(handle) {
            self.start(handle, queued);
        }
    }

    /// The next request of a handle, if it may run now.
    fn take_next(&mut self, handle: HandleId) -> Option<Queued> {
        self.take_ready_replies();
        let state = self.handles.get_mut(handle)?;
        let next = state.queue.front()?;
        if state.busy {
            return None;
        }
        if let HandleOp::Copy(copy) = &next.op {
            let (copy, sequence) = (Arc::clone(copy), next.sequence);
            return self.take_copy(handle, &copy, sequence);
        }
        let (parallel, answer) = match &next.op {
            HandleOp::Read { len, .. } => (PARALLEL_READS, *len + DATA_HEADER_LEN),
            HandleOp::ReadDir => (1, MAX_NAME_REPLY),
            HandleOp::Stat | HandleOp::SetStat(_) | HandleOp::Sync | HandleOp::Space => {
                (1, SMALL_ANSWER)
            }
            HandleOp::CheckFile(_) => (1, MAX_PACKET),
            // These free what others wait for, and the number of open requests bounds their answers.
            HandleOp::Write(_) | HandleOp::Close | HandleOp::Copy(_) => (1, 0),
        };
        if state.reads >= parallel {
            return None;
        }
        let sequence = next.sequence;
        if answer > 0 && !self.has_room(sequence, answer) {
            self.list(handle);
            return None;
        }
        self.handles.get_mut(handle)?.queue.pop_front()
    }

    /// Bytes of answers that were handed over and that the client has not taken.
    pub(super) fn on_its_way(&self) -> usize {
        self.output.queued() + self.batch.len()
    }

    /// Whether an answer of `len` bytes, which is less than the budget, may be produced for a request. The one that all others
    /// wait for has the whole budget, whatever is ready behind it.
    fn has_room(&self, sequence: Sequence, len: usize) -> bool {
        let mut used = self.on_its_way();
        if !self.replies.is_first(sequence) {
            used += self.reserved + self.replies.bytes();
        }
        used + len <= BUDGET || self.output.is_closed()
    }

    fn start(&mut self, handle: HandleId, queued: Queued) {
        let Queued { sequence, id, op } = queued;
        match op {
            HandleOp::Read { offset, len } => {
                self.start_read(handle, sequence, ReadOp { id, offset, len })
            }
            HandleOp::Write(first) => self.start_write(handle, sequence, id, *first),
            HandleOp::ReadDir => self.start_read_dir(handle, sequence, id),
            HandleOp::Close => self.start_close(handle, sequence, id),
            HandleOp::Copy(copy) => self.start_copy(copy, sequence, id),
            HandleOp::Stat
            | HandleOp::SetStat(_)
            | HandleOp::Sync
            | HandleOp::Space
            | HandleOp::CheckFile(_) => {
                self.start_other(handle, sequence, id, op);
            }
        }
    }

    fn start_read(&mut self, handle: HandleId, sequence: Sequence, read: ReadOp) {
        if self.output.is_closed() {
            // Nobody gets it.
            self.replies.complete(sequence, Bytes::new());
            return;
        }
        let Some(state) = self.handles.get_mut(handle) else {
            return;
        };
        match &state.open {
            Open::Download(download) => {
                let download = Arc::clone(download);
                if self.read_at_once(sequence, &download, read) {
                    return;
                }
                let reading = async move {
                    let buffer = read.buffer();
                    read.reply(download.read_at(read.offset, read.len, buffer).await)
                };
                self.run_read(handle, sequence, read, reading.boxed());
            }
            Open::Upload(upload) => {
                let upload = Arc::clone(upload);
                let reading = async move {
                    let buffer = read.buffer();
                    read.reply(upload.read_at(read.offset, read.len, buffer).await)
                };
                self.run_read(handle, sequence, read, reading.boxed());
            }
            Open::Directory(_) => self
                .replies
                .complete(sequence, status::wrong_handle(read.id)),
        }
    }

    /// Reads into the answer batch itself if the bytes are at hand and it is this request's turn; `false` if they are not.
    fn read_at_once(&mut self, sequence: Sequence, download: &Download, read: ReadOp) -> bool {
        let first = self.replies.is_first(sequence);
        let mut own = Vec::new();
        let buffer = if first {
            if self.batch.len() >= OUTPUT_BATCH {
                self.flush();
            }
            if self.batch.capacity() == 0 {
                self.batch
                    .reserve(OUTPUT_BATCH + read.len + DATA_HEADER_LEN);
            }
            &mut self.batch
        } else {
            own.reserve(read.len + DATA_HEADER_LEN);
            &mut own
        };
        let start = buffer.len();
        buffer.extend_from_slice(&[0; DATA_HEADER_LEN]);
        let reply = match download.try_read_at(read.offset, read.len, buffer) {
            None => {
                buffer.truncate(start);
                return false;
            }
            Some(Ok(count)) if count > 0 => {
                if let Some(reply) = buffer.get_mut(start..) {
                    write_data_header(reply, read.id, count);
                }
                None
            }
            Some(Ok(_)) => Some(status::eof(read.id)),
            Some(Err(error)) => Some(status::failure(read.id, &error)),
        };
        if let Some(reply) = reply {
            buffer.truncate(start);
            buffer.extend_from_slice(&reply);
        }
        if first {
            self.replies.skip_first();
        } else {
            self.replies.complete(sequence, Bytes::from(own));
        }
        true
    }

    fn run_read(
        &mut self,
        handle: HandleId,
        sequence: Sequence,
        read: ReadOp,
        reading: BoxFuture<'static, Bytes>,
    ) {
        if let Some(state) = self.handles.get_mut(handle) {
            state.reads += 1;
        }
        let reserved = read.len + DATA_HEADER_LEN;
        self.reserved += reserved;
        self.spawn(
            async move {
                Done::Read {
                    handle,
                    sequence,
                    reserved,
                    reply: reading.await,
                }
            }
            .boxed(),
        );
    }

    fn start_write(&mut self, handle: HandleId, sequence: Sequence, id: u32, first: WriteOp) {
        let Some(state) = self.handles.get_mut(handle) else {
            return;
        };
        let Open::Upload(upload) = &state.open else {
            self.replies.complete(sequence, status::wrong_handle(id));
            return;
        };
        let upload = Arc::clone(upload);
        let mut order = vec![(sequence, id)];
        let mut bytes = first.chunk.len();
        let mut batch = vec![first];
        while batch.len() < WRITE_BATCH && bytes < WRITE_BATCH_BYTES {
            let Some(queued) = state
                .queue
                .pop_front_if(|queued| matches!(queued.op, HandleOp::Write(_)))
            else {
                break;
            };
            if let HandleOp::Write(write) = queued.op {
                order.push((queued.sequence, queued.id));
                bytes = bytes.saturating_add(write.chunk.len());
                batch.push(*write);
            }
        }
        state.busy = true;
        let writing = async move {
            let (chunks, held): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .map(|write| (write.chunk, write.held))
                .unzip();
            let result = upload.write_at(chunks).await;
            // Given back only now that the bytes are stored.
            drop(held);
            let reply = |(sequence, id)| (sequence, status::outcome(id, &result));
            Done::Written {
                handle,
                replies: order.into_iter().map(reply).collect(),
            }
        };
        self.spawn(writing.boxed());
    }

    fn start_read_dir(&mut self, handle: HandleId, sequence: Sequence, id: u32) {
        let Some(state) = self.handles.get_mut(handle) else {
            return;
        };
        let directory = match &mut state.open {
            Open::Directory(directory) => directory.take(),
            Open::Download(_) | Open::Upload(_) => None,
        };
        let Some(mut directory) = directory else {
            self.replies.complete(sequence, status::wrong_handle(id));
            return;
        };
        state.busy = true;
        self.reserved += MAX_NAME_REPLY;
        let connection = Arc::clone(self.session.connection());
        let fetching = async move {
            connection.touch();
            let reply = listing::next_reply(id, &mut directory).await;
            Done::Listed {
                handle,
                sequence,
                reply,
                directory: Box::new(directory),
            }
        };
        self.spawn(fetching.boxed());
    }

    fn start_close(&mut self, handle: HandleId, sequence: Sequence, id: u32) {
        let Some(state) = self.handles.remove(handle) else {
            return;
        };
        // Requests behind a CLOSE name a handle that is gone.
        for queued in state.queue {
            if let HandleOp::Copy(copy) = &queued.op
                && !self.drop_copy(copy, handle)
            {
                continue;
            }
            let text = "Failure: the handle is closed";
            self.replies.complete(
                queued.sequence,
                status::status(queued.id, StatusCode::Failure, text),
            );
        }
        let closing = async move {
            let reply = match state.open {
                Open::Directory(_) => status::ok(id),
                Open::Download(download) => {
                    // Nothing runs on the handle any more, so nobody else holds it.
                    if let Some(download) = Arc::into_inner(download) {
                        download.finish();
                    }
                    status::ok(id)
                }
                Open::Upload(upload) => match Arc::into_inner(upload) {
                    Some(upload) => status::outcome(id, &upload.finish().await),
                    None => status::status(id, StatusCode::Failure, "Failure"),
                },
            };
            Done::Closed { sequence, reply }
        };
        self.spawn(closing.boxed());
    }

    fn start_other(&mut self, handle: HandleId, sequence: Sequence, id: u32, op: HandleOp) {
        let Some(state) = self.handles.get_mut(handle) else {
            return;
        };
        let file = match &mut state.open {
            Open::Download(download) => TargetFile::Download(Arc::clone(download)),
            Open::Upload(upload) => TargetFile::Upload(Arc::clone(upload)),
            Open::Directory(directory) => match directory.take() {
                Some(directory) => TargetFile::Directory(Box::new(directory)),
                None => {
                    self.replies.complete(sequence, status::wrong_handle(id));
                    return;
                }
            },
        };
        state.busy = true;
        let mut target = Target {
            session: self.session.clone(),
            path: state.path.clone(),
            heavy: Arc::clone(&self.heavy),
            file,
        };
        let working = async move {
            let reply = target.perform(id, op).await;
            // The file must not be held when the CLOSE behind this takes it.
            let directory = match target.file {
                TargetFile::Directory(directory) => Some(directory),
                TargetFile::Download(_) | TargetFile::Upload(_) => None,
            };
            Done::Other {
                handle,
                sequence,
                reply,
                directory,
            }
        };
        self.spawn(working.boxed());
    }

    /// Starts the next path request if everything before it is done.
    pub(super) fn pump_paths(&mut self) {
        while !self.path_runs {
            let Some(next) = self.paths.front() else {
                return;
            };
            let sequence = next.sequence;
            if !self.replies.all_before_ready(sequence)
                || !self.has_room(sequence, longest_answer(&next.action))
            {
                return;
            }
            let Some(QueuedPath {
                sequence,
                id,
                action,
                bytes,
            }) = self.paths.pop_front()
            else {
                return;
            };
            self.path_bytes -= bytes;
            self.path_runs = true;
            let session = self.session.clone();
            let working = async move {
                Done::Path {
                    sequence,
                    id,
                    outcome: Box::new(path::run(session, id, action).await),
                }
            };
            self.spawn(working.boxed());
            if !self.finished.is_empty() {
                return;
            }
        }
    }

    /// Runs something; what needs no waiting ends on the spot.
    pub(super) fn spawn(&mut self, mut work: BoxFuture<'static, Done>) {
        match (&mut work).now_or_never() {
            Some(done) => self.finished.push_back(done),
            None => self.running.push(work),
        }
    }
}

/// More than any answer to a request on paths.
fn longest_answer(action: &PathAction) -> usize {
    if matches!(action, PathAction::CheckFile { .. }) {
        MAX_PACKET
    } else if matches!(action, PathAction::Names { .. }) {
        MAX_NAME_REPLY
    } else {
        SMALL_ANSWER
    }
}
