//! Accounts of other systems: their files in, users and a report out.
//!
//! A source is a function from the bytes of its files to an [`Import`]: a [`Found`] for each user, which is a
//! [`UserRecord`](sftpgo_model::UserRecord) or the reason why there is none, with a [`Note`] for everything that this server
//! does not have, and notes about the files as a whole. Nothing is left out without a note. Where what is left out was a
//! restriction, the user comes disabled.
//!
//! No I/O and no opinion about the records: whoever stores them validates them.

mod account;
mod bolt;
mod colon;
mod dump;
mod keys;
mod linux;
mod password;
mod proftpd;
mod pure_ftpd;
mod report;

pub use bolt::reference_bolt;
pub use dump::reference_dump;
pub use keys::KeyFile;
pub use linux::{LinuxFiles, UidRange, linux};
pub use password::NO_PASSWORD;
pub use proftpd::{ProftpdFiles, proftpd};
pub use pure_ftpd::pure_ftpd;
pub use report::{Effect, Found, Import, ImportError, Note};

/// What the sources must be told.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Milliseconds since the epoch.
    pub now: i64,
    /// Whether the server can check passwords against a stored hash; the reason if not, without the hash.
    pub check_hash: &'a dyn Fn(&str) -> Result<(), String>,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
