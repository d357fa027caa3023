//! How wide the terminal is.

/// Nobody knows.
pub(super) fn columns() -> Option<usize> {
    None
}
