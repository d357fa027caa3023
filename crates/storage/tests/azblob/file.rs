//! Files of any size: sent, read, renamed, continued; what is kept with them.

use sftpgo_storage::{FileTime, Links, RenameMode, SetAttributes, Storage as _, StorageErrorKind};
use sftpgo_teststore::{Action, Answer, Call, Rule};

use super::{
    CONTINUE, MIB, OPTIONS, at, fill, folder, list, names, open, pattern, read, subject, write,
};

const TIME: FileTime = FileTime {
    seconds: 1_000_000_000,
    nanos: 500_000_000,
};

fn times() -> SetAttributes {
    SetAttributes {
        times: Some((TIME, TIME)),
        ..SetAttributes::default()
    }
}

#[tokio::test]
async fn a_large_file_is_sent_read_renamed_and_continued() {
    let subject = subject().await;
    let storage = &subject.storage;
    storage.check().await.unwrap();
    let bytes = pattern(9 * MIB + 7, 0);
    let upload = storage
        .open_write(&at("a b+c?d#é%.bin"), &OPTIONS)
        .await
        .unwrap();
    fill(upload.as_ref(), 0, &bytes).await.unwrap();
    assert!(names(storage, "").await.is_empty());
    upload.set_attributes(&times()).await.unwrap();
    let ended = upload.finish().await.unwrap();
    assert_eq!((ended.0.size, ended.0.modified), (bytes.len() as u64, TIME));
    assert_eq!(subject.proxy.requests().count("Put Block"), 10);

    let (from, to) = (at("a b+c?d#é%.bin"), at("dir with space?"));
    storage
        .rename(&from, &to, RenameMode::NoReplace)
        .await
        .unwrap();
    let there = storage.stat(&to, Links::Follow).await.unwrap();
    assert_eq!((there.size, there.modified), (bytes.len() as u64, TIME));
    assert_eq!(read(storage, "dir with space?").await.unwrap(), bytes);
    assert_eq!(names(storage, "").await, ["dir with space?"]);

    let upload = storage.open_write(&to, &CONTINUE).await.unwrap();
    fill(upload.as_ref(), bytes.len(), b"tail").await.unwrap();
    upload.finish().await.unwrap();
    let whole = [bytes.as_slice(), b"tail"].concat();
    assert_eq!(read(storage, "dir with space?").await.unwrap(), whole);
}

#[tokio::test]
async fn a_small_file_is_one_call_and_is_continued_by_writing_it_anew() {
    let subject = subject().await;
    let storage = &subject.storage;
    write(storage, "file", b"one ").await.unwrap();
    let upload = storage.open_write(&at("file"), &CONTINUE).await.unwrap();
    fill(upload.as_ref(), 4, b"two").await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(read(storage, "file").await.unwrap(), b"one two");
    let requests = subject.proxy.requests();
    assert_eq!(
        (requests.count("Put Blob"), requests.count("Put Block")),
        (2, 0)
    );
}

#[tokio::test]
async fn setting_a_time_moves_no_byte_and_leaves_everything_else() {
    let subject = subject().await;
    let storage = &subject.storage;
    let kept = [
        ("x-ms-blob-content-type", "text/plain"),
        ("x-ms-blob-content-language", "de"),
        ("x-ms-blob-cache-control", "no-cache"),
        ("x-ms-blob-content-disposition", "inline"),
        ("x-ms-blob-content-encoding", "identity"),
        ("x-ms-meta-owner", "somebody"),
        ("x-ms-access-tier", "Cool"),
    ];
    subject.other("file", &kept).await;
    storage
        .set_attributes(&at("file"), &times(), Links::Follow)
        .await
        .unwrap();
    let requests = subject.proxy.requests();
    assert_eq!(requests.count("Set Blob Metadata"), 1);
    assert_eq!(
        (requests.count("Copy Blob"), requests.count("Put Blob")),
        (0, 0)
    );
    // And a rename keeps it all.
    storage
        .rename(&at("file"), &at("moved"), RenameMode::NoReplace)
        .await
        .unwrap();
    let reply = subject.blob("HEAD", "moved", &[]).await.succeeded();
    for (name, value) in kept {
        let name = name.strip_prefix("x-ms-blob-").unwrap_or(name);
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    assert_eq!(reply.header("x-ms-meta-mtime"), Some("1000000000.5"));
    assert_ne!(reply.header("x-ms-access-tier-inferred"), Some("true"));
    // Listings show it as well, also to a server that has not set it.
    let other = open(&subject.settings).await.unwrap();
    let entries = list(&other, "").await.unwrap();
    assert_eq!(entries.first().unwrap().metadata.modified, TIME);
}

/// What the store says of a blob is made larger than what can be copied at once.
#[tokio::test]
async fn setting_a_time_moves_no_byte_of_the_largest_file_either() {
    let subject = subject().await;
    write(&subject.storage, "file", b"text").await.unwrap();
    let reply = subject.blob("HEAD", "file", &[]).await.succeeded();
    let large = Answer::new(200)
        .header("etag", reply.header("etag").unwrap())
        .header("content-type", "application/octet-stream")
        .header("content-length", (1_u64 << 40).to_string());
    subject
        .proxy
        .place(Rule::new(Action::Answer(large)).on("Get Blob Properties"));
    subject.proxy.requests().clear();
    let file = at("file");
    let changes = times();
    let set = subject
        .storage
        .set_attributes(&file, &changes, Links::Follow);
    set.await.unwrap();
    let counts = subject.proxy.requests().counts();
    let calls = [("Get Blob Properties", 2), ("Set Blob Metadata", 1)];
    assert_eq!(counts, calls.into());
}

#[tokio::test]
async fn new_files_have_the_access_tier_of_the_account() {
    let change = |settings: &mut super::AzureSettings| {
        settings.objects.storage_class = Some("Cool".to_owned());
    };
    let subject = super::subject_with(change).await;
    for (name, len) in [("small", 10), ("large", 2 * MIB)] {
        write(&subject.storage, name, &pattern(len, 0))
            .await
            .unwrap();
        let reply = subject.blob("HEAD", name, &[]).await.succeeded();
        assert_eq!(reply.header("x-ms-access-tier"), Some("Cool"), "{name}");
    }
}

#[tokio::test]
async fn of_two_uploads_of_one_name_the_one_that_ends_later_is_told() {
    let subject = subject().await;
    let storage = &subject.storage;
    let (one, two) = (pattern(3 * MIB, 0), pattern(3 * MIB, 7));
    let first = storage.open_write(&at("file"), &OPTIONS).await.unwrap();
    let second = storage.open_write(&at("file"), &OPTIONS).await.unwrap();
    fill(first.as_ref(), 0, &one).await.unwrap();
    fill(second.as_ref(), 0, &two).await.unwrap();
    second.finish().await.unwrap();
    let failed = first.finish().await.unwrap_err();
    assert_eq!(failed.kind(), StorageErrorKind::Unavailable, "{failed}");
    // Whole, and of one of them.
    assert_eq!(read(storage, "file").await.unwrap(), two);
}

#[tokio::test]
async fn an_upload_that_is_given_up_is_never_seen_and_hinders_nobody() {
    let subject = subject().await;
    let storage = &subject.storage;
    write(storage, "old", b"old").await.unwrap();
    for name in ["new", "old"] {
        let upload = storage.open_write(&at(name), &OPTIONS).await.unwrap();
        fill(upload.as_ref(), 0, &pattern(2 * MIB, 0))
            .await
            .unwrap();
        upload.abort().await.unwrap();
    }
    assert_eq!(names(storage, "").await, ["old"]);
    assert_eq!(subject.content("new").await, None);
    assert_eq!(read(storage, "old").await.unwrap(), b"old");
    let bytes = pattern(2 * MIB, 7);
    for name in ["new", "old"] {
        write(storage, name, &bytes).await.unwrap();
        assert_eq!(read(storage, name).await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn directories_move_with_everything_in_them() {
    let subject = subject().await;
    let storage = &subject.storage;
    folder(storage, "dir").await;
    folder(storage, "dir/sub").await;
    for (name, len) in [("a", 10), ("sub/b", 0), ("sub/large", 2 * MIB)] {
        let name = format!("dir/{name}");
        write(storage, &name, &pattern(len, 3)).await.unwrap();
    }
    storage
        .create_dir(&at("dir/empty"), 0o755, (None, None))
        .await
        .unwrap();
    storage
        .rename(&at("dir"), &at("other"), RenameMode::NoReplace)
        .await
        .unwrap();
    assert_eq!(names(storage, "").await, ["other"]);
    assert_eq!(names(storage, "other").await, ["a", "empty", "sub"]);
    assert_eq!(names(storage, "other/sub").await, ["b", "large"]);
    let large = read(storage, "other/sub/large").await.unwrap();
    assert_eq!(large, pattern(2 * MIB, 3));
}

/// azurite does not know the call, so the test does what Azure would do: reads the source as it was shown, and stages the block.
#[tokio::test]
async fn what_is_there_is_taken_over_by_one_call_and_continued() {
    let subject = subject().await;
    let bytes = pattern(2 * MIB, 0);
    write(&subject.storage, "a file", &bytes).await.unwrap();
    subject
        .proxy
        .place(Rule::new(Action::Answer(Answer::new(201))).on("Put Block From URL"));
    subject.proxy.requests().clear();
    let file = at("a file");
    let upload = subject.storage.open_write(&file, &CONTINUE).await.unwrap();
    fill(upload.as_ref(), bytes.len(), b"tail").await.unwrap();

    let copies = subject.proxy.requests().of("Put Block From URL");
    let [copy] = copies.as_slice() else {
        unreachable!("one call takes it over")
    };
    let header = |name: &str| copy.headers[name].to_str().unwrap().to_owned();
    let source = header("x-ms-copy-source");
    let (_, source) = source.split_once("//").unwrap();
    let (_, source) = source.split_once('/').unwrap();
    let shown = Call::new("GET", format!("/{source}"))
        .header("x-ms-version", header("x-ms-version"))
        .header("x-ms-range", header("x-ms-source-range"))
        .header("if-match", header("x-ms-source-if-match"));
    let shown = shown.send(subject.azurite.address()).await.succeeded();
    assert_eq!(shown.body, bytes);
    let stage = Call::new("PUT", format!("{}?{}", copy.path, copy.query)).body(shown.body);
    subject.azurite.call(stage).await.succeeded();

    upload.finish().await.unwrap();
    let whole = [bytes.as_slice(), b"tail"].concat();
    assert_eq!(read(&subject.storage, "a file").await.unwrap(), whole);
    assert_eq!(subject.proxy.requests().count("Put Block"), 1);
}
