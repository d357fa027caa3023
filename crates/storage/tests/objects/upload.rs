//! Uploads where all goes well.

use proptest::prelude::*;
use sftpgo_storage::backend::object::fake::{Call, FakeStore};
use sftpgo_storage::backend::object::{Attributes, Limits, MTIME};
use sftpgo_storage::{FileTime, Links, SetAttributes, Storage as _, StorageErrorKind};

use super::{CONTINUE, OPTIONS, at, chunk, pattern, subject, with};

const TIME: FileTime = FileTime {
    seconds: 1_354_040_105,
    nanos: 500_000_000,
};
const TIMES: SetAttributes = SetAttributes {
    owner: None,
    mode: None,
    times: Some((TIME, TIME)),
};

#[tokio::test]
async fn a_file_of_at_most_one_part_is_sent_by_one_call() {
    for len in [0, 1, 9, 10] {
        let subject = subject();
        subject.write("file", &pattern(len)).await;
        assert_eq!(subject.store.bytes("file").unwrap(), pattern(len));
        assert_eq!(subject.store.made(Call::Put), 1);
        assert_eq!(subject.store.made(Call::CreateUpload), 0);
    }
}

#[tokio::test]
async fn larger_files_are_sent_in_parts_and_seen_when_they_are_whole() {
    for len in [11, 20, 21, 999] {
        let subject = subject();
        let bytes = pattern(len);
        let upload = subject.open("file", &OPTIONS).await;
        for (index, piece) in bytes.chunks(7).enumerate() {
            upload
                .write_at(vec![chunk(index * 7, piece)])
                .await
                .unwrap();
            assert!(subject.store.keys().is_empty());
        }
        assert_eq!(upload.stat().await.unwrap().size, len as u64);
        let (metadata, removed) = upload.finish().await.unwrap();
        assert_eq!((metadata.size, removed), (len as u64, None));
        assert_eq!(subject.store.bytes("file").unwrap(), bytes);
        assert_eq!(subject.store.made(Call::PutPart), len.div_ceil(10) as u64);
        assert_eq!(subject.store.open_uploads(), 0);
        assert_eq!(subject.uploads.free(), 8 << 20);
        assert_eq!(subject.counters.uploads.completed.value(), 1);
        assert_eq!(subject.counters.uploads.bytes.value(), len as u64);
    }
}

#[tokio::test]
async fn what_a_client_writes_twice_or_far_ahead_is_refused_and_leaves_nothing() {
    for offset in [0, 10, 29, 31 + (2 << 20)] {
        let subject = subject();
        subject.write("file", b"old").await;
        let upload = subject.open("file", &OPTIONS).await;
        upload.write_at(vec![chunk(0, &pattern(30))]).await.unwrap();
        let refused = upload.write_at(vec![chunk(offset, b"x")]).await;
        assert_eq!(refused.unwrap_err().kind(), StorageErrorKind::Unsupported);
        assert!(upload.write_at(vec![chunk(30, b"x")]).await.is_err());
        assert!(upload.finish().await.is_err());
        assert_eq!(subject.store.bytes("file").unwrap(), "old");
        subject.settle().await;
    }
}

#[tokio::test]
async fn a_gap_that_is_never_filled_fails_the_upload() {
    let subject = subject();
    let upload = subject.open("file", &OPTIONS).await;
    upload
        .write_at(vec![chunk(0, &pattern(30)), chunk(31, b"x")])
        .await
        .unwrap();
    let refused = upload.finish().await.unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::InvalidArgument);
    assert!(subject.store.keys().is_empty());
    assert_eq!(subject.store.open_uploads(), 0);
}

#[tokio::test]
async fn uploads_that_are_given_up_or_dropped_leave_nothing() {
    for drops in [false, true] {
        let subject = subject();
        let upload = subject.open("file", &OPTIONS).await;
        upload.write_at(vec![chunk(0, &pattern(95))]).await.unwrap();
        assert_eq!(subject.store.open_uploads(), 1);
        if drops {
            drop(upload);
        } else {
            assert_eq!(upload.abort().await.unwrap(), None);
            assert_eq!(subject.store.open_uploads(), 0);
        }
        subject.settle().await;
        assert!(subject.store.keys().is_empty());
    }
}

#[tokio::test]
async fn times_that_are_set_before_the_end_are_kept_as_rclone_keeps_them() {
    for len in [5, 50, 500] {
        let subject = subject();
        let upload = subject.open("file", &OPTIONS).await;
        upload
            .write_at(vec![chunk(0, &pattern(len))])
            .await
            .unwrap();
        upload.set_attributes(&TIMES).await.unwrap();
        let (metadata, _) = upload.finish().await.unwrap();
        assert_eq!(metadata.modified, TIME);
        let found = subject.storage.stat(&at("file"), Links::Follow).await;
        assert_eq!(found.unwrap(), metadata);
        let attributes = subject.store.attributes("file").unwrap();
        assert_eq!(attributes.metadata[MTIME], "1354040105.5");
        assert_eq!(subject.store.bytes("file").unwrap(), pattern(len));
    }
}

#[tokio::test]
async fn setting_a_time_keeps_everything_else_of_an_object() {
    for len in [5, 500] {
        let subject = subject();
        let attributes = Attributes {
            metadata: [("of".to_owned(), "mine".to_owned())].into(),
            content_type: Some("text/plain".to_owned()),
            cache_control: Some("no-store".to_owned()),
            storage_class: Some("COLD".to_owned()),
            ..Attributes::default()
        };
        subject
            .store
            .insert("file", pattern(len), attributes.clone());
        subject
            .storage
            .set_attributes(&at("file"), &TIMES, Links::Follow)
            .await
            .unwrap();
        let mut expected = attributes;
        expected
            .metadata
            .insert(MTIME.to_owned(), "1354040105.5".to_owned());
        assert_eq!(subject.store.attributes("file").unwrap(), expected);
        assert_eq!(subject.store.bytes("file").unwrap(), pattern(len));
        // The same once more is no copy.
        let made = subject.store.made(Call::Copy) + subject.store.made(Call::CopyPart);
        subject
            .storage
            .set_attributes(&at("file"), &TIMES, Links::Follow)
            .await
            .unwrap();
        assert_eq!(
            made,
            subject.store.made(Call::Copy) + subject.store.made(Call::CopyPart)
        );
    }
}

#[tokio::test]
async fn new_objects_have_the_storage_class_of_the_account() {
    let subject = with(FakeStore::default(), |settings| {
        settings.storage_class = Some("COLD".to_owned());
    });
    for (name, len) in [("small", 3), ("large", 300)] {
        subject.write(name, &pattern(len)).await;
        let attributes = subject.store.attributes(name).unwrap();
        assert_eq!(attributes.storage_class.as_deref(), Some("COLD"));
    }
}

#[tokio::test]
async fn a_file_is_continued_by_copying_what_is_there() {
    // Below the smallest part it is fetched, else copied.
    for (before, copies) in [(0, 0), (3, 0), (5, 1), (70, 1)] {
        let subject = subject();
        let bytes = pattern(200);
        subject
            .store
            .insert("file", bytes[..before].to_vec(), Attributes::default());
        let upload = subject.open("file", &CONTINUE).await;
        let rest = chunk(before, &bytes[before..]);
        upload.write_at(vec![rest]).await.unwrap();
        let (metadata, removed) = upload.finish().await.unwrap();
        assert_eq!((metadata.size, removed), (200, None));
        assert_eq!(subject.store.bytes("file").unwrap(), bytes);
        assert_eq!(subject.store.made(Call::CopyPart), copies);
        assert_eq!(subject.store.open_uploads(), 0);
    }
}

#[tokio::test]
async fn a_file_that_is_continued_stays_what_it_was_until_the_end() {
    let subject = subject();
    subject.write("file", &pattern(70)).await;
    let before = subject
        .storage
        .stat(&at("file"), Links::Follow)
        .await
        .unwrap();
    let upload = subject.open("file", &CONTINUE).await;
    upload
        .write_at(vec![chunk(70, &pattern(50))])
        .await
        .unwrap();
    drop(upload);
    subject.settle().await;
    assert_eq!(
        subject
            .storage
            .stat(&at("file"), Links::Follow)
            .await
            .unwrap(),
        before
    );
    // Closed without a write, too.
    let upload = subject.open("file", &CONTINUE).await;
    assert_eq!(upload.finish().await.unwrap(), (before, None));
    // And what is there is not written over.
    let upload = subject.open("file", &CONTINUE).await;
    let refused = upload.write_at(vec![chunk(0, b"x")]).await.unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::Unsupported);
    // Unless it is cut to nothing first.
    let upload = subject.open("file", &CONTINUE).await;
    upload.set_len(0).await.unwrap();
    upload.write_at(vec![chunk(0, b"new")]).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(subject.store.bytes("file").unwrap(), "new");
}

#[tokio::test]
async fn what_was_replaced_meanwhile_is_not_continued() {
    let subject = subject();
    subject.write("file", &pattern(70)).await;
    let upload = subject.open("file", &CONTINUE).await;
    upload.write_at(vec![chunk(70, b"more")]).await.unwrap();
    subject
        .store
        .insert("file", "another", Attributes::default());
    assert!(upload.finish().await.is_err());
    assert_eq!(subject.store.bytes("file").unwrap(), "another");
    subject.settle().await;
}

/// Parts as on the real ones, so that the budget counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_that_need_more_memory_than_there_is_wait_for_each_other() {
    const PART: usize = 1 << 20;
    let limits = Limits {
        min_part: PART as u64,
        max_part: 5 << 30,
        max_parts: 10_000,
        max_copy: 5 << 30,
        copies_parts: true,
        max_key: 1024,
    };
    // Eight parts fit.
    let subject = with(FakeStore::new(limits), |settings| {
        settings.part_size = PART as u64;
    });
    let bytes = pattern(3 * PART + 100);
    let uploads = (0..24).map(|number| {
        let (subject, bytes) = (&subject, &bytes);
        async move {
            let upload = subject.open(&format!("{number}"), &OPTIONS).await;
            for (index, piece) in bytes.chunks(100_000).enumerate() {
                let written = upload.write_at(vec![chunk(index * 100_000, piece)]);
                written.await.unwrap();
            }
            upload.finish().await.unwrap();
        }
    });
    futures_util::future::join_all(uploads).await;
    for number in 0..24 {
        assert!(subject.store.bytes(&format!("{number}")).unwrap() == bytes);
    }
    assert_eq!(subject.uploads.free(), 8 << 20);
}

fn order() -> impl Strategy<Value = (Vec<usize>, Vec<usize>, u64)> {
    let lens = prop::collection::vec(1_usize..40, 1..60);
    lens.prop_flat_map(|lens| {
        let order = Just((0..lens.len()).collect::<Vec<_>>()).prop_shuffle();
        (Just(lens), order, 5_u64..60)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Writes of any lengths in any order, within reach, are the file.
    #[test]
    fn writes_a_little_out_of_order_make_the_file((lens, order, part_size) in order()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let subject = with(FakeStore::default(), |settings| settings.part_size = part_size);
            let bytes = pattern(lens.iter().sum());
            let upload = subject.open("file", &OPTIONS).await;
            for index in order {
                let start: usize = lens[..index].iter().sum();
                let chunks = [chunk(start, &bytes[start..start + lens[index]])];
                match upload.try_write_at(&chunks) {
                    Some(written) => written.unwrap(),
                    None => upload.write_at(chunks.to_vec()).await.unwrap(),
                }
            }
            upload.finish().await.unwrap();
            assert_eq!(subject.store.bytes("file").unwrap(), bytes);
            assert_eq!(subject.store.open_uploads(), 0);
        });
    }
}
