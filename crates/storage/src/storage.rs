//! The trait that every back end implements, and the handles it gives out.
//!
//! `open_*` gives something that must be finished; a [`WriteHandle`] that is dropped unfinished cleans up after itself.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sftpgo_model::StoragePath;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::capability::Capabilities;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
#[cfg(unix)]
use crate::metadata::FileKind;
use crate::metadata::{Entry, FileId, Metadata, SetAttributes, Space};

/// Asked with the real path when symbolic links led somewhere else than the path that was named; `false` refuses with
/// [`PermissionDenied`](crate::StorageErrorKind::PermissionDenied). It must be quick and must not wait.
///
/// The back end asks after it has pinned the object (by descriptor, on local disks), so that what was judged is what is used.
pub type Guard = Arc<dyn Fn(&StoragePath) -> bool + Send + Sync>;

/// A path and the guard that judges where links lead.
#[derive(Clone)]
pub struct Target {
    /// The path as it was named.
    pub path: StoragePath,
    /// `None` if every place in the storage may be used alike.
    pub guard: Option<Guard>,
    /// What must be there. Asked by [`Storage::remove_file`], [`Storage::rename`] (of the new name) and
    /// [`Storage::hard_link`] (of the old name), in one step with what they do. Where a rename is a copy and a removal, it is asked
    /// of both names, before that.
    pub expected: Expected,
}

/// What must be at a name for an operation to be done; else it is [`Raced`](crate::StorageErrorKind::Raced).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expected {
    /// Whatever is there.
    #[default]
    Anything,
    /// Nothing.
    Nothing,
    /// That file, directory or link.
    This(FileId),
}

impl Expected {
    /// What was found there; anything in a storage whose files have no identity.
    pub fn as_found(found: &Metadata) -> Self {
        found.id.map_or(Self::Anything, Self::This)
    }

    /// Whether what is there is what was expected.
    pub fn admits(self, there: Option<FileId>) -> bool {
        match self {
            Self::Anything => true,
            Self::Nothing => there.is_none(),
            Self::This(expected) => there == Some(expected),
        }
    }
}

impl Target {
    /// A target that needs no guard.
    pub fn unguarded(path: StoragePath) -> Self {
        Self {
            path,
            guard: None,
            expected: Expected::Anything,
        }
    }

    /// The same target, at which something certain must be.
    #[must_use]
    pub fn expecting(&self, expected: Expected) -> Self {
        Self {
            expected,
            ..self.clone()
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Target({}, guarded: {})",
            self.path,
            self.guard.is_some()
        )
    }
}

/// Whether a symbolic link in the last place is followed. Links on the way always are, as long as they stay inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Act on what the link points to.
    Follow,
    /// Act on the link itself.
    NoFollow,
}

/// What happens to a file that is already there when it is opened for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenExisting {
    /// Fail with `AlreadyExists`.
    Refuse,
    /// Its contents are replaced.
    Truncate,
    /// Its contents stay and bytes are written over or after them (random writes, resume).
    Keep,
}

/// When the new contents become visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteVisibility {
    /// While they arrive; an unfinished upload leaves what has arrived.
    InPlace,
    /// In one step when the handle is finished; until then, and for ever after a failure, the old file stays as it was.
    OnFinish,
    /// In one step when the handle ends, also when it is aborted: what has arrived can then be resumed. If nothing has
    /// arrived, an old file stays.
    OnFinishKeepPartial,
}

/// How to open a file for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// What to do with a file that is there.
    pub existing: OpenExisting,
    /// Whether a missing file is made. If not, it is `NotFound`.
    pub create: bool,
    /// When contents become visible. With [`OpenExisting::Keep`] on a file that exists this is always in place.
    pub visibility: WriteVisibility,
    /// Permission bits of a new file.
    pub mode: u32,
    /// Owner and group of a new file; failure to set them is not an error (needs privileges).
    pub owner: (Option<u32>, Option<u32>),
}

/// Whether a rename may replace what is at the new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenameMode {
    /// Fail with `AlreadyExists`, in one step where the back end can.
    NoReplace,
    /// Replace a file (or an empty directory by a directory).
    Replace,
}

/// What a removal or a rename took away, for quota accounting. `None` inside [`StorageResult`] when nothing was replaced.
pub type Removed = Option<Metadata>;

/// Bytes to be written at an offset, in one or more pieces so that nothing needs to be copied together.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Where the first byte goes.
    pub offset: u64,
    /// The pieces, one after the other.
    pub pieces: Vec<Bytes>,
}

impl Chunk {
    /// Number of bytes in all pieces.
    pub fn len(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }

    /// Whether there is no byte in it.
    pub fn is_empty(&self) -> bool {
        self.pieces.iter().all(Bytes::is_empty)
    }

    /// The offset after the last byte; saturates.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.len())
    }
}

/// The end of a file, in the hands of the one whose turn it is to append. While somebody has it, no other handle of the file
/// in this process gets it: give it to [`WriteHandle::append`], or drop it.
#[derive(Debug)]
pub struct FileEnd {
    at: u64,
    _turn: OwnedMutexGuard<()>,
}

impl FileEnd {
    /// How long a handle waits for its turn: somebody before it may wait for a disk.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Waits for the turn and asks for the size then.
    pub(crate) async fn take(
        turns: &Arc<Mutex<()>>,
        size: impl Future<Output = StorageResult<u64>>,
    ) -> StorageResult<Self> {
        let turn = tokio::time::timeout(Self::PATIENCE, Arc::clone(turns).lock_owned());
        let Ok(turn) = turn.await else {
            let context = "others append to the file";
            return Err(StorageError::new(StorageErrorKind::Unavailable, context));
        };
        Ok(Self {
            at: size.await?,
            _turn: turn,
        })
    }

    /// Where the next byte goes.
    pub fn at(&self) -> u64 {
        self.at
    }
}

/// Sum over all regular files of a storage; what a quota scan finds. Links are not followed. A file with several names counts
/// once for each, and so it is reported by everything that adds or removes a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Number of regular files.
    pub files: u64,
    /// Sum of their sizes.
    pub bytes: u64,
}

/// A directory tree. Cheap to clone behind an `Arc`; every method may be called at the same time as any other.
#[async_trait]
pub trait Storage: Send + Sync + fmt::Debug {
    /// What this back end can do; constant over its life.
    fn capabilities(&self) -> &Capabilities;

    /// Attributes of one path.
    async fn stat(&self, target: &Target, links: Links) -> StorageResult<Metadata>;

    /// Opens a directory for listing; a symbolic link to a directory is followed.
    async fn list(&self, target: &Target) -> StorageResult<Box<dyn Listing>>;

    /// Opens a regular file for reading; links are followed. A directory is `IsADirectory`, a device or pipe is refused.
    async fn open_read(&self, target: &Target) -> StorageResult<Box<dyn ReadHandle>>;

    /// Opens a file for writing; links are followed, and a link that points outside is never written through.
    async fn open_write(
        &self,
        target: &Target,
        options: &WriteOptions,
    ) -> StorageResult<Box<dyn WriteHandle>>;

    /// Makes one directory; its parent must exist. `mode` are its permission bits, `owner` as in [`WriteOptions`].
    async fn create_dir(
        &self,
        target: &Target,
        mode: u32,
        owner: (Option<u32>, Option<u32>),
    ) -> StorageResult<()>;

    /// Removes a file or a symbolic link (never what it points to). A directory is `IsADirectory`.
    async fn remove_file(&self, target: &Target) -> StorageResult<Metadata>;

    /// Removes an empty directory. Anything else, a link to a directory too, is `NotADirectory`.
    async fn remove_dir(&self, target: &Target) -> StorageResult<()>;

    /// Moves a file, link or directory within this storage; a link in the last place is moved itself.
    /// Returns what was replaced: nothing if both paths are one name; the file itself if they are two names of one file, of
    /// which the old one goes.
    async fn rename(&self, from: &Target, to: &Target, mode: RenameMode) -> StorageResult<Removed>;

    /// Makes a symbolic link with the given text. The text is stored as it is; where it leads is judged on use.
    /// Capability `symlink`.
    async fn symlink(&self, text: &[u8], link: &Target) -> StorageResult<()>;

    /// The text of a symbolic link. Capability `symlink`.
    async fn read_link(&self, target: &Target) -> StorageResult<Vec<u8>>;

    /// Makes a second name for a file; links are not followed. Capability `hard_link`.
    async fn hard_link(&self, from: &Target, to: &Target) -> StorageResult<Metadata>;

    /// Changes attributes. Capability `set_attributes`.
    async fn set_attributes(
        &self,
        target: &Target,
        changes: &SetAttributes,
        links: Links,
    ) -> StorageResult<()>;

    /// Cuts or extends a regular file; links are followed. Returns the attributes before the change. Capability `truncate`.
    async fn truncate(&self, target: &Target, size: u64) -> StorageResult<Metadata>;

    /// Space of the file system that holds `target`. Capability `space`.
    async fn space(&self, target: &Target) -> StorageResult<Space>;

    /// Whether the root takes several spellings for one name, so that rules for names are none.
    async fn folds_names(&self) -> StorageResult<bool> {
        Ok(false)
    }

    /// Counts every regular file below the root.
    async fn usage(&self) -> StorageResult<Usage>;

    /// Keeps what is at a name, so that it stays known whatever becomes of the name.
    async fn pin(&self, target: &Target, links: Links) -> StorageResult<Box<dyn Pinned>>;

    /// The object itself, for a program of the system that is to work on it. Capability `native`.
    #[cfg(unix)]
    async fn native(&self, _target: &Target, _links: Links) -> StorageResult<Native> {
        Err(StorageError::new(
            StorageErrorKind::Unsupported,
            "files of this storage are no files of the system",
        ))
    }
}

/// An object that a program of the system can be given: pinned, so that no rename makes it another.
#[cfg(unix)]
#[derive(Debug)]
pub struct Native {
    /// Opened with `O_PATH`: names the object, and reads nothing of it.
    pub object: std::os::fd::OwnedFd,
    /// What it is; a link only if links were not to be followed.
    pub kind: FileKind,
}

/// A file, directory or link that is kept: no other gets its identity until this is dropped.
#[async_trait]
pub trait Pinned: Send + Sync + fmt::Debug {
    /// Attributes now.
    async fn stat(&self) -> StorageResult<Metadata>;
}

/// How a [`WriteHandle`] ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The file is complete.
    Finish,
    /// The upload is given up.
    GiveUp,
    /// The upload is given up, and nothing of a file that has no name yet stays.
    Discard,
}

/// What is under the name of an upload because of it, and what that replaced at that moment.
pub type Ended = Option<(Metadata, Removed)>;

/// An open directory. Dropping it closes it.
#[async_trait]
pub trait Listing: Send {
    /// The next entries, at most `limit`; empty at the end, and at every call after that. Order is that of the back end;
    /// `.` and `..` are left out. Entries that vanish between being named and being looked at are left out; where folders are
    /// implied, entries are those of the moment when the store told their page.
    async fn next_page(&mut self, limit: usize) -> StorageResult<Vec<Entry>>;

    /// Attributes of the directory now, whatever became of its name.
    async fn stat(&mut self) -> StorageResult<Metadata>;

    /// Changes attributes of the open directory. Capability `set_attributes`.
    async fn set_attributes(&mut self, changes: &SetAttributes) -> StorageResult<()>;
}

/// A file open for reading. Dropping it closes it. Reads at the same time are fine.
#[async_trait]
pub trait ReadHandle: Send + Sync + fmt::Debug {
    /// Attributes now.
    async fn stat(&self) -> StorageResult<Metadata>;

    /// Appends up to `len` bytes from `offset` to `buffer`, if all of them can be had without waiting (page cache, memory);
    /// fewer only at the end of the file. `None` says "would have to wait", with `buffer` as it was.
    fn try_read_at(
        &self,
        offset: u64,
        len: usize,
        buffer: &mut Vec<u8>,
    ) -> Option<StorageResult<usize>>;

    /// Appends up to `len` bytes from `offset` to `buffer` and gives it back. Fewer than `len` only at the end of the file.
    async fn read_at(&self, offset: u64, len: usize, buffer: Vec<u8>) -> StorageResult<Vec<u8>>;

    /// Changes attributes of the open file. Capability `set_attributes`.
    async fn set_attributes(&self, changes: &SetAttributes) -> StorageResult<()>;
}

/// A file open for writing. [`end`](Self::end) it, or dropping it gives it up. Writes at the same time are fine.
#[async_trait]
pub trait WriteHandle: Send + Sync + fmt::Debug {
    /// Attributes now; while a replacement is being written, those of the replacement.
    async fn stat(&self) -> StorageResult<Metadata>;

    /// Attributes of the file that was at the name when it was opened, before any change; `None` if there was none.
    fn replaced(&self) -> Option<&Metadata>;

    /// Writes all chunks. When it fails, any part of them may have been written.
    async fn write_at(&self, chunks: Vec<Chunk>) -> StorageResult<()>;

    /// Like [`write_at`](Self::write_at) for back ends whose writes never wait (memory); `None` says "use `write_at`".
    fn try_write_at(&self, chunks: &[Chunk]) -> Option<StorageResult<()>>;

    /// Waits until nobody else appends to the file, and tells where it ends: for deciding, before [`append`](Self::append),
    /// whether it may grow. Handles of one file in this process share the turn, whatever names they were opened by.
    /// Capability `append`.
    async fn lock_end(&self) -> StorageResult<FileEnd> {
        Err(no_appends())
    }

    /// Writes the pieces, one after the other, where the file ends: behind everything that others have written, also if it
    /// grew since [`lock_end`](Self::lock_end) because somebody wrote at an offset beyond. When it fails, any part of them
    /// may have been written. Capability `append`.
    async fn append(&self, _end: FileEnd, _pieces: Vec<Bytes>) -> StorageResult<()> {
        Err(no_appends())
    }

    /// Reads back, for handles that the client opened for both. As [`ReadHandle::read_at`]. `Unsupported` where writing is
    /// sequential.
    async fn read_at(&self, offset: u64, len: usize, buffer: Vec<u8>) -> StorageResult<Vec<u8>>;

    /// Cuts or extends the file. Capability `truncate`.
    async fn set_len(&self, size: u64) -> StorageResult<()>;

    /// Changes attributes; they hold after the end ([`end`](Self::end)) too. Capability `set_attributes`.
    async fn set_attributes(&self, changes: &SetAttributes) -> StorageResult<()>;

    /// Brings what was written to stable storage (`fsync`).
    async fn sync(&self) -> StorageResult<()>;

    /// Keeps the file that is written, also after the end.
    fn pin(&self) -> Arc<dyn Pinned>;

    /// Keeps what the file takes the place of when it becomes visible; `None` if nothing is there now, or if it is written
    /// in place.
    async fn pin_replaced(&self) -> StorageResult<Option<Box<dyn Pinned>>>;

    /// Ends the upload; later writes fail. After `Raced` it can be asked for again, after anything else it is over.
    ///
    /// [`Finish`](Ending::Finish) completes the file: makes it visible under its name if it is not yet. What becomes visible
    /// in one step is on stable storage then; what was written in place is only after [`sync`](Self::sync).
    ///
    /// [`GiveUp`](Ending::GiveUp) leaves what arrived in place or with
    /// [`OnFinishKeepPartial`](WriteVisibility::OnFinishKeepPartial), and nothing else.
    ///
    /// Tells what is under the name because of the upload, and what that replaced; `None` if nothing is. `expected` is what
    /// must be at the name at that moment; what is written in place is there already, and nothing is expected of it.
    ///
    /// Wait for the end: a call that is given up may still complete the file, and nobody is told what it replaced.
    async fn end(&mut self, how: Ending, expected: Expected) -> StorageResult<Ended>;
}

impl dyn WriteHandle {
    /// Completes the file, whatever it replaces.
    ///
    /// # Errors
    /// As [`end`](WriteHandle::end).
    pub async fn finish(mut self: Box<Self>) -> StorageResult<(Metadata, Removed)> {
        let ended = self.end(Ending::Finish, Expected::Anything).await?;
        ended
            .ok_or_else(|| StorageError::new(StorageErrorKind::Internal, "finished without a file"))
    }

    /// Gives the upload up, whatever that replaces.
    ///
    /// # Errors
    /// As [`end`](WriteHandle::end).
    pub async fn abort(mut self: Box<Self>) -> StorageResult<Ended> {
        self.end(Ending::GiveUp, Expected::Anything).await
    }
}

fn no_appends() -> StorageError {
    let context = "this storage cannot append";
    StorageError::new(StorageErrorKind::Unsupported, context)
}
