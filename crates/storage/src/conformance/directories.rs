//! Directories: make, remove, list.

use std::collections::BTreeSet;

use super::fixture::{Fixture, NOBODY, at, kind};
use crate::capability::Folders;
use crate::error::StorageErrorKind::{
    AlreadyExists, DirectoryNotEmpty, IsADirectory, NotADirectory,
};
use crate::metadata::{FileKind, SetAttributes};
use crate::storage::RenameMode;

pub(super) async fn create_dir_makes_one_directory(fixture: Fixture) {
    for (name, mode) in [("open", 0o777), ("usual", 0o755), ("closed", 0o700)] {
        fixture
            .storage
            .create_dir(&at(name), mode, NOBODY)
            .await
            .unwrap();
        let metadata = fixture.stat(name).await.unwrap();
        assert!(metadata.is_dir());
        if fixture.can().set_attributes {
            assert_eq!(metadata.mode & 0o777, mode);
        }
        fixture.create_dir(format!("{name}/inner")).await;
        assert_eq!(fixture.names(name).await.len(), 1);
    }
}

pub(super) async fn a_taken_name_makes_no_directory(fixture: Fixture) {
    fixture.create_dir("dir").await;
    fixture.write("file", "x").await;
    for name in ["dir", "file"] {
        let made = fixture.storage.create_dir(&at(name), 0o755, NOBODY).await;
        assert_eq!(kind(made), AlreadyExists);
    }
    if fixture.symlink("nowhere", "link").await {
        let made = fixture.storage.create_dir(&at("link"), 0o755, NOBODY).await;
        assert_eq!(kind(made), AlreadyExists);
        assert!(fixture.is_missing("nowhere").await);
    }
}

pub(super) async fn remove_dir_removes_empty_directories_only(fixture: Fixture) {
    fixture.create_dir("dir").await;
    fixture.write("dir/file", "x").await;
    assert_eq!(
        kind(fixture.storage.remove_dir(&at("dir")).await),
        DirectoryNotEmpty
    );
    assert_eq!(
        kind(fixture.storage.remove_dir(&at("dir/file")).await),
        NotADirectory
    );
    if fixture.symlink("dir", "link").await {
        assert_eq!(
            kind(fixture.storage.remove_dir(&at("link")).await),
            NotADirectory
        );
        fixture.storage.remove_file(&at("link")).await.unwrap();
    }
    fixture.storage.remove_file(&at("dir/file")).await.unwrap();
    fixture.storage.remove_dir(&at("dir")).await.unwrap();
    assert!(fixture.names("").await.is_empty());
}

pub(super) async fn remove_file_reports_what_vanished(fixture: Fixture) {
    fixture.write("file", "12345").await;
    let before = fixture.stat("file").await.unwrap();
    assert_eq!(
        fixture.storage.remove_file(&at("file")).await.unwrap(),
        before
    );
    assert!(fixture.is_missing("file").await);
    fixture.create_dir("dir").await;
    assert_eq!(
        kind(fixture.storage.remove_file(&at("dir")).await),
        IsADirectory
    );
}

pub(super) async fn remove_file_removes_a_link_and_not_its_target(fixture: Fixture) {
    fixture.write("file", "12345").await;
    if !fixture.symlink("file", "link").await {
        return;
    }
    let removed = fixture.storage.remove_file(&at("link")).await.unwrap();
    assert_eq!(removed.kind, FileKind::Symlink);
    assert!(fixture.is_missing("link").await);
    assert_eq!(fixture.read("file").await, b"12345");
}

pub(super) async fn pages_name_every_entry_once(fixture: Fixture) {
    fixture.create_dir("dir").await;
    let mut expected = BTreeSet::new();
    for n in 0..20 {
        let name = format!("name {n}");
        fixture.write(format!("dir/{name}"), vec![b'x'; n]).await;
        expected.insert((name.into_bytes(), n as u64));
    }
    for limit in [1, 3, 20, 1000] {
        let entries = fixture.list("dir", limit).await;
        assert_eq!(entries.len(), 20);
        let entries: BTreeSet<_> = entries
            .into_iter()
            .map(|entry| (entry.name, entry.metadata.size))
            .collect();
        assert_eq!(entries, expected);
    }
}

pub(super) async fn a_listing_ends_and_stays_ended(fixture: Fixture) {
    fixture.write("one", "1").await;
    let mut listing = fixture.storage.list(&at("")).await.unwrap();
    assert_eq!(listing.next_page(10).await.unwrap().len(), 1);
    assert!(listing.next_page(10).await.unwrap().is_empty());
    fixture.write("two", "2").await;
    assert!(listing.next_page(10).await.unwrap().is_empty());
    assert!(listing.next_page(10).await.unwrap().is_empty());
}

pub(super) async fn entries_that_vanish_are_left_out(fixture: Fixture) {
    let all: BTreeSet<Vec<u8>> = (0..30).map(|n| format!("{n}").into_bytes()).collect();
    for name in &all {
        fixture.write(name, "x").await;
    }
    let mut listing = fixture.storage.list(&at("")).await.unwrap();
    let mut seen = BTreeSet::new();
    let page = listing.next_page(5).await.unwrap();
    seen.extend(page.into_iter().map(|entry| entry.name));
    let gone: Vec<_> = all.difference(&seen).take(10).cloned().collect();
    for name in &gone {
        fixture.storage.remove_file(&at(name)).await.unwrap();
    }
    loop {
        let page = listing.next_page(4).await.unwrap();
        if page.is_empty() {
            break;
        }
        for entry in page {
            // An object store tells a thousand names at once, and is not asked about each of them again.
            assert!(
                fixture.can().folders == Folders::Implied || !gone.contains(&entry.name),
                "it was removed before this page was asked for"
            );
            assert!(seen.insert(entry.name), "named twice");
        }
    }
    assert!(all.difference(&seen).all(|name| gone.contains(name)));
    assert!(fixture.can().folders == Folders::Implied || seen.len() == 20);
}

pub(super) async fn a_listing_does_not_follow_links(fixture: Fixture) {
    fixture.create_dir("dir").await;
    fixture.write("dir/file", "12345").await;
    if !fixture.symlink("dir", "link").await {
        return;
    }
    fixture.symlink("nowhere", "dangling").await;
    let entries = fixture.list("", 10).await;
    let kinds: BTreeSet<_> = entries
        .iter()
        .map(|entry| (entry.name.as_slice(), entry.metadata.is_symlink()))
        .collect();
    let expected: [(&[u8], bool); 3] = [(b"dangling", true), (b"dir", false), (b"link", true)];
    assert_eq!(kinds, BTreeSet::from(expected));
    // But the directory to be listed may be named by one.
    assert_eq!(fixture.names("link").await.len(), 1);
}

pub(super) async fn a_large_directory_is_listed_in_full(fixture: Fixture) {
    fixture.create_dir("dir").await;
    for n in 0..1500 {
        fixture
            .create_dir(format!("dir/a directory with a long name {n}"))
            .await;
    }
    assert_eq!(fixture.names("dir").await.len(), 1500);
    assert_eq!(fixture.list("dir", 64).await.len(), 1500);
}

pub(super) async fn a_removed_directory_lists_nothing(fixture: Fixture) {
    fixture.create_dir("dir").await;
    let mut listing = fixture.storage.list(&at("dir")).await.unwrap();
    fixture.storage.remove_dir(&at("dir")).await.unwrap();
    assert!(listing.next_page(10).await.unwrap().is_empty());
}

pub(super) async fn an_open_directory_is_looked_at_and_changed_wherever_it_went(fixture: Fixture) {
    fixture.create_dir("dir").await;
    let storage = &fixture.storage;
    let mut listing = storage.list(&at("dir")).await.unwrap();
    storage
        .rename(&at("dir"), &at("moved"), RenameMode::Replace)
        .await
        .unwrap();
    fixture.create_dir("dir").await;
    assert!(listing.stat().await.unwrap().is_dir());
    if !storage.capabilities().set_attributes {
        return;
    }
    let before = fixture.stat("dir").await.unwrap();
    let changes = SetAttributes {
        mode: Some(0o705),
        ..SetAttributes::default()
    };
    listing.set_attributes(&changes).await.unwrap();
    assert_eq!(listing.stat().await.unwrap().mode & 0o777, 0o705);
    assert_eq!(fixture.stat("moved").await.unwrap().mode & 0o777, 0o705);
    assert_eq!(fixture.stat("dir").await.unwrap().mode, before.mode);
}
