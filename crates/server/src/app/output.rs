//! What commands write: tables for people, JSON for programs. Names that clients chose cannot move the cursor of a terminal
//! or begin a line in either.

mod json;
#[cfg_attr(unix, path = "output/screen_unix.rs")]
#[cfg_attr(not(unix), path = "output/screen_other.rs")]
mod screen;
mod table;
mod text;

use std::io::Write as _;

pub(super) use json::json;
pub(super) use table::{Facts, Table};
pub(super) use text::{local_time, plain, size};

use super::AppError;

/// Writes a result to stdout.
pub(super) fn print(text: &str) -> Result<(), AppError> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    written.map_err(|error| AppError(format!("cannot write the result: {error}")))
}
