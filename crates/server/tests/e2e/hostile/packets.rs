//! Bytes that are no packets, packets that are no requests, and requests at the wrong time.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use sftpgo_testkit::{FileClient as _, Refusal, Sftp};
use sftpgo_wire::sftp::{
    Attrs, Extension, MAX_PACKET, OpenFlags, Reply, Request, StatusCode, VERSION, client, packet,
};

use super::alice;

const ID: u32 = 77;

/// One well-formed request of every type.
fn requests() -> Vec<Request> {
    let id = ID;
    let path = || Bytes::from_static(b"/some/path");
    let handle = || Bytes::from_static(b"12345678");
    let attrs = Attrs {
        size: Some(1),
        owner: Some((1, 2)),
        permissions: Some(0o600),
        times: Some((1, 2)),
    };
    let (flags, offset, len) = (OpenFlags::READ, 0, 10);
    let (from, to, target, link) = (path(), path(), path(), path());
    vec![
        Request::Open {
            id,
            path: path(),
            flags,
            attrs,
        },
        Request::Close {
            id,
            handle: handle(),
        },
        Request::Read {
            id,
            handle: handle(),
            offset,
            len,
        },
        Request::Write {
            id,
            handle: handle(),
            offset,
            data: Bytes::from_static(b"data").into(),
        },
        Request::Lstat { id, path: path() },
        Request::Fstat {
            id,
            handle: handle(),
        },
        Request::Setstat {
            id,
            path: path(),
            attrs,
        },
        Request::Fsetstat {
            id,
            handle: handle(),
            attrs,
        },
        Request::Opendir { id, path: path() },
        Request::Readdir {
            id,
            handle: handle(),
        },
        Request::Remove { id, path: path() },
        Request::Mkdir {
            id,
            path: path(),
            attrs,
        },
        Request::Rmdir { id, path: path() },
        Request::Realpath { id, path: path() },
        Request::Stat { id, path: path() },
        Request::Rename { id, from, to },
        Request::Readlink { id, path: path() },
        Request::Symlink { id, target, link },
        extended(Extension::Statvfs { path: path() }),
        extended(Extension::Fstatvfs { handle: handle() }),
        extended(Extension::Fsync { handle: handle() }),
        extended(Extension::PosixRename {
            from: path(),
            to: path(),
        }),
    ]
}

fn extended(request: Extension) -> Request {
    Request::Extended { id: ID, request }
}

fn encoded(request: &Request) -> Vec<u8> {
    let mut out = BytesMut::new();
    client::encode_request(&mut out, request);
    out.to_vec()
}

/// The packet with its length made right again.
fn framed(body: &[u8]) -> Bytes {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[..], body].concat().into()
}

fn is_status(reply: &Reply, expected: StatusCode) -> bool {
    matches!(reply, Reply::Status { code, .. } if *code == expected)
}

async fn is_alive(sftp: &mut Sftp) {
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
}

#[tokio::test]
async fn a_request_that_ends_anywhere_too_early_is_a_bad_message_by_its_id() {
    let (_server, mut sftp) = alice().await;
    for request in requests() {
        let whole = encoded(&request);
        let body = &whole[4..];
        // Type and id stay, so that an answer is possible.
        for cut in 5..body.len() {
            sftp.send_bytes(framed(&body[..cut]));
            let reply = sftp.reply_to(ID).await;
            assert!(
                is_status(&reply, StatusCode::BadMessage),
                "{request:?} cut at {cut}: {reply:?}"
            );
        }
    }
    is_alive(&mut sftp).await;
}

#[tokio::test]
async fn a_string_that_says_it_is_longer_than_the_packet_is_a_bad_message() {
    let (_server, mut sftp) = alice().await;
    for request in requests() {
        for lie in [u32::MAX, 0x8000_0000, 0x7fff_ffff, 262_145, 1_000] {
            let mut body = encoded(&request)[4..].to_vec();
            // The first string begins behind type and id.
            body[5..9].copy_from_slice(&lie.to_be_bytes());
            sftp.send_bytes(framed(&body));
            let reply = sftp.reply_to(ID).await;
            assert!(
                is_status(&reply, StatusCode::BadMessage),
                "{request:?} with {lie}: {reply:?}"
            );
        }
    }
    is_alive(&mut sftp).await;
}

#[tokio::test]
async fn a_well_formed_request_of_every_type_is_answered_once() {
    let (_server, mut sftp) = alice().await;
    for request in requests() {
        sftp.send_bytes(encoded(&request));
        assert_eq!(sftp.reply().await.unwrap().id(), Some(ID), "{request:?}");
    }
    is_alive(&mut sftp).await;
}

#[tokio::test]
async fn attributes_that_promise_more_than_they_hold_are_a_bad_message() {
    let (_server, mut sftp) = alice().await;
    let path = b"\0\0\0\x02/a";
    let counts: [&[u8]; 3] = [
        // Extended pairs without number; four thousand million of them; one that lies about its length.
        b"\x80\0\0\0",
        b"\x80\0\0\0\xff\xff\xff\xff",
        b"\x80\0\0\0\0\0\0\x01\xff\xff\xff\xf0name",
    ];
    for attrs in counts {
        let body = [&[packet::SETSTAT], &ID.to_be_bytes()[..], path, attrs].concat();
        sftp.send_bytes(framed(&body));
        let reply = sftp.reply_to(ID).await;
        assert!(is_status(&reply, StatusCode::BadMessage), "{reply:?}");
    }
    is_alive(&mut sftp).await;
}

#[tokio::test]
async fn a_type_that_no_request_has_is_unsupported_and_the_channel_goes_on() {
    let (_server, mut sftp) = alice().await;
    let known = |number: &u8| (1..=20).contains(number) || *number == packet::EXTENDED;
    for number in (0..=255).filter(|number| !known(number)) {
        sftp.send_bytes(framed(
            &[&[number], &ID.to_be_bytes()[..], b"rest"].concat(),
        ));
        let reply = sftp.reply_to(ID).await;
        assert!(
            is_status(&reply, StatusCode::OpUnsupported),
            "{number}: {reply:?}"
        );
    }
    let unknown = Extension::Unknown {
        name: Bytes::from_static(b"no-such@example.com"),
    };
    assert_eq!(
        sftp.extended(&unknown).await.unwrap_err().kind,
        Refusal::Unsupported
    );
    is_alive(&mut sftp).await;
}

#[tokio::test]
async fn a_stream_that_is_no_packets_ends_the_channel_and_nothing_else() {
    let (server, mut sftp) = alice().await;
    let over = u32::try_from(MAX_PACKET + 2048).unwrap();
    let streams: [Bytes; 5] = [
        Bytes::from_static(&[0; 4]),
        Bytes::from_static(&[0xff; 4]),
        Bytes::copy_from_slice(&over.to_be_bytes()),
        // A request without an id cannot be answered.
        framed(&[packet::STAT, 0, 0]),
        framed(&[99]),
    ];
    for stream in streams {
        let mut other = Sftp::open(Arc::clone(sftp.ssh())).await.unwrap();
        other.send_bytes(stream.clone());
        let (replies, status) = other.finish().await;
        assert!(replies.is_empty(), "{stream:?}: {replies:?}");
        assert_eq!(status, Some(1), "{stream:?}");
        is_alive(&mut sftp).await;
    }
    assert_eq!(server.core().registry().connections().len(), 1);
}

#[tokio::test]
async fn nothing_is_served_before_init() {
    let (_server, mut sftp) = alice().await;
    for request in requests() {
        let mut early = Sftp::open_raw(Arc::clone(sftp.ssh())).await.unwrap();
        early.send_bytes(encoded(&request));
        let (replies, _) = early.finish().await;
        assert!(replies.is_empty(), "{request:?}: {replies:?}");
    }
    is_alive(&mut sftp).await;
}

#[tokio::test]
async fn a_second_init_is_answered_and_open_handles_stay() {
    let (_server, mut sftp) = alice().await;
    let handle = sftp.open_file(b"/a", super::CREATE).await.unwrap();
    // Old clients do it (ProFTPD bug 4227), and versions that we do not speak are asked for.
    for version in [VERSION, 6, 0, u32::MAX] {
        sftp.send_with(|out| client::init(out, version));
        let reply = sftp.reply().await;
        assert!(
            matches!(
                reply,
                Some(Reply::Version {
                    version: VERSION,
                    ..
                })
            ),
            "{version}: {reply:?}"
        );
    }
    sftp.write(&handle, 0, b"still open").await.unwrap();
    sftp.close(&handle).await.unwrap();
    assert_eq!(sftp.get(b"/a").await.unwrap(), b"still open");
}

#[tokio::test]
async fn a_channel_that_ends_without_a_word_ends_in_order() {
    let (server, sftp) = alice().await;
    let mut silent = Sftp::open_raw(Arc::clone(sftp.ssh())).await.unwrap();
    silent.send_eof();
    assert_eq!(silent.finish().await, (Vec::new(), Some(0)));
    // In the middle of a packet.
    let mut cut = Sftp::open(Arc::clone(sftp.ssh())).await.unwrap();
    cut.send_bytes(&b"\0\0\0\x20\x11\0"[..]);
    cut.send_eof();
    let (replies, _) = cut.finish().await;
    assert!(replies.is_empty());
    assert_eq!(server.core().registry().connections().len(), 1);
}

#[tokio::test]
async fn requests_before_the_end_of_the_channel_are_all_answered() {
    let (_server, mut sftp) = alice().await;
    sftp.put(b"/a", b"content").await.unwrap();
    let handle = sftp.open_file(b"/a", OpenFlags::READ).await.unwrap();
    for _ in 0..1_000 {
        sftp.send(|out, id| client::read(out, id, &handle, 0, 100));
        sftp.send(|out, id| client::lstat(out, id, b"/a"));
    }
    sftp.send_eof();
    let (replies, status) = sftp.finish().await;
    assert_eq!((replies.len(), status), (2_000, Some(0)));
}

#[tokio::test]
async fn bytes_that_arrive_one_by_one_are_packets_all_the_same() {
    let (_server, mut sftp) = alice().await;
    let mut bytes = BytesMut::new();
    client::realpath(&mut bytes, ID, b"/a/../b");
    for byte in bytes {
        sftp.send_bytes(vec![byte]);
    }
    assert!(matches!(sftp.reply_to(ID).await, Reply::Name { .. }));
}
