//! Which users' files are being scanned, and how many at a time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use sftpgo_model::UnixMillis;
use tokio::sync::{MutexGuard, Semaphore, SemaphorePermit};

/// Walks at a time that administrators asked for, on all disks together; each disk has fewer places for them.
const WALKS: usize = 32;
/// Scans that may be listed: those that run, and those that wait.
const LISTED: usize = 10_000;

/// A scan in the list of those that are not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaScan {
    /// Whose files.
    pub username: String,
    /// When it was asked for.
    pub started: UnixMillis,
}

/// The scans of this server.
#[derive(Debug)]
pub(crate) struct Scans {
    users: Mutex<HashMap<String, Arc<UserScan>>>,
    listed: Arc<Mutex<BTreeMap<String, Listed>>>,
    walks: Semaphore,
}

#[derive(Debug)]
struct Listed {
    started: UnixMillis,
    /// After a program several may follow each other.
    scans: usize,
}

/// Why a scan is not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotListed {
    /// This user's files are being scanned.
    Running,
    /// Too many wait already.
    TooMany,
}

impl Default for Scans {
    fn default() -> Self {
        Self {
            users: Mutex::default(),
            listed: Arc::default(),
            walks: Semaphore::new(WALKS),
        }
    }
}

impl Scans {
    /// The turns of a user.
    pub(crate) fn of(&self, username: &str) -> Arc<UserScan> {
        let mut scans = self.users.lock();
        scans.retain(|_, scan| Arc::strong_count(scan) > 1);
        Arc::clone(scans.entry(username.to_owned()).or_default())
    }

    /// Lists a scan that an administrator asks for; it is the only one of its user.
    pub(crate) fn begin(&self, username: &str) -> Result<ListedScan, NotListed> {
        let mut listed = self.listed.lock();
        if listed.contains_key(username) {
            return Err(NotListed::Running);
        }
        if listed.len() >= LISTED {
            return Err(NotListed::TooMany);
        }
        Ok(self.enter(&mut listed, username))
    }

    /// Lists a scan that something on the server asks for, whatever else runs.
    pub(crate) fn join(&self, username: &str) -> ListedScan {
        self.enter(&mut self.listed.lock(), username)
    }

    fn enter(&self, listed: &mut BTreeMap<String, Listed>, username: &str) -> ListedScan {
        let entry = listed.entry(username.to_owned()).or_insert_with(|| Listed {
            started: UnixMillis::now(),
            scans: 0,
        });
        entry.scans += 1;
        ListedScan {
            listed: Arc::clone(&self.listed),
            username: username.to_owned(),
        }
    }

    /// Those that are not done, by name.
    pub(crate) fn list(&self) -> Vec<QuotaScan> {
        let listed = self.listed.lock();
        let scans = listed.iter().map(|(username, scan)| QuotaScan {
            username: username.clone(),
            started: scan.started,
        });
        scans.collect()
    }

    /// Waits for a place to walk through a tree. Places come free when walks end, each of which has a deadline; `None` is
    /// never, for nobody closes them.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.walks.acquire().await.ok()
    }
}

/// A scan's entry in the list, until it is dropped.
#[derive(Debug)]
pub(crate) struct ListedScan {
    listed: Arc<Mutex<BTreeMap<String, Listed>>>,
    username: String,
}

impl Drop for ListedScan {
    fn drop(&mut self) {
        let mut listed = self.listed.lock();
        if let Some(entry) = listed.get_mut(&self.username) {
            entry.scans = entry.scans.saturating_sub(1);
            if entry.scans == 0 {
                listed.remove(&self.username);
            }
        }
    }
}

/// Scans of one user's files: one at a time, and one that waits stands for all that would.
#[derive(Debug, Default)]
pub(crate) struct UserScan {
    running: tokio::sync::Mutex<()>,
    waiting: AtomicBool,
}

impl UserScan {
    /// Waits for the turn to scan; `None` if somebody waits already, whose scan will see what this one would.
    pub(crate) async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if self.waiting.swap(true, Ordering::AcqRel) {
            return None;
        }
        let turn = self.running.lock().await;
        // Whoever comes from now on has changed something that this scan may have passed already.
        self.waiting.store(false, Ordering::Release);
        Some(turn)
    }

    /// Waits until no scan is running, and keeps others from it.
    pub(crate) async fn alone(&self) -> MutexGuard<'_, ()> {
        self.running.lock().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_scan_that_waits_stands_for_all() {
        let scans = Scans::default();
        let scan = scans.of("alice");
        let first = scan.turn().await;
        assert!(first.is_some());
        let mut second = std::pin::pin!(scan.turn());
        assert!(futures_util::poll!(&mut second).is_pending());
        for _ in 0..100 {
            assert!(scan.turn().await.is_none());
        }
        assert!(scans.of("bob").turn().await.is_some());
        drop(first);
        assert!(second.await.is_some());
        assert!(scan.turn().await.is_some(), "its turn is over");
    }

    #[test]
    fn a_user_has_one_scan_in_the_list_and_others_have_theirs() {
        let scans = Scans::default();
        let alice = scans.begin("alice").unwrap();
        assert_eq!(scans.begin("alice").unwrap_err(), NotListed::Running);
        let bob = scans.begin("bob").unwrap();
        let program = scans.join("alice");
        let names = |scans: &Scans| -> Vec<String> {
            scans.list().into_iter().map(|scan| scan.username).collect()
        };
        assert_eq!(names(&scans), ["alice", "bob"]);
        drop((alice, bob));
        assert_eq!(scans.begin("alice").unwrap_err(), NotListed::Running);
        drop(program);
        assert!(names(&scans).is_empty());
    }

    #[test]
    fn the_list_has_an_end() {
        let scans = Scans::default();
        let all: Vec<_> = (0..LISTED)
            .map(|number| scans.begin(&number.to_string()).unwrap())
            .collect();
        assert_eq!(scans.begin("x").unwrap_err(), NotListed::TooMany);
        drop(all);
        assert!(scans.begin("x").is_ok());
    }
}
