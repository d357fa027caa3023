//! Names are bytes.

use super::fixture::{EVERY_VISIBILITY, Fixture, IN_PLACE, NOBODY, at, chunk, kind};
use crate::error::StorageErrorKind::InvalidPath;
use crate::storage::{Links, RenameMode};

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
