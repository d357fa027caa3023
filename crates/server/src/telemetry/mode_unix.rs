//! Who may read a new log file, on Unix: its owner, because it names users and paths.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;

pub(super) fn owner_only(options: &mut OpenOptions) {
    options.mode(0o600);
}
