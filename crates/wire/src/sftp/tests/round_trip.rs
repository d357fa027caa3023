//! What a client encodes is what a server decodes, however the stream is cut into chunks; and the way back.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::*;

fn bytes(max: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..max).prop_map(Bytes::from)
}

fn path() -> impl Strategy<Value = Bytes> {
    bytes(40)
}

fn handle() -> impl Strategy<Value = Bytes> {
    bytes(MAX_HANDLE + 1)
}

fn attrs() -> impl Strategy<Value = Attrs> {
    any::<(
        Option<u64>,
        Option<(u32, u32)>,
        Option<u32>,
        Option<(u32, u32)>,
    )>()
    .prop_map(|(size, owner, permissions, times)| Attrs {
        size,
        owner,
        permissions,
        times,
    })
}

fn extension() -> impl Strategy<Value = Extension> {
    let ids = || vec(any::<u32>(), 0..20);
    let target = prop_oneof![
        handle().prop_map(CheckFileTarget::Handle),
        path().prop_map(CheckFileTarget::Path),
    ];
    let numbers = || any::<(u64, u64, u32)>();
    prop_oneof![
        (path(), path()).prop_map(|(from, to)| Extension::PosixRename { from, to }),
        path().prop_map(|path| Extension::Statvfs { path }),
        handle().prop_map(|handle| Extension::Fstatvfs { handle }),
        handle().prop_map(|handle| Extension::Fsync { handle }),
        (path(), path()).prop_map(|(from, to)| Extension::Hardlink { from, to }),
        (path(), attrs()).prop_map(|(path, attrs)| Extension::Lsetstat { path, attrs }),
        Just(Extension::Limits),
        path().prop_map(|path| Extension::ExpandPath { path }),
        (handle(), numbers(), handle(), any::<u64>()).prop_map(|(r, n, w, write_offset)| {
            Extension::CopyData {
                read_handle: r,
                read_offset: n.0,
                len: n.1,
                write_handle: w,
                write_offset,
            }
        }),
        path().prop_map(|username| Extension::HomeDirectory { username }),
        (ids(), ids()).prop_map(|(uids, gids)| Extension::UsersGroupsById { uids, gids }),
        (target, path(), numbers()).prop_map(|(target, algorithms, n)| Extension::CheckFile {
            target,
            algorithms,
            offset: n.0,
            len: n.1,
            block_size: n.2,
        }),
        path().prop_map(|path| Extension::SpaceAvailable { path }),
        "[a-z]{1,8}@example\\.com".prop_map(|name| Extension::Unknown { name: name.into() }),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let id = any::<u32>;
    prop_oneof![
        (id(), vec((path(), path()), 0..4)).prop_map(|(version, extensions)| Request::Init {
            version,
            extensions
        }),
        (id(), path(), id(), attrs()).prop_map(|(id, path, flags, attrs)| Request::Open {
            id,
            path,
            flags: OpenFlags(flags),
            attrs
        }),
        (id(), handle()).prop_map(|(id, handle)| Request::Close { id, handle }),
        (id(), handle(), any::<u64>(), id()).prop_map(|(id, handle, offset, len)| Request::Read {
            id,
            handle,
            offset,
            len
        }),
        (id(), handle(), any::<u64>(), bytes(5000)).prop_map(|(id, handle, offset, data)| {
            let data = data.into();
            Request::Write {
                id,
                handle,
                offset,
                data,
            }
        }),
        (id(), path()).prop_map(|(id, path)| Request::Lstat { id, path }),
        (id(), handle()).prop_map(|(id, handle)| Request::Fstat { id, handle }),
        (id(), path(), attrs()).prop_map(|(id, path, attrs)| Request::Setstat { id, path, attrs }),
        (id(), handle(), attrs()).prop_map(|(id, handle, attrs)| Request::Fsetstat {
            id,
            handle,
            attrs
        }),
        (id(), path()).prop_map(|(id, path)| Request::Opendir { id, path }),
        (id(), handle()).prop_map(|(id, handle)| Request::Readdir { id, handle }),
        (id(), path()).prop_map(|(id, path)| Request::Remove { id, path }),
        (id(), path(), attrs()).prop_map(|(id, path, attrs)| Request::Mkdir { id, path, attrs }),
        (id(), path()).prop_map(|(id, path)| Request::Rmdir { id, path }),
        (id(), path()).prop_map(|(id, path)| Request::Realpath { id, path }),
        (id(), path()).prop_map(|(id, path)| Request::Stat { id, path }),
        (id(), path(), path()).prop_map(|(id, from, to)| Request::Rename { id, from, to }),
        (id(), path()).prop_map(|(id, path)| Request::Readlink { id, path }),
        (id(), path(), path()).prop_map(|(id, target, link)| Request::Symlink { id, target, link }),
        (id(), extension()).prop_map(|(id, request)| Request::Extended { id, request }),
    ]
}

/// Pushes `stream` in chunks of the given sizes, again and again, and takes every packet as soon as it is whole.
fn frames(mut stream: Bytes, chunk_sizes: &[usize]) -> Vec<Frame> {
    let mut decoder = FrameDecoder::new();
    let mut frames = Vec::new();
    for size in chunk_sizes.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        decoder.push(stream.split_to(stream.len().min(*size)));
        while let Some(frame) = decoder.next_frame().unwrap() {
            frames.push(frame);
        }
    }
    assert_eq!(decoder.buffered(), 0);
    frames
}

fn chunk_sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1..4_usize, 1..100_usize, 900..3000_usize], 1..6)
}

proptest! {
    #[test]
    fn a_server_decodes_what_a_client_encodes(
        requests in vec(request(), 1..10),
        sizes in chunk_sizes(),
    ) {
        let mut stream = BytesMut::new();
        for request in &requests {
            client::encode_request(&mut stream, request);
        }
        let decoded: Vec<_> = frames(stream.freeze(), &sizes)
            .into_iter()
            .map(|frame| Request::decode(frame).unwrap())
            .collect();
        prop_assert_eq!(decoded, requests);
    }

    #[test]
    fn a_client_decodes_what_a_server_encodes(
        id in any::<u32>(),
        handle in handle(),
        data in bytes(5000),
        names in vec((path(), path(), attrs()), 0..10),
        attrs in attrs(),
        message in ".{0,20}",
        sizes in chunk_sizes(),
    ) {
        let mut out = BytesMut::new();
        encode_handle(&mut out, id, &handle);
        encode_data(&mut out, id, &data);
        encode_attrs(&mut out, id, &attrs);
        encode_status(&mut out, id, StatusCode::Failure, &message);
        let mut builder = NameBuilder::new(out, id);
        for (filename, longname, attrs) in &names {
            let entry = NameEntry { filename, longname, attrs: *attrs };
            prop_assert_eq!(builder.push(&entry), NamePush::Added);
        }
        let decoded: Vec<_> = frames(builder.finish().freeze(), &sizes)
            .into_iter()
            .map(|frame| Reply::decode(frame).unwrap())
            .collect();
        let entries = names
            .into_iter()
            .map(|(filename, longname, attrs)| Name { filename, longname, attrs })
            .collect();
        let (code, language) = (StatusCode::Failure, Bytes::new());
        prop_assert_eq!(decoded, vec![
            Reply::Handle { id, handle },
            Reply::Data { id, data: data.into() },
            Reply::Attrs { id, attrs },
            Reply::Status { id, code, message: message.into(), language },
            Reply::Name { id, entries },
        ]);
    }
}
