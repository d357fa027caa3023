//! What is known of a file system by its kind: which calls never wait there.

use std::os::fd::AsFd;

use rustix::fs::fstatfs;

/// How long calls on a file system can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileSystem {
    /// In memory (tmpfs, ramfs): nothing ever waits for a disk.
    Memory,
    /// On a disk of this machine (ext4, XFS, Btrfs, F2FS): what the kernel has cached is there at once.
    Disk,
    /// A network, a process of its own (FUSE), layers of others, or unknown: anything may take long.
    Other,
}

impl FileSystem {
    /// The file system that holds an open object.
    pub(super) fn of(object: impl AsFd) -> Self {
        // The width and sign of the magic number differ between platforms; all of them fit in 32 bits (statfs(2)).
        match fstatfs(object).map(|stat| stat.f_type as u64 & 0xffff_ffff) {
            Ok(0x0102_1994 | 0x8584_58f6) => Self::Memory,
            Ok(0xef53 | 0x5846_5342 | 0x9123_683e | 0xf2f5_2010) => Self::Disk,
            Ok(_) | Err(_) => Self::Other,
        }
    }

    /// Whether the attributes of an open or cached object are there at once.
    pub(super) fn knows_attributes(self) -> bool {
        match self {
            Self::Memory | Self::Disk => true,
            Self::Other => false,
        }
    }
}
