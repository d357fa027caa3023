//! Listings, and keys that are no paths.

use std::collections::BTreeSet;

use sftpgo_storage::backend::object::Attributes;
use sftpgo_storage::backend::object::fake::{Call, FakeStore};
use sftpgo_storage::{
    FileKind, FileTime, Links, SetAttributes, Storage as _, StorageErrorKind, Usage,
};

use super::{OPTIONS, at, subject, with};

#[tokio::test]
async fn a_hundred_thousand_names_are_a_hundred_calls() {
    let subject = subject();
    for number in 0..100_000 {
        let key = format!("dir/{number}");
        subject.store.insert(&key, "x", Attributes::default());
    }
    let names: BTreeSet<_> = subject.names("dir").await.into_iter().collect();
    assert_eq!(names.len(), 100_000);
    assert_eq!(subject.store.made(Call::List), 100);
    assert_eq!(subject.store.made_in_all(), 100);
    assert_eq!(subject.counters.list_objects.ok.value(), 100);
}

#[tokio::test]
async fn folders_are_seen_by_a_marker_or_by_what_is_in_them() {
    let subject = with(FakeStore::default(), |settings| {
        settings.prefix = "home".to_owned();
    });
    for key in [
        "home/",
        "home/marked/",
        "home/marked and full/",
        "home/marked and full/file",
        "home/implied/deep/file",
        "home/file",
        "homeless/file",
    ] {
        subject.store.insert(key, "", Attributes::default());
    }
    assert_eq!(
        subject.names("").await,
        ["file", "implied", "marked and full", "marked"]
    );
    for dir in ["", "marked", "marked and full", "implied", "implied/deep"] {
        let found = subject.storage.stat(&at(dir), Links::Follow).await.unwrap();
        assert_eq!(found.kind, FileKind::Directory, "{dir}");
    }
    let expected = Usage { files: 3, bytes: 0 };
    assert_eq!(subject.storage.usage().await.unwrap(), expected);
}

#[tokio::test]
async fn keys_that_are_no_paths_break_no_listing() {
    let subject = subject();
    let long = format!("dir/{}", "x".repeat(256));
    let odd = [
        "dir//",
        "dir//x",
        "dir/./x",
        "dir/..",
        "dir/\u{1}",
        "dir/new\nline",
        "dir/.sftpgo-upload.v0123456789abcdefghi.x",
        long.as_str(),
    ];
    for key in odd {
        subject.store.insert(key, "x", Attributes::default());
    }
    for key in ["dir/ ", "dir/a b", "dir/é+%2F&?", "dir/."] {
        subject.store.insert(key, "x", Attributes::default());
    }
    subject.store.remove("dir/.");
    assert_eq!(subject.names("dir").await, [" ", "a b", "é+%2F&?"]);
    // `dir//` and `dir//x` are one entry.
    assert_eq!(subject.counters.skipped_keys.value(), odd.len() as u64 - 1);
    let usage = subject.storage.usage().await.unwrap();
    assert_eq!(usage.files, 3);
    // What is not shown is there all the same.
    let refused = subject.storage.remove_dir(&at("dir")).await.unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::DirectoryNotEmpty);
}

#[tokio::test]
async fn pages_of_odd_keys_only_are_passed_over() {
    let subject = subject();
    for number in 0..2500 {
        let key = format!("dir/\u{1}{number}");
        subject.store.insert(&key, "x", Attributes::default());
    }
    subject.store.insert("dir/x", "x", Attributes::default());
    assert_eq!(subject.names("dir").await, ["x"]);
}

#[tokio::test]
async fn a_file_hides_a_folder_of_its_name() {
    let subject = subject();
    for key in ["name", "name-", "name/inner", "other/"] {
        subject.store.insert(key, "text", Attributes::default());
    }
    assert_eq!(subject.names("").await, ["name", "name-", "other"]);
    let found = subject
        .storage
        .stat(&at("name"), Links::Follow)
        .await
        .unwrap();
    assert_eq!(found.kind, FileKind::File);
}

#[tokio::test]
async fn what_is_asked_of_the_store_is_little() {
    let subject = subject();
    for key in ["dir/file", "dir/other"] {
        subject.store.insert(key, "text", Attributes::default());
    }
    let calls = async |path: &str| {
        let before = subject.store.made_in_all();
        let _ = subject.storage.stat(&at(path), Links::Follow).await;
        subject.store.made_in_all() - before
    };
    assert_eq!(calls("").await, 0);
    assert_eq!(calls("dir/file").await, 1);
    // One more to see that something is in it, and one for the directory that it would be in.
    assert_eq!(calls("dir/missing").await, 3);
    let before = subject.store.made_in_all();
    let upload = subject.open("dir/new", &OPTIONS).await;
    upload.finish().await.unwrap();
    // Before: what is there, in two steps. At the end: that again, the file, and whether it is there.
    assert_eq!(subject.store.made_in_all() - before, 3 + 2 + 1 + 1);
}

#[tokio::test]
async fn a_time_that_was_set_or_seen_here_is_in_the_listing() {
    let subject = subject();
    subject.write("file", b"text").await;
    let time = FileTime {
        seconds: 1_000_000_000,
        nanos: 500_000_000,
    };
    let changes = SetAttributes {
        times: Some((time, time)),
        ..SetAttributes::default()
    };
    let file = at("file");
    let set = subject
        .storage
        .set_attributes(&file, &changes, Links::Follow);
    set.await.unwrap();
    let stat = subject
        .storage
        .stat(&at("file"), Links::Follow)
        .await
        .unwrap();
    assert_eq!(stat.modified, time);
    let calls = subject.store.made_in_all();
    assert_eq!(subject.list("").await[0].metadata.modified, time);
    assert_eq!(subject.store.made_in_all(), calls + 1);
    // The same bytes, and yet another version: somebody else wrote them.
    subject.store.insert("file", "text", Attributes::default());
    assert_ne!(subject.list("").await[0].metadata.modified, time);
}
