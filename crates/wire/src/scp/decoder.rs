//! Takes chunks as they are received and gives records, replies and file data back.

use std::fmt;

use bytes::{Buf as _, Bytes};

use super::record::{MAX_RECORD, Record, RecordError, Reply};

/// The stream cannot be read any further: end the channel, as no later byte can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// A line over [`MAX_RECORD`]. No more than that was kept of it.
    TooLong,
    /// A line that is not what it should be.
    Malformed(RecordError),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the line is too long"),
            Self::Malformed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DecodeError {}

/// One direction of a channel. What kind of thing comes next only its user knows, who asks for it: [`record`](Self::record),
/// [`reply`](Self::reply) or [`data`](Self::data). `None` says that more has to be [pushed](Self::push).
///
/// It holds the chunk that is being read and the beginning of at most one line.
#[derive(Debug, Default)]
pub struct Decoder {
    chunk: Bytes,
    /// The beginning of a line that did not end with its chunk.
    line: Vec<u8>,
}

impl Decoder {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next chunk. The one before must be [used up](Self::is_empty); what is left of it is copied otherwise.
    pub fn push(&mut self, chunk: Bytes) {
        self.chunk = if self.chunk.is_empty() {
            chunk
        } else {
            [&self.chunk[..], &chunk].concat().into()
        };
    }

    /// Whether the chunk that was pushed last is used up.
    pub fn is_empty(&self) -> bool {
        self.chunk.is_empty()
    }

    /// Whether the stream may end here: not within a line.
    pub fn is_between_lines(&self) -> bool {
        self.chunk.is_empty() && self.line.is_empty()
    }

    /// The next record.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn record(&mut self) -> Result<Option<Record>, DecodeError> {
        match self.first() {
            None => return Ok(None),
            Some(first) if !Record::begins_with(first) => {
                return Err(DecodeError::Malformed(RecordError::Kind));
            }
            Some(_) => {}
        }
        let line = self.line()?;
        line.map(|line| Record::parse(&line))
            .transpose()
            .map_err(DecodeError::Malformed)
    }

    /// The next reply, or the status byte after the data of a file, which looks the same.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn reply(&mut self) -> Result<Option<Reply>, DecodeError> {
        match self.first() {
            None => return Ok(None),
            Some(0) => {
                self.chunk.advance(1);
                return Ok(Some(Reply::Ok));
            }
            Some(first) if !Reply::begins_with(first) => {
                return Err(DecodeError::Malformed(RecordError::Kind));
            }
            Some(_) => {}
        }
        let line = self.line()?;
        line.map(|line| Reply::parse(&line))
            .transpose()
            .map_err(DecodeError::Malformed)
    }

    /// The next bytes of a file, at most `limit` of them, as a slice of the chunk.
    pub fn data(&mut self, limit: u64) -> Option<Bytes> {
        let len =
            usize::try_from(limit).map_or(self.chunk.len(), |limit| limit.min(self.chunk.len()));
        (len > 0).then(|| self.chunk.split_to(len))
    }

    /// The first byte of what comes next. A line that was begun cannot begin with anything else.
    fn first(&self) -> Option<u8> {
        self.line.first().or(self.chunk.first()).copied()
    }

    /// The next line without its newline, once it is there.
    fn line(&mut self) -> Result<Option<Vec<u8>>, DecodeError> {
        let room = MAX_RECORD - self.line.len();
        // One byte more than fits, for the newline.
        let looked_at = self.chunk.get(..=room).unwrap_or(&self.chunk);
        let Some(end) = looked_at.iter().position(|byte| *byte == b'\n') else {
            if self.chunk.len() > room {
                return Err(DecodeError::TooLong);
            }
            self.line.extend_from_slice(&self.chunk);
            self.chunk.clear();
            return Ok(None);
        };
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(&self.chunk.split_to(end));
        self.chunk.advance(1);
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scp::{Complaint, Times};
    use proptest::prelude::*;

    fn names() -> impl Strategy<Value = Bytes> {
        proptest::collection::vec(any::<u8>(), 1..300)
            .prop_map(|name| {
                name.into_iter()
                    .filter(|b| !matches!(b, 0 | b'/' | b'\n'))
                    .collect()
            })
            .prop_filter("a name", |name: &Vec<u8>| {
                !matches!(&name[..], b"" | b"." | b"..")
            })
            .prop_map(Bytes::from)
    }

    fn records() -> impl Strategy<Value = Record> {
        prop_oneof![
            (0..0o10000_u32, 0..=i64::MAX.unsigned_abs(), names())
                .prop_map(|(mode, size, name)| Record::File { mode, size, name }),
            (0..0o10000_u32, names()).prop_map(|(mode, name)| Record::Directory { mode, name }),
            (any::<u64>(), any::<u64>())
                .prop_map(|(modified, accessed)| Record::Times(Times { modified, accessed })),
            Just(Record::End),
            (any::<bool>(), "[ -~]{0,200}")
                .prop_map(|(fatal, text)| Record::Complaint(Complaint::new(fatal, text))),
        ]
    }

    /// Everything that comes out if `stream` comes in, in chunks of `size`.
    fn decode(stream: &[u8], size: usize) -> (Vec<Record>, Option<DecodeError>) {
        let mut decoder = Decoder::new();
        let mut found = Vec::new();
        for chunk in stream.chunks(size) {
            decoder.push(Bytes::copy_from_slice(chunk));
            loop {
                match decoder.record() {
                    Ok(Some(record)) => found.push(record),
                    Ok(None) => break,
                    Err(error) => return (found, Some(error)),
                }
            }
            assert!(decoder.line.len() <= MAX_RECORD);
        }
        (found, None)
    }

    proptest! {
        #[test]
        fn records_survive_the_wire_in_any_chunks(
            sent in proptest::collection::vec(records(), 0..20), size in 1..700_usize
        ) {
            let mut stream = Vec::new();
            for record in &sent {
                record.encode(&mut stream);
            }
            prop_assert_eq!(decode(&stream, size), (sent, None));
        }

        #[test]
        fn any_bytes_mean_the_same_in_any_chunks(
            stream in proptest::collection::vec(
                prop_oneof![any::<u8>(), Just(b'C'), Just(b'\n'), Just(b' '), Just(b'0')], 0..300),
            size in 1..80_usize
        ) {
            prop_assert_eq!(decode(&stream, size), decode(&stream, stream.len().max(1)));
        }
    }

    #[test]
    fn a_line_without_end_is_refused_and_not_kept() {
        let mut decoder = Decoder::new();
        decoder.push(Bytes::from(vec![b'C'; MAX_RECORD]));
        assert_eq!(decoder.record(), Ok(None));
        decoder.push(Bytes::from_static(b"x"));
        assert_eq!(decoder.record(), Err(DecodeError::TooLong));
        decoder = Decoder::new();
        decoder.push(Bytes::from(vec![b'\x01'; 1 << 20]));
        assert_eq!(decoder.reply(), Err(DecodeError::TooLong));
        let mut line = vec![b'\x01'; MAX_RECORD];
        line.push(b'\n');
        decoder = Decoder::new();
        decoder.push(Bytes::from(line));
        assert!(matches!(decoder.reply(), Ok(Some(Reply::Complaint(_)))));
    }

    #[test]
    fn what_is_no_record_is_known_by_its_first_byte() {
        for first in [0, b'\n', b'x', 0xff] {
            let mut decoder = Decoder::new();
            decoder.push(Bytes::from(vec![first]));
            let expected = Err(DecodeError::Malformed(RecordError::Kind));
            assert_eq!(decoder.record(), expected);
        }
    }

    #[test]
    fn data_ends_where_the_file_ends_and_the_rest_is_read_as_what_it_is() {
        let mut decoder = Decoder::new();
        decoder.push(Bytes::from_static(b"C0644 5 f\nhello\0E\n"));
        assert!(matches!(
            decoder.record(),
            Ok(Some(Record::File { size: 5, .. }))
        ));
        assert_eq!(decoder.data(5).as_deref(), Some(&b"hello"[..]));
        assert_eq!(decoder.reply(), Ok(Some(Reply::Ok)));
        assert_eq!(decoder.record(), Ok(Some(Record::End)));
        assert_eq!(decoder.data(5), None);
        assert!(decoder.is_between_lines());
    }

    #[test]
    fn a_file_that_is_longer_than_announced_is_no_reply() {
        let mut decoder = Decoder::new();
        decoder.push(Bytes::from_static(b"hello"));
        assert_eq!(decoder.data(3).as_deref(), Some(&b"hel"[..]));
        assert!(decoder.reply().is_err());
    }
}
