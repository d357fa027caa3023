//! Cuts the byte stream of a channel into packets, without copying file data (draft 3).

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::bound::{FRAME_SLACK, MAX_PACKET};
use super::error::FrameError;
use super::payload::Payload;
use super::writer::LENGTH_LEN;

/// Chunks shorter than this are copied together. A peer that sends one byte per channel packet would otherwise make
/// us hold a chunk, and a slice, for each byte; and a short request would keep a large receive buffer alive.
///
/// At least every second slice of a packet is this long, which bounds their number.
const JOIN_BELOW: usize = 1024;

/// Room made for joined chunks at a time.
const JOIN_BLOCK: usize = 2048;

/// One packet without its length: the type byte and what follows. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    body: Payload,
}

impl Frame {
    /// Wraps a packet body that did not come from a [`FrameDecoder`]; `None` if it lacks the type byte.
    pub fn new(body: impl Into<Payload>) -> Option<Self> {
        let body = body.into();
        (!body.is_empty()).then_some(Self { body })
    }

    /// The packet type; see [`packet`](super::packet).
    pub fn type_byte(&self) -> u8 {
        let first = self.body.segments().first().and_then(|s| s.first());
        first.copied().unwrap_or_default()
    }

    /// The type byte and what follows it.
    pub fn body(&self) -> &Payload {
        &self.body
    }

    /// Length without the length field.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Always false: a frame has at least its type byte.
    pub fn is_empty(&self) -> bool {
        false
    }

    pub(crate) fn into_body(self) -> Payload {
        self.body
    }
}

/// Takes chunks as they are received and gives packets back.
///
/// It holds what was pushed and not yet taken, and does not bound that: whoever pushes stops reading from the peer
/// while [`buffered`](Self::buffered) is over budget. It allocates for received bytes, never for announced ones.
#[derive(Debug)]
pub struct FrameDecoder {
    /// Received chunks that are kept as they came.
    chunks: VecDeque<Bytes>,
    /// Received after `chunks`: small chunks, joined.
    tail: BytesMut,
    /// Bytes in `chunks` and `tail`.
    buffered: usize,
    /// Length of the next packet, once its length field has been taken.
    expected: Option<usize>,
    limit: usize,
    failed: Option<FrameError>,
}

impl FrameDecoder {
    /// A decoder that accepts packets up to [`MAX_PACKET`] and a little slack.
    pub fn new() -> Self {
        Self::with_limit(MAX_PACKET + FRAME_SLACK)
    }

    /// A decoder that accepts packets up to `limit` bytes; for a client whose server sends longer ones.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            chunks: VecDeque::new(),
            tail: BytesMut::new(),
            buffered: 0,
            expected: None,
            limit,
            failed: None,
        }
    }

    /// Adds what was received next. After an error it is dropped.
    pub fn push(&mut self, chunk: Bytes) {
        if self.failed.is_some() {
            return;
        }
        self.buffered += chunk.len();
        if chunk.len() >= JOIN_BELOW {
            self.settle_tail();
            self.chunks.push_back(chunk);
            return;
        }
        if self.tail.capacity() - self.tail.len() < chunk.len() {
            self.tail.reserve(JOIN_BLOCK);
        }
        self.tail.extend_from_slice(&chunk);
    }

    /// The next packet, or `None` until more is pushed. Call it until then after every push. An error is final: it
    /// is given again on every later call.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(expected) = self.expect_length()? else {
            return Ok(None);
        };
        if self.buffered < expected {
            return Ok(None);
        }
        self.expected = None;
        let body = self.take(expected);
        Ok(Some(Frame { body }))
    }

    /// Bytes that are held.
    pub fn buffered(&self) -> usize {
        self.buffered
    }

    /// Whether a packet has begun and not ended: true at the end of the stream means that it was cut off.
    pub fn is_inside_packet(&self) -> bool {
        self.expected.is_some() || self.buffered > 0
    }

    /// The length of the next packet: takes its length field if that was not done yet and it is here.
    fn expect_length(&mut self) -> Result<Option<usize>, FrameError> {
        if self.expected.is_some() || self.buffered < LENGTH_LEN {
            return Ok(self.expected);
        }
        let mut field = self.take(LENGTH_LEN);
        let length = u32::from_be_bytes(field.take_array().unwrap_or_default());
        let error = match usize::try_from(length) {
            Ok(0) => FrameError::Empty,
            Ok(expected) if expected <= self.limit => {
                self.expected = Some(expected);
                return Ok(self.expected);
            }
            Ok(_) | Err(_) => FrameError::TooLong {
                length,
                limit: self.limit,
            },
        };
        self.failed = Some(error);
        // Nothing of it will be read again.
        self.chunks = VecDeque::new();
        self.tail = BytesMut::new();
        self.buffered = 0;
        Err(error)
    }

    /// Takes `count` bytes, which are here.
    fn take(&mut self, count: usize) -> Payload {
        self.settle_tail();
        let mut taken = Payload::new();
        while taken.len() < count {
            let wanted = count - taken.len();
            match self.chunks.front_mut() {
                Some(front) if front.len() > wanted => taken.push(front.split_to(wanted)),
                Some(_) => taken.push(self.chunks.pop_front().unwrap_or_default()),
                None => break,
            }
        }
        self.buffered -= taken.len();
        taken
    }

    /// Moves the joined bytes behind the chunks. The rest of their block stays for the next ones.
    fn settle_tail(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push_back(self.tail.split().freeze());
        }
    }
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::new()
    }
}
