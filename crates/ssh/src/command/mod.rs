//! SSH commands: exec requests that look like programs and are operations of a session (reference 8).
//!
//! - `table` is the list of commands; a text that names none of them, or one that is not enabled, is refused at once.
//! - `run` starts one and reports how it ended; each command has a file of its own.
//! - No shell and no program is behind any of them but git and rsync, and those get a command line of our own making.

mod df;
mod digest;
mod directory;
mod git;
mod paths;
mod program;
mod rsync;
mod run;
mod table;

pub(crate) use paths::logged;
pub(crate) use program::warn_of_unconfined_programs;
pub(crate) use run::run;
pub(crate) use table::{DEFAULT_COMMANDS, known_commands};
pub(crate) use table::{Exec, Refused, parse};
