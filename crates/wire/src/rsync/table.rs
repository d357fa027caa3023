//! The options that are let through, a row each.

/// What a long option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing.
    Nothing,
    /// A number or a size: digits with a sign, a point or a unit.
    Number,
    /// A word or a list of words without a path in it; the bytes that are fine besides letters and digits.
    Text(&'static [u8]),
    /// Exactly this.
    Only(&'static [u8]),
    /// A directory below the transfer. It is for the receiver; the sender ignores it.
    Directory,
}

use Takes::{Directory, Nothing, Number, Only, Text};

/// Letters without a value. Not among them: `s` (secluded arguments); `K` (links to directories of the receiver are kept: modes
/// and times would be set where they lead, and no kernel feature that we use stops that); what only the client's side knows.
pub(super) const LETTERS: &[u8] = b"ACDEHIJLNORSUWXbcdgklmnopqrtuvxyz";

/// Letters with a number behind them.
pub(super) const NUMBERED: &[u8] = b"@B";

/// Letters that make rsync follow links.
pub(super) const FOLLOWING: &[u8] = b"Lk";

const LIST: &[u8] = b"-_,.";

/// Long options by their names.
pub(super) const LONG: &[(&str, Takes)] = &[
    ("append", Nothing),
    ("backup-dir", Directory),
    ("block-size", Number),
    ("bwlimit", Number),
    ("checksum-choice", Text(LIST)),
    ("checksum-seed", Number),
    ("compare-dest", Directory),
    ("compress-choice", Text(LIST)),
    ("compress-level", Number),
    ("compress-threads", Number),
    ("copy-dest", Directory),
    ("copy-unsafe-links", Nothing),
    ("debug", Text(LIST)),
    ("delay-updates", Nothing),
    ("delete", Nothing),
    ("delete-after", Nothing),
    ("delete-before", Nothing),
    ("delete-delay", Nothing),
    ("delete-during", Nothing),
    ("delete-excluded", Nothing),
    ("delete-missing-args", Nothing),
    ("dirs", Nothing),
    ("existing", Nothing),
    ("fake-super", Nothing),
    ("files-from", Only(b"-")),
    ("force", Nothing),
    ("from0", Nothing),
    ("fsync", Nothing),
    ("fuzzy", Nothing),
    ("group", Nothing),
    ("groupmap", Text(b"-_,.:*?[]@+ ")),
    ("hard-links", Nothing),
    ("iconv", Text(b"-_,.:")),
    ("ignore-errors", Nothing),
    ("ignore-existing", Nothing),
    ("ignore-missing-args", Nothing),
    ("ignore-times", Nothing),
    ("info", Text(LIST)),
    ("inplace", Nothing),
    ("link-dest", Directory),
    ("links", Nothing),
    ("list-only", Nothing),
    ("log-format", Text(b"%- ")),
    ("max-alloc", Number),
    ("max-delete", Number),
    ("max-size", Number),
    ("min-size", Number),
    ("mkpath", Nothing),
    ("modify-window", Number),
    ("msgs2stderr", Nothing),
    ("munge-links", Nothing),
    ("new-compress", Nothing),
    ("no-W", Nothing),
    ("no-implied-dirs", Nothing),
    ("no-msgs2stderr", Nothing),
    ("no-r", Nothing),
    ("no-relative", Nothing),
    ("no-specials", Nothing),
    ("numeric-ids", Nothing),
    ("old-compress", Nothing),
    ("one-file-system", Nothing),
    ("open-noatime", Nothing),
    ("owner", Nothing),
    ("partial", Nothing),
    ("partial-dir", Directory),
    ("perms", Nothing),
    ("preallocate", Nothing),
    ("recursive", Nothing),
    ("remove-sent-files", Nothing),
    ("remove-source-files", Nothing),
    ("safe-links", Nothing),
    ("size-only", Nothing),
    ("skip-compress", Text(b"-_,./[]")),
    ("specials", Nothing),
    ("stats", Nothing),
    ("stderr", Text(b"")),
    ("stop-after", Number),
    ("suffix", Text(b"-_.~+@, ")),
    ("temp-dir", Directory),
    ("timeout", Number),
    ("times", Nothing),
    ("use-qsort", Nothing),
    ("usermap", Text(b"-_,.:*?[]@+ ")),
];
