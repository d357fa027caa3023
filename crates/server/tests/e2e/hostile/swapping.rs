//! Somebody on the server swaps a directory with a link to a place outside while clients work through it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use aws_lc_rs::digest::{SHA256, digest};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use sftpgo_testkit::{Account, FileClient as _, Scp, Sftp, SshClient, TestServer};
use sftpgo_wire::sftp::Attrs;
use tempfile::TempDir;

use super::super::requests::Ask;

const ROUNDS: usize = 150;
const SECRET: &[u8] = b"secret of somebody else";

/// Swaps two names without a pause until it is dropped.
struct Swapper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Swapper {
    fn start(one: PathBuf, other: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut swaps = 0;
            while !asked.load(Ordering::Relaxed) {
                swaps +=
                    u64::from(renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).is_ok());
            }
            swaps
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// Stops; how often it swapped.
    fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Swapper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Names, contents, modes and times of a directory with files.
fn state(directory: &Path) -> Vec<(String, Vec<u8>, u32, i64)> {
    let mut state: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, content, metadata.mode(), metadata.mtime())
        })
        .collect();
    state.sort();
    state
}

/// Every kind of request through the name that is swapped. Whatever is refused is fine.
async fn work(sftp: &mut Sftp, round: usize) {
    match sftp.get(b"/dir/file").await {
        Ok(content) => assert!(!content.starts_with(b"secret"), "the secret was read"),
        Err(refused) => assert!(!refused.message.contains("outside"), "{refused:?}"),
    }
    for entry in sftp.list(b"/dir").await.unwrap_or_default() {
        assert_ne!(entry.name, b"only-outside", "the outside was listed");
    }
    if let Ok(stat) = sftp.stat(b"/dir/file").await {
        assert_ne!(stat.size, SECRET.len() as u64, "the outside was looked at");
    }
    assert!(sftp.lstat(b"/dir/only-outside").await.is_err());
    drop(sftp.put(b"/dir/file", b"inside").await);
    drop(sftp.put(b"/dir/new", b"inside").await);
    let times = Attrs {
        times: Some((1, 1)),
        permissions: Some(0o600),
        ..Attrs::EMPTY
    };
    drop(sftp.setstat(b"/dir/file", &times).await);
    drop(sftp.remove(b"/dir/only-outside").await);
    drop(sftp.rename(b"/dir/only-outside", b"/mine").await);
    drop(sftp.rename(b"/dir/file", b"/dir/file2").await);
    drop(sftp.rename(b"/dir/file2", b"/dir/file").await);
    drop(sftp.symlink(b"file", b"/dir/link").await);
    drop(sftp.remove(b"/dir/link").await);
    if Ask::HardLink(b"/dir/file", b"/taken")
        .of(sftp)
        .await
        .is_ok()
    {
        assert_ne!(sftp.get(b"/taken").await.unwrap(), SECRET, "it was linked");
        sftp.remove(b"/taken").await.unwrap();
    }
    drop(Ask::HardLink(b"/own", b"/dir/linked").of(sftp).await);
    drop(sftp.remove(b"/dir/linked").await);
    if let Ok(reply) = Ask::Digest(b"/dir/file").of(sftp).await {
        let secret = digest(&SHA256, SECRET);
        assert!(!reply.ends_with(secret.as_ref()), "its digest was told");
    }
    let made = format!("/dir/d{}", round % 3);
    drop(sftp.mkdir(made.as_bytes()).await);
    drop(sftp.rmdir(made.as_bytes()).await);
    drop(sftp.remove(b"/dir/new").await);
}

/// The same by SCP: files, whole trees, and patterns.
async fn copy(ssh: &SshClient, flags: &str, stream: &[u8]) {
    let mut scp = Scp::start(ssh, flags).await.unwrap();
    scp.send(stream.to_vec());
    scp.eof();
    let (answer, _) = scp.rest().await;
    let shows = |text: &[u8]| answer.windows(text.len()).any(|part| part == text);
    assert!(!shows(SECRET), "the secret was sent");
    assert!(!shows(b"only-outside\n"), "the outside was listed");
}

async fn copy_all(ssh: &SshClient) {
    // Replies enough for whatever comes.
    let agrees = [0; 64];
    copy(ssh, "-f /dir/file", &agrees).await;
    copy(ssh, "-r -f /dir", &agrees).await;
    copy(ssh, "-r -f /", &agrees).await;
    copy(ssh, "-f /dir/*", &agrees).await;
    copy(ssh, "-f /*/o*", &agrees).await;
    copy(ssh, "-t /dir/file", b"C0644 6 f\ninside\0").await;
    let tree = b"T1 0 1 0\nD0700 0 dir\nT1 0 1 0\nC0600 6 file\ninside\0E\n";
    copy(ssh, "-r -p -t /", tree).await;
}

async fn attack(
    mode: u8,
    account: Account,
    outside: &Path,
    server_side: impl Fn(&Path) -> PathBuf,
) {
    let server = TestServer::builder()
        .upload_mode(mode)
        .set("sftpd.enabled_ssh_commands", vec!["scp"])
        .start()
        .await;
    server.add(account).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    fs::create_dir(home.join("dir")).unwrap();
    fs::write(home.join("dir/file"), b"inside").unwrap();
    fs::write(home.join("own"), b"own").unwrap();
    let target = server_side(&home);
    if target != outside {
        // The secret lies in a closed directory of the home.
        fs::create_dir(&target).unwrap();
        for name in ["file", "only-outside"] {
            fs::write(target.join(name), SECRET).unwrap();
        }
    }
    symlink(&target, home.join("link")).unwrap();
    let before = state(&target);
    let swapper = Swapper::start(home.join("dir"), home.join("link"));
    for round in 0..ROUNDS {
        work(&mut sftp, round).await;
        if round % 3 == 0 {
            copy_all(sftp.ssh()).await;
        }
    }
    let swaps = swapper.stop();
    assert!(swaps > 100, "only {swaps} swaps");
    assert_eq!(state(&target), before);
    assert!(!home.join("mine").exists());
}

fn outside() -> TempDir {
    let outside = tempfile::tempdir().unwrap();
    for name in ["file", "only-outside"] {
        fs::write(outside.path().join(name), SECRET).unwrap();
    }
    outside
}

#[tokio::test]
async fn a_directory_swapped_with_a_link_leads_nobody_outside() {
    let outside = outside();
    for mode in [0, 1] {
        let path = outside.path().to_owned();
        attack(mode, Account::new("alice"), outside.path(), |_| {
            path.clone()
        })
        .await;
    }
}

#[tokio::test]
async fn a_directory_swapped_with_a_link_opens_no_closed_directory() {
    let nowhere = Path::new("/");
    for mode in [0, 1] {
        let account = Account::new("alice").permit("/closed", "");
        attack(mode, account, nowhere, |home| home.join("closed")).await;
    }
}
