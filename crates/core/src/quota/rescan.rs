//! A scan that an administrator asks for: counters become what is on the disk (reference 5.6, 11.10).

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use sftpgo_model::User;
use sftpgo_storage::Usage;

use super::activity::Watch;
use super::scans::{ListedScan, NotListed};
use crate::engine::Core;
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::mounts::Mounts;

/// Walks of one scan. The pause after each is longer than the one before, so this is about eight minutes and the time that
/// the walks take.
const ROUNDS: u32 = 30;
/// What one walk may take. A disk that hangs longer fails the scan and gives its place back.
const WALK: Duration = Duration::from_secs(6 * 60 * 60);
/// Scans of many users, at a time.
const AT_A_TIME: usize = 32;
/// Failed scans of many users whose reasons are kept for who asked; the log has all.
const REASONS: usize = 10;

/// How long nothing may move around a walk for it to count as exact: a removal that was done before the walk may be counted
/// after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quiet {
    /// Where users are served.
    Serving,
    /// Where nobody can change anything: a command beside no server.
    Alone,
}

impl Quiet {
    fn after(self, round: u32) -> Duration {
        match self {
            Self::Serving => Duration::from_secs(1) * round,
            Self::Alone => Duration::ZERO,
        }
    }
}

/// When counters become what a walk found, and not only at least that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum If {
    /// Nothing moved meanwhile.
    Still,
    /// Whatever moved here: the last word of a scan that found no quiet time. Never while another server may change them.
    NobodyElsewhere,
}

/// One walk over the files of a user.
pub(crate) struct Walk {
    found: Usage,
    still: bool,
    watch: Watch,
}

impl Walk {
    /// Whether nothing moved from the beginning of the walk until now.
    pub(crate) fn was_exact(&self) -> bool {
        self.still && self.watch.is_still()
    }
}

/// What a scan came to.
enum Found {
    /// Counters are this.
    Exactly(Usage),
    /// Something moved around every walk; counters are this at least.
    AtLeast(Usage),
    /// The server stops.
    Stopped,
}

/// What many scans came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanSummary {
    /// Scans that failed; their counters stay as they were.
    pub failed: usize,
    /// Why: a sentence each for the first of them.
    pub reasons: Vec<String>,
}

impl ScanSummary {
    fn fail(&mut self, reason: String) {
        self.failed += 1;
        if self.reasons.len() < REASONS {
            self.reasons.push(reason);
        }
    }
}

impl Core {
    /// Scans these users, a few at a time, and leaves out those that are being scanned. Ends with the server.
    pub async fn scan_quotas(
        self: &Arc<Self>,
        usernames: Vec<String>,
        quiet: Quiet,
    ) -> ScanSummary {
        let mut summary = ScanSummary::default();
        if self.quota.is_off() {
            let reason = "data_provider.track_quota is 0: quotas are not counted";
            tracing::warn!(sender = "quota", "no quota is scanned: {reason}");
            summary.fail(reason.to_owned());
            summary.failed = usernames.len();
            return summary;
        }
        let scans = usernames.into_iter().map(|username| {
            let core = Arc::clone(self);
            async move {
                match core.scans.begin(&username) {
                    Ok(listed) => core.scan_quota(&username, listed, quiet).await,
                    Err(NotListed::Running) => Ok(()),
                    Err(NotListed::TooMany) => {
                        let reason = "too many quota scans wait already";
                        tracing::error!(sender = "quota", username, "not scanned: {reason}");
                        Err(format!("user {username:?}: {reason}"))
                    }
                }
            }
        });
        let mut scans = futures_util::stream::iter(scans)
            .buffer_unordered(AT_A_TIME)
            .take_until(Box::pin(self.stopping()));
        while let Some(done) = scans.next().await {
            if let Err(reason) = done {
                summary.fail(reason);
            }
        }
        summary
    }

    /// Scans one user.
    ///
    /// # Errors
    /// Why it failed, in a sentence; it is in the log too.
    pub(crate) async fn scan_quota(
        self: &Arc<Self>,
        username: &str,
        listed: ListedScan,
        quiet: Quiet,
    ) -> Result<(), String> {
        let result = tokio::select! {
            result = self.scan(username, quiet) => result,
            () = self.stopping() => Ok(Found::Stopped),
        };
        drop(listed);
        match result {
            Ok(Found::Exactly(Usage { files, bytes })) => {
                tracing::info!(sender = "quota", username, files, bytes, "quota scanned");
                Ok(())
            }
            Ok(Found::AtLeast(Usage { files, bytes })) => {
                let message = "files of the user changed during every walk of the quota scan: the counters may be too high; scan again when uploads have ended";
                tracing::warn!(sender = "quota", username, files, bytes, "{message}");
                Ok(())
            }
            Ok(Found::Stopped) => {
                let message = "the quota scan ends with the server";
                tracing::info!(sender = "quota", username, "{message}");
                Ok(())
            }
            Err(error) => {
                let message = "the quota scan failed; the counters stay as they are";
                tracing::error!(sender = "quota", username, %error, "{message}");
                Err(format!("user {username:?}: {error}"))
            }
        }
    }

    async fn scan(self: &Arc<Self>, username: &str, quiet: Quiet) -> OpResult<Found> {
        let Some(record) = self.provider.user_by_name(username).await? else {
            return Err(OpErrorKind::NotFound.into());
        };
        let user = record
            .compile()
            .map_err(|error| OpError::with_source(OpErrorKind::InvalidArgument, error))?;
        let user = Arc::new(user);
        let mounts = Mounts::open_existing(self, &user).await?;
        check_all_there(&user, &mounts)?;
        let scan = self.scans.of(username);
        let mut at_least = Usage::default();
        for round in 1..=ROUNDS {
            let turn = scan.alone().await;
            let place = self.scans.place().await;
            let walk = self.walk(&user, &mounts, If::Still);
            let walk = tokio::time::timeout(WALK, walk).await;
            drop((place, turn));
            let walk = match walk.map_err(|_| too_slow())? {
                Ok(walk) => Some(walk),
                // Such as a directory that was moved while somebody looked at it.
                Err(error) if error.kind() == OpErrorKind::Unavailable && round < ROUNDS => {
                    tracing::debug!(sender = "quota", username, %error, "a walk of the quota scan failed");
                    None
                }
                Err(error) => return Err(error),
            };
            if !self.pause(quiet.after(round)).await {
                return Ok(Found::Stopped);
            }
            if let Some(walk) = walk {
                at_least = walk.found;
                if walk.was_exact() {
                    return Ok(Found::Exactly(at_least));
                }
            }
        }
        Ok(Found::AtLeast(at_least))
    }

    /// Walks over the files of a user, and writes what it found: the counters become that if nothing moved meanwhile, else
    /// they are at least that.
    pub(crate) async fn walk(&self, user: &User, mounts: &Mounts, set: If) -> OpResult<Walk> {
        let watch = self.quota.watch(&user.username);
        let found = mounts.usage().await?;
        let elsewhere = self.sessions.are_elsewhere(&user.username).await;
        let still = watch.is_still() && !elsewhere;
        if still || (set == If::NobodyElsewhere && !elsewhere) {
            self.quota.set(user, found).await;
        } else {
            self.quota.raise(user, found).await;
        }
        Ok(Walk {
            found,
            still,
            watch,
        })
    }
}

/// A home that is missing may be a disk that is not mounted: nobody's counters become 0 by that.
fn check_all_there(user: &User, mounts: &Mounts) -> OpResult<()> {
    let missing: Vec<_> = mounts.missing().collect();
    if missing.iter().any(|mount| mount.at.is_root()) {
        let message = format!("{} is not there", user.home_dir.display());
        return Err(OpError::with_source(OpErrorKind::NotFound, message));
    }
    for folder in missing {
        tracing::warn!(
            sender = "quota",
            username = user.username,
            folder = %folder.at,
            directory = %folder.root.display(),
            "a virtual folder is not there; the quota scan leaves it out"
        );
    }
    Ok(())
}

fn too_slow() -> OpError {
    let message = format!("the walk took longer than {} hours", WALK.as_secs() / 3600);
    OpError::with_source(OpErrorKind::Unavailable, message)
}
