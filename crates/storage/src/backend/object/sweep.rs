//! Uploads in parts that nobody ends: what a server that was killed left in the bucket, unseen and paid for.
//!
//! Nobody can tell whose an upload is, so only what stands still is given up: it began long ago, no part of it came for as long,
//! and it is none of this process. Another server's upload, or another program's, that goes on is left alone.
//!
//! Where files are continued by objects that are put behind them, such an object is left by who is killed in between; listings
//! leave it out, and remove it as late.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::storage::Inner;
use super::store::{Listed, ObjectErrorKind, ObjectResult, OpenUpload};
use super::upload::is_rest;
use crate::error::StorageResult;
use crate::metadata::FileTime;

/// A prefix is looked at so often at most, whoever logs in.
const OFTEN: Duration = Duration::from_secs(3600);
/// Prefixes that are looked at side by side.
const AT_A_TIME: usize = 2;

/// What the process knows of its uploads, and of what it has looked at. A clone is the same.
#[derive(Debug, Clone)]
pub(super) struct Sweeper {
    after: Option<Duration>,
    shared: Arc<Shared>,
}

struct Shared {
    /// Names of uploads that go on here.
    running: Mutex<HashSet<String>>,
    looked: Mutex<HashMap<(String, String), Instant>>,
    turns: Semaphore,
}

impl fmt::Debug for Shared {
    /// Names of uploads are secrets of some stores.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Sweeper {
    /// Gives up what stood still for so long; nothing without.
    pub(super) fn new(after: Option<Duration>) -> Self {
        Self {
            after,
            shared: Arc::new(Shared {
                running: Mutex::default(),
                looked: Mutex::default(),
                turns: Semaphore::new(AT_A_TIME),
            }),
        }
    }

    /// An upload goes on here.
    pub(super) fn began(&self, id: &str) {
        self.shared.running.lock().insert(id.to_owned());
    }

    /// It has ended.
    pub(super) fn ended(&self, id: &str) {
        self.shared.running.lock().remove(id);
    }

    fn is_running(&self, id: &str) -> bool {
        self.shared.running.lock().contains(id)
    }

    /// How long something must stand still, if this prefix was not looked at lately.
    fn due(&self, store: &str, prefix: &str) -> Option<Duration> {
        let after = self.after?;
        let often = OFTEN.min(after);
        let now = Instant::now();
        let mut looked = self.shared.looked.lock();
        looked.retain(|_, at| now.saturating_duration_since(*at) < often);
        let key = (store.to_owned(), prefix.to_owned());
        if looked.contains_key(&key) {
            return None;
        }
        looked.insert(key, now);
        Some(after)
    }
}

impl Inner {
    /// Whether a server made this object of `folder` to continue a file, and was killed before it was part of that.
    pub(super) fn is_left(&self, folder: &str, object: &Listed) -> bool {
        let Some(after) = self.engine.sweeper.after else {
            return false;
        };
        let name = object.key.strip_prefix(folder);
        name.is_some_and(is_rest) && object.modified <= before(after)
    }

    /// Removes what was left, beside whoever has found it.
    pub(super) fn remove_left(&self, keys: Vec<String>) {
        if keys.is_empty() {
            return;
        }
        let calls = self.calls.clone();
        let remove = async move {
            for key in keys {
                // What fails is found again by the next listing.
                let _ = calls.delete(&key).await;
            }
        };
        drop(self.engine.tasks.spawn(remove));
    }

    /// Gives up what stands still below the prefix; how many that were.
    pub(super) async fn sweep(&self) -> StorageResult<u64> {
        let sweeper = &self.engine.sweeper;
        let prefix = &self.settings.prefix;
        let Some(after) = sweeper.due(self.calls.identity(), prefix) else {
            return Ok(0);
        };
        let Ok(_turn) = sweeper.shared.turns.acquire().await else {
            return Ok(0);
        };
        let before = before(after);
        let mut given_up = 0_u64;
        let mut continuation = None;
        loop {
            let page = self
                .calls
                .list_uploads(prefix, continuation.as_deref())
                .await;
            let page = match page {
                // Its uploads end by themselves, or it says so where there is none, as `rclone serve s3` does.
                Err(error)
                    if matches!(
                        error.kind(),
                        ObjectErrorKind::Unsupported | ObjectErrorKind::NoSuchUpload
                    ) =>
                {
                    return Ok(given_up);
                }
                page => page?,
            };
            for upload in &page.uploads {
                if self.is_abandoned(upload, before).await? && self.give_up_upload(upload).await? {
                    given_up = given_up.saturating_add(1);
                }
            }
            continuation = page.continuation;
            if continuation.is_none() {
                return Ok(given_up);
            }
        }
    }

    async fn is_abandoned(&self, upload: &OpenUpload, before: FileTime) -> ObjectResult<bool> {
        if upload.begun > before || self.engine.sweeper.is_running(&upload.to.id) {
            return Ok(false);
        }
        match self.calls.last_part(&upload.to).await {
            Ok(last) => Ok(last.is_none_or(|last| last <= before)),
            // Ended meanwhile.
            Err(error) if error.kind() == ObjectErrorKind::NoSuchUpload => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn give_up_upload(&self, upload: &OpenUpload) -> ObjectResult<bool> {
        match self.calls.abort_upload(&upload.to).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ObjectErrorKind::NoSuchUpload => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The time as long ago.
fn before(after: Duration) -> FileTime {
    let then = SystemTime::now().checked_sub(after);
    let since = then.and_then(|then| then.duration_since(SystemTime::UNIX_EPOCH).ok());
    let since = since.unwrap_or_default();
    FileTime {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: since.subsec_nanos(),
    }
}
