//! Files go up, come back, are moved and continued.

use std::net::SocketAddr;

use sftpgo_storage::backend::gcs::GcsSettings;
use sftpgo_storage::backend::object::{ObjectEngine, ObjectStorage};
use sftpgo_storage::{FileTime, Links, RenameMode, SetAttributes, Storage as _, StorageErrorKind};
use sftpgo_teststore::{Call, FakeGcs, Pattern, encode_key};

use super::{BUCKET, CONTINUE, KIB, OPTIONS, at, elsewhere, fake, hasty, open, read, send, write};

const LARGE: u64 = 12_000_000;
const NAME: &str = "a b+c?d#é%.bin";
const TIME: FileTime = FileTime {
    seconds: 1_000_000_000,
    nanos: 500_000_000,
};

fn times(time: FileTime) -> SetAttributes {
    SetAttributes {
        times: Some((time, time)),
        ..SetAttributes::default()
    }
}

/// Up in parts, with a time that is set before the end; moved; continued; read.
async fn a_long_life(storage: &ObjectStorage) {
    storage.check().await.unwrap();
    let upload = storage.open_write(&at(NAME), &OPTIONS).await.unwrap();
    send(&*upload, 0, LARGE).await.unwrap();
    upload.set_attributes(&times(TIME)).await.unwrap();
    let gone = storage.stat(&at(NAME), Links::Follow).await.unwrap_err();
    assert_eq!(gone.kind(), StorageErrorKind::NotFound);
    let (done, _) = upload.finish().await.unwrap();
    assert_eq!((done.size, done.modified), (LARGE, TIME));

    let moved = "dir/with space?";
    storage
        .create_dir(&at("dir"), 0o755, (None, None))
        .await
        .unwrap();
    storage
        .rename(&at(NAME), &at(moved), RenameMode::NoReplace)
        .await
        .unwrap();
    let found = storage.stat(&at(moved), Links::Follow).await.unwrap();
    assert_eq!((found.size, found.modified), (LARGE, TIME));

    for (from, to) in [(LARGE, LARGE + 10), (LARGE + 10, LARGE + 6_000_000)] {
        write(storage, moved, &CONTINUE, from, to).await.unwrap();
        let found = storage.stat(&at(moved), Links::Follow).await.unwrap();
        assert_eq!((found.size, found.modified), (to, TIME));
    }
    let expected = Pattern::bytes(0, LARGE + 6_000_000);
    assert!(read(storage, moved).await.unwrap() == expected);
    let mut listing = storage.list(&at("dir")).await.unwrap();
    let page = listing.next_page(10).await.unwrap();
    let names = page.into_iter();
    let names: Vec<_> = names
        .map(|entry| (entry.name, entry.metadata.modified))
        .collect();
    assert_eq!(names, [(b"with space?".to_vec(), TIME)]);
    let usage = storage.usage().await.unwrap();
    assert_eq!((usage.files, usage.bytes), (1, LARGE + 6_000_000));
    storage.remove_file(&at(moved)).await.unwrap();
}

#[tokio::test]
async fn a_file_of_many_parts_goes_through_everything_at_the_emulator() {
    let emulator = sftpgo_teststore::gcs();
    let address = emulator.address();
    let bucket = elsewhere(async move { emulator.bucket().await });
    let storage = open(address, &bucket, ObjectEngine::default(), |_| {}).await;
    a_long_life(&storage).await;
}

#[tokio::test]
async fn a_file_of_many_parts_goes_through_everything_at_the_fake() {
    let fake = fake().await;
    let storage = open(fake.address(), BUCKET, ObjectEngine::default(), |_| {}).await;
    a_long_life(&storage).await;
    assert_eq!(fake.names(BUCKET).len(), 1, "the marker of the directory");
    assert_eq!(fake.uploads(), 0);
    let requests = fake.requests();
    // Parts one after the other, each upload with one address.
    assert_eq!(requests.most_at_once("upload.chunk"), 1);
    assert_eq!(requests.count("upload.start"), 2);
    assert_eq!(requests.count("objects.compose"), 2);
    // What is stored packed comes packed.
    let media = requests.of("objects.get media");
    assert!(
        media
            .iter()
            .all(|seen| seen.headers["accept-encoding"] == "gzip")
    );
    assert!(
        media
            .iter()
            .all(|seen| seen.query.contains("ifGenerationMatch="))
    );
}

async fn with(fake: &FakeGcs, change: impl FnOnce(&mut GcsSettings)) -> ObjectStorage {
    let engine = ObjectEngine::default();
    open(fake.address(), BUCKET, engine, |settings| {
        settings.objects.prefix.clear();
        change(settings);
    })
    .await
}

#[tokio::test]
async fn new_objects_have_the_class_and_the_access_that_the_account_says() {
    let fake = fake().await;
    let storage = with(&fake, |settings| {
        settings.objects.storage_class = Some("NEARLINE".to_owned());
        settings.acl = Some("bucketOwnerRead".to_owned());
    })
    .await;
    write(&storage, "small", &OPTIONS, 0, 10).await.unwrap();
    write(&storage, "large", &OPTIONS, 0, 6 << 20)
        .await
        .unwrap();
    storage
        .rename(&at("large"), &at("moved"), RenameMode::NoReplace)
        .await
        .unwrap();
    for name in ["small", "moved"] {
        let found = fake.object(BUCKET, name).unwrap();
        assert_eq!(found.resource["storageClass"], "NEARLINE", "{name}");
    }
    let requests = fake.requests();
    for made in ["objects.insert", "upload.start"] {
        assert!(
            requests.of(made)[0]
                .query
                .contains("predefinedAcl=bucketOwnerRead")
        );
    }
    let copy = &requests.of("objects.rewrite")[0];
    assert!(
        copy.query
            .contains("destinationPredefinedAcl=bucketOwnerRead")
    );
}

/// Puts an object there as another program does, which keeps things with it that we do not know of.
async fn put(address: SocketAddr, name: &str, len: u64) {
    let document = r#"{"contentType":"text/css","contentEncoding":"gzip","cacheControl":"no-store",
        "customTime":"2026-01-01T00:00:00Z","storageClass":"COLDLINE","metadata":{"Owner":"else","mtime":"5"}}"#;
    let start = format!(
        "/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable&name={}",
        encode_key(name)
    );
    let begun = Call::new("POST", start).body(document).send(address).await;
    let begun = begun.succeeded();
    let place = begun.header("location").unwrap();
    let (_, path) = place.split_once(&address.to_string()).unwrap();
    Call::new("PUT", path)
        .body(Pattern::bytes(0, len))
        .send(address)
        .await
        .succeeded();
}

#[tokio::test]
async fn what_others_keep_with_an_object_stays_with_it() {
    let fake = fake().await;
    let storage = hasty(fake.address()).await;
    put(fake.address(), "file", 300 * KIB).await;
    let before = fake.object(BUCKET, "file").unwrap();
    let kept = |resource: &serde_json::Value| {
        let mut kept = resource.clone();
        for own in [
            "id",
            "name",
            "generation",
            "metageneration",
            "etag",
            "size",
            "timeCreated",
            "updated",
        ] {
            kept.as_object_mut().unwrap().remove(own);
        }
        kept
    };
    storage
        .rename(&at("file"), &at("moved"), RenameMode::NoReplace)
        .await
        .unwrap();
    let moved = fake.object(BUCKET, "moved").unwrap();
    assert_eq!(kept(&moved.resource), kept(&before.resource));

    storage
        .set_attributes(&at("moved"), &times(TIME), Links::Follow)
        .await
        .unwrap();
    let changed = fake.object(BUCKET, "moved").unwrap();
    // No byte was moved for that, and it is the same version.
    assert_eq!(changed.generation, moved.generation);
    assert_eq!(fake.requests().count("objects.rewrite"), 1);
    assert_eq!(fake.requests().count("objects.patch"), 1);
    let mut expected = kept(&before.resource);
    expected["metadata"]["mtime"] = "1000000000.5".into();
    assert_eq!(kept(&changed.resource), expected);

    write(&storage, "moved", &CONTINUE, 300 * KIB, 310 * KIB)
        .await
        .unwrap();
    let longer = fake.object(BUCKET, "moved").unwrap();
    assert_eq!(longer.size, 310 * KIB);
    assert_eq!(longer.crc32, Pattern::crc32(310 * KIB));
    assert_eq!(kept(&longer.resource), expected);
    assert_eq!(fake.names(BUCKET), ["moved"]);
}

#[tokio::test]
async fn a_copy_takes_as_many_requests_as_the_store_wants() {
    let fake = fake().await;
    let storage = with(&fake, |_| {}).await;
    let size = 7 << 30;
    fake.put_pattern(BUCKET, "file", size);
    storage
        .rename(&at("file"), &at("moved"), RenameMode::NoReplace)
        .await
        .unwrap();
    assert_eq!(fake.names(BUCKET), ["moved"]);
    assert_eq!(fake.object(BUCKET, "moved").unwrap().size, size);
    assert_eq!(fake.requests().count("objects.rewrite"), 7);
}

#[tokio::test]
async fn the_address_of_an_upload_is_shown_nowhere() {
    let fake = fake().await;
    let storage = hasty(fake.address()).await;
    let upload = storage.open_write(&at("file"), &OPTIONS).await.unwrap();
    send(&*upload, 0, 600 * KIB).await.unwrap();
    assert_eq!(fake.uploads(), 1);
    let shown = format!("{upload:?}");
    assert!(
        shown.contains("UploadRef") && !shown.contains("upload_id"),
        "{shown}"
    );
    upload.finish().await.unwrap();
}
