//! The upload's side of quota: what one open file has reserved, and how it is settled.
//!
//! While a file is open the counters hold what was counted before it was opened plus its reservations. When the last upload
//! of the file ends, one change makes them what is really there:
//!
//! `change = real size - size that was counted before - reserved`

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use sftpgo_data::QuotaDelta;
use sftpgo_model::User;
use sftpgo_storage::{FileId, Metadata};
use tokio::sync::OwnedMutexGuard;

use super::ledger::QuotaLedger;
use crate::error::{OpErrorKind, OpResult};

/// First reservation beyond what is needed; doubles with the file up to [`MAX_STEP`].
const MIN_STEP: u64 = 1 << 20;
/// Largest reservation ahead of the bytes: what a crash can leave reserved until the next scan.
const MAX_STEP: u64 = 64 << 20;

/// What is counted for one file that is open for writing, shared by all uploads of it on this server.
#[derive(Debug, Default)]
pub(crate) struct FileAccount {
    uploads: AtomicU32,
    /// Size the counters held for the name before the first upload opened it.
    counted_before: AtomicI64,
    existed: AtomicBool,
    /// Where the reservations end: bytes up to here may be written.
    covered: AtomicU64,
    reserved_bytes: AtomicI64,
    reserved_files: AtomicI64,
    removed: AtomicBool,
    /// Growing is one upload at a time.
    growing: tokio::sync::Mutex<()>,
    /// So is ending, and whatever else tells the size of the file: the last upload to end must have looked at the file after
    /// all others were done with it.
    still: Arc<tokio::sync::Mutex<()>>,
}

impl FileAccount {
    /// Of a file that lost its name and was taken out of the count.
    pub(super) fn gone() -> Self {
        Self {
            removed: true.into(),
            ..Self::default()
        }
    }

    pub(super) fn enter(&self) {
        self.uploads.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn exit(&self) -> bool {
        self.uploads.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Waits until no upload of the file is ending, and keeps others from it.
    pub(super) async fn hold_still(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.still).lock_owned().await
    }

    /// Notes that the name is gone; `false` if it was noted before.
    pub(super) fn note_removed(&self) -> bool {
        !self.removed.swap(true, Ordering::AcqRel)
    }
}

/// How an upload ended, for its account.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Settlement<'a> {
    /// The file itself was written; its attributes now.
    InPlace(&'a Metadata),
    /// A new file took the name, and what it replaced.
    Replaced(&'a Metadata, Option<&'a Metadata>),
    /// Nothing stays.
    Nothing,
}

/// What one upload holds of its user's quota. It must be settled; see [`QuotaHold::settle`].
#[derive(Debug)]
pub(crate) struct QuotaHold {
    ledger: QuotaLedger,
    user: Arc<User>,
    tracked: bool,
    account: Arc<FileAccount>,
    id: Option<FileId>,
}

impl QuotaHold {
    pub(super) fn new(ledger: QuotaLedger, user: Arc<User>, tracked: bool) -> Self {
        Self {
            ledger,
            user,
            tracked,
            account: Arc::default(),
            id: None,
        }
    }

    /// Whether growth must be reserved.
    pub(super) fn is_limited(&self) -> bool {
        self.tracked && !self.user.quota.is_unlimited()
    }

    pub(super) fn note_reserved_file(&mut self) {
        self.account.reserved_files.fetch_add(1, Ordering::AcqRel);
    }

    /// Ties the hold to the file that was opened. `before` is what stood under the name, `id` that of the file written to.
    pub(crate) fn attach(&mut self, id: Option<FileId>, before: Option<&Metadata>) {
        let size = before.map_or(0, |file| file.size);
        let own = &self.account;
        own.existed.store(before.is_some(), Ordering::Release);
        own.counted_before.store(to_signed(size), Ordering::Release);
        // What the old file took may be used again without reserving: it is counted already.
        own.covered.store(size, Ordering::Release);
        let Some(id) = id else { return };
        self.id = Some(id);
        let shared = self.ledger.join(id, own);
        if !Arc::ptr_eq(&shared, own) {
            // Somebody writes this file already: what we reserved joins what they did.
            let files = own.reserved_files.load(Ordering::Acquire);
            shared.reserved_files.fetch_add(files, Ordering::AcqRel);
            self.account = shared;
        }
    }

    /// Makes sure that bytes up to offset `end` may be stored.
    ///
    /// # Errors
    /// `QuotaExceeded` if the limit does not allow it; nothing is reserved then.
    pub(crate) async fn grow(&self, end: u64) -> OpResult<()> {
        if !self.is_limited() || end <= self.account.covered.load(Ordering::Acquire) {
            return Ok(());
        }
        let _one_at_a_time = self.account.growing.lock().await;
        let covered = self.account.covered.load(Ordering::Acquire);
        let Some(needed) = end.checked_sub(covered).filter(|needed| *needed > 0) else {
            return Ok(());
        };
        let step = covered.clamp(MIN_STEP, MAX_STEP);
        let mut wanted = needed.max(step);
        if !self.reserve(wanted).await? {
            // Near the limit: take what is left, as long as it is enough.
            wanted = self.ledger.free_bytes(&self.user).await?;
            if wanted < needed || !self.reserve(wanted).await? {
                wanted = needed;
                if !self.reserve(wanted).await? {
                    return Err(OpErrorKind::QuotaExceeded.into());
                }
            }
        }
        self.account
            .reserved_bytes
            .fetch_add(to_signed(wanted), Ordering::AcqRel);
        self.account
            .covered
            .store(covered.saturating_add(wanted), Ordering::Release);
        Ok(())
    }

    async fn reserve(&self, bytes: u64) -> OpResult<bool> {
        let delta = QuotaDelta {
            files: 0,
            bytes: to_signed(bytes),
        };
        self.ledger.reserve(&self.user.username, delta).await
    }

    /// To be held from before the file is finished, or given up, until its hold is settled.
    pub(crate) async fn hold_still(&self) -> OwnedMutexGuard<()> {
        self.account.hold_still().await
    }

    /// Makes the counters what is really there. The last upload of a file does it for all of them.
    pub(crate) async fn settle(self, settlement: Settlement<'_>) {
        if let Some(id) = self.id
            && !self.ledger.leave(id, &self.account)
        {
            return;
        }
        if !self.tracked {
            return;
        }
        let account = &self.account;
        let removed = account.removed.load(Ordering::Acquire);
        let (real, before) = match settlement {
            // Removed while it was open: neither the file nor what was counted for it is there any more.
            Settlement::InPlace(_) if removed => (None, self.counted_before()),
            Settlement::InPlace(file) => (Some(file.size), self.counted_before()),
            Settlement::Replaced(file, replaced) => {
                let replaced = replaced
                    .filter(|replaced| replaced.is_file())
                    .filter(|replaced| !self.ledger.left_to_its_uploads(replaced));
                (
                    Some(file.size),
                    replaced.map(|replaced| to_signed(replaced.size)),
                )
            }
            Settlement::Nothing => (None, None),
        };
        let files = i64::from(real.is_some())
            - i64::from(before.is_some())
            - account.reserved_files.load(Ordering::Acquire);
        let bytes = to_signed(real.unwrap_or(0))
            - before.unwrap_or(0)
            - account.reserved_bytes.load(Ordering::Acquire);
        self.ledger
            .apply(&self.user, QuotaDelta { files, bytes })
            .await;
    }

    fn counted_before(&self) -> Option<i64> {
        let existed = self.account.existed.load(Ordering::Acquire);
        existed.then(|| self.account.counted_before.load(Ordering::Acquire))
    }
}

fn to_signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
