//! Tests of the codec through its public functions.

mod framing;
mod golden_replies;
mod golden_requests;
mod listing;
mod payload;
mod round_trip;
mod seeds;
mod totality;

use bytes::Bytes;

use super::{Frame, FrameDecoder, Reply, Request};

/// Bytes from hexadecimal digits; spaces are for the reader, `'text'` stands for its own bytes.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: String = part.split_whitespace().collect();
        assert_eq!(digits.len() % 2, 0, "odd number of digits in {part:?}");
        for at in (0..digits.len()).step_by(2) {
            bytes.push(u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
        }
    }
    bytes
}

pub(crate) fn b(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// The one packet in `bytes`.
pub(crate) fn frame(bytes: impl Into<Bytes>) -> Frame {
    let mut decoder = FrameDecoder::new();
    decoder.push(bytes.into());
    let frame = decoder
        .next_frame()
        .unwrap()
        .expect("the packet is complete");
    assert!(!decoder.is_inside_packet(), "bytes after the packet");
    frame
}

pub(crate) fn request(bytes: impl Into<Bytes>) -> Request {
    Request::decode(frame(bytes)).unwrap()
}

pub(crate) fn reply(bytes: impl Into<Bytes>) -> Reply {
    Reply::decode(frame(bytes)).unwrap()
}
