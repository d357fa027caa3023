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
    /// Somewhere else: another machine, or a process (FUSE). Anything may take long, and whether a write succeeded may be
    /// known late.
    Remote,
    /// Layers of others, or unknown: the same, as far as is known.
    Other,
}

impl FileSystem {
    /// The file system that holds an open object.
    pub(super) fn of(object: impl AsFd) -> Self {
        // The width and sign of the magic number differ between platforms; all of them fit in 32 bits (statfs(2)).
        match fstatfs(object).map(|stat| stat.f_type as u64 & 0xffff_ffff) {
            Ok(0x0102_1994 | 0x8584_58f6) => Self::Memory,
            // FUSE; NFS; SMB and CIFS; Ceph; 9P; AFS twice; Lustre; Coda.
            Ok(
                0x6573_5546 | 0x6969 | 0x517b | 0xff53_4d42 | 0xfe53_4d42 | 0x00c3_6400
                | 0x0102_1997 | 0x5346_414f | 0x6b41_4653 | 0x0bd0_0bd0 | 0x7375_7245,
            ) => Self::Remote,
            Ok(0xef53 | 0x5846_5342 | 0x9123_683e | 0xf2f5_2010) => Self::Disk,
            Ok(_) | Err(_) => Self::Other,
        }
    }

    /// Whether the attributes of an open or cached object are there at once.
    pub(super) fn knows_attributes(self) -> bool {
        match self {
            Self::Memory | Self::Disk => true,
            Self::Remote | Self::Other => false,
        }
    }
}
