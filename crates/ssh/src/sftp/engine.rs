//! The loop of one channel: decode, start what may run, answer in order. It is the only task that touches this state, and it
//! never waits for the client to read.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sftpgo_core::Session;
use sftpgo_wire::sftp::{DecodeError, Frame, FrameDecoder, Request, StatusCode};

use super::handles::{Directory, HandleId, HandleOp, Handles, Queued, WriteOp};
use super::output::Output;
use super::path::PathOutcome;
use super::replies::{Replies, Sequence};
use super::table::{HandleAction, Lane, PathAction, lane};
use super::{extension, status};
use crate::transport::ChannelInput;
use crate::transport::gate::Gate;

/// Requests without an answer. Old clients ask for a whole file at once (paramiko's prefetch), and pausing them would also
/// pause what frees the window; a channel beyond this is closed. Each costs well under 100 bytes.
const MAX_OPEN_REQUESTS: usize = 512 * 1024;
/// Chunks taken from the channel before other work gets its turn.
const INPUT_BURST: usize = 64;

/// The end of something that was started.
pub(super) enum Done {
    Path {
        sequence: Sequence,
        id: u32,
        outcome: Box<PathOutcome>,
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

pub(super) struct QueuedPath {
    pub(super) sequence: Sequence,
    pub(super) id: u32,
    pub(super) action: PathAction,
}

/// State of one channel.
pub(super) struct Engine {
    pub(super) session: Session,
    pub(super) input: ChannelInput,
    pub(super) gate: Arc<Gate>,
    pub(super) decoder: FrameDecoder,
    /// What the bytes in `decoder` cost at the gate.
    pub(super) undecoded: usize,
    pub(super) initialised: bool,
    pub(super) ended: bool,
    pub(super) handles: Handles,
    pub(super) replies: Replies,
    pub(super) paths: VecDeque<QueuedPath>,
    pub(super) path_runs: bool,
    pub(super) running: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Finished on the spot, still to be taken note of.
    pub(super) finished: VecDeque<Done>,
    /// Handles to look at: with new requests, or with a READ that waits for the client to take bytes.
    pub(super) starved: VecDeque<HandleId>,
    /// Bytes that running READs may still produce.
    pub(super) reserved: usize,
    pub(super) batch: Vec<u8>,
    pub(super) output: Output,
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
                if let Some(state) = self.handles.get_mut(handle) {
                    state.listed = false;
                }
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

    /// Notes that a handle is to be looked at, once however often.
    pub(super) fn list(&mut self, handle: HandleId) {
        if let Some(state) = self.handles.get_mut(handle)
            && !std::mem::replace(&mut state.listed, true)
        {
            self.starved.push_back(handle);
        }
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
        self.list(handle);
        held
    }
}

enum Event {
    Done(Done),
    Input(Option<Bytes>),
    Drained,
}

fn unsupported(id: u32) -> Bytes {
    status::status(id, StatusCode::OpUnsupported, "Operation Unsupported")
}
