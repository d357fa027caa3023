//! The command line that an rsync client runs on the other side (`rsync --server ...`), read into a typed value and built
//! anew from it: nothing that the client wrote reaches a program unless a row of the `table` lets it.
//!
//! The list is that of what `options.c: server_options` of rsync sends, without what names files elsewhere, makes rsync a
//! daemon or writes to devices; the `rrsync` script of the rsync project draws the same line.

mod parse;
mod table;

use std::fmt;

pub use parse::parse;

/// A command line of the serving side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsyncCommand {
    /// Whether files are sent to the client; else they are received.
    pub sender: bool,
    /// The options but `--server` and `--sender`, checked, each an argument of its own.
    pub options: Vec<Vec<u8>>,
    /// Paths as the client wrote them: at least one; exactly one if files are received.
    pub paths: Vec<Vec<u8>>,
    /// `-R`: names are sent with the directories of the path.
    pub relative: bool,
    /// `--mkpath`: missing directories above the destination are made.
    pub mkpath: bool,
    /// `--safe-links` is there already.
    pub safe_links: bool,
    /// `--munge-links` is there already.
    pub munge_links: bool,
    /// `--fake-super`: privileged attributes are stored, not set.
    pub fake_super: bool,
    /// What links lead to is sent, or names come later (`--files-from`): a source that is a link is followed.
    pub follows_links: bool,
    /// Files are removed when they have been sent.
    pub removes_sources: bool,
}

/// Why a command line is refused. What the client wrote is shown escaped, and no longer than a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RsyncError {
    /// `--server` does not come first: somebody runs rsync by hand, or a daemon.
    NotServer,
    /// The list does not have this option.
    Option(String),
    /// The value of this option is missing or not one that is let through.
    Value(String),
    /// A path in this option leads out of the transfer, or is absolute.
    Path(String),
    /// `-s`: the rest of the command line would come later.
    SecludedArguments,
    /// No `.` between options and paths, or a number of paths that makes no sense.
    Paths,
}

impl fmt::Display for RsyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotServer => f.write_str("only transfers of an rsync client are served"),
            Self::Option(name) => write!(f, "the option {name} is not served"),
            Self::Value(name) => write!(f, "the value of the option {name} is not accepted"),
            Self::Path(name) => write!(
                f,
                "the option {name} takes a relative path below the destination"
            ),
            Self::SecludedArguments => {
                f.write_str("secluded arguments are not served: run rsync with --no-secluded-args")
            }
            Self::Paths => f.write_str("the paths of the transfer are missing or too many"),
        }
    }
}

impl std::error::Error for RsyncError {}
