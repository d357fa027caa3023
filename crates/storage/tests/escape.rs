//! Nobody leaves the root, nor reaches a closed directory, by swapping links for directories and files while others work.
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use sftpgo_model::StoragePath;
use sftpgo_storage::backend::local::{LocalBackend, LocalStorage};
use sftpgo_storage::{
    Chunk, FileTime, Guard, Links, OpenExisting, RenameMode, SetAttributes, Storage, Target,
    WriteOptions, WriteVisibility,
};
use tempfile::TempDir;

const SECRET: &[u8] = b"SECRET";
const PUBLIC: &[u8] = b"public";
/// Rounds of every operation by every worker.
const ROUNDS: usize = 40;

/// Swaps two names as fast as it can until it is dropped.
struct Swapper {
    stop: Arc<AtomicBool>,
    swaps: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Swapper {
    fn start(pairs: Vec<(PathBuf, PathBuf)>) -> Self {
        let (stop, swaps) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&swaps));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for (one, other) in &pairs {
                    if renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok() {
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        Self {
            stop,
            swaps,
            thread: Some(thread),
        }
    }
}

impl Drop for Swapper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        assert!(
            self.swaps.load(Ordering::Relaxed) > 0,
            "nothing was ever swapped"
        );
    }
}

/// Everything below a directory: digests of contents, modes and times of change.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (u64, u32, i64, i64)> {
    use std::os::unix::fs::MetadataExt;
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let contents = metadata.is_file().then(|| std::fs::read(&path).unwrap());
        let digest = BuildHasherDefault::<DefaultHasher>::default().hash_one(contents);
        if metadata.is_dir() {
            found.extend(snapshot(&path));
        }
        let times = (metadata.mtime(), metadata.ctime());
        found.insert(path, (digest, metadata.mode(), times.0, times.1));
    }
    found
}

/// What workers may read; reading anything else is the defect.
fn check_contents(bytes: &[u8]) {
    assert!(!bytes.starts_with(SECRET), "a secret was read");
}

struct Attack {
    storage: LocalStorage,
    guard: Option<Guard>,
    /// A directory that is a link half of the time.
    dir: &'static str,
    /// A file that is a link half of the time.
    file: &'static str,
    reached: AtomicU64,
    refused: AtomicU64,
}

impl Attack {
    fn at(&self, path: &str) -> Target {
        let path = StoragePath::parse(path.as_bytes()).unwrap();
        Target {
            guard: self.guard.clone(),
            ..Target::unguarded(path)
        }
    }

    fn count<T, E>(&self, result: &Result<T, E>) {
        let counter = if result.is_ok() {
            &self.reached
        } else {
            &self.refused
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    async fn read(&self, path: &str) {
        let opened = self.storage.open_read(&self.at(path)).await;
        self.count(&opened);
        if let Ok(file) = opened {
            check_contents(&file.read_at(0, 100, Vec::new()).await.unwrap());
            let mut buffer = Vec::new();
            let _ = file.try_read_at(0, 100, &mut buffer);
            check_contents(&buffer);
        }
    }

    async fn look(&self, path: &str) {
        for links in [Links::Follow, Links::NoFollow] {
            if let Ok(metadata) = self.storage.stat(&self.at(path), links).await {
                assert_ne!(metadata.size, 31337, "the secret was seen");
            }
        }
        let _ = self.storage.space(&self.at(path)).await;
    }

    async fn list(&self, path: &str) {
        if let Ok(mut listing) = self.storage.list(&self.at(path)).await {
            for entry in listing.next_page(1000).await.unwrap() {
                assert_ne!(entry.name, b"only outside", "a secret directory was listed");
            }
        }
    }

    async fn write(&self, path: &str) {
        for visibility in [
            WriteVisibility::InPlace,
            WriteVisibility::OnFinish,
            WriteVisibility::OnFinishKeepPartial,
        ] {
            for existing in [
                OpenExisting::Truncate,
                OpenExisting::Keep,
                OpenExisting::Refuse,
            ] {
                let options = WriteOptions {
                    existing,
                    create: true,
                    visibility,
                    mode: 0o600,
                    owner: (None, None),
                };
                let opened = self.storage.open_write(&self.at(path), &options).await;
                self.count(&opened);
                if let Ok(upload) = opened {
                    let chunk = Chunk {
                        offset: 0,
                        pieces: vec![Bytes::from_static(PUBLIC)],
                    };
                    upload.write_at(vec![chunk]).await.unwrap();
                    check_contents(&upload.read_at(0, 100, Vec::new()).await.unwrap());
                    let _ = upload.finish().await;
                }
            }
        }
        let _ = self.storage.truncate(&self.at(path), 3).await;
        let time = FileTime {
            seconds: 1,
            nanos: 0,
        };
        let changes = SetAttributes {
            owner: None,
            mode: Some(0o666),
            times: Some((time, time)),
        };
        for links in [Links::Follow, Links::NoFollow] {
            let _ = self
                .storage
                .set_attributes(&self.at(path), &changes, links)
                .await;
        }
    }

    async fn change_names(&self, worker: usize) {
        let dir = self.dir;
        let one = self.at(&format!("{dir}/made by {worker}"));
        let other = self.at(&format!("{dir}/moved by {worker}"));
        let (home, storage) = (self.at(&format!("kept {worker}")), &self.storage);
        let _ = storage.create_dir(&one, 0o700, (None, None)).await;
        let _ = storage.rename(&one, &other, RenameMode::Replace).await;
        let _ = storage.remove_dir(&other).await;
        let _ = storage.remove_dir(&one).await;
        let _ = storage.symlink(b"file", &one).await;
        let _ = storage.remove_file(&one).await;
        let _ = storage
            .rename(
                &self.at(&format!("{dir}/target")),
                &home,
                RenameMode::Replace,
            )
            .await;
        let _ = storage
            .hard_link(&self.at(&format!("{dir}/target")), &home)
            .await;
        if let Ok(file) = storage.open_read(&home).await {
            check_contents(&file.read_at(0, 100, Vec::new()).await.unwrap());
        }
        let _ = storage
            .rename(
                &home,
                &self.at(&format!("{dir}/target")),
                RenameMode::NoReplace,
            )
            .await;
        let _ = storage
            .remove_file(&self.at(&format!("{dir}/victim")))
            .await;
        let _ = storage.remove_dir(&self.at(&format!("{dir}/empty"))).await;
    }

    async fn worker(self: Arc<Self>, worker: usize) {
        let (dir, file) = (self.dir, self.file);
        for _ in 0..ROUNDS {
            self.read(&format!("{dir}/file")).await;
            self.read(&format!("{dir}/deep/file")).await;
            self.read(file).await;
            self.look(&format!("{dir}/file")).await;
            self.look(file).await;
            self.list(dir).await;
            self.list(&format!("{dir}/deep")).await;
            self.write(&format!("{dir}/file")).await;
            self.write(&format!("{dir}/new {worker}")).await;
            self.write(file).await;
            self.change_names(worker).await;
        }
    }
}

/// A directory with what the workers look for, holding `contents`.
fn fill(dir: &Path, contents: &[u8]) {
    std::fs::create_dir_all(dir.join("deep")).unwrap();
    std::fs::create_dir(dir.join("empty")).unwrap();
    for name in ["file", "deep/file", "target", "victim", "secret"] {
        std::fs::write(dir.join(name), contents).unwrap();
    }
}

/// A secret tree: its names and sizes tell it apart.
fn fill_secret(dir: &Path) {
    let mut contents = SECRET.to_vec();
    contents.resize(31337, b'!');
    fill(dir, &contents);
    std::fs::write(dir.join("only outside"), &contents).unwrap();
    std::fs::write(dir.join("deep/only outside"), &contents).unwrap();
}

/// Lets four workers loose on a root where `dir` and `file` are swapped for links with the given texts.
async fn attack(
    backend: LocalBackend,
    keep: &TempDir,
    secret: &Path,
    guard: Option<Guard>,
    texts: (&str, &str),
) {
    let root = keep.path().join("root");
    fill(&root.join("open/dir"), PUBLIC);
    std::fs::write(root.join("open/entry"), PUBLIC).unwrap();
    std::os::unix::fs::symlink(texts.0, root.join("open/dir decoy")).unwrap();
    std::os::unix::fs::symlink(texts.1, root.join("open/entry decoy")).unwrap();
    let before = snapshot(secret);
    let swapper = Swapper::start(vec![
        (root.join("open/dir"), root.join("open/dir decoy")),
        (root.join("open/entry"), root.join("open/entry decoy")),
    ]);
    let attack = Arc::new(Attack {
        storage: backend.open(&root).unwrap(),
        guard,
        dir: "open/dir",
        file: "open/entry",
        reached: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    });
    let workers: Vec<_> = (0..4)
        .map(|n| tokio::spawn(Arc::clone(&attack).worker(n)))
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    drop(swapper);
    assert_eq!(snapshot(secret), before, "something outside has changed");
    let (reached, refused) = (
        attack.reached.load(Ordering::Relaxed),
        attack.refused.load(Ordering::Relaxed),
    );
    assert!(
        reached > 0 && refused > 0,
        "no race: {reached} reached, {refused} refused"
    );
}

async fn swapped_links_never_leave(backend: LocalBackend) {
    for absolute in [false, true] {
        let keep = tempfile::tempdir().unwrap();
        let outside = keep.path().join("outside");
        fill_secret(&outside);
        let text = if absolute {
            outside.to_str().unwrap()
        } else {
            "../../outside"
        };
        let texts = (text, &*format!("{text}/secret"));
        attack(backend.clone(), &keep, &outside, None, texts).await;
    }
}

async fn swapped_links_never_open_a_closed_directory(backend: LocalBackend) {
    let keep = tempfile::tempdir().unwrap();
    let closed = keep.path().join("root/closed");
    fill_secret(&closed);
    let path = StoragePath::parse(b"closed").unwrap();
    let guard: Guard = Arc::new(move |real| !real.is_within(&path));
    attack(
        backend,
        &keep,
        &closed,
        Some(guard),
        ("../closed", "../closed/secret"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapped_links_never_leave_with_openat2() {
    swapped_links_never_leave(LocalBackend::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapped_links_never_leave_without_openat2() {
    swapped_links_never_leave(LocalBackend::with_component_walker()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapped_links_never_open_a_closed_directory_with_openat2() {
    swapped_links_never_open_a_closed_directory(LocalBackend::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapped_links_never_open_a_closed_directory_without_openat2() {
    swapped_links_never_open_a_closed_directory(LocalBackend::with_component_walker()).await;
}
