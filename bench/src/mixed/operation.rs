//! What sessions do, and how often.

use super::random::Random;
use super::worker::Worker;
use crate::error::LoadError;

/// One thing that a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Put,
    Get,
    /// A download and an upload at the same time on one channel.
    Duplex,
    /// Several of both.
    Weave,
    /// An upload that breaks off, and goes on behind what arrived.
    Resume,
    /// An upload beside a file, and a rename over it.
    Replace,
    Rename,
    Remove,
    List,
    /// A large directory in which others make and remove files meanwhile.
    ListShared,
    /// Directories made, renamed, listed, removed.
    Tree,
    /// An SFTP channel that is closed in the midst of an upload or a download.
    Abandon,
    DigestFile,
    DigestInput,
    /// Several channels of one connection at once.
    Channels,
    ScpPut,
    ScpGet,
    ScpTree,
    /// An scp channel that is closed in the midst of a file.
    ScpAbandon,
}

/// How often each is chosen, and what reports call it.
const OPERATIONS: &[(Operation, u64, &str)] = &[
    (Operation::Put, 12, "put"),
    (Operation::Get, 12, "get"),
    (Operation::Duplex, 16, "put and get on one channel"),
    (Operation::Weave, 6, "many puts and gets on one channel"),
    (Operation::Resume, 4, "resume"),
    (Operation::Replace, 4, "replace by rename"),
    (Operation::Rename, 4, "rename"),
    (Operation::Remove, 6, "remove"),
    (Operation::List, 8, "list"),
    (Operation::ListShared, 2, "list a large directory"),
    (Operation::Tree, 4, "make and remove directories"),
    (Operation::Abandon, 3, "abandon an sftp channel"),
    (Operation::DigestFile, 8, "digest of files"),
    (Operation::DigestInput, 2, "digest of input"),
    (Operation::Channels, 6, "several channels at once"),
    (Operation::ScpPut, 8, "scp put"),
    (Operation::ScpGet, 8, "scp get"),
    (Operation::ScpTree, 3, "scp of a tree, both ways"),
    (Operation::ScpAbandon, 2, "abandon an scp channel"),
];

impl Operation {
    pub(super) fn name(self) -> &'static str {
        let found = OPERATIONS.iter().find(|(known, ..)| *known == self);
        found.map_or("", |(_, _, name)| name)
    }

    fn needs_scp(self) -> bool {
        matches!(
            self,
            Self::ScpPut | Self::ScpGet | Self::ScpTree | Self::ScpAbandon
        )
    }

    /// The next one.
    pub(super) fn choose(random: &mut Random, scp: bool) -> Self {
        let offered = || {
            let all = OPERATIONS.iter();
            all.filter(|(operation, ..)| scp || !operation.needs_scp())
        };
        let mut ticket = random.below(offered().map(|(_, weight, _)| weight).sum());
        for (operation, weight, _) in offered() {
            match ticket.checked_sub(*weight) {
                Some(rest) => ticket = rest,
                None => return *operation,
            }
        }
        Self::Put
    }

    /// Does it.
    pub(super) async fn perform(self, worker: &mut Worker) -> Result<(), LoadError> {
        match self {
            Self::Put => worker.put().await,
            Self::Get => worker.get().await,
            Self::Duplex => worker.weave(1).await,
            Self::Weave => worker.weave(3).await,
            Self::Resume => worker.resume().await,
            Self::Replace => worker.replace().await,
            Self::Rename => worker.rename().await,
            Self::Remove => worker.remove().await,
            Self::List => worker.list().await,
            Self::ListShared => worker.list_shared().await,
            Self::Tree => worker.tree().await,
            Self::Abandon => worker.abandon().await,
            Self::DigestFile => worker.digest_files().await,
            Self::DigestInput => worker.digest_input().await,
            Self::Channels => worker.several_channels().await,
            Self::ScpPut => worker.scp_put().await,
            Self::ScpGet => worker.scp_get().await,
            Self::ScpTree => worker.scp_tree().await,
            Self::ScpAbandon => worker.scp_abandon().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_chosen_and_scp_only_where_it_is() {
        let mut random = Random::new(5);
        let mut chosen = |scp| -> Vec<_> {
            (0..5000)
                .map(|_| Operation::choose(&mut random, scp))
                .collect()
        };
        let with = chosen(true);
        let known = |operation| OPERATIONS.iter().any(|(known, ..)| *known == operation);
        assert!(OPERATIONS.iter().all(|(known, ..)| with.contains(known)));
        let without = chosen(false);
        assert!(without.iter().all(|operation| known(*operation)));
        assert!(!without.iter().any(|operation| operation.needs_scp()));
    }
}
