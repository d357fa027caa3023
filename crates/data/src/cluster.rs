//! What servers that share a data provider tell each other: that they live, whose sessions they have, and what they do to
//! files that others may touch too.
//!
//! Times are those of the database, so that the clocks of servers may differ.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::error::DataResult;

/// A server that has not [`beat`](ClusterStore::beat) for so long is dead: its sessions do not count any more.
pub const NODE_LIFETIME: Duration = Duration::from_secs(6);

/// The name of a server process among those that share a data provider; never used again by another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(String);

impl NodeId {
    /// A name out of these random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A name that nobody else has: it need not be secret, only different in every process.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        let (high, low) = bytes.split_at_mut(8);
        high.copy_from_slice(&random_number().to_be_bytes());
        low.copy_from_slice(&random_number().to_be_bytes());
        Self::from_random(bytes)
    }

    /// A name that was read from the data provider.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number that hardly comes twice. The standard library keys its hashes with 128 bits of the system's randomness; the
/// time and the process are in it in case that some system has none.
pub(crate) fn random_number() -> u64 {
    RandomState::new().hash_one((SystemTime::now(), std::process::id()))
}

/// How many sessions of a user this server wants to have noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionClaim<'a> {
    /// Whose sessions.
    pub username: &'a str,
    /// How many this server has, the new one included; with 0 the user is forgotten.
    pub own: u32,
    /// Most sessions on all live servers; `None` is no limit. Nothing is refused if `own` is 0.
    pub limit: Option<u32>,
    /// Whether this server tells the others what it does to the user's files.
    pub sharing: bool,
}

/// What became of a [`SessionClaim`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It would have been more than the limit; nothing changed.
    TooMany,
    /// It is noted. These other live servers have sessions of the user, too.
    Noted(Vec<Neighbour>),
}

/// Another live server that has sessions of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Which one.
    pub node: NodeId,
    /// How many it has.
    pub sessions: u32,
    /// Whether it tells the others what it does to the user's files.
    pub sharing: bool,
}

/// What a server says of itself with a beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Logged-in sessions.
    pub sessions: u32,
    /// Running transfers.
    pub transfers: u32,
}

/// What a server learns with a beat.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beat {
    /// The others took this server for dead and forgot it: its sessions are to be noted again.
    pub was_forgotten: bool,
    /// Users whose sessions were on servers that died. Told to one server only.
    pub orphans: Vec<String>,
    /// Users of this server who have sessions on others that share what they do, while this one does not.
    pub to_share: Vec<String>,
    /// What all live servers have, this one included.
    pub everywhere: Load,
}

/// A text that several servers change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedValue {
    /// The text.
    pub text: String,
    /// Changes with every change of the text.
    pub version: i64,
}

/// The side of a data provider that servers see each other through.
#[async_trait]
pub trait ClusterStore: Send + Sync {
    /// The name of this server.
    fn node(&self) -> &NodeId;

    /// Notes sessions of a user, in one step with those that other servers note.
    async fn claim_sessions(&self, claim: &SessionClaim<'_>) -> DataResult<Claimed>;

    /// Says that this server lives, and forgets those that do not.
    async fn beat(&self, load: Load) -> DataResult<Beat>;

    /// Forgets this server and its sessions.
    async fn leave(&self) -> DataResult<()>;

    /// The servers that live.
    async fn live_nodes(&self) -> DataResult<Vec<NodeId>>;

    /// A shared text.
    async fn shared(&self, name: &str) -> DataResult<Option<SharedValue>>;

    /// Replaces a shared text if it still has that version (`None`: if there is none), or removes it with a text of
    /// `None`. `false`, and nothing changed, if somebody was faster.
    async fn swap_shared(
        &self,
        name: &str,
        version: Option<i64>,
        text: Option<&str>,
    ) -> DataResult<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_servers_have_one_name() {
        let names: std::collections::HashSet<_> = (0..1000).map(|_| NodeId::random()).collect();
        assert_eq!(names.len(), 1000);
        assert!(names.iter().all(|name| name.as_str().len() == 32));
    }
}
