//! Reading and writing files.

use std::future::Future as _;
use std::task::{Context, Waker};

use bytes::Bytes;

use super::fixture::{EVERY_VISIBILITY, Fixture, IN_PLACE, at, chunk, kind};
use crate::capability::{Visible, Writes};
use crate::error::StorageErrorKind::{AlreadyExists, InvalidArgument, NotFound, Unsupported};
use crate::metadata::{FileKind, FileTime, SetAttributes};
use crate::storage::{Chunk, OpenExisting, WriteHandle, WriteOptions};

pub(super) async fn what_is_written_is_read(fixture: Fixture) {
    for options in EVERY_VISIBILITY {
        let upload = fixture.open_write("file", &options).await;
        let pieces = vec![
            Bytes::from_static(b"he"),
            Bytes::new(),
            Bytes::from_static(b"llo "),
        ];
        upload
            .write_at(vec![Chunk { offset: 0, pieces }, chunk(6, "world")])
            .await
            .unwrap();
        upload.write_at(vec![chunk(11, "!")]).await.unwrap();
        upload.write_at(Vec::new()).await.unwrap();
        upload.sync().await.unwrap();
        let (metadata, _) = upload.finish().await.unwrap();
        assert_eq!((metadata.kind, metadata.size), (FileKind::File, 12));
        assert_eq!(fixture.stat("file").await.unwrap(), metadata);
        assert_eq!(fixture.read("file").await, b"hello world!");
    }
    assert_eq!(fixture.names("").await.len(), 1);
}

pub(super) async fn holes_read_as_zeros(fixture: Fixture) {
    if fixture.can().writes != Writes::Random {
        return;
    }
    let upload = fixture.open_write("file", &IN_PLACE).await;
    upload
        .write_at(vec![chunk(5, "end"), chunk(2, "x")])
        .await
        .unwrap();
    upload.finish().await.unwrap();
    assert_eq!(fixture.read("file").await, b"\0\0x\0\0end");
}

pub(super) async fn chunks_are_written_in_order(fixture: Fixture) {
    if fixture.can().writes != Writes::Random {
        return;
    }
    let upload = fixture.open_write("file", &IN_PLACE).await;
    let chunks = vec![
        chunk(0, "aaaa"),
        chunk(4, "bbbb"),
        chunk(2, "cccc"),
        chunk(3, "d"),
    ];
    upload.write_at(chunks).await.unwrap();
    // More pieces than one call of a kernel takes.
    let many = (0..3000_u64).map(|byte| chunk(10 + byte, [b'0' + (byte % 10) as u8]));
    upload.write_at(many.collect()).await.unwrap();
    upload.finish().await.unwrap();
    let bytes = fixture.read("file").await;
    assert!(
        bytes.starts_with(b"aacdccbb\x00\x0001234567890"),
        "{:?}",
        bytes.get(..24)
    );
    assert_eq!(bytes.len(), 3010);
    assert!(bytes.ends_with(b"789"));
}

pub(super) async fn reads_are_short_only_at_the_end(fixture: Fixture) {
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    fixture.write("file", &bytes).await;
    let file = fixture.storage.open_read(&at("file")).await.unwrap();
    for (offset, len) in [
        (0, 200_000),
        (1, 65_536),
        (131_072, 65_536),
        (0, 0),
        (77, 1),
    ] {
        let read = file.read_at(offset, len, Vec::new()).await.unwrap();
        let start = offset as usize;
        assert_eq!(Some(read.as_slice()), bytes.get(start..start + len));
    }
    assert_eq!(
        file.read_at(199_990, 100, Vec::new()).await.unwrap().len(),
        10
    );
    assert!(
        file.read_at(200_000, 100, Vec::new())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        file.read_at(1 << 40, 100, Vec::new())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(file.stat().await.unwrap().size, 200_000);
}

pub(super) async fn reads_append_to_the_buffer(fixture: Fixture) {
    fixture.write("file", "hello").await;
    let file = fixture.storage.open_read(&at("file")).await.unwrap();
    let mut buffer = Vec::with_capacity(4096);
    buffer.extend_from_slice(b"head ");
    assert_eq!(file.read_at(1, 3, buffer).await.unwrap(), b"head ell");
}

pub(super) async fn a_read_without_waiting_gives_the_same_bytes(fixture: Fixture) {
    fixture.write("file", "hello").await;
    let file = fixture.storage.open_read(&at("file")).await.unwrap();
    for (offset, len, expected) in [(0, 3, "hel"), (3, 100, "lo"), (5, 1, ""), (99, 1, "")] {
        let mut buffer = Vec::with_capacity(1000);
        buffer.extend_from_slice(b"head ");
        match file.try_read_at(offset, len, &mut buffer) {
            None => assert_eq!(buffer, b"head "),
            Some(read) => {
                assert_eq!(
                    read.unwrap(),
                    expected.len(),
                    "short only at the end of the file"
                );
                assert_eq!(buffer.strip_prefix(b"head "), Some(expected.as_bytes()));
            }
        }
    }
}

pub(super) async fn a_write_without_waiting_writes_the_same_bytes(fixture: Fixture) {
    let upload = fixture.open_write("file", &IN_PLACE).await;
    let chunks = [chunk(0, "hello"), chunk(5, " you")];
    match upload.try_write_at(&chunks) {
        Some(result) => result.unwrap(),
        None => upload.write_at(chunks.to_vec()).await.unwrap(),
    }
    upload.finish().await.unwrap();
    assert_eq!(fixture.read("file").await, b"hello you");
}

pub(super) async fn refuse_leaves_what_is_there(fixture: Fixture) {
    fixture.write("file", "old").await;
    for options in EVERY_VISIBILITY {
        let options = WriteOptions {
            existing: OpenExisting::Refuse,
            ..options
        };
        let refused = fixture.storage.open_write(&at("file"), &options).await;
        assert_eq!(kind(refused), AlreadyExists);
        let upload = fixture.open_write("new", &options).await;
        assert_eq!(upload.replaced(), None);
        upload.finish().await.unwrap();
        fixture.storage.remove_file(&at("new")).await.unwrap();
    }
    assert_eq!(fixture.read("file").await, b"old");
}

pub(super) async fn truncate_replaces_the_contents(fixture: Fixture) {
    for options in EVERY_VISIBILITY {
        let before = fixture.write("file", "a long old text").await;
        let upload = fixture.open_write("file", &options).await;
        assert_eq!(upload.replaced().map(|old| old.size), Some(before.size));
        assert_eq!(upload.stat().await.unwrap().size, 0);
        upload.write_at(vec![chunk(0, "new")]).await.unwrap();
        upload.finish().await.unwrap();
        assert_eq!(fixture.read("file").await, b"new");
    }
}

pub(super) async fn keep_leaves_the_contents(fixture: Fixture) {
    if !fixture.can().resume {
        return;
    }
    let before = fixture.write("file", "0123456789").await;
    let options = WriteOptions {
        existing: OpenExisting::Keep,
        ..IN_PLACE
    };
    let upload = fixture.open_write("file", &options).await;
    assert_eq!(upload.replaced().map(|old| old.size), Some(before.size));
    upload.write_at(vec![chunk(10, "more")]).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(fixture.read("file").await, b"0123456789more");
    let upload = fixture.open_write("new", &options).await;
    assert_eq!(upload.replaced(), None);
    upload.finish().await.unwrap();
    assert_eq!(fixture.read("new").await, b"");
}

pub(super) async fn without_create_nothing_is_made(fixture: Fixture) {
    fixture.write("file", "old").await;
    for options in EVERY_VISIBILITY {
        let options = WriteOptions {
            create: false,
            ..options
        };
        assert_eq!(
            kind(fixture.storage.open_write(&at("new"), &options).await),
            NotFound
        );
        fixture
            .open_write("file", &options)
            .await
            .finish()
            .await
            .unwrap();
    }
    assert_eq!(fixture.names("").await.len(), 1);
}

pub(super) async fn a_new_file_has_the_mode(fixture: Fixture) {
    if !fixture.can().set_attributes {
        return;
    }
    for mode in [0o600, 0o666, 0o777, 0o644] {
        for options in EVERY_VISIBILITY {
            let upload = fixture
                .open_write("file", &WriteOptions { mode, ..options })
                .await;
            let (metadata, _) = upload.finish().await.unwrap();
            assert_eq!(metadata.mode & 0o7777, mode);
            fixture.storage.remove_file(&at("file")).await.unwrap();
        }
    }
}

pub(super) async fn a_write_handle_reads_back_and_cuts(fixture: Fixture) {
    if fixture.can().writes != Writes::Random || !fixture.can().truncate {
        return;
    }
    for options in EVERY_VISIBILITY {
        let upload = fixture.open_write("file", &options).await;
        upload.write_at(vec![chunk(0, "0123456789")]).await.unwrap();
        assert_eq!(
            upload.read_at(3, 100, b"> ".to_vec()).await.unwrap(),
            b"> 3456789"
        );
        upload.set_len(4).await.unwrap();
        assert_eq!(upload.stat().await.unwrap().size, 4);
        upload.set_len(6).await.unwrap();
        assert_eq!(
            upload.read_at(0, 100, Vec::new()).await.unwrap(),
            b"0123\0\0"
        );
        assert_eq!(kind(upload.set_len(u64::MAX).await), InvalidArgument);
        upload.finish().await.unwrap();
        assert_eq!(fixture.read("file").await, b"0123\0\0");
    }
}

pub(super) async fn an_open_file_survives_its_removal(fixture: Fixture) {
    fixture.write("file", "hello").await;
    let file = fixture.storage.open_read(&at("file")).await.unwrap();
    let before = fixture.storage.remove_file(&at("file")).await.unwrap();
    if file.stat().await.unwrap().id.is_some() {
        assert_eq!(file.read_at(0, 100, Vec::new()).await.unwrap(), b"hello");
        assert_eq!(file.stat().await.unwrap().links, 0);
        assert_eq!(before.links, 1);
    }
    if fixture.can().visible == Visible::OnFinish {
        return;
    }
    let upload = fixture.open_write("file", &IN_PLACE).await;
    fixture.storage.remove_file(&at("file")).await.unwrap();
    upload
        .write_at(vec![chunk(0, "into the void")])
        .await
        .unwrap();
    let (metadata, _) = upload.finish().await.unwrap();
    assert_eq!(metadata.links, 0);
    assert!(fixture.is_missing("file").await);
}

pub(super) async fn offsets_out_of_range_are_refused(fixture: Fixture) {
    fixture.write("file", "x").await;
    let file = fixture.storage.open_read(&at("file")).await.unwrap();
    assert_eq!(
        kind(file.read_at(u64::MAX - 1, 10, Vec::new()).await),
        InvalidArgument
    );
    assert_eq!(
        kind(file.read_at(1 << 63, 10, Vec::new()).await),
        InvalidArgument
    );
    if let Some(result) = file.try_read_at(u64::MAX, 10, &mut Vec::new()) {
        assert_eq!(kind(result), InvalidArgument);
    }
    let upload = fixture.open_write("file", &IN_PLACE).await;
    assert_eq!(
        kind(upload.write_at(vec![chunk(u64::MAX, "x")]).await),
        InvalidArgument
    );
    assert_eq!(
        kind(upload.write_at(vec![chunk(i64::MAX as u64, "x")]).await),
        InvalidArgument
    );
}

pub(super) async fn writes_at_the_same_time_all_arrive(fixture: Fixture) {
    if fixture.can().writes != Writes::Random {
        return;
    }
    let upload = fixture.open_write("file", &IN_PLACE).await;
    let writes = (0..64_u64).map(|n| upload.write_at(vec![chunk(n * 100, [n as u8; 100])]));
    for result in futures_util::future::join_all(writes).await {
        result.unwrap();
    }
    upload.finish().await.unwrap();
    let expected: Vec<u8> = (0..64_u8).flat_map(|n| [n; 100]).collect();
    assert_eq!(fixture.read("file").await, expected);
}

pub(super) async fn times_hold_over_later_writes(fixture: Fixture) {
    if !fixture.can().set_modified {
        return;
    }
    let time = FileTime {
        seconds: 1_000_000_000,
        nanos: 0,
    };
    let changes = SetAttributes {
        times: Some((time, time)),
        ..SetAttributes::default()
    };
    for options in EVERY_VISIBILITY {
        let upload = fixture.open_write("file", &options).await;
        upload.write_at(vec![chunk(0, "one")]).await.unwrap();
        upload.set_attributes(&changes).await.unwrap();
        upload.write_at(vec![chunk(3, "two")]).await.unwrap();
        let (metadata, _) = upload.finish().await.unwrap();
        assert_eq!(metadata.modified, time);
        assert_eq!(fixture.stat("file").await.unwrap().modified, time);
    }
}

pub(super) async fn appends_of_several_handles_all_stay(fixture: Fixture) {
    fixture.write("file", "start ").await;
    let keep = WriteOptions {
        existing: OpenExisting::Keep,
        ..IN_PLACE
    };
    let one = fixture.open_write("file", &keep).await;
    if !fixture.can().append {
        assert_eq!(kind(one.lock_end().await), Unsupported);
        return;
    }
    let other = fixture.open_write("file", &keep).await;
    let append = async |handle: &dyn WriteHandle, text: &'static str| {
        let end = handle.lock_end().await.unwrap();
        let at = end.at();
        let (head, tail) = text.split_at(1);
        let pieces = [head, "", tail].map(|piece| Bytes::from_static(piece.as_bytes()));
        handle.append(end, pieces.into()).await.unwrap();
        at
    };
    assert_eq!(append(&*one, "one ").await, 6);
    assert_eq!(append(&*other, "two ").await, 10);
    // What is written at an offset is not written over, nor is what was cut kept.
    one.write_at(vec![chunk(14, "gap ")]).await.unwrap();
    assert_eq!(append(&*other, "three").await, 18);
    assert_eq!(fixture.read("file").await, b"start one two gap three");
    one.set_len(5).await.unwrap();
    assert_eq!(append(&*one, " again").await, 5);
    one.finish().await.unwrap();
    other.finish().await.unwrap();
    assert_eq!(fixture.read("file").await, b"start again");
}

pub(super) async fn the_end_is_one_handles_at_a_time(fixture: Fixture) {
    if !fixture.can().append {
        return;
    }
    let one = fixture.open_write("file", &IN_PLACE).await;
    let keep = WriteOptions {
        existing: OpenExisting::Keep,
        ..IN_PLACE
    };
    let other = fixture.open_write("file", &keep).await;
    let held = one.lock_end().await.unwrap();
    let mut waiting = std::pin::pin!(other.lock_end());
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    // Who gives it back without appending has changed nothing.
    drop(held);
    let end = waiting.await.unwrap();
    assert_eq!(end.at(), 0);
    let mut behind = std::pin::pin!(one.lock_end());
    assert!(behind.as_mut().poll(&mut context).is_pending());
    other
        .append(end, vec![Bytes::from_static(b"text")])
        .await
        .unwrap();
    assert_eq!(behind.await.unwrap().at(), 4);
}
