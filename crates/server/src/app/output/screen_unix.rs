//! How wide the terminal is.

use std::io::{IsTerminal as _, stdout};

/// The columns of the terminal that stdout is; `None` if it is none, or does not say.
pub(super) fn columns() -> Option<usize> {
    let stdout = stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(&stdout).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
