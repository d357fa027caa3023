//! Attributes of files and directories, as every back end reports them.

use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, not followed.
    Symlink,
    /// A device, socket or pipe: shown, never opened.
    Other,
}

/// A point in time of a file: seconds since the epoch and nanoseconds within the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct FileTime {
    /// Seconds since 1970-01-01T00:00:00Z, negative before.
    pub seconds: i64,
    /// 0..1_000_000_000.
    pub nanos: u32,
}

/// Identifies one file whatever its name, while it exists (device and inode on local disks). The next file may get the
/// identity of one that is gone: who compares two keeps the file with a [`Pinned`](crate::Pinned).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// Which device or storage.
    pub device: u64,
    /// Which file there.
    pub inode: u64,
}

/// Attributes of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// Size in bytes.
    pub size: u64,
    /// Type and permission bits as in `st_mode`.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Number of names; 0 once it was removed while open.
    pub links: u64,
    /// Last read.
    pub accessed: FileTime,
    /// Last change of the contents.
    pub modified: FileTime,
    /// Identity, where the back end has one.
    pub id: Option<FileId>,
}

impl Metadata {
    /// Whether this is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// Whether this is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    /// Whether this is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.kind == FileKind::Symlink
    }
}

/// An entry of a listing; links are not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name: one component, any bytes but NUL and `/`.
    pub name: Vec<u8>,
    /// Its attributes.
    pub metadata: Metadata,
}

/// Attributes to change; `None` leaves one alone. All that are given are applied, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SetAttributes {
    /// Owner and group; `None` inside leaves that half alone.
    pub owner: Option<(Option<u32>, Option<u32>)>,
    /// Permission bits: only the low nine take effect.
    pub mode: Option<u32>,
    /// Last read and last change.
    pub times: Option<(FileTime, FileTime)>,
}

impl SetAttributes {
    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.owner.is_none() && self.mode.is_none() && self.times.is_none()
    }

    /// Refuses values that the kernel would take for something else: nanoseconds over a second can mean "now" or "leave it"
    /// (utimensat(2)), and the highest owner means "leave it" (chown(2)).
    pub(crate) fn check(&self) -> StorageResult<()> {
        let times_fit = self.times.is_none_or(|(accessed, modified)| {
            accessed.nanos < NANOS_PER_SECOND && modified.nanos < NANOS_PER_SECOND
        });
        let owner_fits = self
            .owner
            .is_none_or(|(uid, gid)| uid != Some(u32::MAX) && gid != Some(u32::MAX));
        if times_fit && owner_fits {
            return Ok(());
        }
        let context = "an attribute is out of range";
        Err(StorageError::new(
            StorageErrorKind::InvalidArgument,
            context,
        ))
    }
}

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// Space of the file system that holds a path; the fields of `statvfs(3)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// Preferred block size in bytes.
    pub block_size: u64,
    /// Unit of the block counts in bytes.
    pub fragment_size: u64,
    /// All blocks, in fragments.
    pub blocks: u64,
    /// Free blocks.
    pub blocks_free: u64,
    /// Free blocks for users without privileges.
    pub blocks_available: u64,
    /// All file slots.
    pub files: u64,
    /// Free file slots.
    pub files_free: u64,
    /// Free file slots for users without privileges.
    pub files_available: u64,
    /// Longest name in bytes.
    pub name_max: u64,
    /// Whether the file system is mounted read-only.
    pub read_only: bool,
}
