//! Files that several servers change, each through its own sessions of one user.
//!
//! A server that has all sessions of a user keeps the accounts of the user's files to itself. When another one gets a
//! session of that user it first asks the others to share: each publishes what it has open, and from then on every look at
//! a file goes through the data provider, where a text for each file says who holds it and what is counted for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sftpgo_data::{
    ClusterStore, DataError, DataErrorKind, DataProvider, DataResult, NodeId, SharedValue,
};
use sftpgo_model::VirtualPath;
use sftpgo_storage::FileId;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use tokio::time::{Instant, sleep};

use super::counters::Counters;
use super::files::Files;
use super::state::FileState;
use crate::error::{OpError, OpErrorKind, OpResult};

/// How long a server waits for a file that another one holds.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at a file that another server holds, at first and at most.
const POLL: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));
/// After so long a wait somebody asks whether who holds it lives.
const SUSPICIOUS: Duration = Duration::from_secs(2);
/// Between two attempts to let a file go, when the data provider does not answer.
const RETRY: Duration = Duration::from_millis(500);
/// Users of whom a server remembers that it need not share; beyond that, those of whom nothing is under way are forgotten.
const REMEMBERED: usize = 4096;

/// Whether it shares, user by user.
#[derive(Debug)]
pub(super) struct Sharing {
    provider: Arc<dyn DataProvider>,
    counters: Counters,
    modes: Mutex<HashMap<String, Arc<RwLock<bool>>>>,
}

/// Held while a file is: the mode does not change meanwhile. Who holds several files of a user has one of it: a second one
/// would wait for whoever waits to change it, who waits for the first.
pub(super) type Mode = Arc<OwnedRwLockReadGuard<bool>>;

/// What is written of a file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Published {
    /// The server that holds it.
    holder: Option<String>,
    state: FileState,
}

impl Sharing {
    pub(super) fn new(provider: Arc<dyn DataProvider>, counters: Counters) -> Self {
        Self {
            provider,
            counters,
            modes: Mutex::default(),
        }
    }

    /// The name of this server in accounts.
    pub(super) fn here(&self) -> &str {
        self.provider
            .cluster()
            .map_or("", |cluster| cluster.node().as_str())
    }

    /// Whether what is done to the user's files is shared.
    pub(super) async fn mode(&self, username: &str) -> Mode {
        Arc::new(self.entry(username).read_owned().await)
    }

    fn entry(&self, username: &str) -> Arc<RwLock<bool>> {
        let mut modes = self.modes.lock();
        if modes.len() >= REMEMBERED && !modes.contains_key(username) {
            modes.retain(|_, mode| {
                Arc::strong_count(mode) > 1 || mode.try_read().is_ok_and(|shared| *shared)
            });
        }
        Arc::clone(modes.entry(username.to_owned()).or_default())
    }

    /// Shares from now on: what is open of the user's files is published when this returns.
    ///
    /// # Errors
    /// The data provider does not answer; nothing is shared then.
    pub(super) async fn share(&self, username: &str, files: &Files) -> DataResult<()> {
        let Some(cluster) = self.provider.cluster() else {
            return Ok(());
        };
        let mode = self.entry(username);
        let mut shared = mode.write().await;
        if *shared {
            return Ok(());
        }
        self.counters.write(username).await?;
        for account in files.accounts_of(username) {
            let state = account.lock().await;
            if state.is_open() {
                publish(cluster, &account.key().shared_name(), &state).await?;
            }
        }
        *shared = true;
        Ok(())
    }

    /// Keeps to itself what is done to the files of a user who has no session here any more.
    pub(super) async fn unshare(&self, username: &str) {
        let mode = self.modes.lock().get(username).cloned();
        if let Some(mode) = mode {
            *mode.write().await = false;
            drop(mode);
            let mut modes = self.modes.lock();
            if modes
                .get(username)
                .is_some_and(|mode| Arc::strong_count(mode) == 1)
            {
                modes.remove(username);
            }
        }
    }

    /// Holds a file that is shared, and tells what is counted for it.
    ///
    /// # Errors
    /// `Unavailable` if another server does not let go of it, or the data provider does not answer.
    pub(super) async fn hold(&self, name: &str) -> OpResult<FileState> {
        let Some(cluster) = self.provider.cluster() else {
            return Err(OpErrorKind::Unavailable.into());
        };
        let begun = Instant::now();
        let mut pause = POLL.0;
        loop {
            let found = cluster.shared(name).await?;
            let mut published = read(name, found.as_ref())?;
            let suspicious = begun.elapsed() >= SUSPICIOUS;
            if published.holder.is_some() && suspicious {
                let live = cluster.live_nodes().await?;
                let dead = |holder: &String| !live.contains(&NodeId::from_text(holder.as_str()));
                if published.holder.as_ref().is_some_and(dead) {
                    published.holder = None;
                }
            }
            if published.holder.is_none() {
                forget_the_dead(cluster, &mut published.state).await?;
                let held = Published {
                    holder: Some(cluster.node().to_string()),
                    ..published
                };
                let version = found.map(|found| found.version);
                let text = write(&held)?;
                if cluster.swap_shared(name, version, Some(&text)).await? {
                    return Ok(held.state);
                }
            }
            if begun.elapsed() > PATIENCE {
                let context = "another server does not let go of a file";
                return Err(OpError::with_source(OpErrorKind::Unavailable, context));
            }
            sleep(pause).await;
            pause = (pause * 2).min(POLL.1);
        }
    }

    /// Lets a file go that [`hold`](Self::hold) gave, when what was counted of the user's files is written: the counters do
    /// not go below 0, so nobody may take off what is still to be added. Does not give up while the data provider does not answer: until then
    /// nobody else gets the file, and after the end of this server everybody does.
    pub(super) async fn let_go(&self, username: &str, name: &str, state: &FileState) {
        let Some(cluster) = self.provider.cluster() else {
            return;
        };
        let mut told = false;
        loop {
            let done = match self.counters.write(username).await {
                Ok(()) => put_back(cluster, name, state).await,
                Err(error) => Err(error.into()),
            };
            match done {
                Ok(()) => return,
                Err(error) if !told => {
                    tracing::warn!(%error, "a file that other servers wait for cannot be let go yet");
                    told = true;
                }
                Err(_) => {}
            }
            sleep(RETRY).await;
        }
    }
}

/// The account of one file, in the sight of everybody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FileKey {
    pub(super) username: Arc<str>,
    /// Where the storage is mounted: inode numbers are unique below it, device numbers differ between servers.
    pub(super) mount: VirtualPath,
    pub(super) id: FileId,
}

impl FileKey {
    /// The same on every server, and of a length that fits a key of any database.
    pub(super) fn shared_name(&self) -> String {
        let text = format!("{}\0{}\0{}", self.username, self.mount, self.id.inode);
        let hash = digest(&SHA256, text.as_bytes());
        let hex: String = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("file:{hex}")
    }
}

fn read(name: &str, found: Option<&SharedValue>) -> OpResult<Published> {
    let Some(found) = found else {
        return Ok(Published::default());
    };
    serde_json::from_str(&found.text).map_err(|error| {
        let context = format!("the shared account {name} cannot be read: {error}");
        OpError::with_source(OpErrorKind::Internal, context)
    })
}

fn write(published: &Published) -> OpResult<String> {
    serde_json::to_string(published)
        .map_err(|error| OpError::with_source(OpErrorKind::Internal, error))
}

/// Who died has nothing open any more. What was reserved there stays in the account until the last one closes the file.
async fn forget_the_dead(cluster: &dyn ClusterStore, state: &mut FileState) -> DataResult<()> {
    let own = cluster.node().as_str();
    let others: Vec<String> = state
        .servers()
        .filter(|server| *server != own)
        .map(str::to_owned)
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let live = cluster.live_nodes().await?;
    for server in others {
        if !live.contains(&NodeId::from_text(server.as_str())) {
            state.forget(&server);
        }
    }
    Ok(())
}

async fn publish(cluster: &dyn ClusterStore, name: &str, state: &FileState) -> DataResult<()> {
    let published = Published {
        holder: None,
        state: state.clone(),
    };
    let text = serde_json::to_string(&published).map_err(|error| {
        let context = "what is counted for a file cannot be written";
        DataError::with_source(DataErrorKind::Internal, context, error)
    })?;
    loop {
        let version = cluster.shared(name).await?.map(|found| found.version);
        if cluster.swap_shared(name, version, Some(&text)).await? {
            return Ok(());
        }
    }
}

async fn put_back(cluster: &dyn ClusterStore, name: &str, state: &FileState) -> OpResult<()> {
    let found = cluster.shared(name).await?;
    let published = read(name, found.as_ref())?;
    if published.holder.as_deref() != Some(cluster.node().as_str()) {
        // The others took this server for dead.
        return Ok(());
    }
    let text = if state.is_open() {
        let free = Published {
            holder: None,
            state: state.clone(),
        };
        Some(write(&free)?)
    } else {
        None
    };
    let version = found.map(|found| found.version);
    // Nobody else changes what this server holds; if somebody did, it does not hold it any more.
    cluster.swap_shared(name, version, text.as_deref()).await?;
    Ok(())
}
