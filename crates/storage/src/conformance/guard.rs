//! The guard: rules hold where links lead, too.

use std::sync::Arc;

use parking_lot::Mutex;
use sftpgo_model::StoragePath;

use super::fixture::{EVERY_VISIBILITY, Fixture, NOBODY, at, kind};
use crate::error::StorageErrorKind::PermissionDenied;
use crate::error::StorageResult;
use crate::metadata::SetAttributes;
use crate::storage::{Links, RenameMode, Target};

/// A target whose guard writes down what it is asked and answers `allow`.
fn recorded(path: &str, allow: bool) -> (Target, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let guard = Arc::new(move |real: &StoragePath| {
        log.lock().push(real.to_string());
        allow
    });
    (
        Target {
            guard: Some(guard),
            ..at(path)
        },
        asked,
    )
}

/// A target whose guard closes `closed`.
fn guarded(path: &str) -> Target {
    let closed = StoragePath::parse(b"closed").unwrap();
    Target {
        guard: Some(Arc::new(move |real| !real.is_within(&closed))),
        ..at(path)
    }
}

pub(super) async fn the_guard_is_not_asked_without_links(fixture: Fixture) {
    fixture.create_dir("dir").await;
    fixture.write("dir/file", "x").await;
    let (target, asked) = recorded("dir/file", false);
    fixture.storage.stat(&target, Links::Follow).await.unwrap();
    fixture.storage.open_read(&target).await.unwrap();
    let (root, asked_root) = recorded("", false);
    fixture.storage.list(&root).await.unwrap();
    assert!(asked.lock().is_empty() && asked_root.lock().is_empty());
}

pub(super) async fn the_guard_judges_the_real_path(fixture: Fixture) {
    fixture.create_dir("dir").await;
    fixture.create_dir("dir/inner").await;
    fixture.write("dir/inner/file", "x").await;
    if !fixture.symlink("dir", "link").await {
        return;
    }
    fixture.symlink("../dir/inner", "dir/in").await;
    for (path, real) in [
        ("link/inner/file", "dir/inner/file"),
        ("link/in/file", "dir/inner/file"),
        ("link/in", "dir/inner"),
        ("link", "dir"),
        ("link/new", "dir/new"),
    ] {
        let (target, asked) = recorded(path, true);
        let _ = fixture.storage.stat(&target, Links::Follow).await;
        assert_eq!(*asked.lock(), [real]);
    }
    let (target, asked) = recorded("link/in", true);
    fixture
        .storage
        .stat(&target, Links::NoFollow)
        .await
        .unwrap();
    assert_eq!(*asked.lock(), ["dir/in"], "the last link is meant itself");
    let (target, asked) = recorded("link", false);
    fixture.storage.read_link(&target).await.unwrap();
    assert!(asked.lock().is_empty());
}

pub(super) async fn a_closed_directory_is_not_reached_through_links(fixture: Fixture) {
    fn denied<T>(result: StorageResult<T>) {
        assert_eq!(kind(result), PermissionDenied);
    }
    fixture.create_dir("closed").await;
    fixture.write("closed/file", "secret").await;
    fixture.create_dir("open").await;
    if !fixture.symlink("../closed", "open/dir").await {
        return;
    }
    fixture.symlink("../closed/file", "open/file").await;
    fixture.symlink("../closed/new", "open/new").await;
    let storage = &fixture.storage;
    for path in ["open/file", "open/dir/file", "open/new", "open/dir/new"] {
        let target = guarded(path);
        denied(storage.stat(&target, Links::Follow).await);
        denied(storage.open_read(&target).await);
        for options in EVERY_VISIBILITY {
            denied(storage.open_write(&target, &options).await);
        }
        denied(storage.truncate(&target, 0).await);
        denied(storage.space(&target).await);
        denied(
            storage
                .set_attributes(&target, &SetAttributes::default(), Links::Follow)
                .await,
        );
    }
    denied(storage.list(&guarded("open/dir")).await);
    let target = guarded("open/dir/file");
    denied(storage.stat(&target, Links::NoFollow).await);
    denied(storage.remove_file(&target).await);
    denied(storage.remove_dir(&target).await);
    denied(
        storage
            .create_dir(&guarded("open/dir/new"), 0o755, NOBODY)
            .await,
    );
    denied(storage.symlink(b"x", &guarded("open/dir/new")).await);
    denied(storage.read_link(&target).await);
    assert_eq!(fixture.read("closed/file").await, b"secret");
    assert_eq!(fixture.names("closed").await.len(), 1);
}

pub(super) async fn the_guard_judges_both_ends_of_a_rename(fixture: Fixture) {
    fixture.create_dir("closed").await;
    fixture.write("closed/file", "secret").await;
    fixture.write("mine", "x").await;
    if !fixture.symlink("closed", "link").await {
        return;
    }
    let storage = &fixture.storage;
    let (inside, outside) = (guarded("link/file"), guarded("mine"));
    let replace = RenameMode::Replace;
    assert_eq!(
        kind(storage.rename(&inside, &guarded("new"), replace).await),
        PermissionDenied
    );
    assert_eq!(
        kind(storage.rename(&outside, &inside, replace).await),
        PermissionDenied
    );
    assert_eq!(
        kind(storage.hard_link(&inside, &guarded("new")).await),
        PermissionDenied
    );
    let new = guarded("link/new");
    assert_eq!(
        kind(storage.hard_link(&outside, &new).await),
        PermissionDenied
    );
    assert_eq!(fixture.read("closed/file").await, b"secret");
    assert_eq!(fixture.names("").await.len(), 3);
}
