//! `struct stat` as [`Metadata`].
#![allow(
    clippy::unnecessary_cast,
    reason = "the widths of the fields differ between platforms"
)]

use rustix::fs::{FileType, Stat, StatVfs, StatVfsMountFlags};

use crate::metadata::{FileId, FileKind, FileTime, Metadata, Space};

/// What `stat` describes.
pub(super) fn kind(stat: &Stat) -> FileKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => FileKind::Other,
    }
}

/// Whether both describe one inode.
pub(super) fn same_file(one: &Stat, other: &Stat) -> bool {
    one.st_dev == other.st_dev && one.st_ino == other.st_ino
}

/// The fields that a storage reports.
pub(super) fn metadata(stat: &Stat) -> Metadata {
    Metadata {
        kind: kind(stat),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mode: stat.st_mode,
        uid: stat.st_uid,
        gid: stat.st_gid,
        links: stat.st_nlink as u64,
        accessed: time(stat.st_atime as i64, stat.st_atime_nsec as u64),
        modified: time(stat.st_mtime as i64, stat.st_mtime_nsec as u64),
        id: Some(id(stat)),
    }
}

/// The identity of a file.
pub(super) fn id(stat: &Stat) -> FileId {
    FileId {
        device: stat.st_dev as u64,
        inode: stat.st_ino as u64,
    }
}

fn time(seconds: i64, nanos: u64) -> FileTime {
    FileTime {
        seconds,
        nanos: u32::try_from(nanos).unwrap_or(0),
    }
}

/// The fields of `statvfs`.
pub(super) fn space(stat: &StatVfs) -> Space {
    Space {
        block_size: stat.f_bsize,
        fragment_size: stat.f_frsize,
        blocks: stat.f_blocks,
        blocks_free: stat.f_bfree,
        blocks_available: stat.f_bavail,
        files: stat.f_files,
        files_free: stat.f_ffree,
        files_available: stat.f_favail,
        name_max: stat.f_namemax,
        read_only: stat.f_flag.contains(StatVfsMountFlags::RDONLY),
    }
}
