//! The client of one channel.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::FutureExt as _;
use sftpgo_wire::scp::{Complaint, DecodeError, Decoder, Record, Reply};
use tokio::time::Instant;

use super::line;
use crate::transport::window::Held;
use crate::transport::{ChannelInput, ChannelOutput, Input, Window};

/// Bytes that a client may send ahead while it is its turn to listen. It has nothing to say then but replies.
const MAX_AHEAD: usize = 64 * 1024;
/// Chunks taken from the channel before other work gets its turn.
const INPUT_BURST: usize = 64;
/// How long what a client has sent is worked on that has closed the channel since.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);
/// Chunks and bytes that are given out together.
const BATCH: usize = 128;
const BATCH_BYTES: usize = 4 << 20;

/// Why the copying ends before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The client closed the channel, or the connection is over.
    Gone,
    /// The client gave up, and said why.
    ByClient(String),
    /// We give up, and the client is told why.
    Fatal(String),
}

impl Stop {
    pub(super) fn protocol(error: impl std::fmt::Display) -> Self {
        Self::Fatal(format!("scp: protocol error: {error}"))
    }
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Self {
        Self::protocol(error)
    }
}

/// A client: what it sends, and the way to it.
pub(super) struct Peer {
    pub(super) inbox: Inbox,
    pub(super) output: ChannelOutput,
}

impl Peer {
    pub(super) fn new(input: ChannelInput, output: ChannelOutput) -> Self {
        let inbox = Inbox {
            input,
            queue: VecDeque::new(),
            queued: 0,
            decoder: Decoder::new(),
            reading: None,
            taken: Vec::new(),
            ended: false,
            give_up: None,
            listens: false,
        };
        Self { inbox, output }
    }

    /// Sends bytes; waits for the client's window. A client that has closed the channel gets nothing.
    pub(super) async fn send(&mut self, bytes: Bytes) -> Result<(), Stop> {
        if self.inbox.give_up.is_some() {
            return Ok(());
        }
        let sent = self.inbox.beside(self.output.send(bytes)).await?;
        sent.map_err(|_| Stop::Gone)
    }

    pub(super) async fn ok(&mut self) -> Result<(), Stop> {
        self.send(Bytes::from_static(b"\0")).await
    }

    pub(super) async fn complain(&mut self, fatal: bool, text: &str) -> Result<(), Stop> {
        let complaint = Complaint::new(fatal, text.to_owned());
        self.send(line(|out| complaint.encode(out))).await
    }

    /// Runs something that waits for anything else than the client; a client that goes away ends it.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        self.inbox.beside(work).await
    }

    pub(super) async fn finish(self, status: u32) {
        self.output.finish(status).await;
    }
}

/// What came from the client and was not dealt with yet.
pub(super) struct Inbox {
    input: ChannelInput,
    /// Chunks behind the one in the decoder. The window bounds them in an upload, [`MAX_AHEAD`] otherwise.
    queue: VecDeque<(Bytes, Held)>,
    queued: usize,
    decoder: Decoder,
    /// Held for the chunk in the decoder.
    reading: Option<Held>,
    /// Held for chunks whose bytes were given out, until [`stored`](Self::stored).
    taken: Vec<Held>,
    /// The client sends no more.
    ended: bool,
    /// Since the client closed the channel: when to leave what it has sent before.
    give_up: Option<Instant>,
    /// The client is the one that listens: a download.
    listens: bool,
}

impl Inbox {
    /// From now on the client is expected to send replies only.
    pub(super) fn only_replies(&mut self) {
        self.listens = true;
    }

    /// The next record; `None` at the end of what the client sends.
    pub(super) async fn record(&mut self) -> Result<Option<Record>, Stop> {
        loop {
            if let Some(record) = self.decoder.record()? {
                return Ok(Some(record));
            }
            if !self.more().await? {
                let whole = self.decoder.is_between_lines();
                return whole
                    .then_some(None)
                    .ok_or_else(|| Stop::protocol("the input ends within a record"));
            }
        }
    }

    /// The last word on a file of which every byte has gone over. Clients that copy one file and leave do not say it
    /// (libssh2, and so curl).
    pub(super) async fn verdict(&mut self) -> Result<Reply, Stop> {
        loop {
            if let Some(reply) = self.decoder.reply()? {
                return Ok(reply);
            }
            match self.more().await {
                Ok(true) => {}
                Ok(false) | Err(Stop::Gone) if self.ended && self.decoder.is_between_lines() => {
                    return Ok(Reply::Ok);
                }
                Ok(false) => return Err(Stop::protocol("the input ends within a reply")),
                Err(stop) => return Err(stop),
            }
        }
    }

    /// The next reply.
    pub(super) async fn reply(&mut self) -> Result<Reply, Stop> {
        loop {
            if let Some(reply) = self.decoder.reply()? {
                return Ok(reply);
            }
            if !self.more().await? {
                return Err(Stop::protocol("the input ends where a reply should be"));
            }
        }
    }

    /// Waits for bytes of a file and gives out what is there, up to `limit`. They are held in the window until
    /// [`stored`](Self::stored).
    pub(super) async fn data(&mut self, limit: u64) -> Result<Vec<Bytes>, Stop> {
        let mut pieces = Vec::new();
        let mut left = usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .min(BATCH_BYTES);
        loop {
            self.look()?;
            while left > 0 && pieces.len() < BATCH {
                if let Some(piece) = self.decoder.data(left as u64) {
                    left -= piece.len();
                    pieces.push(piece);
                    if self.decoder.is_empty() {
                        self.taken.extend(self.reading.take());
                    }
                } else if !self.next_chunk() {
                    break;
                }
            }
            if !pieces.is_empty() {
                return Ok(pieces);
            }
            if !self.more().await? {
                return Err(Stop::protocol("the input ends within a file"));
            }
        }
    }

    /// The bytes that were given out are dealt with.
    pub(super) fn stored(&mut self) {
        self.taken.clear();
    }

    /// Runs something that waits for anything else than the client, and takes in what the client sends meanwhile.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                input = self.input.next(), if self.give_up.is_none() => self.take_in(input)?,
                () = sleep_until(self.give_up) => return Err(Stop::Gone),
            }
        }
    }

    /// Puts more into the decoder, which has used up what it had; waits for the client if nothing is there. `false` if nothing
    /// comes any more.
    async fn more(&mut self) -> Result<bool, Stop> {
        loop {
            if self.next_chunk() {
                return Ok(true);
            }
            if self.give_up.is_some() {
                return Err(Stop::Gone);
            }
            if self.ended {
                return Ok(false);
            }
            // What is kept of it, the beginning of a line, is copied.
            self.reading = None;
            let input = self.input.next().await;
            self.take_in(input)?;
        }
    }

    fn next_chunk(&mut self) -> bool {
        let Some((chunk, held)) = self.queue.pop_front() else {
            return false;
        };
        self.queued -= chunk.len();
        self.reading = Some(held);
        self.decoder.push(chunk);
        true
    }

    /// Takes in what has arrived already, so that many small chunks become one round of work.
    fn look(&mut self) -> Result<(), Stop> {
        for _ in 0..INPUT_BURST {
            if self.give_up.is_some() {
                break;
            }
            let Some(input) = self.input.next().now_or_never() else {
                break;
            };
            self.take_in(input)?;
        }
        Ok(())
    }

    fn take_in(&mut self, input: Input) -> Result<(), Stop> {
        let chunk = match input {
            Input::Data(chunk) => chunk,
            Input::Eof => {
                self.ended = true;
                return Ok(());
            }
            Input::Closed if self.listens => return Err(Stop::Gone),
            Input::Closed => {
                // What it has sent is stored, as far as it goes: some clients do not wait for the last answer.
                self.ended = true;
                self.give_up = Some(Instant::now() + CLOSE_LIMIT);
                return Ok(());
            }
        };
        let held = self.input.window().part(Window::cost(chunk.len()));
        if self.ended || chunk.is_empty() {
            // Nothing comes after EOF (RFC 4254 section 5.3).
            return Ok(());
        }
        self.queued += chunk.len();
        if self.listens && self.queued > MAX_AHEAD {
            return Err(Stop::protocol("data where replies should be"));
        }
        self.queue.push_back((chunk, held));
        Ok(())
    }
}

/// Waits until then; for ever without a time.
async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}
