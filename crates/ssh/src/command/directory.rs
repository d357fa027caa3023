//! `cd` and `pwd`: what shells in sync tools and editors ask first. There is no working directory to change.

use sftpgo_wire::exec;

use super::paths::Argument;
use super::run::Answer;
use super::table::Exec;

/// Nothing, with success (reference 8.3).
pub(super) fn change(exec: &Exec) -> Answer {
    Answer {
        argument: Argument::new(exec::path_argument(&exec.words)),
        ..Answer::default()
    }
}

/// The root of the account.
pub(super) fn print() -> Answer {
    Answer::of("/\n")
}
