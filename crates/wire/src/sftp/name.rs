//! The entries of a NAME reply, and the builder that keeps such a reply within what clients accept (draft 7).

use bytes::{BufMut, Bytes, BytesMut};

use super::attrs::Attrs;
use super::bound::{MAX_NAME_ENTRIES, MAX_NAME_REPLY, MAX_STRING};
use super::error::Malformed;
use super::packet;
use super::reader::Reader;
use super::writer::{fix_length, overwrite_u32, put_string, put_string_with};

/// One entry to send.
#[derive(Debug, Clone, Copy)]
pub struct NameEntry<'a> {
    /// Name within its directory, or a whole path in the answer to REALPATH.
    pub filename: &'a [u8],
    /// Line for people to read; FileZilla reads it too, see [`LongName`](super::LongName).
    pub longname: &'a [u8],
    /// Attributes.
    pub attrs: Attrs,
}

impl NameEntry<'_> {
    pub(crate) fn encode(&self, out: &mut BytesMut) {
        put_string(out, self.filename);
        put_string(out, self.longname);
        self.attrs.encode(out);
    }
}

/// One entry that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Name within its directory, or a whole path in the answer to REALPATH.
    pub filename: Bytes,
    /// Line for people to read.
    pub longname: Bytes,
    /// Attributes.
    pub attrs: Attrs,
}

impl Name {
    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            filename: reader.string(MAX_STRING)?,
            longname: reader.string(MAX_STRING)?,
            attrs: Attrs::decode(reader)?,
        })
    }
}

/// What became of an entry that was offered to a [`NameBuilder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum NamePush {
    /// It is in the reply.
    Added,
    /// The reply is full: offer the entry to the next one.
    Full,
    /// The entry alone is longer than a reply: leave it out, no reply will ever take it.
    Oversize,
}

/// Appends one NAME packet entry by entry, up to [`MAX_NAME_ENTRIES`] entries and [`MAX_NAME_REPLY`] bytes.
#[derive(Debug)]
pub struct NameBuilder {
    out: BytesMut,
    /// Where the packet begins in `out`.
    start: usize,
    count: usize,
}

/// Length, type, id, count.
const NAME_HEADER_LEN: usize = 13;
const COUNT_AT: usize = 9;

impl NameBuilder {
    /// Begins a packet at the end of `out`.
    pub fn new(mut out: BytesMut, id: u32) -> Self {
        let start = out.len();
        out.put_u32(0);
        out.put_u8(packet::NAME);
        out.put_u32(id);
        out.put_u32(0);
        Self {
            out,
            start,
            count: 0,
        }
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: &NameEntry<'_>) -> NamePush {
        self.push_with(entry.filename, &entry.attrs, |out| {
            out.put_slice(entry.longname);
        })
    }

    /// Adds an entry whose long name is written in place by `longname`, which only appends.
    pub fn push_with(
        &mut self,
        filename: &[u8],
        attrs: &Attrs,
        longname: impl FnOnce(&mut BytesMut),
    ) -> NamePush {
        if self.count == MAX_NAME_ENTRIES {
            return NamePush::Full;
        }
        let before = self.out.len();
        put_string(&mut self.out, filename);
        put_string_with(&mut self.out, longname);
        attrs.encode(&mut self.out);
        let entry_len = self.out.len() - before;
        if filename.len() > MAX_STRING || NAME_HEADER_LEN + entry_len > MAX_NAME_REPLY {
            self.out.truncate(before);
            return NamePush::Oversize;
        }
        if self.out.len() - self.start <= MAX_NAME_REPLY {
            self.count += 1;
            return NamePush::Added;
        }
        self.out.truncate(before);
        NamePush::Full
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no entry yet. Send EOF then: WinSCP takes an empty NAME for the end, others wait for EOF.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether no entry more may be added, whatever its length.
    pub fn is_full(&self) -> bool {
        self.count == MAX_NAME_ENTRIES
    }

    /// Completes the packet.
    pub fn finish(mut self) -> BytesMut {
        let count = super::writer::wire_len(self.count);
        overwrite_u32(&mut self.out, self.start + COUNT_AT, count);
        fix_length(&mut self.out, self.start);
        self.out
    }

    /// Gives the packet up; the buffer is as it was.
    pub fn abandon(mut self) -> BytesMut {
        self.out.truncate(self.start);
        self.out
    }
}
