//! The upload's side of quota: what one open file has reserved, and how it is settled.
//!
//! A file that is written under its name is one of [`Files`](super::files::Files): whoever else writes, links, renames or
//! removes it finds its account. One that gets its name in the end is known to its upload only until then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sftpgo_data::QuotaDelta;
use sftpgo_storage::capability::Rename;
use sftpgo_storage::{
    Capabilities, Ended, Ending, Expected, Metadata, Pinned, StorageError, StorageErrorKind,
    StorageResult, WriteHandle,
};

use super::activity::Moving;
use super::lock::{FileHandle, FileLock};
use super::mount::{MountQuota, is_uncertain};
use super::state::{FileState, counts, difference, exchanged, sum, to_signed};
use crate::error::{OpError, OpErrorKind, OpResult};

/// First reservation beyond what is needed; doubles with the file up to [`MAX_STEP`].
const MIN_STEP: u64 = 1 << 20;
/// Largest reservation ahead of the bytes: what a crash can leave reserved until the next scan.
const MAX_STEP: u64 = 64 << 20;
/// How often an upload that is to get its name looks again, because others keep changing what is there.
const ATTEMPTS: usize = 64;

/// An upload, or another change of a file's contents, from before it begins until it is settled.
#[derive(Debug)]
pub(crate) struct QuotaHold {
    quota: MountQuota,
    /// Files that were counted before they were made: one or none.
    made: i64,
    open: Open,
    /// Whether it is always known if the file got its name: not where stores are asked that may not answer.
    certain: bool,
    /// Goes when it is settled.
    _upload: Moving,
}

#[derive(Debug)]
enum Open {
    /// Nothing yet, or nothing that is counted.
    No,
    /// A file that has its name.
    Named(Named),
    /// A file that gets its name in the end.
    Hidden(Hidden),
}

#[derive(Debug)]
struct Named {
    /// Goes before the pin.
    file: FileHandle,
    pin: Arc<dyn Pinned>,
    /// What the account said when it was last asked.
    covered: AtomicU64,
}

#[derive(Debug)]
struct Hidden {
    /// Goes before the pin. `None` in a storage whose files have no identity.
    file: Option<FileHandle>,
    pin: Arc<dyn Pinned>,
    /// What is reserved. The file that is to be replaced is counted already: so much may be written at once.
    reserved: tokio::sync::Mutex<FileState>,
    covered: AtomicU64,
}

impl QuotaHold {
    pub(super) fn new(quota: MountQuota, upload: Moving) -> Self {
        Self {
            _upload: upload,
            quota,
            made: 0,
            open: Open::No,
            certain: true,
        }
    }

    async fn apply(&self, change: QuotaDelta) {
        self.quota.ledger.apply(&self.quota.user, change).await;
    }

    async fn reserve_all(&self, wanted: QuotaDelta) -> OpResult<bool> {
        self.quota.ledger.reserve(&self.quota.user, wanted).await
    }

    /// Counts a file before it is made; `false` if the limit does not allow it.
    pub(super) async fn count_new_file(&mut self) -> OpResult<bool> {
        let file = QuotaDelta { files: 1, bytes: 0 };
        if !self.quota.is_limited() {
            self.apply(file).await;
        } else if !self.reserve_all(file).await? {
            return Ok(false);
        }
        self.made = i64::from(self.quota.is_tracked());
        Ok(true)
    }

    /// Gives back what was counted for a file that was not made.
    pub(crate) async fn cancel(self) {
        let made = QuotaDelta {
            files: -self.made,
            bytes: 0,
        };
        self.apply(made).await;
    }

    /// Ties the hold to the file that was opened under its name. `new` if this open made it, which nobody knew before;
    /// `cut` if its contents are to go.
    ///
    /// # Errors
    /// What the storage says; the hold is as before, to be cancelled.
    pub(crate) async fn attach(
        &mut self,
        handle: &dyn WriteHandle,
        new: bool,
        cut: bool,
    ) -> OpResult<()> {
        if new && self.made == 0 {
            // It is there: too late to ask.
            self.apply(QuotaDelta { files: 1, bytes: 0 }).await;
        }
        // From here on what the file is says what is counted for it.
        self.made = 0;
        let pin = handle.pin();
        let file = if self.quota.is_tracked() {
            self.quota.file(&handle.stat().await?)
        } else {
            None
        };
        let Some(file) = file else {
            if cut {
                handle.set_len(0).await?;
            }
            return Ok(());
        };
        let mut lock = file.lock().await?;
        let now = pin.stat().await?;
        lock.enter(&now);
        // What the old contents took may be used again without reserving: it stays counted until the end.
        let cleared = if cut { handle.set_len(0).await } else { Ok(()) };
        let covered = AtomicU64::new(lock.covered());
        lock.release().await;
        self.open = Open::Named(Named { file, pin, covered });
        Ok(cleared?)
    }

    /// Ties the hold to a file that gets its name in the end, in a storage that can do this. `before` is what it is to replace.
    ///
    /// # Errors
    /// What the storage says; the hold is as before, to be cancelled.
    pub(crate) async fn attach_hidden(
        &mut self,
        handle: &dyn WriteHandle,
        can: &Capabilities,
        before: Option<&Metadata>,
    ) -> OpResult<()> {
        if !self.quota.is_tracked() {
            return Ok(());
        }
        self.certain = can.rename != Rename::CopyThenDelete;
        let found = handle.stat().await?;
        let size = before
            .filter(|file| file.is_file())
            .map_or(0, |file| file.size);
        self.open = Open::Hidden(Hidden {
            file: self.quota.file(&found),
            pin: handle.pin(),
            reserved: tokio::sync::Mutex::new(FileState::hidden(size)),
            covered: AtomicU64::new(size),
        });
        Ok(())
    }

    /// Makes sure that bytes up to offset `end` may be stored.
    ///
    /// # Errors
    /// `QuotaExceeded` if the limit does not allow it; nothing is reserved then.
    pub(crate) async fn grow(&self, end: u64) -> OpResult<()> {
        if !self.quota.is_limited() {
            return Ok(());
        }
        match &self.open {
            Open::No => Ok(()),
            Open::Named(named) => {
                if end <= named.covered.load(Ordering::Acquire) {
                    return Ok(());
                }
                let mut lock = named.file.lock().await?;
                let grown = match lock.state() {
                    Some(state) => self.grow_state(state, end).await,
                    None => Ok(()),
                };
                named.covered.store(lock.covered(), Ordering::Release);
                lock.release().await;
                grown
            }
            Open::Hidden(hidden) => {
                if end <= hidden.covered.load(Ordering::Acquire) {
                    return Ok(());
                }
                let mut reserved = hidden.reserved.lock().await;
                let grown = self.grow_state(&mut reserved, end).await;
                hidden.covered.store(reserved.covered(), Ordering::Release);
                grown
            }
        }
    }

    async fn grow_state(&self, state: &mut FileState, end: u64) -> OpResult<()> {
        let covered = state.covered();
        let Some(needed) = end.checked_sub(covered).filter(|needed| *needed > 0) else {
            return Ok(());
        };
        let step = covered.clamp(MIN_STEP, MAX_STEP);
        let mut wanted = needed.max(step);
        if !self.reserve(state.price(wanted)).await? {
            // Near the limit: take what is left, as long as it is enough.
            let names = state.price(1).max(1);
            wanted = self.free_bytes().await? / names;
            if wanted < needed || !self.reserve(state.price(wanted)).await? {
                wanted = needed;
                if !self.reserve(state.price(wanted)).await? {
                    return Err(OpErrorKind::QuotaExceeded.into());
                }
            }
        }
        state.grow(wanted);
        Ok(())
    }

    async fn free_bytes(&self) -> OpResult<u64> {
        self.quota.ledger.free_bytes(&self.quota.user).await
    }

    async fn reserve(&self, bytes: u64) -> OpResult<bool> {
        if bytes == 0 {
            return Ok(true);
        }
        let delta = QuotaDelta {
            files: 0,
            bytes: to_signed(bytes),
        };
        self.reserve_all(delta).await
    }

    /// Whether bytes up to offset `end` would fit now. Reserves nothing: what is refused by it need not be sent, what is not
    /// may still fail to [`grow`](Self::grow).
    pub(crate) async fn would_fit(&self, end: u64) -> OpResult<bool> {
        let covered = match &self.open {
            Open::No => return Ok(true),
            Open::Named(named) => named.covered.load(Ordering::Acquire),
            Open::Hidden(hidden) => hidden.covered.load(Ordering::Acquire),
        };
        if !self.quota.is_limited() || end <= covered {
            return Ok(true);
        }
        Ok(end.saturating_sub(covered) <= self.free_bytes().await?)
    }

    /// Ends the upload and makes the counters what is really there, whether that worked or not.
    ///
    /// # Errors
    /// What the storage says, and `QuotaExceeded` if the file cannot get its name because that would be one too many.
    pub(crate) async fn conclude(
        mut self,
        mut handle: Box<dyn WriteHandle>,
        how: Ending,
    ) -> OpResult<Ended> {
        match std::mem::replace(&mut self.open, Open::No) {
            Open::No => {
                let ended = handle.end(how, Expected::Anything).await;
                self.cancel().await;
                Ok(ended?)
            }
            Open::Named(named) => self.conclude_named(named, &mut *handle, how).await,
            Open::Hidden(hidden) => self.conclude_hidden(hidden, &mut *handle, how).await,
        }
    }

    async fn conclude_named(
        &self,
        named: Named,
        handle: &mut dyn WriteHandle,
        how: Ending,
    ) -> OpResult<Ended> {
        let lock = named.file.lock().await;
        let ended = handle.end(how, Expected::Anything).await;
        let mut lock = match lock {
            Ok(lock) => lock,
            Err(error) => {
                self.log_lost(&error);
                return Ok(ended?);
            }
        };
        match named.pin.stat().await {
            Ok(now) => {
                let change = lock.leave(&now);
                self.apply(change).await;
                lock.release().await;
            }
            Err(error) => self.log_lost(&error),
        }
        Ok(ended?)
    }

    async fn conclude_hidden(
        &mut self,
        hidden: Hidden,
        handle: &mut dyn WriteHandle,
        how: Ending,
    ) -> OpResult<Ended> {
        // Whoever opens the file as soon as it has a name waits until it is counted.
        let own = match &hidden.file {
            Some(file) => Some(file.lock().await),
            None => None,
        };
        let held = own.as_ref().and_then(|own| own.as_ref().ok());
        let (ended, lost) = self.publish(handle, how, held).await;
        let reserved = QuotaDelta {
            files: self.made,
            bytes: hidden.reserved.lock().await.reserved(),
        };
        match hidden.pin.stat().await {
            Ok(now) => {
                let change = sum(difference(reserved, counts(&now)), lost);
                self.apply(change).await;
            }
            Err(error) => self.log_lost(&error),
        }
        if let Some(Ok(own)) = own {
            own.release().await;
        }
        ended
    }

    /// Gives the file its name, if it is to have one, and tells what the counters lose with the file that had it. `own` is the
    /// file itself.
    async fn publish(
        &mut self,
        handle: &mut dyn WriteHandle,
        mut how: Ending,
        own: Option<&FileLock>,
    ) -> (OpResult<Ended>, QuotaDelta) {
        let mut refused = None;
        for _ in 0..ATTEMPTS {
            let there = match handle.pin_replaced().await {
                Ok(there) => there,
                Err(error) => return (Err(error.into()), QuotaDelta::default()),
            };
            if there.is_none()
                && self.made == 0
                && self.quota.is_limited()
                && how != Ending::Discard
            {
                match self.count_new_file().await {
                    Ok(true) => {}
                    Ok(false) => {
                        refused = Some(OpError::from(OpErrorKind::QuotaExceeded));
                        how = Ending::Discard;
                    }
                    Err(error) => {
                        refused = Some(error);
                        how = Ending::Discard;
                    }
                }
            }
            let (ended, lost) = self.replace(handle, how, own, there.as_deref()).await;
            match ended {
                Err(error) if error.kind() == StorageErrorKind::Raced => {}
                Err(error) => return (Err(error.into()), lost),
                Ok(ended) => return (refused.map_or(Ok(ended), Err), lost),
            }
        }
        (Err(OpErrorKind::Unavailable.into()), QuotaDelta::default())
    }

    async fn replace(
        &self,
        handle: &mut dyn WriteHandle,
        how: Ending,
        own: Option<&FileLock>,
        there: Option<&dyn Pinned>,
    ) -> (StorageResult<Ended>, QuotaDelta) {
        let Some(there) = there else {
            let ended = handle.end(how, Expected::Nothing).await;
            if self.is_uncertain(&ended) {
                return (ended, self.found_out(handle, None).await);
            }
            return (ended, QuotaDelta::default());
        };
        let name = match there.stat().await {
            Ok(before) => self.quota.file(&before),
            Err(error) => return (Err(error), QuotaDelta::default()),
        };
        let Some(file) = name else {
            // A directory, which refuses, a link, or a file without an identity.
            let ended = handle.end(how, Expected::Anything).await;
            let replaced = ended.as_ref().ok().copied().flatten();
            let lost = replaced.and_then(|(_, removed)| removed);
            let lost = lost.map_or(QuotaDelta::default(), |file| counts(&file));
            return (ended, difference(lost, QuotaDelta::default()));
        };
        let locked = match own {
            Some(own) => file.lock_beside(own).await,
            None => file.lock().await,
        };
        let mut lock = match locked {
            Ok(lock) => lock,
            Err(error) => return (Err(unavailable(error)), QuotaDelta::default()),
        };
        let before = there.stat().await;
        let ended = handle.end(how, Expected::This(file.id())).await;
        let lost = match (before, there.stat().await) {
            (Ok(before), _) if self.is_uncertain(&ended) => {
                self.found_out(handle, Some(&before)).await
            }
            (Ok(before), Ok(after)) => lock.changed(&before, &after),
            (Err(error), _) | (_, Err(error)) => {
                self.log_lost(&error);
                QuotaDelta::default()
            }
        };
        lock.release().await;
        (ended, lost)
    }

    fn is_uncertain<T>(&self, ended: &StorageResult<T>) -> bool {
        !self.certain && is_uncertain(ended)
    }

    /// What is at the name of an upload of which nobody can say what became of it, and what that means for the counters. `before`
    /// is what was there.
    async fn found_out(
        &self,
        handle: &mut dyn WriteHandle,
        before: Option<&Metadata>,
    ) -> QuotaDelta {
        let found = async {
            match handle.pin_replaced().await? {
                Some(there) => Ok(Some(there.stat().await?)),
                None => Ok(None),
            }
        };
        match found.await {
            Ok(now) => exchanged(before, now.as_ref()),
            Err::<_, StorageError>(error) => {
                self.log_lost(&error);
                QuotaDelta::default()
            }
        }
    }

    fn log_lost(&self, error: &dyn std::fmt::Display) {
        tracing::error!(
            username = self.quota.user.username,
            %error,
            "what an upload changed was not counted; scan the user's quota"
        );
    }
}

fn unavailable(error: OpError) -> StorageError {
    StorageError::with_source(StorageErrorKind::Unavailable, "the file is in use", error)
}
