//! Names are bytes.

use super::fixture::{EVERY_VISIBILITY, Fixture, IN_PLACE, NOBODY, at, chunk, kind};
use crate::error::StorageErrorKind::{InvalidPath, NotFound, PermissionDenied};
use crate::storage::{Links, RenameMode, WriteOptions};

pub(super) async fn any_bytes_are_a_name(fixture: Fixture) {
    if !fixture.can().byte_names {
        return;
    }
    let names: [&[u8]; 6] = [
        b"caf\xe9",
        b"\xff\xfe",
        b"new\nline",
        b"\x01\x7f",
        b" ",
        "\u{202e}x".as_bytes(),
    ];
    for name in names {
        let dir = [b"dir ", name].concat();
        fixture.create_dir(&dir).await;
        let file = [dir.as_slice(), b"/", name].concat();
        fixture.write(&file, "text").await;
        assert_eq!(fixture.read(&file).await, b"text");
        assert_eq!(fixture.list(&dir, 10).await.first().unwrap().name, name);
        let moved = [b"moved ", name].concat();
        fixture
            .storage
            .rename(&at(&file), &at(&moved), RenameMode::NoReplace)
            .await
            .unwrap();
        if fixture.symlink(&moved, &file).await {
            assert_eq!(fixture.storage.read_link(&at(&file)).await.unwrap(), moved);
            fixture.storage.remove_file(&at(&file)).await.unwrap();
        }
        assert_eq!(
            fixture
                .storage
                .stat(&at(&moved), Links::Follow)
                .await
                .unwrap()
                .size,
            4
        );
        fixture.storage.remove_file(&at(&moved)).await.unwrap();
        fixture.storage.remove_dir(&at(&dir)).await.unwrap();
    }
    assert!(fixture.names("").await.is_empty());
}

pub(super) async fn the_longest_name_can_be_uploaded(fixture: Fixture) {
    for name in [
        "x".repeat(255),
        "ü".repeat(127),
        "x".to_owned() + &"ü".repeat(127),
    ] {
        for options in EVERY_VISIBILITY {
            let upload = fixture.open_write(&name, &options).await;
            upload.write_at(vec![chunk(0, "text")]).await.unwrap();
            upload.finish().await.unwrap();
            assert_eq!(fixture.read(&name).await, b"text");
        }
        fixture.storage.remove_file(&at(&name)).await.unwrap();
    }
}

pub(super) async fn names_that_are_not_utf8_are_refused_where_they_cannot_be_held(
    fixture: Fixture,
) {
    if fixture.can().byte_names {
        return;
    }
    let name = at(b"caf\xe9");
    assert_eq!(
        kind(fixture.storage.open_write(&name, &IN_PLACE).await),
        InvalidPath
    );
    assert_eq!(
        kind(fixture.storage.create_dir(&name, 0o755, NOBODY).await),
        InvalidPath
    );
    assert_eq!(
        kind(fixture.storage.stat(&name, Links::Follow).await),
        InvalidPath
    );
}

/// The file of a running upload has such a name, in back ends that need one.
pub(super) async fn names_of_running_uploads_are_nobodys(fixture: Fixture) {
    let name = ".sftpgo-upload.v0123456789abcdefghi.file";
    fixture.write("file", "text").await;
    fixture.create_dir("dir").await;
    for own in [name.to_owned(), format!("dir/{name}")] {
        let own = at(own);
        let storage = &fixture.storage;
        for links in [Links::Follow, Links::NoFollow] {
            assert_eq!(kind(storage.stat(&own, links).await), NotFound);
        }
        assert_eq!(kind(storage.open_read(&own).await), NotFound);
        assert_eq!(kind(storage.list(&own).await), NotFound);
        assert_eq!(kind(storage.remove_file(&own).await), NotFound);
        assert_eq!(kind(storage.remove_dir(&own).await), NotFound);
        let away = storage.rename(&own, &at("new"), RenameMode::Replace).await;
        assert_eq!(kind(away), NotFound);
        let keep = WriteOptions {
            create: false,
            ..IN_PLACE
        };
        assert_eq!(kind(storage.open_write(&own, &keep).await), NotFound);

        for options in EVERY_VISIBILITY {
            let made = storage.open_write(&own, &options).await;
            assert_eq!(kind(made), PermissionDenied);
        }
        let made = storage.create_dir(&own, 0o755, NOBODY).await;
        assert_eq!(kind(made), PermissionDenied);
        for mode in [RenameMode::Replace, RenameMode::NoReplace] {
            let moved = storage.rename(&at("file"), &own, mode).await;
            assert_eq!(kind(moved), PermissionDenied);
        }
        if fixture.can().symlink {
            let made = storage.symlink(b"file", &own).await;
            assert_eq!(kind(made), PermissionDenied);
        }
        if fixture.can().hard_link {
            let made = storage.hard_link(&at("file"), &own).await;
            assert_eq!(kind(made), PermissionDenied);
        }
    }
    // The reference's are names like others.
    fixture
        .write(".sftpgo-upload.c03pq4lvqc7j3p6v4g4g.file", "text")
        .await;
    assert_eq!(fixture.names("").await.len(), 3);
}
