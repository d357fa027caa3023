//! What the process takes from its environment: nothing, on this system.

/// There is no such limit.
pub(super) fn raise_open_files() {}

/// There are no modes to mask.
pub(super) fn current_umask() -> u16 {
    0
}
