//! The seam to the SSH library: logins go up, channels of bytes come down. Replaceable without touching anything above.
//!
//! - [`Events`] is what the connection above answers: credentials, and requests to start something in a channel.
//! - [`Channel`] is a pair of byte streams. Input is bounded by the channel's [`Window`], the receive window, which grows when
//!   bytes were dealt with; the socket is always read. Output waits for the peer's window, and only
//!   the task that sends waits.

mod algorithms;
pub(crate) mod channel;
mod error;
pub(crate) mod examine;
mod groups;
mod handler;
pub(crate) mod host_key;
pub(crate) mod run;
mod socket;
pub(crate) mod window;

use async_trait::async_trait;
use sftpgo_core::auth::{Challenge, KeyError, Login, OfferedKey, Refused, VerifiedKey};
use zeroize::Zeroizing;

pub(crate) use channel::{Channel, ChannelInput, ChannelOutput, Gone, Input};
pub(crate) use run::{Begun, End, TransportSettings, run};
pub(crate) use window::{Held, Window};

/// What a client wants to run in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChannelRequest {
    /// RFC 4254 section 6.5, `subsystem`.
    Subsystem(String),
    /// RFC 4254 section 6.5, `exec`; any bytes.
    Exec(Vec<u8>),
}

/// What became of an attempt to log in.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Somebody is logged in.
    LoggedIn,
    /// The client has to answer this first.
    Ask(Challenge),
    /// Not, or not yet.
    Refused(Refused),
}

/// What the connection above the transport answers. One value a connection; calls come one at a time.
#[async_trait]
pub(crate) trait Events: Send + 'static {
    /// Called once, when the identification of the client is known.
    fn identified(&mut self, client_version: String);

    /// An attempt that the transport refuses by itself: the method `none`.
    fn refused(&mut self, username: &str) -> Refused;

    /// An attempt with a key that logs nobody in, whoever asks.
    fn key_refused(&mut self, username: &str, error: KeyError) -> Refused;

    /// Evaluates a password.
    async fn password(&mut self, username: &str, password: &str) -> Verdict;

    /// Whether a signature of this key would be accepted. Must not change what the connection believes of the client.
    async fn key_offered(&mut self, username: &str, key: &OfferedKey) -> Result<(), Refused>;

    /// Evaluates a key whose signature was verified.
    async fn key_verified(&mut self, username: &str, key: VerifiedKey) -> Verdict;

    /// Begins a keyboard-interactive dialogue.
    async fn interactive(&mut self, username: &str) -> Verdict;

    /// The answers to what was asked last. Any other attempt in between ends the dialogue.
    async fn answers(&mut self, answers: Vec<Zeroizing<String>>) -> Verdict;

    /// Whether somebody is logged in.
    fn login(&self) -> Option<&Login>;

    /// Starts what was asked for and takes the channel; gives it back if that is not served.
    async fn start(&mut self, request: ChannelRequest, channel: Channel) -> Result<(), Channel>;
}
