//! Errors of the kernel as errors of a storage, and the loop that judges a path anew when it changed underfoot.

use std::io;

use rustix::io::Errno;

use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// How often an operation starts over because a name on its path was swapped. Whoever swaps in a tight loop wins some of
/// these races; nobody wins them all without meaning to.
const ATTEMPTS: usize = 64;

/// Why an operation stopped before its end.
pub(super) enum Interrupted {
    /// A name is no longer what it was when it was judged: judge again.
    Changed,
    /// It cannot be done.
    Failed(StorageError),
}

impl From<StorageError> for Interrupted {
    fn from(error: StorageError) -> Self {
        Self::Failed(error)
    }
}

/// The result of one attempt.
pub(super) type Attempt<T> = Result<T, Interrupted>;

/// Tries until the path holds still.
pub(super) fn settle<T>(mut attempt: impl FnMut() -> Attempt<T>) -> StorageResult<T> {
    for _ in 0..ATTEMPTS {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(Interrupted::Failed(error)) => return Err(error),
            Err(Interrupted::Changed) => std::thread::yield_now(),
        }
    }
    Err(StorageError::new(
        StorageErrorKind::Unavailable,
        "the path keeps changing",
    ))
}

/// Classifies what the kernel said; `context` names the call for the log.
pub(super) fn fault(context: &'static str, errno: Errno) -> StorageError {
    // What the standard library has no stable name for.
    let kind = match errno {
        Errno::LOOP | Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN | Errno::MLINK => {
            StorageErrorKind::Unavailable
        }
        Errno::NXIO | Errno::NODEV => StorageErrorKind::PermissionDenied,
        _ => return StorageError::from_io(context, io::Error::from(errno)),
    };
    StorageError::with_source(kind, context, io::Error::from(errno))
}

/// [`fault`] inside an attempt.
pub(super) fn failed(context: &'static str, errno: Errno) -> Interrupted {
    Interrupted::Failed(fault(context, errno))
}

/// What the kernel says when a name that was judged is now missing, a link, or of another kind.
pub(super) fn changed_or_failed(context: &'static str, errno: Errno) -> Interrupted {
    match errno {
        Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::ISDIR | Errno::EXIST => {
            Interrupted::Changed
        }
        _ => failed(context, errno),
    }
}

/// What the kernel says when a name that was free is taken now, or its directory was removed.
pub(super) fn taken_or_failed(context: &'static str, errno: Errno) -> Interrupted {
    match errno {
        Errno::EXIST => Interrupted::Changed,
        _ => failed(context, errno),
    }
}

/// An error that no call of the kernel stands behind.
pub(super) fn refused(kind: StorageErrorKind, context: &'static str) -> StorageError {
    StorageError::new(kind, context)
}
