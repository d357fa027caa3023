//! The loop of one channel: decode, start what may run, answer in order. It is the only task that touches this state, and it
//! never waits for the client to read.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sftpgo_core::Session;
use sftpgo_core::session::OpenFile;
use sftpgo_core::transfer::Download;
use sftpgo_wire::sftp::{
    DATA_HEADER_LEN, DecodeError, Frame, FrameDecoder, Request, StatusCode, encode_handle,
    write_data_header,
};

use super::handles::{Directory, HandleId, HandleOp, Handles, MAX_HANDLES, Open, Queued, WriteOp};
use super::output::{BUDGET, Output};
use super::path::{self, PathOutcome};
use super::replies::{Replies, Sequence};
use super::table::{HandleAction, Lane, PathAction, lane};
use super::{attributes, extension, listing, status};
use crate::transport::ChannelInput;
use crate::transport::gate::Gate;

/// Requests without an answer. Old clients ask for a whole file at once (paramiko's prefetch), and pausing them would also
/// pause what frees the window; a channel beyond this is closed. Each costs well under 100 bytes.
const MAX_OPEN_REQUESTS: usize = 512 * 1024;
/// READs of one handle that run at the same time, when they have to wait for a disk.
const PARALLEL_READS: usize = 8;
/// WRITEs that are stored in one go, and their bytes.
const WRITE_BATCH: usize = 128;
const WRITE_BATCH_BYTES: u64 = 4 << 20;
/// Answers are handed over when this much has come together.
const OUTPUT_BATCH: usize = 128 * 1024;
/// Chunks taken from the channel before other work gets its turn.
const INPUT_BURST: usize = 64;

/// The end of something that was started.
enum Done {
    Path {
        sequence: Sequence,
        id: u32,
        outcome: PathOutcome,
    },
    Read {
        handle: HandleId,
        sequence: Sequence,
        reserved: usize,
        reply: Bytes,
    },
    Written {
        handle: HandleId,
        replies: Vec<(Sequence, Bytes)>,
    },
    Listed {
        handle: HandleId,
        sequence: Sequence,
        reply: Bytes,
        directory: Box<Directory>,
    },
    Other {
        handle: HandleId,
        sequence: Sequence,
        reply: Bytes,
    },
    Closed {
        sequence: Sequence,
        reply: Bytes,
    },
}

struct QueuedPath {
    sequence: Sequence,
    id: u32,
    action: PathAction,
}

/// State of one channel.
pub(super) struct Engine {
    session: Session,
    input: ChannelInput,
    gate: Arc<Gate>,
    decoder: FrameDecoder,
    /// What the bytes in `decoder` cost at the gate.
    undecoded: usize,
    initialised: bool,
    ended: bool,
    handles: Handles,
    replies: Replies,
    paths: VecDeque<QueuedPath>,
    path_runs: bool,
    running: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Finished on the spot, still to be taken note of.
    finished: VecDeque<Done>,
    /// Handles whose next READ waits for the client to take bytes.
    starved: VecDeque<HandleId>,
    /// Bytes that running READs may still produce.
    reserved: usize,
    batch: Vec<u8>,
    output: Output,
}

impl Engine {
    pub(super) fn new(session: Session, input: ChannelInput, output: Output) -> Self {
        Self {
            session,
            gate: Arc::clone(input.gate()),
            input,
            decoder: FrameDecoder::new(),
            undecoded: 0,
            initialised: false,
            ended: false,
            handles: Handles::new(),
            replies: Replies::default(),
            paths: VecDeque::new(),
            path_runs: false,
            running: FuturesUnordered::new(),
            finished: VecDeque::new(),
            starved: VecDeque::new(),
            reserved: 0,
            batch: Vec::new(),
            output,
        }
    }

    /// Runs until the client ends the channel and everything is answered. Returns the exit status. What is still open then is
    /// dropped, which aborts unfinished uploads.
    pub(super) async fn run(mut self) -> u32 {
        let cancel = self.session.connection().info.cancel.clone();
        while !(self.ended && self.replies.is_empty()) {
            let event = tokio::select! {
                biased;
                () = cancel.cancelled() => return 1,
                Some(done) = self.running.next(), if !self.running.is_empty() => Event::Done(done),
                chunk = self.input.next(), if !self.ended => Event::Input(chunk),
                () = self.output.drained() => Event::Drained,
            };
            if let Err(reason) = self.handle_event(event) {
                let id = &self.session.connection().info.id;
                tracing::info!(
                    sender = "sftpd",
                    connection_id = id,
                    "SFTP channel closed: {reason}"
                );
                return 1;
            }
            if self.output.is_gone() {
                return 1;
            }
        }
        self.flush();
        0
    }

    fn handle_event(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Done(done) => self.finished.push_back(done),
            Event::Input(chunk) => self.receive(chunk)?,
            Event::Drained => {}
        }
        // Take what is there already: many small packets become one round of work.
        let mut burst = 0;
        while burst < INPUT_BURST && !self.ended {
            match self.input.next().now_or_never() {
                Some(chunk) => self.receive(chunk)?,
                None => break,
            }
            burst += 1;
        }
        self.progress();
        self.flush();
        Ok(())
    }

    /// Does everything that can be done without waiting.
    fn progress(&mut self) {
        for _ in 0..self.starved.len() {
            if let Some(handle) = self.starved.pop_front() {
                self.pump(handle);
            }
        }
        loop {
            while let Some(done) = self.finished.pop_front() {
                self.finish(done);
            }
            self.take_ready_replies();
            self.pump_paths();
            if self.finished.is_empty() {
                break;
            }
        }
    }

    // --- requests come in

    fn receive(&mut self, chunk: Option<Bytes>) -> Result<(), String> {
        let Some(chunk) = chunk else {
            self.ended = true;
            return Ok(());
        };
        let mut held = self.undecoded + Gate::cost(chunk.len());
        self.decoder.push(chunk);
        while let Some(frame) = self
            .decoder
            .next_frame()
            .map_err(|error| error.to_string())?
        {
            held = held.saturating_sub(self.accept(frame)?);
        }
        // What is not decoded yet stays held; of the rest, WRITEs hold their own share.
        self.undecoded = self.decoder.buffered().min(held);
        drop(self.gate.part(held - self.undecoded));
        Ok(())
    }

    /// Queues one request; returns the bytes it goes on holding at the gate.
    fn accept(&mut self, frame: Frame) -> Result<usize, String> {
        let request = match Request::decode(frame) {
            Ok(request) => request,
            Err(error) => {
                self.refuse(&error)?;
                return Ok(0);
            }
        };
        if !self.initialised && !matches!(request, Request::Init { .. }) {
            return Err("the first packet was not INIT".to_owned());
        }
        if self.replies.len() >= MAX_OPEN_REQUESTS {
            return Err("too many requests without an answer".to_owned());
        }
        let sequence = self.replies.open();
        let (id, lane) = lane(request);
        match lane {
            Lane::Version => {
                self.initialised = true;
                self.replies.complete(sequence, extension::version());
            }
            Lane::Unsupported => self.replies.complete(sequence, unsupported(id)),
            Lane::Path(action) => self.paths.push_back(QueuedPath {
                sequence,
                id,
                action,
            }),
            Lane::Handle { handle, action } => {
                return Ok(self.enqueue(sequence, id, &handle, action));
            }
        }
        Ok(0)
    }

    fn refuse(&mut self, error: &DecodeError) -> Result<(), String> {
        let Some(id) = error.id().filter(|_| self.initialised) else {
            return Err(error.to_string());
        };
        let sequence = self.replies.open();
        let reply = match error {
            DecodeError::UnknownType { .. } => unsupported(id),
            DecodeError::Malformed { .. } => {
                status::status(id, StatusCode::BadMessage, "Bad message")
            }
        };
        self.replies.complete(sequence, reply);
        Ok(())
    }

    fn enqueue(&mut self, sequence: Sequence, id: u32, wire: &[u8], action: HandleAction) -> usize {
        let Some(handle) = self.handles.find(wire) else {
            let text = "Failure: no such handle";
            self.replies
                .complete(sequence, status::status(id, StatusCode::Failure, text));
            return 0;
        };
        let (op, held) = match action {
            HandleAction::Read { offset, len } => (HandleOp::Read { offset, len }, 0),
            HandleAction::Write { chunk } => {
                let bytes = usize::try_from(chunk.len()).unwrap_or(usize::MAX);
                let held = self.gate.part(bytes);
                (HandleOp::Write(Box::new(WriteOp { chunk, held })), bytes)
            }
            HandleAction::Stat => (HandleOp::Stat, 0),
            HandleAction::SetStat(attrs) => (HandleOp::SetStat(Box::new(attrs)), 0),
            HandleAction::ReadDir => (HandleOp::ReadDir, 0),
            HandleAction::Sync => (HandleOp::Sync, 0),
            HandleAction::Space => (HandleOp::Space, 0),
            HandleAction::Close => (HandleOp::Close, 0),
        };
        if let Some(state) = self.handles.get_mut(handle) {
            state.queue.push_back(Queued { sequence, id, op });
        }
        // Writes are started at the end of a burst, so that neighbours go together; the rest as soon as possible.
        self.starved.push_back(handle);
        held
    }

    // --- work is started

    /// Starts what is at the head of a handle's queue, as far as it may run.
    fn pump(&mut self, handle: HandleId) {
        loop {
            let room = self.room();
            let Some(state) = self.handles.get_mut(handle) else {
                return;
            };
            let Some(next) = state.queue.front() else {
                return;
            };
            if state.busy {
                return;
            }
            match &next.op {
                HandleOp::Read { len, .. } => {
                    if state.reads >= PARALLEL_READS {
                        return;
                    }
                    if *len + DATA_HEADER_LEN > room {
                        self.starved.push_back(handle);
                        return;
                    }
                }
                _ if state.reads > 0 => return,
                _ => {}
            }
            let Some(queued) = state.queue.pop_front() else {
                return;
            };
            self.start(handle, queued);
        }
    }

    /// Bytes of file contents that may still be produced for the client. Something always may when nothing is on its way.
    fn room(&self) -> usize {
        let used = self.output.queued() + self.batch.len() + self.reserved;
        if used == 0 {
            usize::MAX
        } else {
            BUDGET.saturating_sub(used)
        }
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
            HandleOp::Stat | HandleOp::SetStat(_) | HandleOp::Sync | HandleOp::Space => {
                self.start_other(handle, sequence, id, op);
            }
        }
    }

    fn start_read(&mut self, handle: HandleId, sequence: Sequence, read: ReadOp) {
        self.take_ready_replies();
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
            Open::Directory(_) => self.replies.complete(sequence, wrong_handle(read.id)),
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
            self.replies.complete(sequence, wrong_handle(id));
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
            self.replies.complete(sequence, wrong_handle(id));
            return;
        };
        state.busy = true;
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
        state.busy = true;
        let target = Target {
            session: self.session.clone(),
            path: state.path.clone(),
            file: match &state.open {
                Open::Download(download) => TargetFile::Download(Arc::clone(download)),
                Open::Upload(upload) => TargetFile::Upload(Arc::clone(upload)),
                Open::Directory(_) => TargetFile::Directory,
            },
        };
        let working = async move {
            let reply = target.perform(id, op).await;
            // The file must not be held when the CLOSE behind this takes it.
            drop(target);
            Done::Other {
                handle,
                sequence,
                reply,
            }
        };
        self.spawn(working.boxed());
    }

    /// Starts the next path request if everything before it is done.
    fn pump_paths(&mut self) {
        while !self.path_runs {
            let Some(next) = self.paths.front() else {
                return;
            };
            if !self.replies.all_before_ready(next.sequence) {
                return;
            }
            let Some(QueuedPath {
                sequence,
                id,
                action,
            }) = self.paths.pop_front()
            else {
                return;
            };
            self.path_runs = true;
            let session = self.session.clone();
            let working = async move {
                Done::Path {
                    sequence,
                    id,
                    outcome: path::run(session, id, action).await,
                }
            };
            self.spawn(working.boxed());
            if !self.finished.is_empty() {
                return;
            }
        }
    }

    /// Runs something; what needs no waiting ends on the spot.
    fn spawn(&mut self, mut work: BoxFuture<'static, Done>) {
        match (&mut work).now_or_never() {
            Some(done) => self.finished.push_back(done),
            None => self.running.push(work),
        }
    }

    // --- work ends

    fn finish(&mut self, done: Done) {
        match done {
            Done::Path {
                sequence,
                id,
                outcome,
            } => {
                self.path_runs = false;
                let reply = match outcome {
                    PathOutcome::Reply(reply) => reply,
                    PathOutcome::File(path, OpenFile::Download(file)) => {
                        self.open(id, Open::Download(Arc::new(file)), path)
                    }
                    PathOutcome::File(path, OpenFile::Upload(file)) => {
                        self.open(id, Open::Upload(Arc::new(file)), path)
                    }
                    PathOutcome::Directory(path, listing) => {
                        let directory = Directory {
                            listing,
                            left: VecDeque::new(),
                        };
                        self.open(id, Open::Directory(Some(directory)), path)
                    }
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
            } => {
                self.replies.complete(sequence, reply);
                self.free(handle);
            }
            Done::Closed { sequence, reply } => self.replies.complete(sequence, reply),
        }
    }

    fn free(&mut self, handle: HandleId) {
        if let Some(state) = self.handles.get_mut(handle) {
            state.busy = false;
        }
        self.pump(handle);
    }

    fn open(&mut self, id: u32, open: Open, path: sftpgo_core::model::VirtualPath) -> Bytes {
        if self.handles.len() >= MAX_HANDLES {
            // What was opened is dropped; an upload is aborted by that.
            let text = "Failure: too many open handles";
            return status::status(id, StatusCode::Failure, text);
        }
        let handle = self.handles.insert(open, path);
        let mut out = bytes::BytesMut::with_capacity(32);
        encode_handle(&mut out, id, &Handles::to_wire(handle));
        out.freeze()
    }

    // --- answers go out

    /// Moves answers whose turn it is into the batch; large ones go out as they are.
    fn take_ready_replies(&mut self) {
        while let Some(reply) = self.replies.take_ready() {
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

    fn flush(&mut self) {
        self.output
            .send(Bytes::from(std::mem::take(&mut self.batch)));
    }
}

enum Event {
    Done(Done),
    Input(Option<Bytes>),
    Drained,
}

/// A READ on its way.
#[derive(Clone, Copy)]
struct ReadOp {
    id: u32,
    offset: u64,
    len: usize,
}

impl ReadOp {
    /// Room for the answer's header and what is asked for.
    fn buffer(self) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(DATA_HEADER_LEN + self.len);
        buffer.extend_from_slice(&[0; DATA_HEADER_LEN]);
        buffer
    }

    fn reply(self, result: sftpgo_core::OpResult<Vec<u8>>) -> Bytes {
        match result {
            Ok(buffer) if buffer.len() <= DATA_HEADER_LEN => status::eof(self.id),
            Ok(mut buffer) => {
                let count = buffer.len() - DATA_HEADER_LEN;
                write_data_header(&mut buffer, self.id, count);
                Bytes::from(buffer)
            }
            Err(error) => status::failure(self.id, &error),
        }
    }
}

/// What a request for a handle acts on when it needs neither its queue nor its place in the table.
struct Target {
    session: Session,
    path: sftpgo_core::model::VirtualPath,
    file: TargetFile,
}

enum TargetFile {
    Download(Arc<Download>),
    Upload(Arc<sftpgo_core::transfer::Upload>),
    Directory,
}

impl Target {
    async fn perform(&self, id: u32, op: HandleOp) -> Bytes {
        let result = match op {
            HandleOp::Stat => {
                let found = match &self.file {
                    TargetFile::Download(file) => file.stat().await,
                    TargetFile::Upload(file) => file.stat().await,
                    TargetFile::Directory => self.session.stat(&self.path).await,
                };
                return match found {
                    Ok(metadata) => path::encoded_attrs(id, &metadata),
                    Err(error) => status::failure(id, &error),
                };
            }
            HandleOp::Space => {
                return match self.session.space(&self.path).await {
                    Ok(space) => extension::space::reply(id, &space),
                    Err(error) => status::failure(id, &error),
                };
            }
            HandleOp::SetStat(attrs) => self.set_attributes(&attrs).await,
            HandleOp::Sync => match &self.file {
                TargetFile::Upload(file) => file.sync().await,
                TargetFile::Download(_) | TargetFile::Directory => Ok(()),
            },
            // These have starts of their own.
            HandleOp::Read { .. } | HandleOp::Write(_) | HandleOp::ReadDir | HandleOp::Close => {
                return wrong_handle(id);
            }
        };
        status::outcome(id, &result)
    }

    async fn set_attributes(&self, attrs: &sftpgo_wire::sftp::Attrs) -> sftpgo_core::OpResult<()> {
        let changes = attributes::from_wire(attrs);
        match &self.file {
            TargetFile::Download(file) if attrs.size.is_none() => {
                file.set_attributes(&changes).await
            }
            TargetFile::Upload(file) => {
                if let Some(size) = attrs.size {
                    file.set_len(size).await?;
                }
                file.set_attributes(&changes).await
            }
            TargetFile::Download(_) | TargetFile::Directory => {
                self.session
                    .set_attributes(&self.path, attrs.size, &changes, true)
                    .await
            }
        }
    }
}

fn unsupported(id: u32) -> Bytes {
    status::status(id, StatusCode::OpUnsupported, "Operation Unsupported")
}

fn wrong_handle(id: u32) -> Bytes {
    status::status(
        id,
        StatusCode::Failure,
        "Failure: the handle is of another kind",
    )
}
