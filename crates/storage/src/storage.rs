//! The trait that every back end implements, and the handles it gives out.
//!
//! `open_*` gives something that must be finished; a [`WriteHandle`] that is dropped unfinished cleans up after itself.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use sftpgo_model::StoragePath;

use crate::capability::Capabilities;
use crate::error::StorageResult;
#[cfg(unix)]
use crate::error::{StorageError, StorageErrorKind};
#[cfg(unix)]
use crate::metadata::FileKind;
use crate::metadata::{Entry, Metadata, SetAttributes, Space};

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
}

impl Target {
    /// A target that needs no guard.
    pub fn unguarded(path: StoragePath) -> Self {
        Self { path, guard: None }
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

    /// Counts every regular file below the root.
    async fn usage(&self) -> StorageResult<Usage>;

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

/// An open directory. Dropping it closes it.
#[async_trait]
pub trait Listing: Send {
    /// The next entries, at most `limit`; empty at the end, and at every call after that. Order is that of the back end;
    /// `.` and `..` are left out. Entries that vanish between being named and being looked at are left out.
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

/// A file open for writing. Either [`finish`](Self::finish) or [`abort`](Self::abort) it; dropping it does what `abort` does.
/// Writes at the same time are fine.
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

    /// Reads back, for handles that the client opened for both. As [`ReadHandle::read_at`]. `Unsupported` where writing is
    /// sequential.
    async fn read_at(&self, offset: u64, len: usize, buffer: Vec<u8>) -> StorageResult<Vec<u8>>;

    /// Cuts or extends the file. Capability `truncate`.
    async fn set_len(&self, size: u64) -> StorageResult<()>;

    /// Changes attributes; they hold after [`finish`](Self::finish) too. Capability `set_attributes`.
    async fn set_attributes(&self, changes: &SetAttributes) -> StorageResult<()>;

    /// Brings what was written to stable storage (`fsync`).
    async fn sync(&self) -> StorageResult<()>;

    /// Completes the file: makes it visible under its name if it is not yet. Returns its attributes, and what it replaced
    /// at that moment (for handles that write in place: `None`). What becomes visible in one step is on stable storage then;
    /// what was written in place is only after [`sync`](Self::sync). Wait for the end: a call that is given up may still
    /// complete the file, and nobody is told what it replaced.
    async fn finish(self: Box<Self>) -> StorageResult<(Metadata, Removed)>;

    /// Gives the upload up. Returns what is now under the name because of it, and what that replaced: attributes of the
    /// partial file if it stays (in place, or
    /// [`OnFinishKeepPartial`](WriteVisibility::OnFinishKeepPartial)), `None` if nothing stays.
    async fn abort(self: Box<Self>) -> StorageResult<Option<(Metadata, Removed)>>;
}
