//! When an upload is seen, and what is left of one that failed.

use super::fixture::{
    EVERY_VISIBILITY, Fixture, IN_PLACE, KEEP_PARTIAL, NOBODY, ON_FINISH, at, chunk, kind,
};
use crate::capability::Visible;
use crate::error::StorageErrorKind::{AlreadyExists, IsADirectory};
use crate::metadata::SetAttributes;
use crate::storage::{Links, OpenExisting, WriteOptions};

pub(super) async fn in_place_is_visible_at_once(fixture: Fixture) {
    if fixture.can().visible != Visible::WhileWriting {
        return;
    }
    let upload = fixture.open_write("file", &IN_PLACE).await;
    upload.write_at(vec![chunk(0, "part")]).await.unwrap();
    assert_eq!(fixture.read("file").await, b"part");
    assert_eq!(
        fixture.stat("file").await.unwrap().id,
        upload.stat().await.unwrap().id
    );
    upload.finish().await.unwrap();
}

pub(super) async fn in_place_stays_when_given_up(fixture: Fixture) {
    if fixture.can().visible != Visible::WhileWriting {
        return;
    }
    let upload = fixture.open_write("aborted", &IN_PLACE).await;
    upload.write_at(vec![chunk(0, "part")]).await.unwrap();
    let (metadata, removed) = upload.abort().await.unwrap().unwrap();
    assert_eq!((metadata.size, removed), (4, None));
    assert_eq!(fixture.read("aborted").await, b"part");
    let upload = fixture.open_write("dropped", &IN_PLACE).await;
    upload.write_at(vec![chunk(0, "part")]).await.unwrap();
    drop(upload);
    assert_eq!(fixture.read("dropped").await, b"part");
}

pub(super) async fn on_finish_shows_the_new_file_in_one_step(fixture: Fixture) {
    for options in [ON_FINISH, KEEP_PARTIAL] {
        let upload = fixture.open_write("new", &options).await;
        upload.write_at(vec![chunk(0, "fresh")]).await.unwrap();
        assert!(fixture.is_missing("new").await);
        let (metadata, removed) = upload.finish().await.unwrap();
        assert_eq!((metadata.size, removed), (5, None));
        let old = fixture.stat("new").await.unwrap();

        let upload = fixture.open_write("new", &options).await;
        assert_eq!(upload.replaced(), Some(&old));
        upload.write_at(vec![chunk(0, "fresher")]).await.unwrap();
        assert_eq!(fixture.read("new").await, b"fresh");
        assert_eq!(upload.stat().await.unwrap().size, 7);
        let (metadata, removed) = upload.finish().await.unwrap();
        assert_eq!((metadata.size, removed.and_then(|old| old.id)), (7, old.id));
        assert_eq!(fixture.read("new").await, b"fresher");
        assert_eq!(fixture.names("").await.len(), 1);
        fixture.storage.remove_file(&at("new")).await.unwrap();
    }
}

pub(super) async fn on_finish_leaves_nothing_when_given_up(fixture: Fixture) {
    let upload = fixture.open_write("new", &ON_FINISH).await;
    upload.write_at(vec![chunk(0, "part")]).await.unwrap();
    assert_eq!(upload.abort().await.unwrap(), None);
    let upload = fixture.open_write("new", &ON_FINISH).await;
    upload.write_at(vec![chunk(0, "part")]).await.unwrap();
    drop(upload);
    assert!(fixture.names("").await.is_empty());
    assert_eq!(fixture.usage().await.files, 0);
}

pub(super) async fn on_finish_leaves_the_old_file_when_given_up(fixture: Fixture) {
    fixture.write("file", "old").await;
    let before = fixture.stat("file").await.unwrap();
    let upload = fixture.open_write("file", &ON_FINISH).await;
    upload.write_at(vec![chunk(0, "part")]).await.unwrap();
    assert_eq!(upload.abort().await.unwrap(), None);
    let upload = fixture.open_write("file", &ON_FINISH).await;
    upload.write_at(vec![chunk(0, "part")]).await.unwrap();
    drop(upload);
    assert_eq!(fixture.stat("file").await.unwrap(), before);
    assert_eq!(fixture.read("file").await, b"old");
    assert_eq!(fixture.names("").await.len(), 1);
}

pub(super) async fn keep_partial_keeps_what_has_arrived(fixture: Fixture) {
    if !fixture.can().resume {
        return;
    }
    let upload = fixture.open_write("file", &KEEP_PARTIAL).await;
    upload.write_at(vec![chunk(0, "first")]).await.unwrap();
    let (first, removed) = upload.abort().await.unwrap().unwrap();
    assert_eq!((first.size, removed), (5, None));
    assert_eq!(fixture.read("file").await, b"first");

    let upload = fixture.open_write("file", &KEEP_PARTIAL).await;
    upload.write_at(vec![chunk(0, "second")]).await.unwrap();
    let (second, removed) = upload.abort().await.unwrap().unwrap();
    assert_eq!((second.size, removed.map(|old| old.size)), (6, Some(5)));

    let upload = fixture.open_write("file", &KEEP_PARTIAL).await;
    upload.write_at(vec![chunk(0, "dropped")]).await.unwrap();
    drop(upload);
    assert_eq!(fixture.read("file").await, b"dropped");
    assert_eq!(fixture.names("").await.len(), 1);
}

pub(super) async fn keep_partial_keeps_the_old_file_if_nothing_arrived(fixture: Fixture) {
    fixture.write("file", "old").await;
    let upload = fixture.open_write("file", &KEEP_PARTIAL).await;
    assert_eq!(upload.abort().await.unwrap(), None);
    drop(fixture.open_write("file", &KEEP_PARTIAL).await);
    assert_eq!(fixture.read("file").await, b"old");
    assert_eq!(fixture.names("").await.len(), 1);
}

pub(super) async fn keep_writes_into_an_existing_file_in_place(fixture: Fixture) {
    if !fixture.can().resume {
        return;
    }
    for options in EVERY_VISIBILITY {
        fixture.write("file", "old").await;
        let options = WriteOptions {
            existing: OpenExisting::Keep,
            ..options
        };
        let upload = fixture.open_write("file", &options).await;
        upload.write_at(vec![chunk(3, " and new")]).await.unwrap();
        drop(upload);
        assert_eq!(fixture.read("file").await, b"old and new");
        let (_, removed) = fixture
            .open_write("file", &options)
            .await
            .finish()
            .await
            .unwrap();
        assert_eq!(removed, None);
    }
}

pub(super) async fn a_replacement_has_the_old_mode(fixture: Fixture) {
    if !fixture.can().set_attributes {
        return;
    }
    fixture.write("file", "old").await;
    let changes = SetAttributes {
        mode: Some(0o604),
        ..SetAttributes::default()
    };
    fixture
        .storage
        .set_attributes(&at("file"), &changes, Links::Follow)
        .await
        .unwrap();
    for options in EVERY_VISIBILITY {
        let (metadata, _) = fixture
            .open_write("file", &options)
            .await
            .finish()
            .await
            .unwrap();
        assert_eq!(metadata.mode & 0o7777, 0o604);
    }
}

pub(super) async fn an_exclusive_upload_replaces_nothing_in_the_end(fixture: Fixture) {
    let options = WriteOptions {
        existing: OpenExisting::Refuse,
        ..ON_FINISH
    };
    let upload = fixture.open_write("file", &options).await;
    upload.write_at(vec![chunk(0, "late")]).await.unwrap();
    fixture.write("file", "early").await;
    assert_eq!(kind(upload.finish().await), AlreadyExists);
    assert_eq!(fixture.read("file").await, b"early");
    assert_eq!(fixture.names("").await.len(), 1);
}

pub(super) async fn a_directory_is_not_replaced_by_an_upload(fixture: Fixture) {
    for options in [ON_FINISH, KEEP_PARTIAL] {
        let upload = fixture.open_write("name", &options).await;
        upload.write_at(vec![chunk(0, "late")]).await.unwrap();
        fixture
            .storage
            .create_dir(&at("name"), 0o755, NOBODY)
            .await
            .unwrap();
        assert_eq!(kind(upload.finish().await), IsADirectory);
        assert_eq!(fixture.names("").await.len(), 1);
        fixture.storage.remove_dir(&at("name")).await.unwrap();
    }
}

pub(super) async fn finish_reports_what_it_replaced_at_that_moment(fixture: Fixture) {
    let upload = fixture.open_write("file", &ON_FINISH).await;
    fixture.write("file", "early").await;
    let (_, removed) = upload.finish().await.unwrap();
    assert_eq!(removed.map(|old| old.size), Some(5));

    let upload = fixture.open_write("file", &ON_FINISH).await;
    fixture.storage.remove_file(&at("file")).await.unwrap();
    assert_eq!(upload.replaced().map(|old| old.size), Some(0));
    let (_, removed) = upload.finish().await.unwrap();
    assert_eq!(removed, None);
}
