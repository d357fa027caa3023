//! Large files up and down, with keys that need encoding; and what is added to them.

use sftpgo_storage::{FileTime, Links, RenameMode, SetAttributes, StorageErrorKind};
use sftpgo_teststore::Pattern;

use super::*;

const SIZE: usize = 23_000_000;
const ODD: &str = "a b+c?d#é%2F&=.bin";
const TIME: FileTime = FileTime {
    seconds: 1_000_000_000,
    nanos: 500_000_000,
};

#[tokio::test]
async fn a_large_file_moves_in_parts_keeps_its_time_and_is_renamed() {
    let content = Pattern::bytes(0, SIZE as u64);
    for store in STORES {
        let storage = open(&store.bucket().await).await;
        storage.check().await.unwrap();
        let upload = storage.open_write(&at(ODD), &OPTIONS).await.unwrap();
        send(upload.as_ref(), 0, &content).await;
        let times = SetAttributes {
            times: Some((TIME, TIME)),
            ..SetAttributes::default()
        };
        upload.set_attributes(&times).await.unwrap();
        let (metadata, _) = upload.finish().await.unwrap();
        assert_eq!(
            (metadata.size, metadata.modified),
            (SIZE as u64, TIME),
            "{store:?}"
        );
        let (from, to) = (at(ODD), at("of another name?"));
        storage
            .rename(&from, &to, RenameMode::NoReplace)
            .await
            .unwrap();
        let moved = storage.stat(&to, Links::Follow).await.unwrap();
        assert_eq!(moved.modified, TIME, "{store:?}");
        assert_eq!(names(&storage, "").await, ["of another name?"], "{store:?}");
        assert!(
            read(&storage, "of another name?").await == content,
            "{store:?}"
        );
        assert_eq!(storage.usage().await.unwrap().bytes, SIZE as u64);
    }
}

#[tokio::test]
async fn a_large_file_is_continued_by_copying_its_part() {
    let content = Pattern::bytes(0, SIZE as u64 + 100_000);
    for store in [Store::Moto, Store::Fake] {
        let storage = open(&store.bucket().await).await;
        write(&storage, ODD, &content[..SIZE]).await;
        let upload = storage.open_write(&at(ODD), &CONTINUE).await.unwrap();
        send(upload.as_ref(), SIZE, &content[SIZE..]).await;
        upload.finish().await.unwrap();
        assert!(read(&storage, ODD).await == content, "{store:?}");
    }
}

/// rclone takes the copy of a part for a part whose bytes are missing.
#[tokio::test]
async fn a_store_that_copies_no_parts_refuses_to_continue_and_keeps_the_old_file() {
    let content = Pattern::bytes(0, 6_000_000);
    let storage = open(&Store::Rclone.bucket().await).await;
    write(&storage, ODD, &content).await;
    let upload = storage.open_write(&at(ODD), &CONTINUE).await.unwrap();
    let refused = upload.write_at(vec![chunk(content.len(), b"tail")]).await;
    let kind = refused.err().map(|error| error.kind());
    assert_eq!(kind, Some(StorageErrorKind::Unsupported));
    upload.abort().await.unwrap();
    assert!(read(&storage, ODD).await == content);
    // What one call can fetch and send needs no copy.
    write(&storage, "small", b"begun").await;
    let upload = storage.open_write(&at("small"), &CONTINUE).await.unwrap();
    upload.write_at(vec![chunk(5, b" ended")]).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(read(&storage, "small").await, b"begun ended");
}
