//! What goes wrong between us and Google: what is there is the old object or the new one, and no upload stays open.

use std::time::Duration;

use sftpgo_storage::backend::object::ObjectStorage;
use sftpgo_storage::{
    FileTime, Links, OpenExisting, RenameMode, SetAttributes, Storage as _, StorageErrorKind,
    StorageResult, WriteOptions,
};
use sftpgo_teststore::{Action, Answer, DEADLINE, Dialect, FakeGcs, Pattern, Proxy, Rule};

use super::{BUCKET, CONTINUE, KIB, OPTIONS, at, fake, hasty, read, send, write};

const SMALL: u64 = 100 * KIB;
const LARGE: u64 = 900 * KIB;
const OLD: u64 = 300 * KIB;
const EXCLUSIVE: WriteOptions = WriteOptions {
    existing: OpenExisting::Refuse,
    ..OPTIONS
};
/// Everything that is asked for by [`everything`].
const OPERATIONS: [&str; 10] = [
    "objects.get",
    "objects.list",
    "objects.insert",
    "upload.start",
    "upload.chunk",
    "objects.patch",
    "objects.compose",
    "objects.rewrite",
    "objects.get media",
    "objects.delete",
];

struct Scene {
    fake: FakeGcs,
    proxy: Proxy,
    storage: ObjectStorage,
}

impl Scene {
    async fn new() -> Self {
        let fake = fake().await;
        let proxy = Proxy::http(fake.address(), Dialect::Gcs).await;
        let storage = hasty(proxy.address()).await;
        Self {
            fake,
            proxy,
            storage,
        }
    }

    /// Waits until nothing is left of uploads that were given up.
    async fn settle(&self) {
        let left = || {
            let names = self.fake.names(BUCKET);
            let hidden = names.iter().any(|name| name.contains(".sftpgo-upload."));
            hidden || self.fake.uploads() > 0
        };
        let end = tokio::time::Instant::now() + DEADLINE;
        while left() {
            assert!(
                tokio::time::Instant::now() < end,
                "something is left behind"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn has(&self, name: &str, len: u64) -> bool {
        let object = self.fake.object(BUCKET, name);
        object.is_some_and(|object| object.size == len && object.crc32 == Pattern::crc32(len))
    }
}

/// Every call that there is, each with an end that can be seen.
async fn everything(storage: &ObjectStorage) -> StorageResult<()> {
    write(storage, "small", &EXCLUSIVE, 0, SMALL).await?;
    let upload = storage.open_write(&at("file"), &EXCLUSIVE).await?;
    send(&*upload, 0, LARGE).await?;
    let time = FileTime {
        seconds: 1_000_000_000,
        nanos: 0,
    };
    let times = SetAttributes {
        times: Some((time, time)),
        ..SetAttributes::default()
    };
    upload.set_attributes(&times).await?;
    upload.finish().await?;
    write(storage, "file", &CONTINUE, LARGE, LARGE + SMALL).await?;
    storage
        .rename(&at("file"), &at("moved"), RenameMode::NoReplace)
        .await?;
    assert!(read(storage, "moved").await? == Pattern::bytes(0, LARGE + SMALL));
    let found = storage.stat(&at("moved"), Links::Follow).await?;
    assert_eq!(found.modified, time);
    storage.remove_file(&at("small")).await?;
    let mut listing = storage.list(&at("")).await?;
    let page = listing.next_page(10).await?;
    assert_eq!(page.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_passes_is_not_noticed_wherever_it_happens() {
    let faults = [
        Action::Answer(Answer::gcs(500, "internalError")),
        Action::Answer(Answer::gcs(503, "backendError")),
        Action::Answer(Answer::gcs(429, "rateLimitExceeded")),
        Action::Answer(Answer::gcs(403, "rateLimitExceeded")),
        Action::Answer(Answer::new(502).body("<html>a load balancer</html>")),
        Action::Cut,
        Action::CutUpload(1),
        Action::LoseAnswer,
        Action::Truncate(9),
    ];
    for fault in faults {
        for operation in OPERATIONS {
            let scene = Scene::new().await;
            let rule = Rule::new(fault.clone()).on(operation).after(1).times(1);
            let placed = scene.proxy.place(rule);
            let once = [
                "upload.start",
                "objects.patch",
                "objects.compose",
                "objects.rewrite",
            ];
            let placed = if once.contains(&operation) {
                scene.proxy.take_away_rules();
                scene
                    .proxy
                    .place(Rule::new(fault.clone()).on(operation).times(1))
            } else {
                placed
            };
            let done = everything(&scene.storage).await;
            done.unwrap_or_else(|error| panic!("{fault:?} {operation}: {error}"));
            assert!(scene.has("moved", LARGE + SMALL), "{fault:?} {operation}");
            assert_eq!(placed.applied(), 1, "{fault:?} {operation}");
            // Whose address was lost Google ends itself.
            let lost = matches!(fault, Action::LoseAnswer | Action::Truncate(_));
            if !(lost && operation == "upload.start") {
                scene.settle().await;
            }
        }
    }
}

#[tokio::test]
async fn what_does_not_pass_leaves_the_old_object_or_the_new_one() {
    let faults = [
        Action::Answer(Answer::gcs(500, "internalError")),
        Action::Answer(Answer::gcs(403, "forbidden")),
        Action::Cut,
        Action::LoseAnswer,
    ];
    for fault in faults {
        for operation in [
            "objects.get",
            "objects.insert",
            "upload.start",
            "upload.chunk",
            "objects.compose",
        ] {
            for (options, from, to) in [
                (OPTIONS, 0, SMALL),
                (OPTIONS, 0, LARGE),
                (CONTINUE, OLD, OLD + SMALL),
                (CONTINUE, OLD, LARGE),
            ] {
                for after in [0, 1, 2, 3] {
                    let scene = Scene::new().await;
                    scene.fake.put_pattern(BUCKET, "file", OLD);
                    let rule = Rule::new(fault.clone()).on(operation).after(after);
                    scene.proxy.place(rule);
                    let done = write(&scene.storage, "file", &options, from, to).await;
                    let (old, new) = (scene.has("file", OLD), scene.has("file", to));
                    assert!(
                        new || (old && done.is_err()),
                        "{fault:?} {operation} {to} {after}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn an_upload_that_fails_is_ended_at_the_store() {
    for fault in [
        Answer::gcs(500, "internalError"),
        Answer::gcs(403, "forbidden"),
        Answer::gcs(400, "invalid"),
    ] {
        let scene = Scene::new().await;
        // Parts, and not the end of the upload.
        let upload = scene
            .storage
            .open_write(&at("file"), &OPTIONS)
            .await
            .unwrap();
        send(&*upload, 0, 300 * KIB).await.unwrap();
        let rule = Rule::new(Action::Answer(fault)).on("upload.chunk").times(4);
        scene.proxy.place(rule);
        let mut sent = send(&*upload, 300 * KIB, LARGE).await;
        if sent.is_ok() {
            sent = upload.finish().await.map(|_| ());
        } else {
            drop(upload);
        }
        sent.unwrap_err();
        scene.settle().await;
        assert!(scene.fake.names(BUCKET).is_empty());
    }
}

#[tokio::test]
async fn a_store_that_takes_less_of_a_part_gets_the_rest() {
    let fake = fake().await;
    let proxy = Proxy::http(fake.address(), Dialect::Gcs).await;
    let storage = super::open(
        proxy.address(),
        BUCKET,
        sftpgo_storage::backend::object::ObjectEngine::default(),
        |settings| {
            settings.objects.prefix.clear();
            settings.objects.part_size = 1024 * KIB;
        },
    )
    .await;
    fake.take_at_most(256 * KIB);
    // Whoever does not hear how much was taken asks.
    proxy.place(Rule::new(Action::LoseAnswer).on("upload.chunk").every(3));
    let len = 2500 * KIB;
    write(&storage, "file", &OPTIONS, 0, len).await.unwrap();
    let found = fake.object(BUCKET, "file").unwrap();
    assert_eq!((found.size, found.crc32), (len, Pattern::crc32(len)));
    assert_eq!(fake.uploads(), 0);
}

#[tokio::test]
async fn another_version_is_never_read_from_google() {
    let scene = Scene::new().await;
    write(&scene.storage, "file", &OPTIONS, 0, LARGE)
        .await
        .unwrap();
    let file = scene.storage.open_read(&at("file")).await.unwrap();
    scene.fake.put_pattern(BUCKET, "file", LARGE);
    let refused = file.read_at(0, 1000, Vec::new()).await.unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::Unavailable);
}

#[tokio::test]
async fn refusals_are_told_at_once() {
    let scene = Scene::new().await;
    let forbidden = Action::Answer(Answer::gcs(403, "forbidden"));
    let placed = scene.proxy.place(Rule::new(forbidden).on("objects.get"));
    let refused = scene
        .storage
        .stat(&at("file"), Links::Follow)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::PermissionDenied);
    assert_eq!(placed.applied(), 1);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told() {
    let fake = FakeGcs::start(None).await;
    let storage = hasty(fake.address()).await;
    let refused = storage.check().await.unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::NotFound);
    let written = write(&storage, "file", &OPTIONS, 0, 10).await;
    assert_eq!(written.unwrap_err().kind(), StorageErrorKind::NotFound);
}
