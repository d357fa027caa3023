//! Names: every one that Azure keeps is kept as it is, and the others are refused.

use sftpgo_storage::{Links, RenameMode, Storage as _, StorageErrorKind};

use super::{OPTIONS, at, folder, names, read, subject, write};

#[tokio::test]
async fn names_with_anything_in_them_are_written_listed_renamed_and_removed() {
    let subject = subject().await;
    let storage = &subject.storage;
    let odd = [
        " leading and trailing ",
        "a+b&c=d?e#f%25",
        "<tag attribute=\"x\">'&amp;",
        "..hidden..x",
        "日本語 😀 é",
        "semi;colon,comma:at@dollar$",
        "[brackets]{braces}|pipe^caret`tick~",
        "100%",
        "\u{fffd}\u{202e}",
    ];
    for name in odd {
        for parent in ["dir", "moved"] {
            folder(storage, &format!("{parent} {name}")).await;
        }
        let path = format!("dir {name}/{name}");
        write(storage, &path, name.as_bytes()).await.unwrap();
        assert_eq!(names(storage, &format!("dir {name}")).await, [name]);
        assert_eq!(read(storage, &path).await.unwrap(), name.as_bytes());
        let moved = format!("moved {name}/{name}");
        storage
            .rename(&at(&path), &at(&moved), RenameMode::NoReplace)
            .await
            .unwrap();
        assert_eq!(subject.content(&moved).await.unwrap(), name.as_bytes());
        storage.remove_file(&at(&moved)).await.unwrap();
        for parent in ["dir", "moved"] {
            let path = at(&format!("{parent} {name}"));
            storage.remove_dir(&path).await.unwrap();
        }
    }
    assert!(names(storage, "").await.is_empty());
}

#[tokio::test]
async fn a_name_that_would_be_another_at_the_store_is_refused_and_touches_nothing() {
    let subject = subject().await;
    let storage = &subject.storage;
    folder(storage, "a").await;
    write(storage, "a/b", b"old").await.unwrap();
    write(storage, "c", b"old").await.unwrap();
    for name in ["a\\b", "c.", "c..", "a./b"] {
        let made = storage.open_write(&at(name), &OPTIONS).await.err().unwrap();
        assert_eq!(made.kind(), StorageErrorKind::InvalidPath, "{name}");
        let made = storage.create_dir(&at(name), 0o755, (None, None)).await;
        assert_eq!(made.unwrap_err().kind(), StorageErrorKind::InvalidPath);
        let moved = storage
            .rename(&at("c"), &at(name), RenameMode::Replace)
            .await;
        assert_eq!(moved.unwrap_err().kind(), StorageErrorKind::InvalidPath);
        let gone = storage.remove_file(&at(name)).await;
        assert_eq!(gone.unwrap_err().kind(), StorageErrorKind::InvalidPath);
        let read = storage.open_read(&at(name)).await.err().unwrap();
        assert_eq!(read.kind(), StorageErrorKind::InvalidPath);
    }
    assert_eq!(names(storage, "").await, ["a", "c"]);
    assert_eq!(read(storage, "a/b").await.unwrap(), b"old");
    assert_eq!(read(storage, "c").await.unwrap(), b"old");
}

#[tokio::test]
async fn a_blob_that_marks_a_directory_for_hadoop_is_no_file() {
    let subject = subject().await;
    let storage = &subject.storage;
    let mark = [("x-ms-meta-hdi_isfolder", "true")];
    subject.other("dir", &mark).await;
    subject.other("dir/sub", &mark).await;
    subject.other("dir/file", &[]).await;
    write(storage, "dir/new", b"text").await.unwrap();
    assert_eq!(names(storage, "").await, ["dir"]);
    assert_eq!(names(storage, "dir").await, ["file", "new"]);
    let dir = storage.stat(&at("dir"), Links::Follow).await.unwrap();
    assert!(dir.is_dir());
    let made = storage
        .open_write(&at("dir"), &OPTIONS)
        .await
        .err()
        .unwrap();
    assert_eq!(made.kind(), StorageErrorKind::IsADirectory);
}

#[tokio::test]
async fn the_longest_name_is_a_thousand_and_twenty_three_characters() {
    let subject = subject().await;
    let storage = &subject.storage;
    // More bytes than that, and a URL that is too long for the source of a copy.
    let name = ["ü".repeat(127), "ü".repeat(127), "ü".repeat(100)].join("/");
    folder(storage, &"ü".repeat(127)).await;
    folder(storage, &["ü".repeat(127), "ü".repeat(127)].join("/")).await;
    write(storage, &name, b"text").await.unwrap();
    storage
        .rename(&at(&name), &at("short"), RenameMode::NoReplace)
        .await
        .unwrap();
    assert_eq!(read(storage, "short").await.unwrap(), b"text");
    let long = vec!["x".repeat(204); 5].join("/");
    assert_eq!(long.len(), 1024);
    let refused = storage
        .open_write(&at(&long), &OPTIONS)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.kind(), StorageErrorKind::InvalidPath);
}
