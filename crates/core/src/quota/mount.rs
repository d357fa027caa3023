//! The quota of a user's files below one mount: what is done to names there is counted here.

use std::future::Future;
use std::sync::Arc;

use sftpgo_data::QuotaDelta;
use sftpgo_model::{User, VirtualPath};
use sftpgo_storage::capability::Rename;
use sftpgo_storage::{
    Expected, Links, Metadata, Pinned, Storage, StorageErrorKind, StorageResult, Target,
};

use super::hold::QuotaHold;
use super::ledger::QuotaLedger;
use super::lock::{FileHandle, FileLock};
use super::sharing::FileKey;
use super::state::{difference, exchanged, sum};
use crate::error::{OpErrorKind, OpResult};

/// How often a change of a name starts over because somebody else changed what is there.
const ATTEMPTS: usize = 64;

/// Where a user's files are counted.
#[derive(Debug, Clone)]
pub(crate) struct MountQuota {
    pub(super) ledger: QuotaLedger,
    pub(super) user: Arc<User>,
    pub(super) mount: VirtualPath,
}

impl MountQuota {
    /// Whether anything is counted here.
    pub(super) fn is_tracked(&self) -> bool {
        self.ledger.tracks(&self.user)
    }

    /// Whether growth must be reserved.
    pub(super) fn is_limited(&self) -> bool {
        self.is_tracked() && !self.user.quota.is_unlimited()
    }

    /// The account of a file; `None` if it is none, or has no identity.
    pub(super) fn file(&self, file: &Metadata) -> Option<FileHandle> {
        let id = file.id.filter(|_| file.is_file())?;
        let key = FileKey {
            username: self.user.username.as_str().into(),
            mount: self.mount.clone(),
            id,
        };
        let inner = &self.ledger.inner;
        let account = inner.files.account(key);
        Some(FileHandle::new(account, Arc::clone(&inner.sharing)))
    }

    /// Does something to what is at a name that may end a file there, and counts what that means for the file.
    ///
    /// `act` gets what it may expect at the name, and is asked again if it found something else.
    ///
    /// # Errors
    /// What `act` says, and `Unavailable` if others keep changing the name.
    pub(crate) async fn change_name<T, F, Fut>(
        &self,
        (storage, target): (&dyn Storage, &Target),
        act: F,
    ) -> OpResult<T>
    where
        F: Fn(Expected) -> Fut + Send + Sync,
        Fut: Future<Output = StorageResult<T>> + Send,
    {
        if !self.is_tracked() {
            return Ok(act(Expected::Anything).await?);
        }
        for _ in 0..ATTEMPTS {
            let done = match storage.pin(target, Links::NoFollow).await {
                Ok(there) => self.change_kept((storage, target), &*there, &act).await?,
                Err(error) if error.kind() == StorageErrorKind::NotFound => {
                    act(Expected::Nothing).await
                }
                Err(error) => return Err(error.into()),
            };
            match done {
                Err(error) if error.kind() == StorageErrorKind::Raced => {}
                done => return Ok(done?),
            }
        }
        Err(OpErrorKind::Unavailable.into())
    }

    async fn change_kept<T, F, Fut>(
        &self,
        name: Name<'_>,
        there: &dyn Pinned,
        act: &F,
    ) -> OpResult<StorageResult<T>>
    where
        F: Fn(Expected) -> Fut + Send + Sync,
        Fut: Future<Output = StorageResult<T>> + Send,
    {
        let found = there.stat().await?;
        let expected = Expected::as_found(&found);
        let Some(file) = self.file(&found) else {
            return Ok(act(expected).await);
        };
        let mut lock = file.lock().await?;
        let before = there.stat().await?;
        let done = act(expected).await;
        let change = if is_uncertain(&done) {
            Ok(self.found_out(name, Some(&before)).await)
        } else {
            there
                .stat()
                .await
                .map(|after| lock.changed(&before, &after))
        };
        self.count(lock, change).await?;
        Ok(done)
    }

    /// Counts a change of a file that is held, and lets it go.
    async fn count(&self, lock: FileLock, change: StorageResult<QuotaDelta>) -> OpResult<()> {
        if let Ok(change) = change {
            self.ledger.apply(&self.user, change).await;
        }
        lock.release().await;
        change?;
        Ok(())
    }

    /// What a change of a name means for the counters, of which nobody can say what became of it. `before` is what was there.
    async fn found_out(
        &self,
        (storage, target): Name<'_>,
        before: Option<&Metadata>,
    ) -> QuotaDelta {
        let found = async {
            match storage.pin(target, Links::NoFollow).await {
                Ok(there) => Ok(Some(there.stat().await?)),
                Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        match found.await {
            Ok(now) => exchanged(before, now.as_ref()),
            Err(error) => {
                tracing::error!(
                    username = self.user.username,
                    %error,
                    "what became of a change is not known, and not counted; scan the user's quota"
                );
                QuotaDelta::default()
            }
        }
    }

    /// As [`change_name`](Self::change_name) with the name that something gets that was called `source`. Where a move is a copy
    /// and then a removal, nobody else moves or removes the file meanwhile: it would be there twice, or counted twice.
    ///
    /// `act` gets what it may expect at the old name and at the new one.
    ///
    /// # Errors
    /// As [`change_name`](Self::change_name).
    pub(crate) async fn move_name<T, F, Fut>(
        &self,
        storage: &dyn Storage,
        (source, target): (&Target, &Target),
        act: F,
    ) -> OpResult<T>
    where
        F: Fn(Expected, Expected) -> Fut + Send + Sync,
        Fut: Future<Output = StorageResult<T>> + Send,
    {
        let in_one_step = storage.capabilities().rename != Rename::CopyThenDelete;
        for _ in 0..ATTEMPTS {
            let moved = if in_one_step || !self.is_tracked() {
                None
            } else {
                let pin = storage.pin(source, Links::NoFollow).await?;
                self.file(&pin.stat().await?).map(|file| (pin, file))
            };
            let Some((pin, file)) = moved else {
                let act = |expected| act(Expected::Anything, expected);
                return self.change_name((storage, target), act).await;
            };
            let there = match storage.pin(target, Links::NoFollow).await {
                Ok(there) => Some(there),
                Err(error) if error.kind() == StorageErrorKind::NotFound => None,
                Err(error) => return Err(error.into()),
            };
            let held = self.hold_both(&file, there.as_deref()).await?;
            let moving = Move {
                storage,
                source: (source, &*pin),
                target: (target, there.as_deref()),
            };
            match self.move_held(moving, held, &act).await? {
                Err(error) if error.kind() == StorageErrorKind::Raced => {}
                done => return Ok(done?),
            }
        }
        Err(OpErrorKind::Unavailable.into())
    }

    /// Holds a file that is to be moved, and the one that is in its way, in an order that is the same for everybody: two moves
    /// that cross would wait for each other.
    async fn hold_both(
        &self,
        moved: &FileHandle,
        there: Option<&dyn Pinned>,
    ) -> OpResult<(FileLock, Option<FileLock>)> {
        let replaced = match there {
            Some(there) => self.file(&there.stat().await?),
            None => None,
        };
        // A move to where it is holds it once.
        let Some(replaced) = replaced.filter(|replaced| replaced.id() != moved.id()) else {
            return Ok((moved.lock().await?, None));
        };
        let moved_first = moved.id() < replaced.id();
        let (first, second) = if moved_first {
            (moved, &replaced)
        } else {
            (&replaced, moved)
        };
        let first = first.lock().await?;
        match second.lock_beside(&first).await {
            Ok(second) if moved_first => Ok((first, Some(second))),
            Ok(second) => Ok((second, Some(first))),
            Err(error) => {
                first.release().await;
                Err(error)
            }
        }
    }

    async fn move_held<T, F, Fut>(
        &self,
        moving: Move<'_>,
        (own, mut replaced): (FileLock, Option<FileLock>),
        act: &F,
    ) -> OpResult<StorageResult<T>>
    where
        F: Fn(Expected, Expected) -> Fut + Send + Sync,
        Fut: Future<Output = StorageResult<T>> + Send,
    {
        let Move {
            storage,
            source: (source, moved),
            target: (target, there),
        } = moving;
        let moved = moved.stat().await?;
        let before = match there {
            Some(there) => Some(there.stat().await?),
            None => None,
        };
        let expected = before
            .as_ref()
            .map_or(Expected::Nothing, Expected::as_found);
        let done = act(Expected::as_found(&moved), expected).await;
        let change = if is_uncertain(&done) {
            let old = self.found_out((storage, source), Some(&moved)).await;
            let new = self.found_out((storage, target), before.as_ref()).await;
            Ok(sum(old, new))
        } else {
            match (there, &before, &mut replaced) {
                (Some(there), Some(before), Some(lock)) => {
                    let after = there.stat().await;
                    after.map(|after| lock.changed(before, &after))
                }
                _ => Ok(QuotaDelta::default()),
            }
        };
        let counted = self.count(own, change).await;
        if let Some(replaced) = replaced {
            replaced.release().await;
        }
        counted?;
        Ok(done)
    }

    /// Gives a file a further name, which counts like a further file of its size.
    ///
    /// # Errors
    /// `QuotaExceeded`, and what the storage says.
    pub(crate) async fn add_name<T>(
        &self,
        kept: &dyn Pinned,
        link: impl Future<Output = StorageResult<T>> + Send,
    ) -> OpResult<T> {
        let _moving = self.ledger.inner.activity.enter(&self.user.username);
        let file = self.file(&kept.stat().await?);
        let Some(file) = file.filter(|_| self.is_tracked()) else {
            return Ok(link.await?);
        };
        let mut lock = file.lock().await?;
        let before = kept.stat().await?;
        let price = lock.price_of_name(&before);
        let (ledger, user) = (&self.ledger, &self.user);
        if !self.is_limited() {
            ledger.apply(user, price).await;
        } else if ledger.is_full(user).await? || !ledger.reserve(user, price).await? {
            lock.release().await;
            return Err(OpErrorKind::QuotaExceeded.into());
        }
        let linked = link.await;
        let after = kept.stat().await;
        let change = after.map(|after| lock.changed(&before, &after));
        let change = change.unwrap_or_default();
        ledger.apply(user, difference(price, change)).await;
        lock.release().await;
        Ok(linked?)
    }

    /// A hold for a change that needs no room.
    pub(crate) fn hold(&self) -> QuotaHold {
        let activity = &self.ledger.inner.activity;
        QuotaHold::new(self.clone(), activity.enter(&self.user.username))
    }

    /// Makes sure that an upload may begin, and reserves a file if none is there yet.
    ///
    /// # Errors
    /// `QuotaExceeded` if the account is full already.
    pub(crate) async fn begin(&self, new_file: bool) -> OpResult<QuotaHold> {
        let mut hold = self.hold();
        if self.is_limited() {
            let used = u64::try_from(self.ledger.used(&self.user).await?.bytes).unwrap_or(0);
            if self.user.quota.bytes.is_some_and(|limit| used >= limit) {
                return Err(OpErrorKind::QuotaExceeded.into());
            }
        }
        if new_file && !hold.count_new_file().await? {
            return Err(OpErrorKind::QuotaExceeded.into());
        }
        Ok(hold)
    }
}

/// A name in a storage.
type Name<'a> = (&'a dyn Storage, &'a Target);

/// A file that is to get another name.
#[derive(Clone, Copy)]
struct Move<'a> {
    storage: &'a dyn Storage,
    source: (&'a Target, &'a dyn Pinned),
    /// With what is there.
    target: (&'a Target, Option<&'a dyn Pinned>),
}

/// Whether it failed in a way that does not tell whether anything was done: a store that did not answer.
pub(super) fn is_uncertain<T>(done: &StorageResult<T>) -> bool {
    done.as_ref().is_err_and(|error| match error.kind() {
        StorageErrorKind::Unavailable | StorageErrorKind::Internal => true,
        StorageErrorKind::NotFound
        | StorageErrorKind::NotADirectory
        | StorageErrorKind::IsADirectory
        | StorageErrorKind::PermissionDenied
        | StorageErrorKind::AlreadyExists
        | StorageErrorKind::Raced
        | StorageErrorKind::DirectoryNotEmpty
        | StorageErrorKind::InvalidPath
        | StorageErrorKind::InvalidArgument
        | StorageErrorKind::StorageFull
        | StorageErrorKind::Unsupported => false,
    })
}
