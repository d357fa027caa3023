//! Paths that name nothing, or the wrong thing.

use super::fixture::{EVERY_VISIBILITY, Fixture, IN_PLACE, NOBODY, at, kind};
use crate::error::StorageErrorKind::{
    AlreadyExists, IsADirectory, NotADirectory, NotFound, PermissionDenied, Unsupported,
};
use crate::error::{StorageErrorKind, StorageResult};
use crate::metadata::SetAttributes;
use crate::storage::{Links, RenameMode, WriteOptions};

/// `Unsupported` if the capability is not declared.
#[track_caller]
fn check<T>(declared: bool, result: StorageResult<T>, expected: StorageErrorKind) {
    assert_eq!(kind(result), if declared { expected } else { Unsupported });
}

/// Everything that needs something to be there, asked of `path`.
async fn every_use_is(fixture: &Fixture, path: &str, expected: StorageErrorKind) {
    let (storage, can, path) = (&fixture.storage, fixture.can(), at(path));
    for links in [Links::Follow, Links::NoFollow] {
        assert_eq!(kind(storage.stat(&path, links).await), expected);
        let changes = SetAttributes {
            mode: Some(0o600),
            ..SetAttributes::default()
        };
        let result = storage.set_attributes(&path, &changes, links).await;
        check(can.set_attributes || can.set_modified, result, expected);
    }
    assert_eq!(kind(storage.list(&path).await), expected);
    assert_eq!(kind(storage.open_read(&path).await), expected);
    assert_eq!(kind(storage.remove_file(&path).await), expected);
    assert_eq!(kind(storage.remove_dir(&path).await), expected);
    for mode in [RenameMode::NoReplace, RenameMode::Replace] {
        assert_eq!(
            kind(storage.rename(&path, &at("free"), mode).await),
            expected
        );
    }
    check(can.symlink, storage.read_link(&path).await, expected);
    check(
        can.hard_link,
        storage.hard_link(&path, &at("free")).await,
        expected,
    );
    check(can.truncate, storage.truncate(&path, 0).await, expected);
    check(can.space, storage.space(&path).await, expected);
}

/// Everything that makes something, asked to make `path`.
async fn every_creation_is(fixture: &Fixture, path: &str, expected: StorageErrorKind) {
    let (storage, can, path) = (&fixture.storage, fixture.can(), at(path));
    fixture.write("source", "x").await;
    for options in EVERY_VISIBILITY {
        assert_eq!(kind(storage.open_write(&path, &options).await), expected);
    }
    assert_eq!(
        kind(storage.create_dir(&path, 0o755, NOBODY).await),
        expected
    );
    for mode in [RenameMode::NoReplace, RenameMode::Replace] {
        assert_eq!(
            kind(storage.rename(&at("source"), &path, mode).await),
            expected
        );
    }
    check(
        can.symlink,
        storage.symlink(b"source", &path).await,
        expected,
    );
    check(
        can.hard_link,
        storage.hard_link(&at("source"), &path).await,
        expected,
    );
    assert_eq!(fixture.read("source").await, b"x");
}

pub(super) async fn what_is_missing_is_not_found(fixture: Fixture) {
    every_use_is(&fixture, "missing", NotFound).await;
    fixture.create_dir("dir").await;
    every_use_is(&fixture, "dir/missing", NotFound).await;
    every_use_is(&fixture, "missing/too", NotFound).await;
    let options = WriteOptions {
        create: false,
        ..IN_PLACE
    };
    assert_eq!(
        kind(fixture.storage.open_write(&at("missing"), &options).await),
        NotFound
    );
}

pub(super) async fn missing_parents_are_not_found(fixture: Fixture) {
    every_creation_is(&fixture, "missing/name", NotFound).await;
    every_creation_is(&fixture, "missing/further/name", NotFound).await;
    assert!(fixture.is_missing("missing").await);
}

pub(super) async fn a_file_on_the_way_is_not_a_directory(fixture: Fixture) {
    fixture.write("file", "x").await;
    every_use_is(&fixture, "file/name", NotADirectory).await;
    every_creation_is(&fixture, "file/name", NotADirectory).await;
    every_creation_is(&fixture, "file/further/name", NotADirectory).await;
    assert_eq!(kind(fixture.storage.list(&at("file")).await), NotADirectory);
}

pub(super) async fn a_directory_is_not_opened_as_a_file(fixture: Fixture) {
    use crate::storage::OpenExisting::{Keep, Refuse, Truncate};
    fixture.create_dir("dir").await;
    fixture.write("dir/file", "x").await;
    let (storage, dir) = (&fixture.storage, at("dir"));
    assert_eq!(kind(storage.open_read(&dir).await), IsADirectory);
    for existing in [Refuse, Truncate, Keep] {
        for options in EVERY_VISIBILITY {
            let options = WriteOptions {
                existing,
                ..options
            };
            assert_eq!(kind(storage.open_write(&dir, &options).await), IsADirectory);
        }
    }
    assert_eq!(kind(storage.remove_file(&dir).await), IsADirectory);
    check(
        fixture.can().truncate,
        storage.truncate(&dir, 0).await,
        IsADirectory,
    );
    check(
        fixture.can().hard_link,
        storage.hard_link(&dir, &at("free")).await,
        IsADirectory,
    );
    assert_eq!(fixture.names("dir").await.len(), 1);
}

pub(super) async fn the_root_stays_where_it_is(fixture: Fixture) {
    let (storage, root) = (&fixture.storage, at(""));
    fixture.create_dir("dir").await;
    for links in [Links::Follow, Links::NoFollow] {
        assert!(storage.stat(&root, links).await.unwrap().is_dir());
    }
    assert_eq!(kind(storage.remove_dir(&root).await), PermissionDenied);
    for mode in [RenameMode::NoReplace, RenameMode::Replace] {
        assert_eq!(
            kind(storage.rename(&root, &at("dir/x"), mode).await),
            PermissionDenied
        );
        assert_eq!(
            kind(storage.rename(&at("dir"), &root, mode).await),
            PermissionDenied
        );
    }
    assert_eq!(
        kind(storage.create_dir(&root, 0o755, NOBODY).await),
        AlreadyExists
    );
    check(
        fixture.can().symlink,
        storage.symlink(b"dir", &root).await,
        AlreadyExists,
    );
    assert_eq!(kind(storage.remove_file(&root).await), IsADirectory);
    assert_eq!(kind(storage.open_read(&root).await), IsADirectory);
    assert_eq!(
        kind(storage.open_write(&root, &IN_PLACE).await),
        IsADirectory
    );
    assert_eq!(fixture.names("").await.len(), 1);
}
