//! Takes the fields of a packet off its front (draft 3 and RFC 4251 section 5).

use bytes::Bytes;

use super::bound::{MAX_EXTENSION_PAIRS, MAX_HANDLE, MAX_STRING};
use super::error::Malformed;
use super::payload::Payload;

/// What is left of a packet.
pub(crate) struct Reader {
    rest: Payload,
}

impl Reader {
    pub(crate) fn new(rest: Payload) -> Self {
        Self { rest }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        let [byte] = self.rest.take_array().ok_or(Malformed::Truncated)?;
        Ok(byte)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        let bytes = self.rest.take_array().ok_or(Malformed::Truncated)?;
        Ok(u32::from_be_bytes(bytes))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        let bytes = self.rest.take_array().ok_or(Malformed::Truncated)?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// A string of any length that lies within the packet, without joining its slices.
    pub(crate) fn data(&mut self) -> Result<Payload, Malformed> {
        let len = self.u32()? as usize;
        self.rest.split_to(len).ok_or(Malformed::Truncated)
    }

    pub(crate) fn string(&mut self, limit: usize) -> Result<Bytes, Malformed> {
        let length = self.u32()? as usize;
        if length > limit && length <= self.rest.len() {
            return Err(Malformed::TooLong { length, limit });
        }
        self.rest.take_bytes(length).ok_or(Malformed::Truncated)
    }

    /// A copy: a request may wait for its turn, and a slice would keep the whole received buffer alive.
    pub(crate) fn path(&mut self) -> Result<Bytes, Malformed> {
        Ok(Bytes::copy_from_slice(&self.string(MAX_STRING)?))
    }

    pub(crate) fn handle(&mut self) -> Result<Bytes, Malformed> {
        self.string(MAX_HANDLE)
    }

    pub(crate) fn skip_string(&mut self) -> Result<(), Malformed> {
        let len = self.u32()? as usize;
        if len > self.rest.len() {
            return Err(Malformed::Truncated);
        }
        self.rest.advance(len);
        Ok(())
    }

    /// The name and data pairs that fill the rest of INIT and VERSION (draft 4).
    pub(crate) fn extension_pairs(&mut self) -> Result<Vec<(Bytes, Bytes)>, Malformed> {
        let mut pairs = Vec::new();
        while !self.is_empty() {
            if pairs.len() == MAX_EXTENSION_PAIRS {
                return Err(Malformed::TooMany {
                    limit: MAX_EXTENSION_PAIRS,
                });
            }
            pairs.push((self.string(MAX_STRING)?, self.string(MAX_STRING)?));
        }
        Ok(pairs)
    }

    pub(crate) fn into_rest(self) -> Payload {
        self.rest
    }
}
