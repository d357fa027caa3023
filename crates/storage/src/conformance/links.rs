//! Symbolic and hard links.

use super::fixture::{EVERY_VISIBILITY, Fixture, IN_PLACE, NOBODY, at, chunk, kind};
use crate::error::StorageErrorKind::{
    AlreadyExists, InvalidArgument, NotADirectory, NotFound, PermissionDenied, Unavailable,
};
use crate::error::StorageResult;
use crate::storage::{Links, OpenExisting, RenameMode, WriteOptions};

pub(super) async fn the_text_of_a_link_is_kept(fixture: Fixture) {
    let texts: [&[u8]; 6] = [
        b"a",
        b"../..//x/./",
        b"/etc/passwd",
        b"\xff\xfe",
        b"a b\n",
        &[b'x'; 4000],
    ];
    for (n, text) in texts.into_iter().enumerate() {
        let link = format!("{n}");
        if !fixture.symlink(text, &link).await {
            return;
        }
        assert_eq!(fixture.storage.read_link(&at(&link)).await.unwrap(), text);
        assert!(fixture.stat(&link).await.unwrap().is_symlink());
        assert_eq!(
            kind(fixture.storage.symlink(b"again", &at(&link)).await),
            AlreadyExists
        );
    }
    for text in [b"".as_slice(), b"a\0b"] {
        assert_eq!(
            kind(fixture.storage.symlink(text, &at("bad")).await),
            InvalidArgument
        );
    }
    fixture.write("file", "x").await;
    for not_a_link in ["file", ""] {
        let read = fixture.storage.read_link(&at(not_a_link)).await;
        assert_eq!(kind(read), InvalidArgument);
    }
}

pub(super) async fn links_are_followed_on_the_way_and_at_the_end(fixture: Fixture) {
    fixture.create_dir("real").await;
    fixture.write("real/file", "text").await;
    if !fixture.symlink("real", "dir").await {
        return;
    }
    fixture.symlink("dir/file", "file").await;
    fixture.symlink("file", "chain").await;
    for path in ["dir/file", "file", "chain"] {
        assert_eq!(fixture.read(path).await, b"text");
        assert!(fixture.follow(path).await.unwrap().is_file());
    }
    assert!(fixture.stat("chain").await.unwrap().is_symlink());
    assert!(fixture.stat("dir/file").await.unwrap().is_file());
    // Writing goes through the link and leaves it.
    for options in EVERY_VISIBILITY {
        let upload = fixture.open_write("chain", &options).await;
        upload.write_at(vec![chunk(0, "new")]).await.unwrap();
        upload.finish().await.unwrap();
        assert!(fixture.stat("chain").await.unwrap().is_symlink());
        assert!(fixture.stat("real/file").await.unwrap().is_file());
        assert_eq!(fixture.read("real/file").await, b"new");
    }
    fixture.create_dir("dir/made").await;
    fixture
        .storage
        .rename(&at("dir/made"), &at("dir/moved"), RenameMode::Replace)
        .await
        .unwrap();
    fixture.storage.remove_dir(&at("dir/moved")).await.unwrap();
    fixture.storage.remove_file(&at("dir/file")).await.unwrap();
    assert!(fixture.names("real").await.is_empty());
}

pub(super) async fn parents_in_a_link_are_those_of_its_real_place(fixture: Fixture) {
    fixture.create_dir("a").await;
    fixture.create_dir("a/b").await;
    fixture.write("a/file", "in a").await;
    fixture.write("file", "in the root").await;
    if !fixture.symlink("a/b", "short").await {
        return;
    }
    // `short/../file` is `a/file`, not `file`.
    fixture.symlink("short/../file", "up").await;
    assert_eq!(fixture.read("up").await, b"in a");
    fixture.symlink("..", "a/b/up").await;
    assert_eq!(fixture.read("a/b/up/file").await, b"in a");
    assert_eq!(fixture.names("a/b/up").await, fixture.names("a").await);
    fixture.symlink("../../.", "a/b/top").await;
    assert_eq!(fixture.read("a/b/top/file").await, b"in the root");
    assert!(fixture.follow("a/b/top").await.unwrap().is_dir());
    fixture.symlink("missing/../file", "through nothing").await;
    assert_eq!(kind(fixture.follow("through nothing").await), NotFound);
}

pub(super) async fn absolute_links_inside_are_followed(fixture: Fixture) {
    let inside = |path: &str| [&fixture.root_path, path.as_bytes()].concat();
    fixture.create_dir("dir").await;
    fixture.write("dir/file", "text").await;
    if !fixture.symlink(inside("/dir/file"), "dir/link").await {
        return;
    }
    fixture.symlink(inside("//./dir"), "dir/again").await;
    fixture.symlink(inside(""), "dir/root").await;
    fixture
        .symlink(inside("/dir/../dir/file"), "dir/around")
        .await;
    for path in [
        "dir/link",
        "dir/again/file",
        "dir/root/dir/file",
        "dir/around",
    ] {
        assert_eq!(fixture.read(path).await, b"text");
    }
    fixture.symlink(inside("/dir/../.."), "above").await;
    fixture.symlink(inside("x/dir"), "beside").await;
    for path in ["above", "beside", "above/etc"] {
        assert_eq!(kind(fixture.follow(path).await), PermissionDenied);
    }
}

pub(super) async fn a_dangling_link_is_not_found_but_there(fixture: Fixture) {
    if !fixture.symlink("nowhere", "link").await {
        return;
    }
    let storage = &fixture.storage;
    assert_eq!(kind(fixture.follow("link").await), NotFound);
    assert_eq!(kind(storage.list(&at("link")).await), NotFound);
    assert_eq!(kind(storage.open_read(&at("link")).await), NotFound);
    assert_eq!(kind(fixture.stat("link/x").await), NotFound);
    assert!(fixture.stat("link").await.unwrap().is_symlink());
    storage.remove_file(&at("link")).await.unwrap();
    assert!(fixture.names("").await.is_empty());
}

pub(super) async fn writing_through_a_dangling_link_makes_its_target(fixture: Fixture) {
    fixture.create_dir("dir").await;
    for (n, options) in EVERY_VISIBILITY.into_iter().enumerate() {
        let (text, link) = (format!("dir/{n}"), format!("link {n}"));
        if !fixture.symlink(&text, &link).await {
            return;
        }
        let upload = fixture.open_write(&link, &options).await;
        upload.write_at(vec![chunk(0, "made")]).await.unwrap();
        upload.finish().await.unwrap();
        assert!(fixture.stat(&text).await.unwrap().is_file());
        assert!(fixture.stat(&link).await.unwrap().is_symlink());
        assert_eq!(fixture.read(&link).await, b"made");
    }
    assert_eq!(fixture.names("dir").await.len(), 3);
}

pub(super) async fn exclusive_creation_does_not_follow(fixture: Fixture) {
    fixture.write("file", "old").await;
    if !fixture.symlink("nowhere", "dangling").await {
        return;
    }
    fixture.symlink("file", "link").await;
    for options in EVERY_VISIBILITY {
        let options = WriteOptions {
            existing: OpenExisting::Refuse,
            ..options
        };
        for path in ["dangling", "link"] {
            let opened = fixture.storage.open_write(&at(path), &options).await;
            assert_eq!(kind(opened), AlreadyExists);
        }
    }
    assert!(fixture.is_missing("nowhere").await);
}

pub(super) async fn loops_end(fixture: Fixture) {
    if !fixture.symlink("loop", "loop").await {
        return;
    }
    fixture.symlink("b", "a").await;
    fixture.symlink("./a", "b").await;
    for path in ["loop", "a", "loop/x", "b/x/y"] {
        assert_eq!(kind(fixture.follow(path).await), Unavailable);
        let opened = fixture.storage.open_write(&at(path), &IN_PLACE).await;
        assert_eq!(kind(opened), Unavailable);
    }
    assert!(fixture.stat("loop").await.unwrap().is_symlink());
}

pub(super) async fn long_chains_of_links_end(fixture: Fixture) {
    fixture.write("0", "text").await;
    for n in 1..=60 {
        if !fixture.symlink(format!("{}", n - 1), format!("{n}")).await {
            return;
        }
    }
    assert_eq!(fixture.read("30").await, b"text");
    assert_eq!(kind(fixture.follow("60").await), Unavailable);
    // A link that is all `..`: long, but it ends.
    fixture.create_dir("dir").await;
    let text = "dir/../".repeat(500) + "0";
    fixture.symlink(&text, "zigzag").await;
    assert_eq!(fixture.read("zigzag").await, b"text");
}

/// Every way to use `path` where a link in it leads out.
async fn is_closed(fixture: &Fixture, path: &str) {
    let (storage, target) = (&fixture.storage, at(path));
    assert_eq!(kind(fixture.follow(path).await), PermissionDenied);
    assert_eq!(kind(storage.list(&target).await), PermissionDenied);
    assert_eq!(kind(storage.open_read(&target).await), PermissionDenied);
    for options in EVERY_VISIBILITY {
        assert_eq!(
            kind(storage.open_write(&target, &options).await),
            PermissionDenied
        );
        let keep = WriteOptions {
            existing: OpenExisting::Keep,
            ..options
        };
        assert_eq!(
            kind(storage.open_write(&target, &keep).await),
            PermissionDenied
        );
    }
    assert_eq!(kind(storage.truncate(&target, 0).await), PermissionDenied);
    assert_eq!(kind(storage.space(&target).await), PermissionDenied);
}

/// Every way to change names where a link on the way leads out.
async fn is_closed_below(fixture: &Fixture, path: &str) {
    fn denied<T>(result: StorageResult<T>) {
        assert_eq!(kind(result), PermissionDenied);
    }
    let (storage, target) = (&fixture.storage, at(format!("{path}/name")));
    denied(fixture.stat(format!("{path}/name")).await);
    denied(storage.create_dir(&target, 0o755, NOBODY).await);
    denied(storage.remove_file(&target).await);
    denied(storage.remove_dir(&target).await);
    denied(storage.symlink(b"x", &target).await);
    denied(storage.read_link(&target).await);
    denied(
        storage
            .rename(&target, &at("free"), RenameMode::Replace)
            .await,
    );
    denied(
        storage
            .rename(&at("file"), &target, RenameMode::Replace)
            .await,
    );
    denied(storage.hard_link(&target, &at("free")).await);
    denied(storage.hard_link(&at("file"), &target).await);
}

pub(super) async fn links_that_leave_are_refused(fixture: Fixture) {
    fixture.create_dir("dir").await;
    fixture.write("file", "x").await;
    for text in [
        "..",
        "../..",
        "/",
        "/etc",
        "/nowhere",
        "../nowhere",
        "dir/../..",
        "dir/../../x",
    ] {
        if !fixture.symlink(text, "link").await {
            return;
        }
        fixture.symlink("../link", "dir/via").await;
        for link in ["link", "dir/via"] {
            is_closed(&fixture, link).await;
            is_closed_below(&fixture, link).await;
        }
        fixture.storage.remove_file(&at("dir/via")).await.unwrap();
        fixture.storage.remove_file(&at("link")).await.unwrap();
    }
}

pub(super) async fn links_that_leave_can_be_handled_themselves(fixture: Fixture) {
    if !fixture.symlink("/etc/passwd", "link").await {
        return;
    }
    assert!(fixture.stat("link").await.unwrap().is_symlink());
    assert_eq!(
        fixture.storage.read_link(&at("link")).await.unwrap(),
        b"/etc/passwd"
    );
    assert!(
        fixture
            .list("", 10)
            .await
            .iter()
            .all(|entry| entry.metadata.is_symlink())
    );
    fixture
        .storage
        .rename(&at("link"), &at("moved"), RenameMode::NoReplace)
        .await
        .unwrap();
    assert!(
        fixture
            .storage
            .remove_file(&at("moved"))
            .await
            .unwrap()
            .is_symlink()
    );
    assert_eq!(fixture.usage().await.files, 0);
}

pub(super) async fn a_link_with_a_slash_wants_a_directory(fixture: Fixture) {
    fixture.write("file", "x").await;
    fixture.create_dir("dir").await;
    if !fixture.symlink("file/", "bad").await {
        return;
    }
    fixture.symlink("file/.", "bad too").await;
    fixture.symlink("dir/", "good").await;
    for path in ["bad", "bad too"] {
        assert_eq!(kind(fixture.follow(path).await), NotADirectory);
        let opened = fixture.storage.open_write(&at(path), &IN_PLACE).await;
        assert_eq!(kind(opened), NotADirectory);
    }
    assert!(fixture.follow("good").await.unwrap().is_dir());
    fixture.symlink("new/", "no file").await;
    assert_eq!(
        kind(fixture.storage.open_write(&at("no file"), &IN_PLACE).await),
        NotFound
    );
}

pub(super) async fn hard_links_are_further_names(fixture: Fixture) {
    if !fixture.can().hard_link {
        return;
    }
    fixture.write("one", "text").await;
    let metadata = fixture
        .storage
        .hard_link(&at("one"), &at("two"))
        .await
        .unwrap();
    assert_eq!((metadata.size, metadata.links), (4, 2));
    assert_eq!(metadata.id, fixture.stat("one").await.unwrap().id);
    assert_eq!(
        kind(fixture.storage.hard_link(&at("one"), &at("two")).await),
        AlreadyExists
    );
    assert_eq!(
        fixture.storage.remove_file(&at("one")).await.unwrap().links,
        2
    );
    assert_eq!(fixture.read("two").await, b"text");
    assert_eq!(
        fixture
            .storage
            .stat(&at("two"), Links::Follow)
            .await
            .unwrap()
            .links,
        1
    );
    if fixture.symlink("two", "link").await {
        let linked = fixture
            .storage
            .hard_link(&at("link"), &at("link 2"))
            .await
            .unwrap();
        assert!(linked.is_symlink(), "links are not followed");
    }
}
