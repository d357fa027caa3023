//! What is really on the disk.

use std::fs;
use std::path::Path;

/// Files and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Regular files.
    pub files: i64,
    /// The sum of their sizes.
    pub bytes: i64,
}

/// Regular files below `directory`, which need not exist; symlinks are not followed.
#[must_use]
pub fn usage(directory: &Path) -> Usage {
    let mut sum = Usage::default();
    let Ok(entries) = fs::read_dir(directory) else {
        return sum;
    };
    for entry in entries.map_while(Result::ok) {
        let Ok(metadata) = fs::symlink_metadata(entry.path()) else {
            continue;
        };
        if metadata.is_dir() {
            let below = usage(&entry.path());
            sum.files += below.files;
            sum.bytes += below.bytes;
        } else if metadata.is_file() {
            sum.files += 1;
            sum.bytes += i64::try_from(metadata.len()).unwrap();
        }
    }
    sum
}
