//! Whether a directory takes several spellings for one name (`Closed` for `closed`).
//!
//! Rules for directories are rules for names: where one name is as good as another they close nothing. What only normalises
//! Unicode, and directories below the root that differ from it, are not found out.

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags, fstatfs, ioctl_getflags, openat, statat};

use super::disk::Disk;
use super::error::fault;
use super::list::read_names;
use super::stat::same_file;
use crate::error::StorageResult;

/// `FS_CASEFOLD_FL`: the directory was made so (ext4, F2FS, tmpfs).
const CASEFOLD: u32 = 0x4000_0000;

/// What file systems of a kind do with names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// They fold them, whatever the options of the mount.
    Folding,
    /// They fold them unless told otherwise.
    LikelyFolding,
    /// They compare bytes unless told otherwise.
    LikelyExact,
}

impl Kind {
    /// By the magic number of statfs(2).
    fn of(magic: u64) -> Self {
        match magic {
            // FAT; exFAT; HFS.
            0x4d44 | 0x2011_bab0 | 0x4244 => Self::Folding,
            // HFS+; NTFS twice; SMB twice; CIFS.
            0x482b | 0x5346_544e | 0x7366_746e | 0x517b | 0xfe53_4d42 | 0xff53_4d42 => {
                Self::LikelyFolding
            }
            _ => Self::LikelyExact,
        }
    }

    /// `flagged` is what the directory says of itself, `probed` what it does with a name that is there, if there is one.
    fn folds(self, flagged: bool, probed: Option<bool>) -> bool {
        match self {
            Self::Folding => true,
            Self::LikelyFolding => flagged || probed.unwrap_or(true),
            Self::LikelyExact => flagged || probed.unwrap_or(false),
        }
    }
}

impl Disk {
    /// Looks at the root, and at what is in it.
    pub(super) fn folds_names(&self) -> StorageResult<bool> {
        let stat = fstatfs(self.root.dir()).map_err(|errno| fault("statfs", errno))?;
        let kind = Kind::of(stat.f_type as u64 & 0xffff_ffff);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(dir) = openat(self.root.dir(), c".", flags, Mode::empty()) else {
            return Ok(kind.folds(false, None));
        };
        let flagged = ioctl_getflags(&dir).is_ok_and(|flags| flags.bits() & CASEFOLD != 0);
        Ok(kind.folds(flagged, probe(&dir)?))
    }
}

/// Looks for a name in its other case: the same object there, and only one name of the two, says that both are one.
fn probe(dir: &OwnedFd) -> StorageResult<Option<bool>> {
    let mut names = Vec::new();
    read_names(dir, |name| names.push(name.to_vec()))?;
    let of = |name: &[u8]| statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
    for name in &names {
        let other = other_case(name);
        if other == *name || names.contains(&other) {
            continue;
        }
        if let Ok(stat) = of(name) {
            return Ok(Some(of(&other).is_ok_and(|found| same_file(&found, &stat))));
        }
    }
    Ok(None)
}

fn other_case(name: &[u8]) -> Vec<u8> {
    let other = |letter: &u8| {
        if letter.is_ascii_lowercase() {
            letter.to_ascii_uppercase()
        } else {
            letter.to_ascii_lowercase()
        }
    };
    name.iter().map(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_folds_names_by_its_kind_its_flag_or_when_it_is_seen_to() {
        for (magic, flagged, probed, expected) in [
            // ext4, plain and made so.
            (0xef53, false, Some(false), false),
            (0xef53, false, None, false),
            (0xef53, true, None, true),
            // ZFS and XFS say nothing, but do.
            (0x2fc1_2fc1, false, Some(true), true),
            (0x5846_5342, false, Some(true), true),
            // FAT; SMB with and without something to look at.
            (0x4d44, false, Some(false), true),
            (0xfe53_4d42, false, None, true),
            (0xfe53_4d42, false, Some(false), false),
        ] {
            let folds = Kind::of(magic).folds(flagged, probed);
            assert_eq!(folds, expected, "{magic:x} {flagged} {probed:?}");
        }
    }

    #[test]
    fn two_names_that_differ_in_case_are_two_names() {
        let keep = tempfile::tempdir().unwrap();
        let dir = || std::fs::File::open(keep.path()).unwrap().into();
        assert_eq!(probe(&dir()).unwrap(), None);
        std::fs::write(keep.path().join("123"), "").unwrap();
        assert_eq!(probe(&dir()).unwrap(), None);
        std::fs::write(keep.path().join("name"), "").unwrap();
        assert_eq!(probe(&dir()).unwrap(), Some(false));
        // A second name of the same file in the other case is no folding.
        std::fs::hard_link(keep.path().join("name"), keep.path().join("NAME")).unwrap();
        assert_eq!(probe(&dir()).unwrap(), None);
    }
}
