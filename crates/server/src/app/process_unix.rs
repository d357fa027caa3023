//! What the process takes from its environment: the limit of open files, and the umask.

use rustix::fs::Mode;
use rustix::process::{Resource, getrlimit, setrlimit, umask};

/// Raises the soft limit of open files to the hard one: each connection takes a descriptor, each transfer another. Soft
/// limits are low for the sake of programs that use `select`; this one does not.
pub(super) fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let before = limit.current;
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(
            sender = "service",
            "the limit of open files stays at {before:?}: {error}"
        );
    }
}

/// The umask of the process. It can only be read by setting it: call this before anything else creates files.
pub(super) fn current_umask() -> u16 {
    // A file created in between is private rather than public.
    let current = umask(Mode::from_raw_mode(0o077));
    umask(current);
    // Eight bits, as the setting has.
    u16::try_from(current.bits() & 0o377).unwrap_or(0o022)
}
