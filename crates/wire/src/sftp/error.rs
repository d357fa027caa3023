//! What can be wrong with received bytes.

use thiserror::Error;

/// The stream cannot be cut into packets any further: close the channel, as no later byte can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// A packet of length 0, which has no room for its type.
    #[error("packet without a type byte")]
    Empty,
    /// A packet longer than the decoder's limit. Nothing was allocated for it.
    #[error("packet of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// The length that the peer sent.
        length: u32,
        /// The longest length that is accepted.
        limit: usize,
    },
}

/// A packet cannot be decoded. The packet is lost, the stream is not: answer by id and go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// No packet of this direction has the type; a server answers OP_UNSUPPORTED (draft 7).
    #[error("unknown packet type {type_byte}")]
    UnknownType {
        /// The type that was received.
        type_byte: u8,
        /// The request id, if there were four bytes for one.
        id: Option<u32>,
    },
    /// A packet of a known type does not hold what it must; a server answers BAD_MESSAGE.
    #[error("malformed packet of type {type_byte}: {reason}")]
    Malformed {
        /// The type that was received.
        type_byte: u8,
        /// The request id, if it could be read. INIT and VERSION have none.
        id: Option<u32>,
        /// What is wrong.
        reason: Malformed,
    },
}

impl DecodeError {
    /// The id to answer with. Without one no answer is possible, and the channel is closed.
    pub fn id(&self) -> Option<u32> {
        match self {
            Self::UnknownType { id, .. } | Self::Malformed { id, .. } => *id,
        }
    }
}

/// What is wrong with the contents of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A field, or the length that a string claims, goes past the end of the packet.
    #[error("it ends too early")]
    Truncated,
    /// A string is longer than its field may be.
    #[error("a string of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// The length that was received.
        length: usize,
        /// The longest that is accepted.
        limit: usize,
    },
    /// A list has more items than it may have.
    #[error("a list is over the limit of {limit} items")]
    TooMany {
        /// The most that is accepted.
        limit: usize,
    },
    /// A packed list of 32-bit ids has a length that is no multiple of four.
    #[error("a list of ids ends within an id")]
    UnevenIdList,
}
