//! Two servers on one database, and one without others.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use sftpgo_data::config::DataProviderConfig;
use sftpgo_data::{DataProvider, DataResult, MemoryProvider};
use sftpgo_model::UserRecord;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::slot::NoSlot;
use super::*;
use crate::auth::Proved;
use crate::metrics::Metrics;
use crate::registry::ConnectionInfo;

/// What was asked of those concerned, in order.
#[derive(Debug, Default)]
struct Asked(Mutex<Vec<String>>);

impl Asked {
    fn note(&self, what: &str, username: &str) {
        self.0.lock().push(format!("{what} {username}"));
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

#[async_trait]
impl Concerned for Asked {
    async fn share(&self, username: &str) -> DataResult<()> {
        self.note("share", username);
        Ok(())
    }

    /// Happens at every end, so it is not noted.
    async fn settle(&self, _username: &str) -> DataResult<()> {
        Ok(())
    }

    async fn unshare(&self, username: &str) {
        self.note("unshare", username);
    }

    async fn recount(&self, username: &str) {
        self.note("recount", username);
    }

    fn forget(&self, username: Option<&str>) {
        self.note("forget", username.unwrap_or("everybody"));
    }
}

struct Server {
    sessions: Sessions,
    asked: Arc<Asked>,
    provider: Arc<dyn DataProvider>,
}

impl Server {
    fn on(provider: Arc<dyn DataProvider>) -> Self {
        let asked = Arc::<Asked>::default();
        let sessions = Sessions::new(SessionsParts {
            provider: Arc::clone(&provider),
            concerned: Arc::clone(&asked) as Arc<dyn Concerned>,
            tasks: TaskTracker::new(),
        });
        Self {
            sessions,
            asked,
            provider,
        }
    }

    async fn open(directory: &Path) -> Self {
        let (settings, _) = DataProviderConfig::default().resolve(directory).unwrap();
        Self::on(sftpgo_data::open(&settings, Vec::new()).await.unwrap())
    }

    async fn take(&self, limit: Option<u32>) -> Result<Arc<SessionSlot>, NoSlot> {
        self.sessions.take("alice", limit).await
    }

    /// Beats until the test ends.
    fn beat(&self) -> CancellationToken {
        let (sessions, end) = (self.sessions.clone(), CancellationToken::new());
        let token = end.clone();
        tokio::spawn(async move {
            let metrics = Metrics::default();
            sessions.keep_beating(&metrics, || 0, end).await;
        });
        token
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok(), "{what}");
}

fn account(username: &str) -> Arc<sftpgo_model::User> {
    let record = UserRecord {
        username: username.to_owned(),
        home_dir: "/home".to_owned(),
        ..UserRecord::default()
    };
    Arc::new(record.compile().unwrap())
}

#[tokio::test]
async fn without_other_servers_the_own_count_decides() {
    let server = Server::on(Arc::new(MemoryProvider::with_users(Vec::new()).unwrap()));
    let first = server.take(Some(2)).await.unwrap();
    let kept = Arc::clone(&first);
    let _second = server.take(Some(2)).await.unwrap();
    assert!(server.sessions.is_full("alice", Some(2)));
    assert!(matches!(server.take(Some(2)).await, Err(NoSlot::TooMany)));
    drop(first);
    assert!(
        matches!(server.take(Some(2)).await, Err(NoSlot::TooMany)),
        "somebody still works for it"
    );
    drop(kept);
    assert!(server.take(Some(2)).await.is_ok());
    assert_eq!(server.sessions.held(), 1);
    assert!(server.asked.all().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_holds_for_all_servers_together() {
    let directory = tempfile::tempdir().unwrap();
    let one = Server::open(directory.path()).await;
    let other = Server::open(directory.path()).await;
    let (_end_one, _end_other) = (one.beat(), other.beat());
    let first = one.take(Some(2)).await.unwrap();
    let second = other.take(Some(2)).await.unwrap();
    for server in [&one, &other] {
        assert!(matches!(server.take(Some(2)).await, Err(NoSlot::TooMany)));
    }
    drop(first);
    until("the other server hears of it", async || {
        other.take(Some(2)).await.is_ok()
    })
    .await;
    drop(second);
    until("nothing is left", async || one.take(Some(1)).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_waits_until_every_server_with_the_user_shares_what_it_does() {
    let directory = tempfile::tempdir().unwrap();
    let one = Server::open(directory.path()).await;
    let other = Server::open(directory.path()).await;
    let first = one.take(None).await.unwrap();
    assert!(one.asked.all().is_empty(), "it is alone");
    let _end = one.beat();
    let second = other.take(None).await.unwrap();
    assert_eq!(one.asked.all(), ["share alice"]);
    assert_eq!(other.asked.all(), ["share alice"]);
    let third = other.take(None).await.unwrap();
    assert_eq!(other.asked.all(), ["share alice"], "once is enough");
    drop((second, third));
    until("it has nothing to share any more", async || {
        other.asked.all() == ["share alice", "unshare alice"]
    })
    .await;
    assert_eq!(one.asked.all(), ["share alice"]);
    drop(first);
    until("neither has the first", async || one.asked.all().len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_left_has_no_sessions() {
    let directory = tempfile::tempdir().unwrap();
    let one = Server::open(directory.path()).await;
    let other = Server::open(directory.path()).await;
    let _first = one.take(Some(1)).await.unwrap();
    assert!(matches!(other.take(Some(1)).await, Err(NoSlot::TooMany)));
    one.sessions.leave().await;
    assert!(other.take(Some(1)).await.is_ok());
    assert!(other.asked.all().is_empty(), "it is alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_only_users_without_a_limit_get_in() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::open(directory.path()).await;
    server.provider.close().await;
    let refused = server.take(Some(5)).await.unwrap_err();
    assert!(matches!(refused, NoSlot::Unknown(_)));
    assert!(refused.to_string().contains("other servers"), "{refused}");
    let slot = server.take(None).await.unwrap();
    assert_eq!(server.sessions.held(), 1);
    drop(slot);
    assert_eq!(server.sessions.held(), 0);
}

#[tokio::test]
async fn a_change_between_the_look_at_an_account_and_its_login_is_not_missed() {
    let server = Server::on(Arc::new(MemoryProvider::with_users(Vec::new()).unwrap()));
    let live = Live::default();
    let info = ConnectionInfo {
        id: "1".to_owned(),
        peer: ([127, 0, 0, 1], 1).into(),
        client_version: String::new(),
        cancel: CancellationToken::new(),
    };
    let enter = async |expected: Expected| {
        let slot = server.take(None).await.unwrap();
        let user = account("alice");
        expected.enter(user, info.clone(), Proved::default(), slot)
    };
    let expected = live.expect("alice");
    let (first, stale) = enter(expected).await;
    assert!(!stale);
    let expected = live.expect("alice");
    assert_eq!(live.changed("alice").len(), 1);
    let (second, stale) = enter(expected).await;
    assert!(stale);
    assert_eq!(live.changed("alice").len(), 2);
    assert!(live.changed("bob").is_empty());
    drop((first, second));
    assert!(live.usernames().is_empty(), "nothing stays");
}
