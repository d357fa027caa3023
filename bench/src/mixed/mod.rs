//! The mixed load: sessions that do a bit of everything, side by side, and check every byte of it.
//!
//! Each session works in a directory of its own and keeps a [`folder::Folder`], which says what the server must hold there.
//! What an operation brings back is compared with it, so the server is caught when it loses, doubles, mixes up or
//! keeps anything. `operation` is the list of what sessions do; `worker` is the loop; `vanish` is another loop, of clients
//! that leave in the midst of things.

mod commands;
mod digest;
mod exec;
mod files;
mod folder;
mod operation;
mod random;
mod scp;
mod several;
mod shared;
mod tally;
mod vanish;
mod weave;
mod worker;

pub(crate) use folder::Folder;
pub(crate) use shared::prepare;
pub(crate) use tally::Tally;
pub(crate) use vanish::vanish;
pub(crate) use worker::work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::target::Target;

/// What all sessions of a run share.
pub(crate) struct Load {
    pub(crate) target: Arc<Target>,
    pub(crate) seed: u64,
    /// When sessions stop beginning something new.
    pub(crate) end: Instant,
    /// Longest time of one operation; one that takes longer hangs.
    pub(crate) deadline: Duration,
    /// Whether the server has `scp`.
    pub(crate) scp: bool,
    pub(crate) tally: Mutex<Tally>,
}
