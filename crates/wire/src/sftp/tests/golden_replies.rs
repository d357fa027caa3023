//! Each reply as bytes written by hand from the draft, encoded and decoded.

use bytes::{BufMut, Bytes, BytesMut};

use super::super::extension::{
    CheckFileReply, LimitsReply, SpaceAvailableReply, StatvfsReply, UsersGroupsReply,
};
use super::super::*;
use super::{b, hex, reply};

fn encoded(encode: impl FnOnce(&mut BytesMut)) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode(&mut out);
    out.to_vec()
}

const DIR: Attrs = Attrs {
    permissions: Some(0o040_755),
    ..Attrs::EMPTY
};

/// Bytes from the encoder, the reply that they are, and the bytes written by hand.
pub(crate) fn all() -> Vec<(Vec<u8>, Reply, Vec<u8>)> {
    let id = 7;
    let entry = NameEntry {
        filename: b"d",
        longname: b"drwx d",
        attrs: DIR,
    };
    let name = Name {
        filename: b("d"),
        longname: b("drwx d"),
        attrs: DIR,
    };
    [
        (
            encoded(|out| encode_version(out, &[(b"ab", b"1"), (b"c", b"")])),
            Reply::Version {
                version: 3,
                extensions: vec![(b("ab"), b("1")), (b("c"), Bytes::new())],
            },
            "00000019 02 00000003 00000002 'ab' 00000001 '1' 00000001 'c' 00000000",
        ),
        (
            encoded(|out| encode_status(out, id, StatusCode::PermissionDenied, "No")),
            Reply::Status {
                id,
                code: StatusCode::PermissionDenied,
                message: b("No"),
                language: Bytes::new(),
            },
            "00000013 65 00000007 00000003 00000002 'No' 00000000",
        ),
        (
            encoded(|out| encode_handle(out, id, b"h1")),
            Reply::Handle {
                id,
                handle: b("h1"),
            },
            "0000000b 66 00000007 00000002 'h1'",
        ),
        (
            encoded(|out| encode_data(out, id, b"data")),
            Reply::Data {
                id,
                data: b("data").into(),
            },
            "0000000d 67 00000007 00000004 'data'",
        ),
        (
            encoded(|out| encode_name(out, id, &[entry, entry])),
            Reply::Name {
                id,
                entries: vec![name.clone(), name],
            },
            "00000037 68 00000007 00000002 \
             00000001 'd' 00000006 'drwx d' 00000004 000041ed \
             00000001 'd' 00000006 'drwx d' 00000004 000041ed",
        ),
        (
            encoded(|out| encode_attrs(out, id, &DIR)),
            Reply::Attrs { id, attrs: DIR },
            "0000000d 69 00000007 00000004 000041ed",
        ),
        (
            encoded(|out| encode_extended(out, id, |out| out.put_slice(b"xyz"))),
            Reply::Extended {
                id,
                body: b("xyz").into(),
            },
            "00000008 c9 00000007 'xyz'",
        ),
    ]
    .into_iter()
    .map(|(encoded, reply, bytes)| (encoded, reply, hex(bytes)))
    .collect()
}

#[test]
fn each_reply_is_encoded_as_the_draft_says() {
    for (encoded, reply, bytes) in all() {
        assert_eq!(encoded, bytes, "{reply:?}");
    }
}

#[test]
fn each_reply_is_decoded_as_the_draft_says() {
    for (_, expected, bytes) in all() {
        assert_eq!(expected.id(), reply(bytes.clone()).id());
        assert_eq!(reply(bytes), expected);
    }
}

#[test]
fn a_data_header_in_front_of_read_bytes_makes_a_data_packet() {
    let mut buffer = vec![0; DATA_HEADER_LEN + 4];
    buffer[DATA_HEADER_LEN..].copy_from_slice(b"data");
    write_data_header(&mut buffer, 7, 4);
    assert_eq!(buffer, encoded(|out| encode_data(out, 7, b"data")));
}

#[test]
fn a_data_header_does_not_fit_a_shorter_buffer() {
    let mut buffer = [1; DATA_HEADER_LEN - 1];
    write_data_header(&mut buffer, 7, 4);
    assert_eq!(buffer, [1; DATA_HEADER_LEN - 1]);
}

#[test]
fn replies_are_appended_one_after_the_other() {
    let bytes = encoded(|out| {
        encode_status(out, 1, StatusCode::Ok, "OK");
        encode_handle(out, 2, b"h");
    });
    let mut decoder = FrameDecoder::new();
    decoder.push(bytes.into());
    let mut ids = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        ids.push(Reply::decode(frame).unwrap().id());
    }
    assert_eq!(ids, [Some(1), Some(2)]);
}

#[test]
fn a_status_without_text_is_understood() {
    let status = reply(hex("00000009 65 00000007 00000001"));
    let expected = Reply::Status {
        id: 7,
        code: StatusCode::Eof,
        message: Bytes::new(),
        language: Bytes::new(),
    };
    assert_eq!(status, expected);
}

#[test]
fn status_codes_have_the_numbers_of_the_draft() {
    for number in 0..=8 {
        assert_eq!(StatusCode::from_wire(number).to_wire(), number);
    }
    assert_eq!(StatusCode::from_wire(9), StatusCode::Failure);
    assert_eq!(StatusCode::OpUnsupported.to_wire(), 8);
}

fn body_of(bytes: Vec<u8>) -> Payload {
    let Reply::Extended { id: 7, body } = reply(bytes) else {
        panic!("an extended reply was encoded");
    };
    body
}

#[test]
fn a_statvfs_reply_is_eleven_numbers_in_the_order_of_posix() {
    let statvfs = StatvfsReply {
        bsize: 1,
        frsize: 2,
        blocks: 3,
        bfree: 4,
        bavail: 5,
        files: 6,
        ffree: 7,
        favail: 8,
        fsid: 9,
        flag: 10,
        namemax: 11,
    };
    let bytes = encoded(|out| statvfs.encode(out, 7));
    let numbers: String = (1..=11).map(|n| format!("{n:016x}")).collect();
    assert_eq!(bytes, hex(&format!("0000005d c9 00000007 {numbers}")));
    assert_eq!(StatvfsReply::decode(body_of(bytes)).unwrap(), statvfs);
}

#[test]
fn a_limits_reply_announces_what_openssh_accepts() {
    let limits = LimitsReply::of_codec(1000);
    let bytes = encoded(|out| limits.encode(out, 7));
    let expected = "00000025 c9 00000007 0000000000040000 000000000003fc00 000000000003fc00 \
                    00000000000003e8";
    assert_eq!(bytes, hex(expected));
    assert_eq!(LimitsReply::decode(body_of(bytes)).unwrap(), limits);
}

#[test]
fn a_check_file_reply_is_understood_in_the_form_of_both_drafts() {
    let check = CheckFileReply {
        algorithm: b("md5"),
        digests: b("0123456789abcdef"),
    };
    let bytes = encoded(|out| check.encode(out, 7));
    let expected = hex("0000001c c9 00000007 00000003 'md5' '0123456789abcdef'");
    assert_eq!(bytes, expected);
    assert_eq!(CheckFileReply::decode(body_of(bytes)).unwrap(), check);
    let prefixed = hex("0000000a 'check-file' 00000003 'md5' '0123456789abcdef'");
    let prefixed = Payload::from(Bytes::from(prefixed));
    assert_eq!(CheckFileReply::decode(prefixed).unwrap(), check);
}

#[test]
fn a_users_groups_reply_is_two_packed_lists_of_names() {
    let names = UsersGroupsReply {
        users: vec![b("bob"), Bytes::new()],
        groups: vec![b("wheel")],
    };
    let bytes = encoded(|out| names.encode(out, 7));
    let expected =
        "00000021 c9 00000007 0000000b 00000003 'bob' 00000000 00000009 00000005 'wheel'";
    assert_eq!(bytes, hex(expected));
    assert_eq!(UsersGroupsReply::decode(body_of(bytes)).unwrap(), names);
}

#[test]
fn a_space_available_reply_ends_with_a_32_bit_number() {
    let space = SpaceAvailableReply {
        bytes_on_device: 1,
        unused_bytes_on_device: 2,
        bytes_available_to_user: 3,
        unused_bytes_available_to_user: 4,
        bytes_per_allocation_unit: 5,
    };
    let bytes = encoded(|out| space.encode(out, 7));
    let numbers: String = (1..=4).map(|n| format!("{n:016x}")).collect();
    assert_eq!(
        bytes,
        hex(&format!("00000029 c9 00000007 {numbers} 00000005"))
    );
    assert_eq!(SpaceAvailableReply::decode(body_of(bytes)).unwrap(), space);
}

#[test]
fn a_request_is_no_reply() {
    for type_byte in [1, 3, 20, 100, 106, 200, 202] {
        let frame = Frame::new(Bytes::from(vec![type_byte, 0, 0, 0, 9])).unwrap();
        let id = Some(9);
        let expected = DecodeError::UnknownType { type_byte, id };
        assert_eq!(Reply::decode(frame), Err(expected));
    }
}
