//! Quota around a program: a full account starts none that writes, and afterwards the counters are what a scan finds.

use std::time::Duration;

use sftpgo_model::User;

use super::slots::Slot;
use crate::engine::Core;
use crate::error::{OpErrorKind, OpResult};
use crate::mounts::Mounts;
use crate::quota::If;
use crate::session::Session;

/// How long nothing may change around a scan for it to count as exact.
const QUIET: Duration = Duration::from_secs(1);
/// How long a program waits for the scan of one that ended before it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Scans for one program; who never stops uploading gets what the last one found.
const SCANS: u32 = 64;

impl Session {
    /// One of the places for programs.
    pub(super) fn program_slot(&self) -> OpResult<Slot> {
        self.connection().touch();
        self.core().programs.take_slot(&self.connection().info.id)
    }

    /// Refuses a full account, be it of files or of bytes. Waits for the scan of a program that has just ended.
    pub(super) async fn check_not_full(&self) -> OpResult<()> {
        let (core, user) = (self.core(), &self.user());
        if !core.quota.limits(user) {
            return Ok(());
        }
        let scan = core.scans.of(&user.username);
        // What takes longer is decided by the counters as they are, and by looks at the disk while it runs.
        let _ = tokio::time::timeout(PATIENCE, scan.alone()).await;
        if core.quota.is_full(user).await? {
            return Err(OpErrorKind::QuotaExceeded.into());
        }
        Ok(())
    }
}

/// Makes the counters what is on the disk. One scan of a user at a time; one that waits stands for all.
///
/// Exact if nothing else changed the account's files around the scan; else it is repeated until that is so. Until then the
/// counters are at least what the scan found.
pub(super) async fn correct(core: &Core, user: &User, mounts: &Mounts) {
    if !core.quota.tracks(user) {
        return;
    }
    let scan = core.scans.of(&user.username);
    let _listed = core.scans.join(&user.username);
    for round in 1..=SCANS {
        let Some(turn) = scan.turn().await else {
            return;
        };
        let set = if round == SCANS {
            If::NobodyElsewhere
        } else {
            If::Still
        };
        let walk = core.walk(user, mounts, set).await;
        drop(turn);
        let walk = match walk {
            Ok(walk) => walk,
            Err(error) => {
                tracing::warn!(username = user.username, %error, "the quota was not scanned after a command");
                if !core.pause(QUIET * round).await {
                    return;
                }
                continue;
            }
        };
        // A removal that was done before the scan may be counted after it.
        if !core.pause(QUIET).await || walk.was_exact() {
            return;
        }
    }
}
