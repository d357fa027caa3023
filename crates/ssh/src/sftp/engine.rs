//! The loop of one channel: decode, start what may run, answer in order. It is the only task that touches this state, and it
//! never waits for the client to read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sftpgo_core::Session;
use sftpgo_wire::sftp::{DecodeError, Frame, FrameDecoder, Request, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::handles::{CopyOp, Directory, HandleId, HandleOp, Handles, Queued, WriteOp};
use super::output::Output;
use super::path::PathOutcome;
use super::quirk::Quirks;
use super::replies::{Replies, Sequence};
use super::requests::{MAX_OPEN_REQUESTS, PAUSE, Part};
use super::table::{HandleAction, Lane, PathAction, lane};
use super::{extension, status};
use crate::transport::window::{Held, Window};
use crate::transport::{ChannelInput, Input};

/// Bytes of requests with paths that wait for their turn; a channel beyond this is closed. Far more than any client sends
/// ahead, and what a client that stops reading costs.
const MAX_PATH_BYTES: usize = 4 << 20;
/// How long requests go on running whose client has closed the channel.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);
/// Copies and digests that run at a time in a channel.
const MAX_HEAVY: usize = 4;
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
        /// To be put back, if it is one.
        directory: Option<Box<Directory>>,
    },
    Copied {
        copy: Arc<CopyOp>,
        sequence: Sequence,
        reply: Bytes,
    },
    /// Nothing but that another request of the handle may be next now.
    Freed {
        handle: HandleId,
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
    /// What the request took on the wire.
    pub(super) bytes: usize,
}

/// What is known of the client besides its session.
#[derive(Debug)]
pub(super) struct PeerState {
    pub(super) quirks: Quirks,
    pub(super) open_requests: Part,
}

/// State of one channel.
pub(super) struct Engine {
    pub(super) session: Session,
    pub(super) peer: PeerState,
    pub(super) input: ChannelInput,
    pub(super) window: Arc<Window>,
    /// What it holds of a request that has not arrived whole does not count against the window, or the rest might never
    /// come. Packets are bounded.
    pub(super) decoder: FrameDecoder,
    pub(super) initialised: bool,
    /// No more requests come.
    pub(super) ended: bool,
    /// Since the client closed the channel: when to give up what still runs.
    pub(super) give_up: Option<Instant>,
    pub(super) handles: Handles,
    pub(super) replies: Replies,
    /// What came while there were more open requests than [`PAUSE`].
    pub(super) paused: Vec<Held>,
    pub(super) paths: VecDeque<QueuedPath>,
    pub(super) path_bytes: usize,
    pub(super) path_runs: bool,
    pub(super) running: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Finished on the spot, still to be taken note of.
    pub(super) finished: VecDeque<Done>,
    /// Handles to look at: with new requests, or with a READ that waits for the client to take bytes.
    pub(super) starved: VecDeque<HandleId>,
    /// For work that takes long and holds memory meanwhile: copies and digests. More of it waits.
    pub(super) heavy: Arc<Semaphore>,
    /// Bytes that running READs and READDIRs may still produce.
    pub(super) reserved: usize,
    pub(super) batch: Vec<u8>,
    pub(super) output: Output,
}

impl Engine {
    pub(super) fn new(
        session: Session,
        peer: PeerState,
        input: ChannelInput,
        output: Output,
    ) -> Self {
        Self {
            session,
            peer,
            window: Arc::clone(input.window()),
            input,
            decoder: FrameDecoder::new(),
            initialised: false,
            ended: false,
            give_up: None,
            handles: Handles::new(),
            replies: Replies::default(),
            paused: Vec::new(),
            paths: VecDeque::new(),
            path_bytes: 0,
            path_runs: false,
            running: FuturesUnordered::new(),
            finished: VecDeque::new(),
            starved: VecDeque::new(),
            heavy: Arc::new(Semaphore::new(MAX_HEAVY)),
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
                input = self.input.next(), if self.give_up.is_none() => Event::Input(input),
                () = self.output.drained() => Event::Drained,
                () = sleep_until(self.give_up) => return 1,
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
        }
        self.flush();
        0
    }

    fn handle_event(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Done(done) => self.finished.push_back(done),
            Event::Input(input) => self.receive(input)?,
            Event::Drained => {}
        }
        // Take what is there already: many small packets become one round of work.
        let mut burst = 0;
        while burst < INPUT_BURST && self.give_up.is_none() {
            match self.input.next().now_or_never() {
                Some(input) => self.receive(input)?,
                None => break,
            }
            burst += 1;
        }
        self.progress();
        self.flush();
        if self.replies.len() <= PAUSE {
            self.paused.clear();
        }
        self.peer.open_requests.note(self.replies.len());
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

    fn receive(&mut self, input: Input) -> Result<(), String> {
        let chunk = match input {
            Input::Data(chunk) => chunk,
            Input::Eof => {
                self.ended = true;
                return Ok(());
            }
            Input::Closed => {
                // What was asked for is done, but for what would only make answers.
                self.ended = true;
                self.give_up = Some(Instant::now() + CLOSE_LIMIT);
                self.output.close();
                return Ok(());
            }
        };
        let received = self.window.part(Window::cost(chunk.len()));
        if self.ended {
            // Nothing comes after EOF (RFC 4254 section 5.3).
            return Ok(());
        }
        self.decoder.push(chunk);
        while let Some(frame) = self
            .decoder
            .next_frame()
            .map_err(|error| error.to_string())?
        {
            self.accept(frame)?;
        }
        if self.replies.len() > PAUSE {
            self.paused.push(received);
        }
        Ok(())
    }

    /// Queues one request.
    fn accept(&mut self, frame: Frame) -> Result<(), String> {
        let open = self.peer.open_requests.note(self.replies.len());
        if open >= MAX_OPEN_REQUESTS || self.path_bytes >= MAX_PATH_BYTES {
            return Err("too many requests without an answer".to_owned());
        }
        let bytes = frame.len();
        let request = match Request::decode(frame) {
            Ok(request) => request,
            Err(error) => return self.refuse(&error),
        };
        if !self.initialised && !matches!(request, Request::Init { .. }) {
            return Err("the first packet was not INIT".to_owned());
        }
        let sequence = self.replies.open();
        let (id, lane) = lane(request, self.peer.quirks);
        match lane {
            Lane::Version => {
                self.initialised = true;
                self.replies.complete(sequence, extension::version());
            }
            Lane::Unsupported => self.replies.complete(sequence, unsupported(id)),
            Lane::Path(action) => {
                self.path_bytes += bytes;
                self.paths.push_back(QueuedPath {
                    sequence,
                    id,
                    action,
                    bytes,
                });
            }
            Lane::Handle { handle, action } => {
                let op = self.handle_op(action, bytes);
                self.enqueue(Queued { sequence, id, op }, &handle);
            }
            Lane::Copy(copy) => self.enqueue_copy(sequence, id, &copy),
        }
        Ok(())
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

    /// A WRITE goes on holding in the window what it took on the wire.
    fn handle_op(&self, action: HandleAction, bytes: usize) -> HandleOp {
        match action {
            HandleAction::Read { offset, len } => HandleOp::Read { offset, len },
            HandleAction::Write { chunk } => {
                let held = self.window.take(bytes);
                HandleOp::Write(Box::new(WriteOp { chunk, held }))
            }
            HandleAction::Stat => HandleOp::Stat,
            HandleAction::SetStat(attrs) => HandleOp::SetStat(Box::new(attrs)),
            HandleAction::ReadDir => HandleOp::ReadDir,
            HandleAction::Sync => HandleOp::Sync,
            HandleAction::Space => HandleOp::Space,
            HandleAction::CheckFile(check) => HandleOp::CheckFile(Box::new(check)),
            HandleAction::Close => HandleOp::Close,
        }
    }

    fn enqueue(&mut self, queued: Queued, wire: &[u8]) {
        let Some(handle) = self.handles.find(wire) else {
            let reply = status::no_such_handle(queued.id);
            self.replies.complete(queued.sequence, reply);
            return;
        };
        if let Some(state) = self.handles.get_mut(handle) {
            state.queue.push_back(queued);
        }
        // Writes are started at the end of a burst, so that neighbours go together; the rest as soon as possible.
        self.list(handle);
    }
}

enum Event {
    Done(Done),
    Input(Input),
    Drained,
}

/// Waits until then; for ever without a time.
async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}

fn unsupported(id: u32) -> Bytes {
    status::status(id, StatusCode::OpUnsupported, "Operation Unsupported")
}
