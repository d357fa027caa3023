//! What the other side of SCP sends: any stream, in any chunks, read as a sink, as a source, or as data in between. How the
//! stream was cut into chunks makes no difference, a record that is encoded again means the same, and a name in a record is
//! one name.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use sftpgo_fuzz::chunk_size;
use sftpgo_wire::exec;
use sftpgo_wire::scp::{
    Arguments, DecodeError, Decoder, MAX_RECORD, NamePattern, PathPattern, Record, Reply,
};

/// What was found, in order.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Record(Record),
    Reply(Reply),
    Data(u64),
    Broken(DecodeError),
}

/// Reads as a sink does: records, and behind each file its bytes and a status.
fn sink(stream: &[u8], size: usize) -> Vec<Found> {
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    // Bytes of the file that are still to come; the status follows.
    let mut file: Option<u64> = None;
    for chunk in stream.chunks(size) {
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            let next = match &mut file {
                Some(0) => decoder.reply().map(|reply| reply.map(Found::Reply)),
                Some(left) => match decoder.data(*left) {
                    Some(data) => {
                        assert!(data.len() as u64 <= *left);
                        *left -= data.len() as u64;
                        continue;
                    }
                    None => Ok(None),
                },
                None => decoder.record().map(|record| record.map(Found::Record)),
            };
            match next {
                Ok(Some(next)) => {
                    file = match &next {
                        Found::Record(Record::File { size, .. }) => {
                            found.push(Found::Data(*size));
                            Some(*size)
                        }
                        _ => None,
                    };
                    found.push(next);
                }
                Ok(None) => break,
                Err(error) => {
                    found.push(Found::Broken(error));
                    return found;
                }
            }
        }
        assert!(decoder.is_empty());
    }
    found
}

/// Reads as a source does: replies only.
fn source(stream: &[u8], size: usize) -> Vec<Found> {
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    for chunk in stream.chunks(size) {
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            match decoder.reply() {
                Ok(Some(reply)) => found.push(Found::Reply(reply)),
                Ok(None) => break,
                Err(error) => {
                    found.push(Found::Broken(error));
                    return found;
                }
            }
        }
    }
    found
}

fn check(record: &Record) {
    if let Record::File { name, .. } | Record::Directory { name, .. } = record {
        assert!(!matches!(&name[..], b"" | b"." | b".."));
        assert!(!name.iter().any(|byte| matches!(byte, b'/' | b'\n' | 0)));
        assert!(name.len() <= MAX_RECORD);
    }
    // The text of a complaint is changed: it is for people.
    if !matches!(record, Record::Complaint(_)) {
        let mut encoded = Vec::new();
        record.encode(&mut encoded);
        let mut decoder = Decoder::new();
        decoder.push(Bytes::from(encoded));
        assert_eq!(decoder.record().as_ref(), Ok(&Some(record.clone())));
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((size, stream)) = chunk_size(input) else {
        return;
    };
    let whole = stream.len().max(1);
    let found = sink(stream, size);
    assert_eq!(found, sink(stream, whole));
    for found in &found {
        if let Found::Record(record) = found {
            check(record);
        }
    }
    assert_eq!(source(stream, size), source(stream, whole));
    // The same bytes as a command line, and as a pattern for themselves.
    if let (Ok(words), Ok(patterns)) = (exec::split(stream), exec::split_patterns(stream)) {
        assert_eq!(words.len(), patterns.len());
        let _ = Arguments::parse(&words);
        for pattern in &patterns {
            let pattern = PathPattern::parse(pattern);
            assert!(pattern.is_wild() || pattern.literal.len() <= stream.len());
        }
    }
    let _ = NamePattern::parse(stream).matches(stream);
});
