//! Random operations on a tree in memory and on local directories end alike: same results, same errors, same tree.
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use sftpgo_model::StoragePath;
use sftpgo_storage::backend::local::LocalBackend;
use sftpgo_storage::backend::memory::MemoryStorage;
use sftpgo_storage::{
    Chunk, FileKind, Links, Metadata, OpenExisting, RenameMode, SetAttributes, Storage,
    StorageErrorKind, StorageResult, Target, Usage, WriteOptions, WriteVisibility,
};

#[derive(Debug, Clone)]
enum Text {
    Relative(&'static str),
    Inside(&'static str),
    Outside(&'static str),
}

#[derive(Debug, Clone, Copy)]
enum End {
    Finish,
    Abort,
    Drop,
}

#[derive(Debug, Clone)]
enum Op {
    Write {
        path: Vec<u8>,
        options: WriteOptions,
        len: usize,
        end: End,
    },
    CreateDir(Vec<u8>),
    RemoveFile(Vec<u8>),
    RemoveDir(Vec<u8>),
    Rename(Vec<u8>, Vec<u8>, RenameMode),
    Symlink(Text, Vec<u8>),
    ReadLink(Vec<u8>),
    HardLink(Vec<u8>, Vec<u8>),
    Chmod(Vec<u8>, u32, Links),
    Truncate(Vec<u8>, u64),
    Stat(Vec<u8>, Links),
    Read(Vec<u8>),
    List(Vec<u8>),
    Space(Vec<u8>),
    Usage,
}

/// What can be compared: no times, no identities, no sizes of directories.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Attributes(Option<Seen>),
    Finished(Seen, Option<Seen>),
    Bytes(Vec<u8>),
    Names(Vec<(Vec<u8>, Seen)>),
    Usage(Usage),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    kind: u8,
    mode: u32,
    size: u64,
    links: u64,
}

fn seen(metadata: &Metadata) -> Seen {
    let (size, links) = match metadata.kind {
        FileKind::File => (metadata.size, metadata.links),
        // The texts of absolute links differ in length.
        FileKind::Symlink => (0, metadata.links),
        FileKind::Directory | FileKind::Other => (0, 0),
    };
    Seen {
        kind: metadata.kind as u8,
        mode: metadata.mode,
        size,
        links,
    }
}

struct Subject {
    storage: Arc<dyn Storage>,
    root_path: Vec<u8>,
}

fn at(path: &[u8]) -> Target {
    Target::unguarded(StoragePath::parse(path).unwrap())
}

impl Subject {
    fn text(&self, text: &Text) -> Vec<u8> {
        match text {
            Text::Relative(text) | Text::Outside(text) => text.as_bytes().to_vec(),
            Text::Inside(text) => [&self.root_path, text.as_bytes()].concat(),
        }
    }

    /// The text without what differs between the storages.
    fn plain(&self, text: Vec<u8>) -> Vec<u8> {
        match text.strip_prefix(self.root_path.as_slice()) {
            Some(rest) => [b"ROOT", rest].concat(),
            None => text,
        }
    }

    async fn apply(&self, op: &Op) -> Result<Outcome, StorageErrorKind> {
        self.try_apply(op).await.map_err(|error| error.kind())
    }

    async fn try_apply(&self, op: &Op) -> StorageResult<Outcome> {
        let storage = &self.storage;
        let attributes =
            |metadata: Option<Metadata>| Outcome::Attributes(metadata.as_ref().map(seen));
        Ok(match op {
            Op::Write {
                path,
                options,
                len,
                end,
            } => self.write(path, options, *len, *end).await?,
            Op::CreateDir(path) => storage
                .create_dir(&at(path), 0o755, (None, None))
                .await
                .map(|()| Outcome::Done)?,
            Op::RemoveFile(path) => attributes(Some(storage.remove_file(&at(path)).await?)),
            Op::RemoveDir(path) => storage
                .remove_dir(&at(path))
                .await
                .map(|()| Outcome::Done)?,
            Op::Rename(from, to, mode) => {
                attributes(storage.rename(&at(from), &at(to), *mode).await?)
            }
            Op::Symlink(text, link) => storage
                .symlink(&self.text(text), &at(link))
                .await
                .map(|()| Outcome::Done)?,
            Op::ReadLink(path) => Outcome::Bytes(self.plain(storage.read_link(&at(path)).await?)),
            Op::HardLink(from, to) => {
                attributes(Some(storage.hard_link(&at(from), &at(to)).await?))
            }
            Op::Chmod(path, mode, links) => {
                let changes = SetAttributes {
                    mode: Some(*mode),
                    ..SetAttributes::default()
                };
                storage.set_attributes(&at(path), &changes, *links).await?;
                Outcome::Done
            }
            Op::Truncate(path, size) => attributes(Some(storage.truncate(&at(path), *size).await?)),
            Op::Stat(path, links) => attributes(Some(storage.stat(&at(path), *links).await?)),
            Op::Read(path) => {
                let file = storage.open_read(&at(path)).await?;
                Outcome::Bytes(file.read_at(0, 1 << 16, Vec::new()).await?)
            }
            Op::List(path) => Outcome::Names(self.names(path).await?),
            Op::Space(path) => storage.space(&at(path)).await.map(|_| Outcome::Done)?,
            Op::Usage => Outcome::Usage(storage.usage().await?),
        })
    }

    async fn write(
        &self,
        path: &[u8],
        options: &WriteOptions,
        len: usize,
        end: End,
    ) -> StorageResult<Outcome> {
        let upload = self.storage.open_write(&at(path), options).await?;
        let replaced = upload.replaced().map(seen);
        let chunk = Chunk {
            offset: 1,
            pieces: vec![Bytes::from(vec![b'x'; len])],
        };
        upload.write_at(vec![chunk]).await?;
        let finished = match end {
            End::Finish => Some(upload.finish().await?),
            End::Abort => upload.abort().await?,
            End::Drop => {
                drop(upload);
                None
            }
        };
        Ok(match finished {
            Some((metadata, removed)) => {
                Outcome::Finished(seen(&metadata), removed.as_ref().map(seen).or(replaced))
            }
            None => Outcome::Attributes(replaced),
        })
    }

    async fn names(&self, path: &[u8]) -> StorageResult<Vec<(Vec<u8>, Seen)>> {
        let mut listing = self.storage.list(&at(path)).await?;
        let mut names = Vec::new();
        loop {
            let page = listing.next_page(3).await?;
            if page.is_empty() {
                break;
            }
            names.extend(
                page.into_iter()
                    .map(|entry| (entry.name, seen(&entry.metadata))),
            );
        }
        names.sort();
        Ok(names)
    }

    /// Every path with what is there.
    async fn tree(&self) -> Vec<(Vec<u8>, Seen, Vec<u8>)> {
        let mut tree = Vec::new();
        let mut todo = vec![Vec::new()];
        while let Some(dir) = todo.pop() {
            for (name, seen) in self.names(&dir).await.unwrap() {
                let path = if dir.is_empty() {
                    name
                } else {
                    [dir.as_slice(), b"/", &name].concat()
                };
                let contents = if seen.kind == FileKind::File as u8 {
                    let file = self.storage.open_read(&at(&path)).await.unwrap();
                    file.read_at(0, 1 << 16, Vec::new()).await.unwrap()
                } else if seen.kind == FileKind::Symlink as u8 {
                    self.plain(self.storage.read_link(&at(&path)).await.unwrap())
                } else {
                    todo.push(path.clone());
                    Vec::new()
                };
                tree.push((path, seen, contents));
            }
        }
        tree.sort();
        tree
    }
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    let name = || prop::sample::select(vec![b"a".to_vec(), b"b".to_vec(), b"\xff".to_vec()]);
    prop_oneof![
        1 => Just(Vec::new()),
        6 => name(),
        6 => (name(), name()).prop_map(|(a, b)| [a, b].join(&b'/')),
        3 => (name(), name(), name()).prop_map(|(a, b, c)| [a, b, c].join(&b'/')),
    ]
}

fn text() -> impl Strategy<Value = Text> {
    let relative = [
        "a", "b", "./a/", "../a", "../b/a", "..", ".", "a/..", "a/../b", "a/b", "../../a",
    ];
    prop_oneof![
        6 => prop::sample::select(relative.to_vec()).prop_map(Text::Relative),
        2 => prop::sample::select(vec!["", "/a", "/b/a", "/a/../b", "/.."]).prop_map(Text::Inside),
        1 => prop::sample::select(vec!["/", "/etc/passwd", "../../../etc"]).prop_map(Text::Outside),
    ]
}

fn options() -> impl Strategy<Value = WriteOptions> {
    use OpenExisting::{Keep, Refuse, Truncate};
    use WriteVisibility::{InPlace, OnFinish, OnFinishKeepPartial};
    (
        prop::sample::select(vec![Refuse, Truncate, Truncate, Keep]),
        prop::sample::select(vec![InPlace, OnFinish, OnFinishKeepPartial]),
        prop::bool::weighted(0.9),
        prop::sample::select(vec![0o600, 0o644, 0o666]),
    )
        .prop_map(|(existing, visibility, create, mode)| WriteOptions {
            existing,
            create,
            visibility,
            mode,
            owner: (None, None),
        })
}

fn op() -> impl Strategy<Value = Op> {
    let links = || prop::sample::select(vec![Links::Follow, Links::NoFollow]);
    let mode = prop::sample::select(vec![RenameMode::Replace, RenameMode::NoReplace]);
    let end = prop::sample::select(vec![End::Finish, End::Finish, End::Abort, End::Drop]);
    prop_oneof![
        6 => (path(), options(), 0..50_usize, end)
            .prop_map(|(path, options, len, end)| Op::Write { path, options, len, end }),
        5 => path().prop_map(Op::CreateDir),
        2 => path().prop_map(Op::RemoveFile),
        2 => path().prop_map(Op::RemoveDir),
        6 => (path(), path(), mode).prop_map(|(from, to, mode)| Op::Rename(from, to, mode)),
        4 => (text(), path()).prop_map(|(text, link)| Op::Symlink(text, link)),
        1 => path().prop_map(Op::ReadLink),
        3 => (path(), path()).prop_map(|(from, to)| Op::HardLink(from, to)),
        1 => (path(), prop::sample::select(vec![0o700, 0o755, 0o2777, 0o644 | 0o100]), links())
            .prop_map(|(path, mode, links)| Op::Chmod(path, mode, links)),
        1 => (path(), 0..40_u64).prop_map(|(path, size)| Op::Truncate(path, size)),
        2 => (path(), links()).prop_map(|(path, links)| Op::Stat(path, links)),
        1 => path().prop_map(Op::Read),
        1 => path().prop_map(Op::List),
        1 => path().prop_map(Op::Space),
        1 => Just(Op::Usage),
    ]
}

async fn run(ops: &[Op]) -> Result<(), TestCaseError> {
    let memory = Subject {
        storage: Arc::new(MemoryStorage::new(1 << 20)),
        root_path: MemoryStorage::ROOT_PATH.to_vec(),
    };
    for backend in [LocalBackend::new(), LocalBackend::with_component_walker()] {
        let root = tempfile::tempdir().unwrap();
        let local = Subject {
            storage: Arc::new(backend.open(root.path()).unwrap()),
            root_path: root.path().as_os_str().as_encoded_bytes().to_vec(),
        };
        let memory = Subject {
            storage: Arc::new(MemoryStorage::new(1 << 20)),
            ..copy(&memory)
        };
        for (step, op) in ops.iter().enumerate() {
            let expected = memory.apply(op).await;
            let got = local.apply(op).await;
            prop_assert_eq!(&got, &expected, "step {}: {:?}", step, op);
        }
        prop_assert_eq!(local.tree().await, memory.tree().await);
        agrees_with_the_kernel(&local, root.path()).await?;
        prop_assert_eq!(
            local.storage.usage().await.unwrap(),
            memory.storage.usage().await.unwrap()
        );
    }
    Ok(())
}

/// Where the walk ends well, the kernel ends too; and it finds nothing that the walk has missed.
async fn agrees_with_the_kernel(local: &Subject, root: &Path) -> Result<(), TestCaseError> {
    let names: [&[u8]; 3] = [b"a", b"b", b"\xff"];
    let mut paths: Vec<Vec<u8>> = names.iter().map(|name| name.to_vec()).collect();
    for _ in 0..2 {
        let longer: Vec<_> = paths
            .iter()
            .flat_map(|path| {
                names
                    .iter()
                    .map(move |name| [path.as_slice(), name].join(&b'/'))
            })
            .collect();
        paths.extend(longer);
    }
    for path in paths {
        let kernel = std::fs::metadata(root.join(OsStr::from_bytes(&path)));
        match (local.storage.stat(&at(&path), Links::Follow).await, kernel) {
            (Ok(ours), Ok(kernel)) => {
                prop_assert_eq!(ours.id.map(|id| id.inode), Some(kernel.ino()));
            }
            (Ok(_), Err(error)) => prop_assert!(false, "{:?}: the kernel says {}", path, error),
            (Err(error), Ok(_)) => {
                prop_assert_eq!(
                    error.kind(),
                    StorageErrorKind::PermissionDenied,
                    "{:?}",
                    path
                );
            }
            (Err(_), Err(_)) => {}
        }
    }
    Ok(())
}

fn copy(subject: &Subject) -> Subject {
    Subject {
        storage: Arc::clone(&subject.storage),
        root_path: subject.root_path.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_local_agree(ops in prop::collection::vec(op(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&ops))?;
    }
}
