//! Cutting the stream into packets: bounds, chunks of any size, and no copies of file data.

use bytes::{Bytes, BytesMut};

use super::super::*;
use super::golden_requests;

#[test]
fn a_packet_without_a_type_is_refused_for_good() {
    let mut decoder = FrameDecoder::new();
    decoder.push(Bytes::from_static(&[0, 0, 0, 0]));
    assert_eq!(decoder.next_frame(), Err(FrameError::Empty));
    decoder.push(Bytes::from_static(&[0, 0, 0, 1, 4]));
    assert_eq!(decoder.next_frame(), Err(FrameError::Empty));
    decoder.push(Bytes::from(vec![0; 100_000]));
    assert_eq!(decoder.buffered(), 0);
}

#[test]
fn the_length_alone_is_enough_to_refuse_a_packet() {
    for length in [
        0xffff_ffff_u32,
        0x8000_0000,
        (MAX_PACKET + FRAME_SLACK + 1) as u32,
    ] {
        let mut decoder = FrameDecoder::new();
        decoder.push(Bytes::copy_from_slice(&length.to_be_bytes()));
        let limit = MAX_PACKET + FRAME_SLACK;
        let expected = Err(FrameError::TooLong { length, limit });
        assert_eq!(decoder.next_frame(), expected);
        assert_eq!(decoder.buffered(), 0);
    }
}

#[test]
fn a_packet_a_little_over_the_announced_length_is_accepted() {
    let len = MAX_PACKET + FRAME_SLACK;
    let mut decoder = FrameDecoder::new();
    decoder.push(Bytes::copy_from_slice(&(len as u32).to_be_bytes()));
    assert_eq!(decoder.next_frame(), Ok(None));
    decoder.push(Bytes::from(vec![4; len]));
    assert_eq!(decoder.next_frame().unwrap().unwrap().len(), len);
}

#[test]
fn a_packet_is_given_once_its_last_byte_is_here() {
    for (_, bytes) in golden_requests::all() {
        let mut decoder = FrameDecoder::new();
        let (last, first) = bytes.split_last().unwrap();
        for byte in first {
            decoder.push(Bytes::copy_from_slice(&[*byte]));
            assert_eq!(decoder.next_frame(), Ok(None));
            assert!(decoder.is_inside_packet());
        }
        decoder.push(Bytes::copy_from_slice(&[*last]));
        let frame = decoder.next_frame().unwrap().unwrap();
        assert_eq!(frame.type_byte(), bytes[4]);
        assert_eq!(frame.body().to_bytes(), bytes[4..]);
        assert!(!decoder.is_inside_packet());
        assert_eq!(decoder.buffered(), 0);
    }
}

#[test]
fn the_data_of_a_write_is_not_copied() {
    let content = vec![7; 32 * 1024];
    let mut stream = BytesMut::new();
    client::write(&mut stream, 1, b"handle", 0, &content);
    client::write(&mut stream, 2, b"handle", 32 * 1024, &content);
    let mut decoder = FrameDecoder::new();
    let mut ranges = Vec::new();
    for chunk in stream.chunks(20_000) {
        let chunk = Bytes::copy_from_slice(chunk);
        ranges.push(chunk.as_ptr_range());
        decoder.push(chunk);
    }
    while let Some(frame) = decoder.next_frame().unwrap() {
        let Request::Write { data, .. } = Request::decode(frame).unwrap() else {
            panic!("a write was sent");
        };
        assert_eq!(data.to_bytes(), content);
        assert!(data.segments().len() <= 3);
        for segment in data.segments() {
            let at = segment.as_ptr();
            assert!(ranges.iter().any(|range| range.contains(&at)));
        }
    }
}

#[test]
fn a_packet_in_tiny_chunks_stays_within_iov_max() {
    let mut stream = BytesMut::new();
    client::write(&mut stream, 1, b"h", 0, &vec![1; MAX_READ_WRITE]);
    // One byte, then a chunk just long enough to be kept as it is: the most slices that can be had.
    for sizes in [[1, 1], [1, 1024], [1, 1023], [1024, 1024]] {
        let mut decoder = FrameDecoder::new();
        let mut rest = stream.clone().freeze();
        let mut next_size = sizes.iter().cycle();
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let size = rest.len().min(*next_size.next().unwrap());
            decoder.push(rest.split_to(size));
            frames.extend(decoder.next_frame().unwrap());
        }
        let frame = frames.pop().unwrap();
        assert!(
            frame.body().segments().len() <= 1024,
            "{} slices for {sizes:?}",
            frame.body().segments().len()
        );
        assert_eq!(frame.body().to_bytes(), stream[4..]);
    }
}

#[test]
fn what_is_held_is_told() {
    let mut decoder = FrameDecoder::new();
    decoder.push(Bytes::from(vec![0; 3]));
    decoder.push(Bytes::new());
    assert_eq!(decoder.buffered(), 3);
    assert_eq!(decoder.next_frame(), Ok(None));
    assert!(decoder.is_inside_packet());
}
