//! `cd` and `pwd`: what shells in sync tools and editors ask first. There is no working directory to change.

use super::run::Answer;

/// Nothing, with success (reference 8.3).
pub(super) fn change() -> Answer {
    Answer::default()
}

/// The root of the account.
pub(super) fn print() -> Answer {
    Answer::of("/\n")
}
