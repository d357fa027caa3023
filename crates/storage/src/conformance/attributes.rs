//! Attributes, sizes and sums.

use super::fixture::{Fixture, IN_PLACE, at, chunk, kind};
use crate::error::StorageErrorKind::{InvalidArgument, Unsupported};
use crate::metadata::{FileTime, SetAttributes};
use crate::storage::{Links, Usage};

const ACCESSED: FileTime = FileTime {
    seconds: 1_234_567_890,
    nanos: 0,
};
const MODIFIED: FileTime = FileTime {
    seconds: 1_234_567_891,
    nanos: 500_000_000,
};
const TIMES: SetAttributes = SetAttributes {
    owner: None,
    mode: None,
    times: Some((ACCESSED, MODIFIED)),
};
const MODE: SetAttributes = SetAttributes {
    owner: None,
    mode: Some(0o640),
    times: None,
};

pub(super) async fn every_given_attribute_is_applied(fixture: Fixture) {
    fixture.write("file", "x").await;
    fixture.create_dir("dir").await;
    let storage = &fixture.storage;
    if !fixture.can().set_attributes {
        let result = storage
            .set_attributes(&at("file"), &TIMES, Links::Follow)
            .await;
        if !fixture.can().set_modified {
            assert_eq!(kind(result), Unsupported);
            return;
        }
        result.unwrap();
        let before = fixture.stat("file").await.unwrap();
        assert_eq!(before.modified, MODIFIED);
        for path in ["file", "dir"] {
            let before = fixture.stat(path).await.unwrap();
            storage
                .set_attributes(&at(path), &MODE, Links::Follow)
                .await
                .unwrap();
            assert_eq!(fixture.stat(path).await.unwrap(), before);
        }
        assert_eq!(fixture.read("file").await, b"x");
        return;
    }
    for path in ["file", "dir"] {
        let before = fixture.stat(path).await.unwrap();
        // One's own owner may be set by anybody.
        let owner = Some((Some(before.uid), Some(before.gid)));
        let changes = SetAttributes {
            owner,
            mode: Some(0o700),
            ..TIMES
        };
        storage
            .set_attributes(&at(path), &changes, Links::Follow)
            .await
            .unwrap();
        let after = fixture.stat(path).await.unwrap();
        assert_eq!(after.mode & 0o777, 0o700);
        assert_eq!((after.accessed, after.modified), (ACCESSED, MODIFIED));
        assert_eq!((after.uid, after.gid), (before.uid, before.gid));
        storage
            .set_attributes(&at(path), &MODE, Links::NoFollow)
            .await
            .unwrap();
        let last = fixture.stat(path).await.unwrap();
        assert_eq!((last.mode & 0o777, last.modified), (0o640, MODIFIED));
        storage
            .set_attributes(&at(path), &SetAttributes::default(), Links::Follow)
            .await
            .unwrap();
        assert_eq!(fixture.stat(path).await.unwrap(), last);
    }
}

pub(super) async fn mode_takes_the_low_nine_bits_only(fixture: Fixture) {
    if !fixture.can().set_attributes {
        return;
    }
    fixture.write("file", "x").await;
    fixture.create_dir("dir").await;
    for path in ["file", "dir"] {
        let changes = SetAttributes {
            mode: Some(0o107_755),
            ..SetAttributes::default()
        };
        fixture
            .storage
            .set_attributes(&at(path), &changes, Links::Follow)
            .await
            .unwrap();
        assert_eq!(fixture.stat(path).await.unwrap().mode & 0o7777, 0o755);
    }
}

pub(super) async fn attributes_of_a_link_itself(fixture: Fixture) {
    fixture.write("file", "x").await;
    if !fixture.can().set_attributes || !fixture.symlink("file", "link").await {
        return;
    }
    let storage = &fixture.storage;
    let before = fixture.stat("file").await.unwrap();
    storage
        .set_attributes(&at("link"), &TIMES, Links::NoFollow)
        .await
        .unwrap();
    assert_eq!(fixture.stat("link").await.unwrap().modified, MODIFIED);
    assert_eq!(fixture.stat("file").await.unwrap(), before);
    let mode = storage
        .set_attributes(&at("link"), &MODE, Links::NoFollow)
        .await;
    assert_eq!(kind(mode), Unsupported);
    storage
        .set_attributes(&at("link"), &MODE, Links::Follow)
        .await
        .unwrap();
    assert_eq!(fixture.stat("file").await.unwrap().mode & 0o777, 0o640);
}

pub(super) async fn attributes_out_of_range_are_refused(fixture: Fixture) {
    if !fixture.can().set_attributes {
        return;
    }
    fixture.write("file", "x").await;
    let before = fixture.stat("file").await.unwrap();
    // The last two mean "now" and "leave it" to utimensat(2).
    for nanos in [1_000_000_000, u32::MAX, (1 << 30) - 1, (1 << 30) - 2] {
        let times = Some((ACCESSED, FileTime { seconds: 0, nanos }));
        let changes = SetAttributes {
            times,
            ..SetAttributes::default()
        };
        let result = fixture
            .storage
            .set_attributes(&at("file"), &changes, Links::Follow)
            .await;
        assert_eq!(kind(result), InvalidArgument);
    }
    let owner = Some((Some(u32::MAX), None));
    let changes = SetAttributes {
        owner,
        ..SetAttributes::default()
    };
    let result = fixture
        .storage
        .set_attributes(&at("file"), &changes, Links::Follow)
        .await;
    assert_eq!(kind(result), InvalidArgument);
    assert_eq!(fixture.stat("file").await.unwrap(), before);
}

pub(super) async fn attributes_of_an_open_file(fixture: Fixture) {
    if !fixture.can().set_attributes {
        return;
    }
    fixture.write("file", "x").await;
    let file = fixture.storage.open_read(&at("file")).await.unwrap();
    let changes = SetAttributes {
        mode: Some(0o600),
        ..TIMES
    };
    file.set_attributes(&changes).await.unwrap();
    let after = fixture.stat("file").await.unwrap();
    assert_eq!((after.mode & 0o777, after.modified), (0o600, MODIFIED));
    let upload = fixture.open_write("file", &IN_PLACE).await;
    upload.set_attributes(&MODE).await.unwrap();
    assert_eq!(upload.stat().await.unwrap().mode & 0o777, 0o640);
    upload.finish().await.unwrap();
}

pub(super) async fn truncate_cuts_and_extends(fixture: Fixture) {
    fixture.write("file", "0123456789").await;
    let storage = &fixture.storage;
    if !fixture.can().truncate {
        assert_eq!(kind(storage.truncate(&at("file"), 1).await), Unsupported);
        return;
    }
    assert_eq!(storage.truncate(&at("file"), 4).await.unwrap().size, 10);
    assert_eq!(storage.truncate(&at("file"), 6).await.unwrap().size, 4);
    assert_eq!(fixture.read("file").await, b"0123\0\0");
    assert_eq!(
        kind(storage.truncate(&at("file"), u64::MAX).await),
        InvalidArgument
    );
    if fixture.symlink("file", "link").await {
        storage.truncate(&at("link"), 1).await.unwrap();
        assert_eq!(fixture.read("file").await, b"0");
    }
}

pub(super) async fn space_is_known_where_declared(fixture: Fixture) {
    fixture.write("file", "x").await;
    for path in ["", "file"] {
        let space = fixture.storage.space(&at(path)).await;
        if !fixture.can().space {
            assert_eq!(kind(space), Unsupported);
            continue;
        }
        let space = space.unwrap();
        assert!(space.fragment_size > 0 && space.blocks > 0 && space.name_max > 0);
        assert!(space.blocks_available <= space.blocks_free && space.blocks_free <= space.blocks);
    }
}

pub(super) async fn usage_counts_every_name_of_a_regular_file(fixture: Fixture) {
    assert_eq!(fixture.usage().await, Usage::default());
    fixture.create_dir("a").await;
    fixture.create_dir("a/b").await;
    fixture.create_dir("a/empty").await;
    fixture.write("one", "1").await;
    fixture.write("a/two", "22").await;
    fixture.write("a/b/four", "4444").await;
    let mut expected = Usage { files: 3, bytes: 7 };
    assert_eq!(fixture.usage().await, expected);
    if fixture.symlink("a", "link").await {
        fixture.symlink("../one", "a/link").await;
        fixture.symlink("/", "a/out").await;
        assert_eq!(fixture.usage().await, expected);
    }
    if fixture.can().hard_link {
        fixture
            .storage
            .hard_link(&at("a/two"), &at("a/two again"))
            .await
            .unwrap();
        expected = Usage { files: 4, bytes: 9 };
        assert_eq!(fixture.usage().await, expected);
    }
    let upload = fixture.open_write("one", &IN_PLACE).await;
    upload.write_at(vec![chunk(0, "123")]).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(fixture.usage().await.bytes, expected.bytes + 2);
}
