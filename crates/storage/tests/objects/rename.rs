//! Renames: nothing is lost, wherever they end.

use std::collections::BTreeMap;

use bytes::Bytes;
use sftpgo_storage::backend::object::fake::{Call, FakeStore, Fault};
use sftpgo_storage::backend::object::{Attributes, ObjectErrorKind};
use sftpgo_storage::{RenameMode, Storage as _};

use super::{Subject, at, pattern, subject, with};

fn dressed() -> Attributes {
    Attributes {
        metadata: [("mtime".to_owned(), "12.5".to_owned())].into(),
        content_type: Some("text/plain".to_owned()),
        storage_class: Some("COLD".to_owned()),
        ..Attributes::default()
    }
}

#[tokio::test]
async fn a_file_keeps_its_metadata_and_its_storage_class() {
    // The second is too large for one call.
    for len in [50, 500] {
        let subject = subject();
        subject.store.insert("file", pattern(len), dressed());
        assert_eq!(
            subject
                .storage
                .rename(&at("file"), &at("new"), RenameMode::NoReplace)
                .await
                .unwrap(),
            None
        );
        assert_eq!(subject.store.keys(), ["new"]);
        assert_eq!(subject.store.bytes("new").unwrap(), pattern(len));
        assert_eq!(subject.store.attributes("new").unwrap(), dressed());
        assert_eq!(subject.store.open_uploads(), 0);
    }
}

#[tokio::test]
async fn a_file_whose_original_could_not_be_removed_is_moved_by_asking_again() {
    let subject = subject();
    subject.store.insert("file", "old", Attributes::default());
    subject.store.fail(
        Call::Delete,
        [Some(Fault::Refused(ObjectErrorKind::Internal))],
    );
    let (file, new) = (at("file"), at("new"));
    let moved = subject.storage.rename(&file, &new, RenameMode::NoReplace);
    assert!(moved.await.is_err());
    assert_eq!(subject.store.keys(), ["file", "new"]);
    subject
        .storage
        .rename(&at("file"), &at("new"), RenameMode::Replace)
        .await
        .unwrap();
    assert_eq!(subject.store.keys(), ["new"]);
}

/// A tree with files large and small, markers, and keys that are no paths.
fn fill(subject: &Subject) -> BTreeMap<String, Bytes> {
    let mut tree = BTreeMap::new();
    for (name, len) in [
        ("", 0),
        ("a", 3),
        ("b/", 0),
        ("b/large", 500),
        ("b/c/deep", 7),
        ("odd//key", 1),
        ("odd/\u{1}", 1),
        ("z", 0),
    ] {
        let bytes = Bytes::from(pattern(len));
        subject
            .store
            .insert(&format!("old/{name}"), bytes.clone(), dressed());
        tree.insert(name.to_owned(), bytes);
    }
    tree
}

fn below(subject: &Subject, folder: &str) -> BTreeMap<String, Bytes> {
    let keys = subject.store.keys().into_iter();
    keys.filter_map(|key| {
        let name = key.strip_prefix(folder)?.to_owned();
        Some((name, subject.store.bytes(&key)?))
    })
    .collect()
}

#[tokio::test]
async fn a_directory_moves_with_everything_in_it() {
    let subject = subject();
    let tree = fill(&subject);
    assert_eq!(
        subject
            .storage
            .rename(&at("old"), &at("new"), RenameMode::NoReplace)
            .await
            .unwrap(),
        None
    );
    assert_eq!(below(&subject, "new/"), tree);
    assert_eq!(subject.store.keys().len(), tree.len());
    for name in ["a", "b/large"] {
        let attributes = subject.store.attributes(&format!("new/{name}"));
        assert_eq!(attributes.unwrap(), dressed());
    }
}

#[tokio::test]
async fn thousands_of_files_move_a_page_at_a_time() {
    let subject = with(FakeStore::default(), |settings| {
        settings.rename_concurrency = 4
    });
    for number in 0..2500 {
        let key = format!("old/{number}");
        subject
            .store
            .insert(&key, key.clone(), Attributes::default());
    }
    subject
        .storage
        .rename(&at("old"), &at("new"), RenameMode::NoReplace)
        .await
        .unwrap();
    assert_eq!(below(&subject, "new/").len(), 2500);
    assert!(below(&subject, "old/").is_empty());
    // Copied and removed once each; three pages each, read twice, of both directories.
    assert_eq!(subject.store.made(Call::Copy), 2500);
    assert_eq!(subject.store.made(Call::Delete), 2501);
    assert!(subject.store.made(Call::List) < 25);
}

/// The crash is a call that fails for good: from there on nothing is done, as after a SIGKILL.
#[tokio::test]
async fn a_rename_that_was_interrupted_anywhere_is_ended_by_asking_again() {
    let calls = [
        Call::Put,
        Call::List,
        Call::Head,
        Call::Copy,
        Call::CreateUpload,
        Call::CopyPart,
        Call::CompleteUpload,
        Call::Delete,
    ];
    for call in calls {
        for lost in [false, true] {
            let mut interrupted = 0;
            for after in 0..30 {
                let subject = with(FakeStore::default(), |settings| {
                    settings.rename_concurrency = 1
                });
                let tree = fill(&subject);
                let fault = if lost {
                    // Done, and never told: the caller gives up.
                    Fault::AnswerLost
                } else {
                    Fault::Refused(ObjectErrorKind::Internal)
                };
                let times = if lost { 20 } else { 1 };
                let faults = std::iter::repeat_n(None, after).chain(vec![Some(fault); times]);
                subject.store.fail(call, faults);
                let rename = async || {
                    let (old, new) = (at("old"), at("new"));
                    subject
                        .storage
                        .rename(&old, &new, RenameMode::NoReplace)
                        .await
                };
                tokio::time::pause();
                let first = rename().await;
                tokio::time::resume();
                let (old, new) = (below(&subject, "old/"), below(&subject, "new/"));
                for (name, bytes) in &tree {
                    let there = [old.get(name), new.get(name)];
                    assert!(there.contains(&Some(bytes)), "{name:?} is lost");
                }
                if first.is_ok() {
                    break;
                }
                interrupted += 1;
                // The rest of the faults is over with the crash.
                let subject = Subject { ..subject };
                for _ in 0..25 {
                    if below(&subject, "old/").is_empty() {
                        break;
                    }
                    tokio::time::pause();
                    let _ = subject
                        .storage
                        .rename(&at("old"), &at("new"), RenameMode::NoReplace)
                        .await;
                    tokio::time::resume();
                }
                assert!(below(&subject, "old/").is_empty(), "{call:?} after {after}");
                let mut new = below(&subject, "new/");
                new.retain(|name, _| !name.starts_with(".sftpgo-upload."));
                assert_eq!(new, tree, "{call:?} after {after}");
            }
            assert!(interrupted > 0, "{call:?} is never made");
        }
    }
}
