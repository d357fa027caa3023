//! What only a local directory has: roots, devices, deep trees, the page cache.
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

use std::future::Future;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Waker};

use bytes::Bytes;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use sftpgo_model::StoragePath;
use sftpgo_storage::backend::local::{LocalBackend, LocalStorage};
use sftpgo_storage::registry::{BACKENDS, Backends};
use sftpgo_storage::{
    Chunk, FileKind, Links, OpenExisting, RenameMode, Storage, StorageErrorKind, Target, Usage,
    WriteOptions, WriteVisibility,
};

fn at(path: &str) -> Target {
    Target::unguarded(StoragePath::parse(path.as_bytes()).unwrap())
}

fn open(root: &Path) -> LocalStorage {
    LocalBackend::new().open(root).unwrap()
}

const UPLOAD: WriteOptions = WriteOptions {
    existing: OpenExisting::Truncate,
    create: true,
    visibility: WriteVisibility::InPlace,
    mode: 0o644,
    owner: (None, None),
};

#[test]
fn the_registry_lists_every_back_end_once() {
    let names: Vec<_> = BACKENDS.iter().map(|row| row.name).collect();
    assert_eq!(names, ["local", "s3", "gcs", "azblob", "memory"]);
}

#[test]
fn a_missing_or_relative_root_is_not_opened() {
    let keep = tempfile::tempdir().unwrap();
    let backends = Backends::new();
    std::fs::write(keep.path().join("file"), "x").unwrap();
    for (path, kind) in [
        (keep.path().join("missing"), StorageErrorKind::NotFound),
        (keep.path().join("file"), StorageErrorKind::NotADirectory),
        ("relative".into(), StorageErrorKind::InvalidPath),
        ("".into(), StorageErrorKind::InvalidPath),
    ] {
        assert_eq!(backends.local().open(&path).unwrap_err().kind(), kind);
    }
}

#[test]
fn a_root_is_made_with_its_parents_and_its_mode() {
    let keep = tempfile::tempdir().unwrap();
    let (backend, root) = (LocalBackend::new(), keep.path().join("a/b/home"));
    assert!(backend.create_root(&root, 0o770, (None, None)).unwrap());
    assert_eq!(root.metadata().unwrap().permissions().mode() & 0o777, 0o770);
    // One that is there stays as it is.
    assert!(
        !backend
            .create_root(&root, 0o700, (Some(1), Some(1)))
            .unwrap()
    );
    assert_eq!(root.metadata().unwrap().permissions().mode() & 0o777, 0o770);
    let relative = backend.create_root(Path::new("relative"), 0o700, (None, None));
    assert_eq!(relative.unwrap_err().kind(), StorageErrorKind::InvalidPath);
    std::fs::write(keep.path().join("file"), "x").unwrap();
    assert!(
        backend
            .create_root(&keep.path().join("file"), 0o700, (None, None))
            .is_err()
    );
    assert!(
        backend
            .create_root(&keep.path().join("file/home"), 0o700, (None, None))
            .is_err()
    );
}

#[tokio::test]
async fn a_root_that_was_removed_holds_nothing() {
    let keep = tempfile::tempdir().unwrap();
    let root = keep.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let storage = open(&root);
    std::fs::remove_dir(&root).unwrap();
    let kind = storage
        .open_write(&at("file"), &UPLOAD)
        .await
        .unwrap_err()
        .kind();
    assert_eq!(kind, StorageErrorKind::NotFound);
    let missing = storage
        .stat(&at("dir/file"), Links::Follow)
        .await
        .unwrap_err()
        .kind();
    assert_eq!(missing, StorageErrorKind::NotFound);
}

#[tokio::test]
async fn a_root_that_was_moved_is_still_the_root() {
    let keep = tempfile::tempdir().unwrap();
    let (root, other) = (keep.path().join("root"), keep.path().join("other"));
    std::fs::create_dir(&root).unwrap();
    let storage = open(&root);
    std::fs::rename(&root, &other).unwrap();
    std::fs::create_dir(&root).unwrap();
    storage
        .create_dir(&at("dir"), 0o755, (None, None))
        .await
        .unwrap();
    assert!(other.join("dir").is_dir() && !root.join("dir").exists());
}

#[tokio::test]
async fn pipes_and_devices_are_shown_and_never_opened() {
    for backend in [LocalBackend::new(), LocalBackend::with_component_walker()] {
        let keep = tempfile::tempdir().unwrap();
        let storage = backend.open(keep.path()).unwrap();
        // A pipe that nobody writes to would block whoever opens it.
        mknodat(CWD, keep.path().join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(keep.path().join("socket")).unwrap();
        symlink("pipe", keep.path().join("link")).unwrap();
        let denied = StorageErrorKind::PermissionDenied;
        for name in ["pipe", "socket", "link"] {
            let stat = storage.stat(&at(name), Links::Follow).await.unwrap();
            assert_eq!(stat.kind, FileKind::Other);
            assert_eq!(
                storage.open_read(&at(name)).await.unwrap_err().kind(),
                denied
            );
            assert_eq!(
                storage.truncate(&at(name), 0).await.unwrap_err().kind(),
                denied
            );
            for existing in [OpenExisting::Truncate, OpenExisting::Keep] {
                for visibility in [WriteVisibility::InPlace, WriteVisibility::OnFinish] {
                    let options = WriteOptions {
                        existing,
                        visibility,
                        ..UPLOAD
                    };
                    let opened = storage.open_write(&at(name), &options).await;
                    assert_eq!(opened.unwrap_err().kind(), denied);
                }
            }
            storage.space(&at(name)).await.unwrap();
        }
        assert_eq!(storage.usage().await.unwrap(), Usage::default());
        storage
            .rename(&at("pipe"), &at("moved"), RenameMode::NoReplace)
            .await
            .unwrap();
        assert_eq!(
            storage.remove_file(&at("moved")).await.unwrap().kind,
            FileKind::Other
        );
    }
}

#[tokio::test]
async fn a_tree_deeper_than_the_descriptors_held_is_counted() {
    let keep = tempfile::tempdir().unwrap();
    let mut path = keep.path().to_path_buf();
    for n in 0..300 {
        for sibling in ["before", "zafter"] {
            std::fs::create_dir(path.join(sibling)).unwrap();
            std::fs::write(path.join(sibling).join("file"), "12").unwrap();
        }
        std::fs::write(path.join("file"), "1").unwrap();
        path.push(format!("{n}"));
        std::fs::create_dir(&path).unwrap();
    }
    let usage = open(keep.path()).usage().await.unwrap();
    assert_eq!(
        usage,
        Usage {
            files: 900,
            bytes: 1500
        }
    );
}

#[tokio::test]
async fn a_scan_that_nobody_waits_for_ends() {
    let keep = tempfile::tempdir().unwrap();
    let storage = open(keep.path());
    for _ in 0..20 {
        let mut scan = pin!(storage.usage());
        let mut context = Context::from_waker(Waker::noop());
        let _ = scan.as_mut().poll(&mut context);
    }
    // Each had a place of its own; with them gone there is one for this.
    storage.usage().await.unwrap();
}

#[tokio::test]
async fn a_file_in_the_page_cache_is_read_without_waiting() {
    let keep = tempfile::tempdir().unwrap();
    let storage = open(keep.path());
    std::fs::write(keep.path().join("file"), vec![b'x'; 100_000]).unwrap();
    let file = storage.open_read(&at("file")).await.unwrap();
    let mut buffer = Vec::new();
    match file.try_read_at(1000, 50_000, &mut buffer) {
        Some(read) => assert_eq!(read.unwrap(), 50_000),
        // The file system of the temporary directory may not be able to.
        None => assert!(buffer.is_empty()),
    }
}

#[tokio::test]
async fn temporary_names_are_those_of_the_reference() {
    let keep = tempfile::tempdir().unwrap();
    let storage = open(keep.path());
    let options = WriteOptions {
        visibility: WriteVisibility::OnFinish,
        ..UPLOAD
    };
    let upload = storage.open_write(&at("a file"), &options).await.unwrap();
    let name = only_name(keep.path());
    let rest = name.as_bytes().strip_prefix(b".sftpgo-upload.").unwrap();
    let (id, base) = rest.split_at(20);
    assert!(
        id.iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'))
    );
    assert_eq!(base, b".a file");
    upload.abort().await.unwrap();
}

/// The name of the one entry of a directory of the disk.
fn only_name(dir: &Path) -> String {
    let mut names = std::fs::read_dir(dir).unwrap();
    let name = names.next().unwrap().unwrap().file_name();
    assert!(names.next().is_none());
    name.into_string().unwrap()
}

#[tokio::test]
async fn the_file_of_a_running_upload_is_reached_by_its_handle_only() {
    let keep = tempfile::tempdir().unwrap();
    let storage = open(keep.path());
    let options = WriteOptions {
        visibility: WriteVisibility::OnFinish,
        ..UPLOAD
    };
    let upload = storage.open_write(&at("file"), &options).await.unwrap();
    let chunk = Chunk {
        offset: 0,
        pieces: vec![Bytes::from_static(b"part")],
    };
    upload.write_at(vec![chunk]).await.unwrap();
    let temporary = at(&only_name(keep.path()));
    let missing = StorageErrorKind::NotFound;
    let stat = storage.stat(&temporary, Links::NoFollow).await;
    assert_eq!(stat.unwrap_err().kind(), missing);
    let read = storage.open_read(&temporary).await;
    assert_eq!(read.unwrap_err().kind(), missing);
    let cut = storage.truncate(&temporary, 0).await;
    assert_eq!(cut.unwrap_err().kind(), missing);
    let moved = storage
        .rename(&temporary, &at("mine"), RenameMode::Replace)
        .await;
    assert_eq!(moved.unwrap_err().kind(), missing);
    let linked = storage.hard_link(&temporary, &at("mine")).await;
    assert_eq!(linked.unwrap_err().kind(), missing);
    let removed = storage.remove_file(&temporary).await;
    assert_eq!(removed.unwrap_err().kind(), missing);
    // Nor by a link that says its name.
    let text = temporary.path.as_bytes().to_vec();
    storage.symlink(&text, &at("link")).await.unwrap();
    let read = storage.open_read(&at("link")).await;
    assert_eq!(read.unwrap_err().kind(), missing);
    storage.remove_file(&at("link")).await.unwrap();
    let mut listing = storage.list(&at("")).await.unwrap();
    assert!(listing.next_page(10).await.unwrap().is_empty());
    assert_eq!(storage.usage().await.unwrap(), Usage::default());
    upload.finish().await.unwrap();
    assert_eq!(storage.usage().await.unwrap().bytes, 4);
}

#[tokio::test]
async fn what_a_crash_left_keeps_no_directory_and_counts_until_it_goes() {
    let keep = tempfile::tempdir().unwrap();
    let storage = open(keep.path());
    let dir = keep.path().join("dir");
    std::fs::create_dir(&dir).unwrap();
    let leftover = dir.join(".sftpgo-upload.v0123456789abcdefghi.file");
    std::fs::write(&leftover, "part").unwrap();
    std::fs::write(dir.join("file"), "1").unwrap();
    assert_eq!(storage.usage().await.unwrap().bytes, 5);
    let mut listing = storage.list(&at("dir")).await.unwrap();
    assert_eq!(listing.next_page(10).await.unwrap().len(), 1);
    let full = storage.remove_dir(&at("dir")).await;
    assert_eq!(
        full.unwrap_err().kind(),
        StorageErrorKind::DirectoryNotEmpty
    );
    assert!(leftover.exists());
    storage.remove_file(&at("dir/file")).await.unwrap();
    // One that lives does.
    let options = WriteOptions {
        visibility: WriteVisibility::OnFinish,
        ..UPLOAD
    };
    let upload = storage.open_write(&at("dir/new"), &options).await.unwrap();
    let full = storage.remove_dir(&at("dir")).await;
    assert_eq!(
        full.unwrap_err().kind(),
        StorageErrorKind::DirectoryNotEmpty
    );
    upload.abort().await.unwrap();
    storage.remove_dir(&at("dir")).await.unwrap();
    assert!(!dir.exists());
}

#[tokio::test]
async fn an_upload_whose_temporary_file_was_taken_away_fails() {
    let keep = tempfile::tempdir().unwrap();
    let storage = open(keep.path());
    std::fs::write(keep.path().join("file"), "old").unwrap();
    let options = WriteOptions {
        visibility: WriteVisibility::OnFinish,
        ..UPLOAD
    };
    for replace_it in [false, true] {
        let upload = storage.open_write(&at("file"), &options).await.unwrap();
        let chunk = Chunk {
            offset: 0,
            pieces: vec![Bytes::from_static(b"new")],
        };
        upload.write_at(vec![chunk]).await.unwrap();
        let temporary = std::fs::read_dir(keep.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.file_name().unwrap() != "file")
            .unwrap();
        std::fs::remove_file(&temporary).unwrap();
        if replace_it {
            symlink("/etc/passwd", &temporary).unwrap();
        }
        assert_eq!(
            upload.finish().await.unwrap_err().kind(),
            StorageErrorKind::NotFound
        );
        assert_eq!(std::fs::read(keep.path().join("file")).unwrap(), b"old");
    }
}

#[tokio::test]
async fn a_replacement_is_another_file_and_an_overwrite_is_the_same() {
    let keep = tempfile::tempdir().unwrap();
    let storage = open(keep.path());
    let path = keep.path().join("file");
    std::fs::write(&path, "old").unwrap();
    let before = path.metadata().unwrap().ino();
    storage
        .open_write(&at("file"), &UPLOAD)
        .await
        .unwrap()
        .finish()
        .await
        .unwrap();
    assert_eq!(path.metadata().unwrap().ino(), before);
    let options = WriteOptions {
        visibility: WriteVisibility::OnFinish,
        ..UPLOAD
    };
    storage
        .open_write(&at("file"), &options)
        .await
        .unwrap()
        .finish()
        .await
        .unwrap();
    assert_ne!(path.metadata().unwrap().ino(), before);
}

#[tokio::test]
async fn directories_keep_the_bits_of_their_administrator() {
    let keep = tempfile::tempdir().unwrap();
    let storage = open(keep.path());
    storage
        .create_dir(&at("dir"), 0o755, (None, None))
        .await
        .unwrap();
    let path = keep.path().join("dir");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o3755)).unwrap();
    let changes = sftpgo_storage::SetAttributes {
        mode: Some(0o700),
        ..Default::default()
    };
    storage
        .set_attributes(&at("dir"), &changes, Links::Follow)
        .await
        .unwrap();
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o3700);
}

#[tokio::test]
async fn links_into_proc_are_not_magic() {
    // With `/` as root every absolute link stays inside; those of /proc must be taken by their text.
    let storage = open(Path::new("/"));
    let keep = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(keep.path().join("file")).unwrap();
    std::fs::remove_file(keep.path().join("file")).unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
    let path = at(&format!("proc/{}/fd/{fd}", std::process::id()));
    let stat = storage.stat(&path, Links::Follow).await;
    assert_eq!(stat.unwrap_err().kind(), StorageErrorKind::NotFound);
}

/// A caller may stop waiting for a write (its client is gone); what is told about the file afterwards must stay true.
#[tokio::test]
async fn a_write_nobody_waits_for_changes_nothing_after_the_end() {
    use futures_util::FutureExt as _;
    // Not the temporary directory, which may be in memory, where writes never go on by themselves.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let storage = open(directory.path());
    let piece = Bytes::from(vec![7_u8; 1 << 20]);
    let mut told = Vec::new();
    for round in 0..60 {
        let name = format!("f{round}");
        let handle = storage.open_write(&at(&name), &UPLOAD).await.unwrap();
        for offset in 0..4 {
            let chunk = Chunk {
                offset: offset << 22,
                pieces: vec![piece.clone(); 4],
            };
            // Started, and given up at once.
            let _ = handle.write_at(vec![chunk]).now_or_never();
        }
        let (kept, _) = if round % 2 == 0 {
            handle.abort().await.unwrap().unwrap()
        } else {
            handle.finish().await.unwrap()
        };
        told.push((name, kept.size));
    }
    for (name, size) in told {
        assert_eq!(
            std::fs::metadata(directory.path().join(&name))
                .unwrap()
                .len(),
            size,
            "{name}"
        );
    }
}
