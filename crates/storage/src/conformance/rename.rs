//! Renaming.

use super::fixture::{Fixture, at, kind};
use crate::error::StorageErrorKind::{
    AlreadyExists, DirectoryNotEmpty, InvalidArgument, IsADirectory, NotADirectory,
};
use crate::error::StorageResult;
use crate::metadata::FileKind;
use crate::storage::RenameMode::{NoReplace, Replace};
use crate::storage::{Removed, RenameMode};

async fn rename(
    fixture: &Fixture,
    from: &str,
    to: &str,
    mode: RenameMode,
) -> StorageResult<Removed> {
    fixture.storage.rename(&at(from), &at(to), mode).await
}

pub(super) async fn a_file_moves(fixture: Fixture) {
    fixture.create_dir("dir").await;
    for mode in [NoReplace, Replace] {
        fixture.write("file", "text").await;
        assert_eq!(
            rename(&fixture, "file", "dir/new", mode).await.unwrap(),
            None
        );
        assert!(fixture.is_missing("file").await);
        assert_eq!(fixture.read("dir/new").await, b"text");
        fixture.storage.remove_file(&at("dir/new")).await.unwrap();
    }
}

pub(super) async fn a_directory_moves_with_what_it_holds(fixture: Fixture) {
    fixture.create_dir("dir").await;
    fixture.create_dir("dir/inner").await;
    fixture.write("dir/inner/file", "text").await;
    fixture.create_dir("other").await;
    assert_eq!(
        rename(&fixture, "dir", "other/dir", NoReplace)
            .await
            .unwrap(),
        None
    );
    assert!(fixture.is_missing("dir").await);
    assert_eq!(fixture.read("other/dir/inner/file").await, b"text");
}

pub(super) async fn a_link_moves_itself(fixture: Fixture) {
    fixture.create_dir("dir").await;
    fixture.write("file", "text").await;
    if !fixture.symlink("file", "link").await {
        return;
    }
    rename(&fixture, "link", "dir/link", NoReplace)
        .await
        .unwrap();
    assert_eq!(
        fixture.storage.read_link(&at("dir/link")).await.unwrap(),
        b"file"
    );
    // And is replaced itself.
    let removed = rename(&fixture, "file", "dir/link", Replace)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(removed.kind, FileKind::Symlink);
    assert_eq!(fixture.read("dir/link").await, b"text");
}

pub(super) async fn replace_reports_what_it_replaced(fixture: Fixture) {
    fixture.write("old", "an old text").await;
    fixture.write("new", "new").await;
    let before = fixture.stat("old").await.unwrap();
    assert_eq!(
        rename(&fixture, "new", "old", Replace).await.unwrap(),
        Some(before)
    );
    assert_eq!(fixture.read("old").await, b"new");
    assert!(fixture.is_missing("new").await);
}

pub(super) async fn no_replace_leaves_what_is_there(fixture: Fixture) {
    fixture.write("file", "text").await;
    fixture.write("taken", "old").await;
    fixture.create_dir("dir").await;
    for taken in ["taken", "dir"] {
        assert_eq!(
            kind(rename(&fixture, "file", taken, NoReplace).await),
            AlreadyExists
        );
    }
    if fixture.symlink("nowhere", "link").await {
        assert_eq!(
            kind(rename(&fixture, "file", "link", NoReplace).await),
            AlreadyExists
        );
    }
    assert_eq!(fixture.read("file").await, b"text");
    assert_eq!(fixture.read("taken").await, b"old");
}

pub(super) async fn files_and_directories_do_not_replace_each_other(fixture: Fixture) {
    fixture.write("file", "text").await;
    fixture.create_dir("dir").await;
    assert_eq!(
        kind(rename(&fixture, "file", "dir", Replace).await),
        IsADirectory
    );
    assert_eq!(
        kind(rename(&fixture, "dir", "file", Replace).await),
        NotADirectory
    );
    assert_eq!(fixture.read("file").await, b"text");
    assert!(fixture.stat("dir").await.unwrap().is_dir());
}

pub(super) async fn a_directory_replaces_an_empty_one_only(fixture: Fixture) {
    fixture.create_dir("dir").await;
    fixture.write("dir/file", "text").await;
    fixture.create_dir("full").await;
    fixture.write("full/file", "old").await;
    assert_eq!(
        kind(rename(&fixture, "dir", "full", Replace).await),
        DirectoryNotEmpty
    );
    assert_eq!(fixture.read("full/file").await, b"old");
    fixture.create_dir("empty").await;
    let removed = rename(&fixture, "dir", "empty", Replace).await.unwrap();
    assert!(removed.unwrap().is_dir());
    assert_eq!(fixture.read("empty/file").await, b"text");
}

pub(super) async fn a_directory_does_not_go_into_itself(fixture: Fixture) {
    fixture.create_dir("dir").await;
    fixture.create_dir("dir/inner").await;
    for to in ["dir/new", "dir/inner/new", "dir/inner"] {
        assert_eq!(
            kind(rename(&fixture, "dir", to, Replace).await),
            InvalidArgument
        );
    }
    assert_eq!(
        kind(rename(&fixture, "dir/inner", "dir", Replace).await),
        DirectoryNotEmpty
    );
    assert!(fixture.stat("dir/inner").await.unwrap().is_dir());
}

pub(super) async fn renaming_onto_itself_changes_nothing(fixture: Fixture) {
    fixture.write("file", "text").await;
    fixture.create_dir("dir").await;
    fixture.write("dir/file", "text").await;
    for name in ["file", "dir"] {
        assert_eq!(rename(&fixture, name, name, Replace).await.unwrap(), None);
        assert_eq!(
            kind(rename(&fixture, name, name, NoReplace).await),
            AlreadyExists
        );
    }
    assert_eq!(fixture.read("file").await, b"text");
    assert_eq!(fixture.read("dir/file").await, b"text");
}

pub(super) async fn renaming_onto_another_name_of_the_file_leaves_one_name(fixture: Fixture) {
    if !fixture.can().hard_link {
        return;
    }
    fixture.create_dir("dir").await;
    for to in ["two", "dir/two"] {
        fixture.write("one", "text").await;
        fixture
            .storage
            .hard_link(&at("one"), &at(to))
            .await
            .unwrap();
        assert_eq!(fixture.usage().await.files, 2);
        assert_eq!(
            kind(rename(&fixture, "one", to, NoReplace).await),
            AlreadyExists
        );
        // One name less: that is what the count of files loses.
        let removed = rename(&fixture, "one", to, Replace).await.unwrap().unwrap();
        assert_eq!(removed.size, 4);
        assert!(fixture.is_missing("one").await);
        assert_eq!(fixture.read(to).await, b"text");
        assert_eq!(fixture.usage().await.files, 1);
        assert_eq!(
            fixture.names("").await.len(),
            if to == "two" { 2 } else { 1 }
        );
        fixture.storage.remove_file(&at(to)).await.unwrap();
    }
}
