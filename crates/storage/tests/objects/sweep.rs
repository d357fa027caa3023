//! Uploads in parts that a server left behind.

use std::sync::Arc;
use std::time::Duration;

use sftpgo_storage::Storage as _;
use sftpgo_storage::StorageErrorKind;
use sftpgo_storage::backend::object::fake::{Call, FakeStore, Fault};
use sftpgo_storage::backend::object::{
    Attributes, ObjectEngine, ObjectErrorKind, ObjectSettings, ObjectStorage,
};
use sftpgo_storage::config::ObjectStoresSettings;

use super::{OPTIONS, at, chunk, pattern};

const DAY: i64 = 24 * 3600;

fn engine(after: Option<Duration>) -> ObjectEngine {
    ObjectEngine::of(&ObjectStoresSettings {
        abandoned_after: after,
        ..ObjectStoresSettings::default()
    })
}

fn storage(store: &Arc<FakeStore>, engine: &ObjectEngine) -> ObjectStorage {
    let settings = ObjectSettings {
        prefix: "home/".to_owned(),
        part_size: 10,
        ..ObjectSettings::default()
    };
    ObjectStorage::new(store.clone(), settings, engine.clone(), Arc::default())
}

#[tokio::test]
async fn what_stands_still_is_given_up_and_nothing_else() {
    let store = Arc::new(FakeStore::default());
    let long_ago = 2 * DAY;
    store.leave_upload("home/without parts", long_ago, None);
    store.leave_upload("home/a/b", long_ago, Some(DAY + 60));
    let goes_on = store.leave_upload("home/goes on", long_ago, Some(60));
    let young = store.leave_upload("home/young", 60, None);
    let elsewhere = store.leave_upload("elsewhere", long_ago, None);
    let engine = engine(Some(Duration::from_secs(DAY.unsigned_abs())));
    assert_eq!(storage(&store, &engine).tidy().await.unwrap(), 2);
    assert_eq!(store.upload_ids(), [goes_on, young, elsewhere]);
    // Many log in; one looks.
    let looks = store.made(Call::ListUploads);
    assert_eq!(storage(&store, &engine).tidy().await.unwrap(), 0);
    assert_eq!(store.made(Call::ListUploads), looks);
}

#[tokio::test]
async fn an_upload_of_this_server_is_never_abandoned() {
    let store = Arc::new(FakeStore::default());
    let engine = engine(Some(Duration::ZERO));
    let storage = storage(&store, &engine);
    let upload = storage.open_write(&at("file"), &OPTIONS).await.unwrap();
    upload.write_at(vec![chunk(0, &pattern(95))]).await.unwrap();
    assert_eq!(store.open_uploads(), 1);
    assert_eq!(storage.tidy().await.unwrap(), 0);
    upload.finish().await.unwrap();
    assert_eq!(store.bytes("home/file").unwrap(), pattern(95));
}

#[tokio::test]
async fn nobody_looks_if_the_store_is_to_do_it() {
    let store = Arc::new(FakeStore::default());
    store.leave_upload("home/left", 10 * DAY, None);
    assert_eq!(storage(&store, &engine(None)).tidy().await.unwrap(), 0);
    assert_eq!(store.made_in_all(), 0);
}

#[tokio::test]
async fn what_the_store_refuses_is_said() {
    for (kind, said) in [
        // Its uploads end by themselves.
        (ObjectErrorKind::Unsupported, None),
        // As `rclone serve s3` says that there is none.
        (ObjectErrorKind::NoSuchUpload, None),
        (
            ObjectErrorKind::PermissionDenied,
            Some(StorageErrorKind::PermissionDenied),
        ),
    ] {
        let store = Arc::new(FakeStore::default());
        store.fail(Call::ListUploads, [Some(Fault::Refused(kind))]);
        let storage = storage(&store, &engine(Some(Duration::from_secs(60))));
        let tidied = storage.tidy().await;
        assert_eq!(tidied.err().map(|error| error.kind()), said);
    }
}

#[tokio::test]
async fn one_that_ends_while_it_is_looked_at_is_no_failure() {
    let store = Arc::new(FakeStore::default());
    store.leave_upload("home/left", 10 * DAY, None);
    let gone = Some(Fault::Refused(ObjectErrorKind::NoSuchUpload));
    store.fail(Call::LastPart, [gone]);
    let storage = storage(&store, &engine(Some(Duration::from_secs(60))));
    assert_eq!(storage.tidy().await.unwrap(), 0);
}

#[tokio::test]
async fn what_was_to_continue_a_file_and_was_left_is_removed_by_a_listing() {
    let store = Arc::new(FakeStore::default());
    let left = "home/.sftpgo-upload.v0123456789abcdefghi.rest";
    // Of running uploads, and of a rename.
    let young = engine(Some(Duration::from_secs(100 * 365 * DAY.unsigned_abs())));
    let journal = "home/.sftpgo-upload.v0000000000000000000.rename";
    for key in [left, journal, "home/file", "home/file.rest"] {
        store.insert(key, "x", Attributes::default());
    }
    for (engine, removed) in [
        (young, 0),
        (engine(None), 0),
        (engine(Some(Duration::ZERO)), 1),
    ] {
        let mut listing = storage(&store, &engine).list(&at("")).await.unwrap();
        assert_eq!(listing.next_page(10).await.unwrap().len(), 2);
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(store.made(Call::Delete), removed);
    }
    assert_eq!(store.keys(), [journal, "home/file", "home/file.rest"]);
}
