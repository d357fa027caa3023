//! The upload's side of quota: what one open file has reserved, and how it is settled.
//!
//! While a file is open the counters hold what was counted before it was opened plus its reservations. When the last upload
//! of the file ends, one change makes them what is really there:
//!
//! `change = real size - size that was counted before - reserved`
//!
//! A file counts once for each of its names, so both sizes are those of all names together. Names that come and go while the
//! file is open are noted in its account and change the counters in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use sftpgo_data::QuotaDelta;
use sftpgo_model::User;
use sftpgo_storage::{FileId, Metadata};
use tokio::sync::OwnedMutexGuard;

use super::activity::Moving;
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
    /// Size the counters held before the first upload opened the file, for all its names.
    counted_before: AtomicI64,
    /// Names they held; none for a new file.
    names_before: AtomicI64,
    /// Names now.
    names: AtomicI64,
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

    /// Notes that one of the `before` names that a file had is gone; `false` if the file was opened only after that.
    pub(super) fn lose_name(&self, before: u64) -> bool {
        let before = to_signed(before);
        let less = |names: i64| (names >= before).then(|| names - 1);
        self.names
            .try_update(Ordering::AcqRel, Ordering::Acquire, less)
            .is_ok()
    }

    /// Notes that the file has a new name, `after` in all, and takes over what was reserved for it; `false` if the file was
    /// opened only after that.
    pub(super) fn gain_name(&self, after: u64, reserved: &Self) -> bool {
        let after = to_signed(after);
        let more = |names: i64| (names < after).then(|| names + 1);
        if self
            .names
            .try_update(Ordering::AcqRel, Ordering::Acquire, more)
            .is_err()
        {
            return false;
        }
        for (own, new) in [
            (&self.reserved_bytes, &reserved.reserved_bytes),
            (&self.reserved_files, &reserved.reserved_files),
        ] {
            own.fetch_add(new.load(Ordering::Acquire), Ordering::AcqRel);
        }
        // Every name needs room for what is written next.
        self.covered
            .fetch_min(reserved.covered.load(Ordering::Acquire), Ordering::AcqRel);
        true
    }

    /// Names of the file that are to be counted when its last upload ends.
    fn names_left(&self) -> i64 {
        // Removed while it was open: neither the file nor what was counted for it is there any more.
        if self.removed.load(Ordering::Acquire) {
            return 0;
        }
        self.names.load(Ordering::Acquire)
    }

    /// What the counters held before.
    fn before(&self) -> QuotaDelta {
        QuotaDelta {
            files: self.names_before.load(Ordering::Acquire),
            bytes: self.counted_before.load(Ordering::Acquire),
        }
    }

    /// Where the reservations of the file end.
    pub(super) fn covered(&self) -> u64 {
        self.covered.load(Ordering::Acquire)
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
    /// Goes when it is settled.
    _upload: Moving,
}

impl QuotaHold {
    pub(super) fn new(ledger: QuotaLedger, user: Arc<User>, tracked: bool, upload: Moving) -> Self {
        Self {
            _upload: upload,
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
        // What is replaced in the end loses one name, whatever others it has; what is written in place has all of them.
        let in_place = before.filter(|file| match (file.id, id) {
            (_, None) => true,
            (Some(old), Some(new)) => old.is_same_file(new),
            (None, Some(_)) => false,
        });
        let names = in_place.map_or(1, |file| to_signed(file.links).max(1));
        own.names.store(names, Ordering::Release);
        own.names_before
            .store(if before.is_some() { names } else { 0 }, Ordering::Release);
        own.counted_before
            .store(to_signed(size).saturating_mul(names), Ordering::Release);
        // What the old file took may be used again without reserving: it is counted already.
        own.covered.store(size, Ordering::Release);
        let Some(id) = id else { return };
        self.id = Some(id);
        let shared = self.ledger.join(id, own);
        if !Arc::ptr_eq(&shared, own) {
            // Somebody writes this file already: what we reserved joins what they did.
            let files = own.reserved_files.load(Ordering::Acquire);
            shared.reserved_files.fetch_add(files, Ordering::AcqRel);
            if before.is_none() {
                // They found the file that we made and thought it was counted; so far only our reservation is.
                shared.names_before.store(0, Ordering::Release);
                shared.counted_before.store(0, Ordering::Release);
            }
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
        // For each name of the file.
        let names = u64::try_from(self.account.names.load(Ordering::Acquire))
            .unwrap_or(1)
            .max(1);
        let all = |bytes: u64| bytes.saturating_mul(names);
        let mut wanted = needed.max(step);
        if !self.reserve(all(wanted)).await? {
            // Near the limit: take what is left, as long as it is enough.
            wanted = self.ledger.free_bytes(&self.user).await? / names;
            if wanted < needed || !self.reserve(all(wanted)).await? {
                wanted = needed;
                if !self.reserve(all(wanted)).await? {
                    return Err(OpErrorKind::QuotaExceeded.into());
                }
            }
        }
        self.account
            .reserved_bytes
            .fetch_add(to_signed(all(wanted)), Ordering::AcqRel);
        self.account
            .covered
            .store(covered.saturating_add(wanted), Ordering::Release);
        Ok(())
    }

    /// Whether bytes up to offset `end` would fit now. Reserves nothing: what is refused by it need not be sent, what is not
    /// may still fail to [`grow`](Self::grow).
    pub(crate) async fn would_fit(&self, end: u64) -> OpResult<bool> {
        let covered = self.account.covered.load(Ordering::Acquire);
        if !self.is_limited() || end <= covered {
            return Ok(true);
        }
        Ok(end.saturating_sub(covered) <= self.ledger.free_bytes(&self.user).await?)
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
        let counted = |file: &Metadata, names: i64| QuotaDelta {
            files: names,
            bytes: to_signed(file.size).saturating_mul(names),
        };
        let (real, before) = match settlement {
            Settlement::InPlace(file) => (counted(file, account.names_left()), account.before()),
            Settlement::Replaced(file, replaced) => {
                let replaced = replaced
                    .filter(|replaced| replaced.is_file())
                    .filter(|replaced| !self.ledger.left_to_its_uploads(replaced));
                let lost = replaced.map_or(QuotaDelta::default(), |file| counted(file, 1));
                // Another upload may have taken the name again already, and left this one's file to us.
                (counted(file, account.names_left()), lost)
            }
            Settlement::Nothing => (QuotaDelta::default(), QuotaDelta::default()),
        };
        let change = QuotaDelta {
            files: real.files - before.files - account.reserved_files.load(Ordering::Acquire),
            bytes: real
                .bytes
                .saturating_sub(before.bytes)
                .saturating_sub(account.reserved_bytes.load(Ordering::Acquire)),
        };
        self.ledger.apply(&self.user, change).await;
    }

    /// Makes sure that a file may have one name more.
    ///
    /// # Errors
    /// `QuotaExceeded`; what is reserved stays so until the hold is settled.
    pub(crate) async fn grow_by_name(&mut self, file: &Metadata) -> OpResult<()> {
        self.attach(None, None);
        let open = self.ledger.covered(file);
        self.grow(file.size.max(open.unwrap_or(0))).await
    }

    /// Counts the name that a file got, or leaves that to the uploads that have the file open.
    pub(crate) async fn settle_name(self, linked: &Metadata) {
        if !self.ledger.add_name(linked, &self.account) {
            self.settle(Settlement::InPlace(linked)).await;
        }
    }
}

fn to_signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
