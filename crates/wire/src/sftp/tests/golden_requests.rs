//! Each request as bytes written by hand from the draft, encoded and decoded.

use bytes::{Bytes, BytesMut};

use super::super::{
    Attrs, CheckFileTarget, DecodeError, Extension, Frame, Malformed, OpenFlags, Request, client,
};
use super::{b, hex, request};

fn extended(name: &str, fields: &str) -> Vec<u8> {
    let fields = hex(fields);
    let mut packet = Vec::new();
    packet.extend(((9 + name.len() + fields.len()) as u32).to_be_bytes());
    packet.extend(hex("c8 00000007"));
    packet.extend((name.len() as u32).to_be_bytes());
    packet.extend(name.as_bytes());
    packet.extend(fields);
    packet
}

const ALL_ATTRS: Attrs = Attrs {
    size: Some(0x0102_0304_0506_0708),
    owner: Some((1000, 1001)),
    permissions: Some(0o644),
    times: Some((0x5e4c_0000, 0x5e4c_0001)),
};

/// Draft 6, in the order of the packet types. The id is 7.
pub(crate) fn plain() -> Vec<(Request, Vec<u8>)> {
    let id = 7;
    let (path, handle) = (b("/a"), b("h1"));
    let open = Request::Open {
        id,
        path: path.clone(),
        flags: OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE,
        attrs: Attrs {
            permissions: Some(0o100_600),
            ..Attrs::EMPTY
        },
    };
    let read = Request::Read {
        id,
        handle: handle.clone(),
        offset: 0x1_0000_0000,
        len: 32768,
    };
    let write = Request::Write {
        id,
        handle: handle.clone(),
        offset: 5,
        data: b("data").into(),
    };
    let empty_write = Request::Write {
        id,
        handle: handle.clone(),
        offset: 0,
        data: Bytes::new().into(),
    };
    let setstat = Request::Setstat {
        id,
        path: path.clone(),
        attrs: ALL_ATTRS,
    };
    let fsetstat = Request::Fsetstat {
        id,
        handle: handle.clone(),
        attrs: Attrs {
            times: Some((1, 2)),
            ..Attrs::EMPTY
        },
    };
    let mkdir = Request::Mkdir {
        id,
        path: path.clone(),
        attrs: Attrs::EMPTY,
    };
    let rename = Request::Rename {
        id,
        from: path.clone(),
        to: b("/bc"),
    };
    let symlink = Request::Symlink {
        id,
        target: b("../t"),
        link: b("/l"),
    };
    let path = || path.clone();
    let handle = || handle.clone();
    let init = Request::Init {
        version: 3,
        extensions: vec![(b("ab"), b("1"))],
    };
    let plain_init = Request::Init {
        version: 6,
        extensions: vec![],
    };
    [
        (plain_init, "00000005 01 00000006"),
        (init, "00000010 01 00000003 00000002 'ab' 00000001 '1'"),
        (
            open,
            "00000017 03 00000007 00000002 '/a' 0000001a 00000004 00008180",
        ),
        (
            Request::Close {
                id,
                handle: handle(),
            },
            "0000000b 04 00000007 00000002 'h1'",
        ),
        (
            read,
            "00000017 05 00000007 00000002 'h1' 0000000100000000 00008000",
        ),
        (
            write,
            "0000001b 06 00000007 00000002 'h1' 0000000000000005 00000004 'data'",
        ),
        (
            empty_write,
            "00000017 06 00000007 00000002 'h1' 0000000000000000 00000000",
        ),
        (
            Request::Lstat { id, path: path() },
            "0000000b 07 00000007 00000002 '/a'",
        ),
        (
            Request::Fstat {
                id,
                handle: handle(),
            },
            "0000000b 08 00000007 00000002 'h1'",
        ),
        (
            setstat,
            "0000002b 09 00000007 00000002 '/a' 0000000f 0102030405060708 000003e8 000003e9 \
             000001a4 5e4c0000 5e4c0001",
        ),
        (
            fsetstat,
            "00000017 0a 00000007 00000002 'h1' 00000008 00000001 00000002",
        ),
        (
            Request::Opendir { id, path: path() },
            "0000000b 0b 00000007 00000002 '/a'",
        ),
        (
            Request::Readdir {
                id,
                handle: handle(),
            },
            "0000000b 0c 00000007 00000002 'h1'",
        ),
        (
            Request::Remove { id, path: path() },
            "0000000b 0d 00000007 00000002 '/a'",
        ),
        (mkdir, "0000000f 0e 00000007 00000002 '/a' 00000000"),
        (
            Request::Rmdir { id, path: path() },
            "0000000b 0f 00000007 00000002 '/a'",
        ),
        (
            Request::Realpath { id, path: path() },
            "0000000b 10 00000007 00000002 '/a'",
        ),
        (
            Request::Stat { id, path: path() },
            "0000000b 11 00000007 00000002 '/a'",
        ),
        (rename, "00000012 12 00000007 00000002 '/a' 00000003 '/bc'"),
        (
            Request::Readlink { id, path: path() },
            "0000000b 13 00000007 00000002 '/a'",
        ),
        // The target before the link, as OpenSSH has it.
        (
            symlink,
            "00000013 14 00000007 00000004 '../t' 00000002 '/l'",
        ),
    ]
    .into_iter()
    .map(|(request, bytes)| (request, hex(bytes)))
    .collect()
}

/// OpenSSH's PROTOCOL section 4 and the later drafts. The id is 7.
pub(crate) fn extensions() -> Vec<(Request, Vec<u8>)> {
    let from_to = "00000002 '/a' 00000002 '/b'";
    let copy = Extension::CopyData {
        read_handle: b("r"),
        read_offset: 1,
        len: 2,
        write_handle: b("w"),
        write_offset: 3,
    };
    let check = |target| Extension::CheckFile {
        target,
        algorithms: b("sha256,md5"),
        offset: 1,
        len: 2,
        block_size: 256,
    };
    let check_tail = "0000000a 'sha256,md5' 0000000000000001 0000000000000002 00000100";
    [
        (
            Extension::PosixRename {
                from: b("/a"),
                to: b("/b"),
            },
            extended("posix-rename@openssh.com", from_to),
        ),
        (
            Extension::Statvfs { path: b("/a") },
            extended("statvfs@openssh.com", "00000002 '/a'"),
        ),
        (
            Extension::Fstatvfs { handle: b("h1") },
            extended("fstatvfs@openssh.com", "00000002 'h1'"),
        ),
        (
            Extension::Fsync { handle: b("h1") },
            extended("fsync@openssh.com", "00000002 'h1'"),
        ),
        (
            Extension::Hardlink {
                from: b("/a"),
                to: b("/b"),
            },
            extended("hardlink@openssh.com", from_to),
        ),
        (
            Extension::Lsetstat {
                path: b("/a"),
                attrs: ALL_ATTRS,
            },
            extended(
                "lsetstat@openssh.com",
                "00000002 '/a' 0000000f 0102030405060708 000003e8 000003e9 000001a4 5e4c0000 5e4c0001",
            ),
        ),
        (Extension::Limits, extended("limits@openssh.com", "")),
        (
            Extension::ExpandPath { path: b("~/x") },
            extended("expand-path@openssh.com", "00000003 '~/x'"),
        ),
        (
            copy,
            extended(
                "copy-data",
                "00000001 'r' 0000000000000001 0000000000000002 00000001 'w' 0000000000000003",
            ),
        ),
        (
            Extension::HomeDirectory { username: b("bob") },
            extended("home-directory", "00000003 'bob'"),
        ),
        (
            Extension::UsersGroupsById {
                uids: vec![0, 1000],
                gids: vec![5],
            },
            extended(
                "users-groups-by-id@openssh.com",
                "00000008 00000000 000003e8 00000004 00000005",
            ),
        ),
        (
            check(CheckFileTarget::Handle(b("h1"))),
            extended("check-file-handle", &format!("00000002 'h1' {check_tail}")),
        ),
        (
            check(CheckFileTarget::Path(b("/a"))),
            extended("check-file-name", &format!("00000002 '/a' {check_tail}")),
        ),
        (
            Extension::SpaceAvailable { path: b("/a") },
            extended("space-available", "00000002 '/a'"),
        ),
        (
            Extension::Unknown {
                name: b("vendor@example.com"),
            },
            extended("vendor@example.com", ""),
        ),
    ]
    .into_iter()
    .map(|(request, bytes)| (Request::Extended { id: 7, request }, bytes))
    .collect()
}

pub(crate) fn all() -> Vec<(Request, Vec<u8>)> {
    plain().into_iter().chain(extensions()).collect()
}

#[test]
fn each_request_is_encoded_as_the_draft_says() {
    for (request, bytes) in all() {
        let mut out = BytesMut::new();
        client::encode_request(&mut out, &request);
        assert_eq!(&out[..], &bytes[..], "{request:?}");
    }
}

#[test]
fn each_request_is_decoded_as_the_draft_says() {
    for (expected, bytes) in all() {
        assert_eq!(request(bytes), expected);
    }
}

#[test]
fn every_extension_of_the_table_has_a_golden_packet() {
    let golden = extensions();
    for row in super::super::extension::TABLE {
        let tested = golden.iter().any(|(request, _)| {
            matches!(request, Request::Extended { request, .. } if request.name() == row.name)
        });
        assert!(tested, "{}", String::from_utf8_lossy(row.name));
    }
}

#[test]
fn each_request_tells_its_id_and_type() {
    for (request, bytes) in all() {
        assert_eq!(request.type_byte(), bytes[4]);
        let has_id = !matches!(request, Request::Init { .. });
        assert_eq!(request.id(), has_id.then_some(7));
    }
}

#[test]
fn bytes_after_a_request_are_ignored() {
    for (expected, mut bytes) in all() {
        if matches!(expected, Request::Init { .. }) {
            continue; // what follows INIT is extensions
        }
        bytes.extend_from_slice(b"more");
        let len = (bytes.len() - 4) as u32;
        bytes[..4].copy_from_slice(&len.to_be_bytes());
        assert_eq!(request(bytes), expected);
    }
}

#[test]
fn extended_attributes_are_skipped() {
    let bytes = hex("00000027 0e 00000007 00000002 '/a' 80000004 000001ed \
                     00000001 00000004 'a@bc' 00000004 'data'");
    let attrs = Attrs {
        permissions: Some(0o755),
        ..Attrs::EMPTY
    };
    let expected = Request::Mkdir {
        id: 7,
        path: b("/a"),
        attrs,
    };
    assert_eq!(request(bytes), expected);
}

fn refused(body: &str) -> DecodeError {
    Request::decode(Frame::new(Bytes::from(hex(body))).unwrap()).unwrap_err()
}

#[test]
fn an_unknown_type_is_told_apart_and_keeps_its_id() {
    for type_byte in [0, 2, 21, 101, 105, 199, 201, 255] {
        let error = refused(&format!("{type_byte:02x} 00000009 1234"));
        let id = Some(9);
        assert_eq!(error, DecodeError::UnknownType { type_byte, id });
        assert_eq!(error.id(), Some(9));
        assert_eq!(refused(&format!("{type_byte:02x} 0000")).id(), None);
    }
}

fn reason(error: DecodeError) -> Malformed {
    match error {
        DecodeError::Malformed { reason, .. } => reason,
        DecodeError::UnknownType { .. } => panic!("type is known"),
    }
}

#[test]
fn a_malformed_request_keeps_its_id_for_the_answer() {
    let error = refused("04 00000009 00000005 'h1'");
    assert_eq!(error.id(), Some(9));
    assert_eq!(reason(error), Malformed::Truncated);
}

#[test]
fn a_handle_over_256_bytes_is_refused() {
    let handle = "61".repeat(257);
    let error = refused(&format!("04 00000009 00000101 {handle}"));
    let (length, limit) = (257, 256);
    assert_eq!(reason(error), Malformed::TooLong { length, limit });
    let handle = "61".repeat(256);
    let body = hex(&format!("04 00000009 00000100 {handle}"));
    assert!(Request::decode(Frame::new(Bytes::from(body)).unwrap()).is_ok());
}

#[test]
fn lists_are_bounded() {
    let pairs = "00000001 'n' 00000000".repeat(65);
    let limit = 64;
    let error = refused(&format!("01 00000003 {pairs}"));
    assert_eq!(reason(error), Malformed::TooMany { limit });

    let error = refused("0e 00000009 00000001 '/' 80000000 00000081");
    let limit = 128;
    assert_eq!(reason(error), Malformed::TooMany { limit });

    let ids = "00000001".repeat(4097);
    let name = "c8 00000009 0000001e 'users-groups-by-id@openssh.com'";
    let error = refused(&format!("{name} 00004004 {ids} 00000000"));
    let limit = 4096;
    assert_eq!(reason(error), Malformed::TooMany { limit });

    let error = refused(&format!("{name} 00000003 000000 00000000"));
    assert_eq!(reason(error), Malformed::UnevenIdList);
}

#[test]
fn paths_are_bytes_of_any_value() {
    let bytes = hex("0000000c 0d 00000007 00000003 ff00fe");
    let expected = Request::Remove {
        id: 7,
        path: Bytes::from_static(&[0xff, 0, 0xfe]),
    };
    assert_eq!(request(bytes), expected);
}
