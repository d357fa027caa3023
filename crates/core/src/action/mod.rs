//! Actions: programs and URLs of the operator that are told of what has happened, or asked before it does (reference 10).
//!
//! Whoever reports an event never waits: it goes into a bounded queue, and is carried out in its turn. What does not fit is
//! dropped, counted and logged. Who is asked (a gate) is waited for, within a deadline; whatever goes wrong there refuses.
//!
//! - `settings` says what happens on which event, and for how long;
//! - `file` and `user` say what is told of files and accounts;
//! - `queue` bounds how many run and wait, and ends them in order; `overflow` speaks of those that found no place;
//! - `runner` is where events are reported, `report` what an open file needs for that;
//! - `courier` carries one out: the program and the URL, at the same time;
//! - `gate` asks.
//!
//! Programs and the HTTP client are those of hooks ([`crate::hook`]).

mod courier;
mod file;
mod gate;
mod overflow;
mod queue;
mod report;
mod runner;
mod settings;
#[cfg(test)]
mod tests;
mod user;

pub(crate) use file::{FileAction, Place};
pub(crate) use report::FileReport;
pub(crate) use runner::{ActionRunner, ActionRunnerParts};
pub use settings::{ActionLimits, ActionSettings};
