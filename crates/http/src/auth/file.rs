//! [`UserFile`]: the password file, looked at for each request and read again when it changed.
//!
//! Times of files are coarse: what was changed within the last moments may change once more and keep its time. Until such
//! a file is older, it is read for each request, which for a few lines costs nothing.

use std::fs::{File, Metadata};
use std::hash::RandomState;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::users::Users;

const SETTING: &str = "httpd.auth_user_file";
/// Longest file that is read.
const MOST: u64 = 1024 * 1024;
/// A disk that does not answer in that time refuses everybody.
const PATIENCE: Duration = Duration::from_secs(5);
/// After so long, a change shows in the time of the file.
const SETTLED: Duration = Duration::from_secs(2);

/// The file at its path.
pub(super) struct UserFile {
    path: Arc<Path>,
    /// Of tokio, and held while the disk is waited for: who comes meanwhile wants the same answer.
    state: Arc<Mutex<State>>,
    hangs: AtomicBool,
}

/// What was seen last.
struct State {
    stamp: Result<Stamp, String>,
    /// Whether a change would show in the stamp.
    settled: bool,
    content: Zeroizing<Vec<u8>>,
    users: Result<Arc<Users>, String>,
    /// What the operator should know of it.
    warnings: Vec<String>,
    picker: RandomState,
}

/// What tells a file from a changed one without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Device, inode and time of the last change of either: a file that was moved there, with an old time.
    identity: [i128; 4],
}

impl UserFile {
    /// Reads the file. Blocks.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub(super) fn open(path: PathBuf) -> Result<Self, String> {
        let picker = RandomState::new();
        let state = State::read(&path, &picker);
        if let Err(reason) = &state.users {
            return Err(format!("{}: {reason}", path.display()));
        }
        state.news().tell(&path);
        Ok(Self {
            path: path.into(),
            state: Arc::new(Mutex::new(state)),
            hangs: AtomicBool::new(false),
        })
    }

    /// Who is in it now; `None` if nobody can tell, which the log explains.
    pub(super) async fn users(&self) -> Option<Arc<Users>> {
        let looked = async {
            let mut state = Arc::clone(&self.state).lock_owned().await;
            let path = Arc::clone(&self.path);
            let look = tokio::task::spawn_blocking(move || {
                let news = state.refresh(&path);
                (state.users.clone().ok(), news)
            });
            let (users, news) = look.await.ok()?;
            if let Some(news) = news {
                news.tell(&self.path);
            }
            users
        };
        if let Ok(users) = tokio::time::timeout(PATIENCE, looked).await {
            self.hangs.store(false, Ordering::Relaxed);
            return users;
        }
        if !self.hangs.swap(true, Ordering::Relaxed) {
            tracing::error!(
                sender = "httpd",
                "{SETTING}: {} cannot be looked at, its disk does not answer: every request is refused meanwhile",
                self.path.display()
            );
        }
        None
    }
}

impl State {
    /// Looks, and reads if something changed; what the log should say of it.
    fn refresh(&mut self, path: &Path) -> Option<News> {
        let stamp = std::fs::metadata(path).map(|metadata| Stamp::of(&metadata));
        let same = match (&stamp, &self.stamp) {
            (Ok(now), Ok(before)) => self.settled && now == before,
            (Err(now), Err(before)) => now.to_string() == *before,
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        };
        if same {
            return None;
        }
        let mut next = Self::read(path, &self.picker);
        let unchanged = match (&next.users, &self.users) {
            (Ok(_), Ok(_)) => next.content == self.content,
            (Err(now), Err(before)) => now == before && next.content == self.content,
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        };
        if unchanged {
            next.users = self.users.clone();
        }
        *self = next;
        (!unchanged).then(|| self.news())
    }

    fn read(path: &Path, picker: &RandomState) -> Self {
        let mut state = Self {
            stamp: Err(String::new()),
            settled: false,
            content: Zeroizing::default(),
            users: Err(String::new()),
            warnings: Vec::new(),
            picker: picker.clone(),
        };
        state.users = state.load(path).map(Arc::new);
        if let Err(reason) = &state.users
            && state.stamp.is_err()
        {
            state.stamp = Err(reason.clone());
        }
        state
    }

    fn load(&mut self, path: &Path) -> Result<Users, String> {
        let text = |error: std::io::Error| error.to_string();
        // Opening what is no file, a pipe say, may wait for ever.
        if !std::fs::metadata(path).map_err(text)?.is_file() {
            return Err("it is not a regular file".to_owned());
        }
        let begun = SystemTime::now();
        let file = File::open(path).map_err(text)?;
        let metadata = file.metadata().map_err(text)?;
        let stamp = Stamp::of(&metadata);
        self.settled = stamp.is_older_than(begun);
        self.stamp = Ok(stamp);
        let mut content = Zeroizing::default();
        let read = file.take(MOST + 1).read_to_end(&mut content);
        let length = read.map_err(text)?;
        if u64::try_from(length).is_ok_and(|length| length > MOST) {
            return Err(format!("it is longer than {MOST} bytes"));
        }
        self.content = content;
        let text = str::from_utf8(&self.content).map_err(|_| "it is not UTF-8".to_owned())?;
        let (users, warnings) = Users::parse(text, &self.picker)?;
        self.warnings = warnings;
        self.warnings.extend(exposed(&metadata));
        Ok(users)
    }

    fn news(&self) -> News {
        let users = self.users.as_ref();
        News {
            warnings: self.warnings.clone(),
            users: users.map(|users| users.len()).map_err(Clone::clone),
        }
    }
}

/// What the log says of a file that was read.
struct News {
    warnings: Vec<String>,
    /// How many there are.
    users: Result<usize, String>,
}

impl News {
    fn tell(&self, path: &Path) {
        let path = path.display();
        for warning in &self.warnings {
            tracing::warn!(sender = "httpd", "{SETTING}: {path}: {warning}");
        }
        match &self.users {
            Ok(count) => tracing::info!(
                sender = "httpd",
                "{SETTING}: {path} was read, {count} users may log in"
            ),
            Err(reason) => tracing::error!(
                sender = "httpd",
                "{SETTING}: {path}: {reason}: every request is refused until that is put right"
            ),
        }
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            identity: identity(metadata),
        }
    }

    fn is_older_than(&self, now: SystemTime) -> bool {
        let age = self.modified.and_then(|time| now.duration_since(time).ok());
        age.is_some_and(|age| age >= SETTLED)
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> [i128; 4] {
    use std::os::unix::fs::MetadataExt as _;
    let (device, inode) = (metadata.dev(), metadata.ino());
    let (changed, rest) = (metadata.ctime(), metadata.ctime_nsec());
    [device.into(), inode.into(), changed.into(), rest.into()]
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> [i128; 4] {
    [0; 4]
}

/// A warning, if everybody on the machine can read the hashes.
#[cfg(unix)]
fn exposed(metadata: &Metadata) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let open = metadata.permissions().mode() & 0o004 != 0;
    open.then(|| "everybody on this machine can read it (chmod o= takes that away)".to_owned())
}

#[cfg(not(unix))]
fn exposed(_: &Metadata) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::fs::FileTimes;

    use super::super::users::Found;
    use super::*;

    const LINE: &str = "alice:$apr1$gLnIkRIf$Xr/6aJfmIrihP4b2N2tcs/\n";

    struct Fixture {
        file: UserFile,
        path: PathBuf,
        _directory: tempfile::TempDir,
    }

    fn fixture() -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        fs::write(&path, LINE).unwrap();
        Fixture {
            file: UserFile::open(path.clone()).unwrap(),
            path,
            _directory: directory,
        }
    }

    impl Fixture {
        async fn has(&self, name: &str) -> Option<bool> {
            let users = self.file.users().await?;
            Some(matches!(users.find(name), Found::Hash(_)))
        }
    }

    #[tokio::test]
    async fn a_change_counts_for_the_next_request() {
        let fixture = fixture();
        assert_eq!(fixture.has("alice").await, Some(true));
        // At once, and of the same length.
        fs::write(&fixture.path, LINE.replace("alice", "erica")).unwrap();
        assert_eq!(fixture.has("alice").await, Some(false));
        assert_eq!(fixture.has("erica").await, Some(true));
    }

    #[tokio::test]
    async fn a_file_that_breaks_refuses_everybody_until_it_is_put_right() {
        let fixture = fixture();
        for broken in [&b"alice"[..], b"alice:\"x", b"a:b:c", b"\xff:x"] {
            fs::write(&fixture.path, broken).unwrap();
            assert_eq!(fixture.has("alice").await, None);
            fs::write(&fixture.path, LINE).unwrap();
            assert_eq!(fixture.has("alice").await, Some(true));
        }
        fs::remove_file(&fixture.path).unwrap();
        assert_eq!(fixture.has("alice").await, None);
        fs::create_dir(&fixture.path).unwrap();
        assert_eq!(fixture.has("alice").await, None);
        fs::remove_dir(&fixture.path).unwrap();
        fs::write(&fixture.path, LINE).unwrap();
        assert_eq!(fixture.has("alice").await, Some(true));
    }

    #[tokio::test]
    async fn an_old_file_that_did_not_change_is_not_read() {
        let fixture = fixture();
        let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
        let times = FileTimes::new().set_modified(an_hour_ago);
        let file = File::options().write(true).open(&fixture.path).unwrap();
        file.set_times(times).unwrap();
        let first = fixture.file.users().await.unwrap();
        let state = fixture.file.state.lock().await;
        assert!(state.settled);
        drop(state);
        let second = fixture.file.users().await.unwrap();
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn what_cannot_be_used_does_not_open() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        let error = UserFile::open(missing.clone()).err().unwrap();
        assert!(error.starts_with(missing.to_str().unwrap()), "{error}");
        let error = UserFile::open(directory.path().to_owned()).err().unwrap();
        assert!(error.ends_with("it is not a regular file"), "{error}");
        let large = directory.path().join("large");
        let lines = "#".repeat(usize::try_from(MOST).unwrap() + 1);
        fs::write(&large, lines).unwrap();
        let error = UserFile::open(large).err().unwrap();
        assert!(error.contains("longer than"), "{error}");
    }
}
