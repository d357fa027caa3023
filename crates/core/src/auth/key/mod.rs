//! Public keys and certificates of clients: from the bytes of a request to what they grant.
//!
//! - [`OfferedKey`] is a key that a client names: of an acceptable type and size, and no more than that. A [`VerifiedKey`] is
//!   one of which the client has made a signature; `signature` is the only place that says so.
//! - [`KeyTrust`] are the authorities whose certificates are believed, and what was revoked, from files.
//! - `grant` says what an account's keys and certificates allow; `certificate` has the checks of the latter.

mod algorithm;
mod certificate;
mod grant;
mod offered;
mod signature;
mod trust;

pub use algorithm::AcceptedSignatures;
pub use grant::ForcedCommands;
pub(super) use grant::{Grant, Granting};
pub use offered::{KeyError, OfferedKey, VerifiedKey};
pub use trust::{KeyFiles, KeyTrust, Reloaded};

#[cfg(test)]
mod tests;
