//! Counts of sessions: the limit of a user holds for all servers together.
//!
//! The data provider knows one number for each user and server. It is written whole, by one task after the other for each
//! user, so that what was written last is right; what could not be written is written with the next beat.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sftpgo_data::{
    Claimed, ClusterStore, DataError, DataProvider, DataResult, Neighbour, SessionClaim,
};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;

use super::Concerned;
use crate::auth::AuthError;

/// How long a login waits for other servers to share what they do. One that died is known to be dead by then, one that
/// lives hears of it with its next beat.
const SHARING_DEADLINE: Duration = Duration::from_secs(10);
/// How often it looks.
const SHARING_POLL: Duration = Duration::from_millis(20);

/// Why somebody gets no session.
#[derive(Debug)]
pub(crate) enum NoSlot {
    /// All are taken.
    TooMany,
    /// The count of the other servers could not be had.
    Unknown(DataError),
    /// That server does not share what it does.
    Unshared(String),
    /// This one stops.
    Stopping,
}

impl fmt::Display for NoSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => f.write_str("too many open sessions"),
            Self::Unknown(error) => {
                write!(f, "the sessions on other servers are not known: {error}")
            }
            Self::Unshared(node) => write!(
                f,
                "the server {node}, where the user is logged in, does not tell what it does"
            ),
            Self::Stopping => f.write_str("the server stops"),
        }
    }
}

impl From<NoSlot> for AuthError {
    fn from(refused: NoSlot) -> Self {
        let reason = refused.to_string();
        match refused {
            NoSlot::TooMany => Self::not_allowed(reason),
            NoSlot::Unknown(_) | NoSlot::Unshared(_) | NoSlot::Stopping => {
                Self::unavailable(reason)
            }
        }
    }
}

/// What counting needs.
#[derive(Debug)]
pub(crate) struct SessionsParts {
    pub(crate) provider: Arc<dyn DataProvider>,
    pub(crate) concerned: Arc<dyn Concerned>,
    /// Work that ends before the process does.
    pub(crate) tasks: TaskTracker,
}

/// The sessions of every user on this server. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    parts: SessionsParts,
    /// Where tasks run: the threads of connections come and go.
    runtime: Handle,
    /// Users with sessions, and those whose end the data provider does not know yet.
    users: Mutex<HashMap<String, Arc<OfUser>>>,
}

/// The sessions of one user.
#[derive(Debug)]
pub(super) struct OfUser {
    pub(super) username: String,
    count: Mutex<Count>,
    /// Whoever tells the data provider. Held across awaits on purpose: two numbers must not overtake each other.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    /// Slots that are held.
    held: u32,
    /// What the data provider was told, if that is known.
    noted: Option<(u32, bool)>,
    /// Whether others are told what happens to the user's files.
    sharing: bool,
}

impl Count {
    fn is_noted(self) -> bool {
        match self.noted {
            Some((0, _)) => self.held == 0,
            noted => noted == Some((self.held, self.sharing)),
        }
    }
}

impl OfUser {
    fn new(username: &str) -> Self {
        Self {
            username: username.to_owned(),
            count: Mutex::new(Count {
                held: 0,
                noted: Some((0, false)),
                sharing: false,
            }),
            turn: tokio::sync::Mutex::default(),
        }
    }

    fn count(&self) -> Count {
        *self.count.lock()
    }

    fn is_full(&self, limit: Option<u32>) -> bool {
        limit.is_some_and(|limit| self.count().held >= limit)
    }
}

/// One of the sessions a user may have, held by the login and by whatever still works for it. The last one to drop it gives
/// it back.
#[derive(Debug)]
pub(crate) struct SessionSlot {
    sessions: Sessions,
    user: Option<Arc<OfUser>>,
}

impl Drop for SessionSlot {
    fn drop(&mut self) {
        let Some(user) = self.user.take() else { return };
        {
            let mut count = user.count.lock();
            count.held = count.held.saturating_sub(1);
        }
        self.sessions.note_later(user);
    }
}

impl Sessions {
    /// Must be called on the runtime that outlives every connection.
    pub(crate) fn new(parts: SessionsParts) -> Self {
        Self {
            inner: Arc::new(Inner {
                parts,
                runtime: Handle::current(),
                users: Mutex::default(),
            }),
        }
    }

    pub(super) fn store(&self) -> Option<&dyn ClusterStore> {
        self.inner.parts.provider.cluster()
    }

    pub(super) fn concerned(&self) -> &Arc<dyn Concerned> {
        &self.inner.parts.concerned
    }

    /// Whether other servers have sessions of a user. If that cannot be found out, they may.
    pub(crate) async fn are_elsewhere(&self, username: &str) -> bool {
        if self.store().is_none() {
            return false;
        }
        let user = self.user(username);
        let claimed = {
            let _turn = user.turn.lock().await;
            let own = user.count().held;
            self.claim(&user, own, None).await
        };
        self.note_later(user);
        !matches!(claimed, Ok(Claimed::Noted(neighbours)) if neighbours.is_empty())
    }

    /// Sessions on this server.
    pub(crate) fn held(&self) -> u32 {
        let users = self.inner.users.lock();
        users.values().map(|user| user.count().held).sum()
    }

    /// Whether the sessions on this server alone are as many as the user may have.
    pub(crate) fn is_full(&self, username: &str, limit: Option<u32>) -> bool {
        let users = self.inner.users.lock();
        users.get(username).is_some_and(|user| user.is_full(limit))
    }

    /// Takes one of the `limit` sessions of a user, on all servers together.
    pub(crate) async fn take(
        &self,
        username: &str,
        limit: Option<u32>,
    ) -> Result<Arc<SessionSlot>, NoSlot> {
        if self.store().is_none() {
            return self.take_here(username, limit);
        }
        let (sessions, username) = (self.clone(), username.to_owned());
        // What was begun is brought to its end also if the client goes away: others count what they were told.
        let take = async move { sessions.take_everywhere(&username, limit).await };
        let inner = &self.inner;
        let task = inner.parts.tasks.spawn_on(take, &inner.runtime);
        task.await.unwrap_or(Err(NoSlot::Stopping))
    }

    fn take_here(&self, username: &str, limit: Option<u32>) -> Result<Arc<SessionSlot>, NoSlot> {
        let user = self.user(username);
        let taken = {
            let mut count = user.count.lock();
            let room = limit.is_none_or(|limit| count.held < limit);
            if room {
                count.held += 1;
            }
            room
        };
        if !taken {
            self.put_away(user);
            return Err(NoSlot::TooMany);
        }
        Ok(self.slot(user))
    }

    async fn take_everywhere(
        &self,
        username: &str,
        limit: Option<u32>,
    ) -> Result<Arc<SessionSlot>, NoSlot> {
        let user = self.user(username);
        let taken = self.claim_one(&user, limit).await;
        let neighbours = match taken {
            Ok(neighbours) => neighbours,
            Err(refused) => {
                // The claim may have been noted all the same.
                self.note_later(user);
                return Err(refused);
            }
        };
        let slot = self.slot(Arc::clone(&user));
        self.wait_for_sharing(&user, neighbours).await?;
        Ok(slot)
    }

    /// Counts one session more; gives the other servers that have sessions of the user.
    async fn claim_one(&self, user: &OfUser, limit: Option<u32>) -> Result<Vec<Neighbour>, NoSlot> {
        let _turn = user.turn.lock().await;
        let own = user.count().held.saturating_add(1);
        if limit.is_some_and(|limit| own > limit) {
            return Err(NoSlot::TooMany);
        }
        let claimed = self.claim(user, own, limit).await;
        let neighbours = match claimed {
            Ok(Claimed::TooMany) => return Err(NoSlot::TooMany),
            Ok(Claimed::Noted(neighbours)) => neighbours,
            Err(error) if limit.is_some() => return Err(NoSlot::Unknown(error)),
            Err(error) => {
                let username = &user.username;
                tracing::warn!(username, %error, "a session could not be noted for other servers yet");
                Vec::new()
            }
        };
        user.count.lock().held += 1;
        let shared = self.share_with(user, neighbours).await;
        shared.map_err(|error| {
            user.count.lock().held -= 1;
            NoSlot::Unknown(error)
        })
    }

    /// Tells the data provider how many sessions the user has here; the caller has the turn.
    async fn claim(&self, user: &OfUser, own: u32, limit: Option<u32>) -> DataResult<Claimed> {
        let Some(store) = self.store() else {
            return Ok(Claimed::Noted(Vec::new()));
        };
        let sharing = user.count().sharing;
        let claim = SessionClaim {
            username: &user.username,
            own,
            limit,
            sharing,
        };
        let claimed = store.claim_sessions(&claim).await;
        let mut count = user.count.lock();
        match &claimed {
            Ok(Claimed::Noted(_)) => count.noted = Some((own, sharing)),
            Ok(Claimed::TooMany) => {}
            // It may have been done.
            Err(_) => count.noted = None,
        }
        claimed
    }

    /// Begins to share what is done to the user's files, if there is anybody to share it with; the caller has the turn.
    async fn share_with(
        &self,
        user: &OfUser,
        neighbours: Vec<Neighbour>,
    ) -> DataResult<Vec<Neighbour>> {
        if neighbours.is_empty() || user.count().sharing {
            return Ok(neighbours);
        }
        self.concerned().share(&user.username).await?;
        user.count.lock().sharing = true;
        let own = user.count().held;
        match self.claim(user, own, None).await? {
            Claimed::Noted(neighbours) => Ok(neighbours),
            Claimed::TooMany => Ok(Vec::new()),
        }
    }

    /// Waits until the servers that have sessions of the user share what they do, or have none any more.
    async fn wait_for_sharing(
        &self,
        user: &OfUser,
        mut neighbours: Vec<Neighbour>,
    ) -> Result<(), NoSlot> {
        let deadline = Instant::now() + SHARING_DEADLINE;
        if neighbours.iter().any(|other| !other.sharing) {
            // They would hear of it with their next beat at the latest.
            if let Err(error) = self.inner.parts.provider.touch(&user.username).await {
                tracing::debug!(username = user.username, %error, "other servers hear later that they must share");
            }
        }
        while let Some(silent) = neighbours.iter().find(|other| !other.sharing) {
            if Instant::now() >= deadline {
                return Err(NoSlot::Unshared(silent.node.to_string()));
            }
            sleep(SHARING_POLL).await;
            let _turn = user.turn.lock().await;
            let own = user.count().held;
            // If the data provider is away it may come back.
            if let Ok(Claimed::Noted(now)) = self.claim(user, own, None).await {
                neighbours = now;
            }
        }
        Ok(())
    }

    /// Makes others know, soon, how many sessions a user has here.
    fn note_later(&self, user: Arc<OfUser>) {
        if self.store().is_none() || user.count().is_noted() {
            self.put_away(user);
            return;
        }
        let sessions = self.clone();
        let note = async move {
            // What fails is tried again with the next beat.
            let _ = sessions.note(user).await;
        };
        let inner = &self.inner;
        inner.parts.tasks.spawn_on(note, &inner.runtime);
    }

    /// Tells the data provider what it does not know of a user.
    pub(super) async fn note(&self, user: Arc<OfUser>) -> DataResult<()> {
        let noted = self.note_user(&user).await;
        self.put_away(user);
        noted
    }

    async fn note_user(&self, user: &OfUser) -> DataResult<()> {
        let _turn = user.turn.lock().await;
        let count = user.count();
        if !count.is_noted() {
            if count.held == 0 {
                self.concerned().settle(&user.username).await?;
            }
            let claimed = self.claim(user, count.held, None).await?;
            if let (Claimed::Noted(neighbours), true) = (claimed, count.held > 0) {
                // Noted late: the others, too, may think that they are alone.
                self.share_with(user, neighbours).await?;
            }
        }
        if user.count().held == 0 && std::mem::take(&mut user.count.lock().sharing) {
            self.concerned().unshare(&user.username).await;
        }
        Ok(())
    }

    /// Looks whether other servers have sessions of a user who has some here, and begins to share if they have.
    pub(super) async fn look_around(&self, username: &str) -> DataResult<()> {
        let user = self.inner.users.lock().get(username).cloned();
        let Some(user) = user.filter(|user| user.count().held > 0 && !user.count().sharing) else {
            return Ok(());
        };
        if self.store().is_none() {
            return Ok(());
        }
        let looked = async {
            let _turn = user.turn.lock().await;
            let own = user.count().held;
            match self.claim(&user, own, None).await? {
                Claimed::Noted(neighbours) if own > 0 => {
                    self.share_with(&user, neighbours).await.map(drop)
                }
                Claimed::Noted(_) | Claimed::TooMany => Ok(()),
            }
        };
        let looked = looked.await;
        self.note_later(user);
        looked
    }

    /// Shares what is done to a user's files, because another server does.
    pub(super) async fn share(&self, username: &str) -> DataResult<()> {
        let user = self.user(username);
        let shared = async {
            let _turn = user.turn.lock().await;
            if user.count().held == 0 {
                return Ok(());
            }
            if !user.count().sharing {
                self.concerned().share(username).await?;
                user.count.lock().sharing = true;
            }
            let own = user.count().held;
            self.claim(&user, own, None).await.map(drop)
        };
        let shared = shared.await;
        self.note_later(user);
        shared
    }

    /// Users of whom the data provider does not know what it should.
    pub(super) fn unnoted(&self) -> Vec<Arc<OfUser>> {
        let users = self.inner.users.lock();
        let unnoted = users.values().filter(|user| !user.count().is_noted());
        unnoted.cloned().collect()
    }

    /// Notes that the data provider forgot all it was told.
    pub(super) fn all_forgotten(&self) {
        for user in self.inner.users.lock().values() {
            user.count.lock().noted = Some((0, false));
        }
    }

    fn slot(&self, user: Arc<OfUser>) -> Arc<SessionSlot> {
        Arc::new(SessionSlot {
            sessions: self.clone(),
            user: Some(user),
        })
    }

    fn user(&self, username: &str) -> Arc<OfUser> {
        let mut users = self.inner.users.lock();
        if let Some(user) = users.get(username) {
            return Arc::clone(user);
        }
        let user = Arc::new(OfUser::new(username));
        users.insert(username.to_owned(), Arc::clone(&user));
        user
    }

    /// Forgets a user without sessions, unless somebody else is about to change that.
    fn put_away(&self, user: Arc<OfUser>) {
        let username = user.username.clone();
        let mut users = self.inner.users.lock();
        // Dropped under the lock, without which nobody gets another one: the last to put it away sees that it is.
        drop(user);
        let idle = users.get(&username).is_some_and(|user| {
            let count = user.count();
            Arc::strong_count(user) == 1 && count.held == 0 && count.is_noted() && !count.sharing
        });
        if idle {
            users.remove(&username);
        }
    }
}
