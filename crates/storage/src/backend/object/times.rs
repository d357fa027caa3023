//! Times of changes that listings of S3 do not show: those that were seen here, so that a sync tool that has just set a time
//! finds it again in the next listing without a call for each entry.
//!
//! A time belongs to one version of an object as the store took it; what another server changes is another version.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::metadata::{FileId, FileTime};

/// Objects of each of two generations: together some 10 MiB.
const MOST: usize = 1 << 16;

/// An object, and when the store took it: only the seconds, which is all that some calls tell.
type Version = (FileId, i64);

/// What was seen lately. A clone is the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    young: HashMap<Version, FileTime>,
    old: HashMap<Version, FileTime>,
}

impl Times {
    /// Keeps the time of a version.
    pub(super) fn note(&self, id: FileId, taken: FileTime, changed: FileTime) {
        let mut seen = self.seen.lock();
        if seen.young.len() >= MOST {
            seen.old = std::mem::take(&mut seen.young);
        }
        seen.young.insert((id, taken.seconds), changed);
    }

    /// The time of a version, if it was seen.
    pub(super) fn of(&self, id: FileId, taken: FileTime) -> Option<FileTime> {
        let seen = self.seen.lock();
        let version = (id, taken.seconds);
        let young = seen.young.get(&version);
        young.or_else(|| seen.old.get(&version)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> FileTime {
        FileTime { seconds, nanos: 7 }
    }

    #[test]
    fn the_latest_are_kept_and_no_more_than_a_bound() {
        let times = Times::default();
        let id = |inode: usize| FileId {
            device: 1,
            inode: inode as u64,
        };
        for number in 0..3 * MOST {
            times.note(id(number), at(1), at(2));
        }
        assert_eq!(times.of(id(3 * MOST - 1), at(1)), Some(at(2)));
        assert_eq!(times.of(id(2 * MOST), at(1)), Some(at(2)));
        assert_eq!(times.of(id(0), at(1)), None);
        assert_eq!(times.of(id(3 * MOST - 1), at(3)), None);
    }
}
