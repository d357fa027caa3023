//! Whatever is received, the answer is a value or an error.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::extension::{
    CheckFileReply, LimitsReply, SpaceAvailableReply, StatvfsReply, UsersGroupsReply,
};
use super::super::*;
use super::{golden_replies, golden_requests, hex};

/// Decodes `body` in every way that there is.
fn decode_all(body: &[u8]) {
    let payload = Payload::from(Bytes::copy_from_slice(body));
    let _ = Attrs::from_payload(payload.clone());
    let _ = StatvfsReply::decode(payload.clone());
    let _ = LimitsReply::decode(payload.clone());
    let _ = CheckFileReply::decode(payload.clone());
    let _ = UsersGroupsReply::decode(payload.clone());
    let _ = SpaceAvailableReply::decode(payload.clone());
    if let Some(frame) = Frame::new(payload) {
        let _ = Request::decode(frame.clone());
        let _ = Reply::decode(frame);
    }
}

#[test]
fn a_request_cut_at_any_byte_is_an_error() {
    for (request, bytes) in golden_requests::all() {
        let body = &bytes[4..];
        for cut in 1..body.len() {
            decode_all(&body[..cut]);
            // INIT may end after its version.
            if matches!(request, Request::Init { .. }) && cut == 5 {
                continue;
            }
            let frame = Frame::new(Bytes::copy_from_slice(&body[..cut])).unwrap();
            let error = Request::decode(frame).expect_err("bytes are missing");
            let readable = cut >= 5 && !matches!(request, Request::Init { .. });
            assert_eq!(
                error.id(),
                readable.then_some(7),
                "{request:?} cut at {cut}"
            );
        }
    }
}

#[test]
fn a_reply_cut_at_any_byte_is_an_error() {
    for (_, reply, bytes) in golden_replies::all() {
        let body = &bytes[4..];
        for cut in 1..body.len() {
            let frame = Frame::new(Bytes::copy_from_slice(&body[..cut])).unwrap();
            let decoded = Reply::decode(frame);
            let may_end_here = match reply {
                // Between two extensions.
                Reply::Version { .. } => [5, 16].contains(&cut),
                Reply::Status { .. } => cut == 9,
                Reply::Extended { .. } => cut >= 5,
                Reply::Handle { .. }
                | Reply::Data { .. }
                | Reply::Name { .. }
                | Reply::Attrs { .. } => false,
            };
            assert_eq!(decoded.is_ok(), may_end_here, "{reply:?} cut at {cut}");
        }
    }
}

#[test]
fn a_count_of_entries_is_not_believed() {
    let body = hex("68 00000007 ffffffff 00000001 'd' 00000000 00000000");
    let frame = Frame::new(Bytes::from(body)).unwrap();
    let (type_byte, id) = (packet::NAME, Some(7));
    let reason = Malformed::Truncated;
    let expected = DecodeError::Malformed {
        type_byte,
        id,
        reason,
    };
    assert_eq!(Reply::decode(frame), Err(expected));
}

proptest! {
    #[test]
    fn any_body_is_decoded_or_refused(body in vec(any::<u8>(), 0..200)) {
        decode_all(&body);
    }

    #[test]
    fn any_fields_of_a_known_type_are_decoded_or_refused(
        type_byte in prop_oneof![1..=20_u8, 101..=105_u8, 200..=201_u8],
        fields in vec(prop_oneof![Just(0_u8), any::<u8>()], 0..200),
    ) {
        let mut body = vec![type_byte];
        body.extend(fields);
        decode_all(&body);
    }

    #[test]
    fn one_changed_byte_makes_no_decoder_fail(
        index in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let requests = golden_requests::all();
        let (_, bytes) = index.get(&requests);
        let mut body = bytes[4..].to_vec();
        let at = at.index(body.len());
        body[at] = value;
        decode_all(&body);
    }

    #[test]
    fn any_stream_is_cut_or_refused(chunks in vec(vec(prop_oneof![Just(0_u8), any::<u8>()], 0..50), 0..20)) {
        let mut decoder = FrameDecoder::new();
        for chunk in chunks {
            decoder.push(Bytes::from(chunk));
            while let Ok(Some(frame)) = decoder.next_frame() {
                decode_all(&frame.body().to_bytes());
            }
        }
    }
}
