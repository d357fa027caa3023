//! The sentences of [`crate::ClusterStore`].

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::Pair;
use crate::cluster::{Claimed, ClusterStore, Load, Neighbour, SessionClaim, SharedValue};
use crate::error::DataErrorKind;
use crate::provider::DataProvider as _;
use crate::sql::SqlProvider;

fn store(provider: &SqlProvider) -> &dyn ClusterStore {
    provider.cluster().unwrap()
}

async fn claim(provider: &SqlProvider, username: &str, own: u32, limit: Option<u32>) -> Claimed {
    let claim = SessionClaim {
        username,
        own,
        limit,
        sharing: false,
    };
    store(provider).claim_sessions(&claim).await.unwrap()
}

fn neighbour(provider: &SqlProvider, sessions: u32, sharing: bool) -> Neighbour {
    Neighbour {
        node: store(provider).node().clone(),
        sessions,
        sharing,
    }
}

const NONE: Load = Load {
    sessions: 0,
    transfers: 0,
};

async fn beat(provider: &SqlProvider) -> crate::cluster::Beat {
    store(provider).beat(NONE).await.unwrap()
}

/// Lets a server look as if it had not beaten for long.
async fn play_dead(provider: &SqlProvider) {
    provider.servers().unwrap().play_dead().await;
}

pub(crate) async fn sessions_on_all_servers_count(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    let two = Some(2);
    assert_eq!(claim(first, "alice", 1, two).await, Claimed::Noted(vec![]));
    let noted = Claimed::Noted(vec![neighbour(first, 1, false)]);
    assert_eq!(claim(second, "alice", 1, two).await, noted);
    assert_eq!(claim(first, "alice", 2, two).await, Claimed::TooMany);
    assert_eq!(claim(second, "alice", 2, two).await, Claimed::TooMany);
    // Another user, or no limit, is another matter.
    assert_eq!(claim(first, "Alice", 2, two).await, Claimed::Noted(vec![]));
    let noted = Claimed::Noted(vec![neighbour(second, 1, false)]);
    assert_eq!(claim(first, "alice", 2, None).await, noted);
}

pub(crate) async fn a_refused_claim_changes_nothing(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    claim(first, "alice", 1, Some(1)).await;
    assert_eq!(claim(first, "alice", 5, Some(1)).await, Claimed::TooMany);
    assert_eq!(claim(second, "alice", 1, Some(1)).await, Claimed::TooMany);
    let noted = Claimed::Noted(vec![neighbour(first, 1, false)]);
    assert_eq!(claim(second, "alice", 1, Some(2)).await, noted);
}

pub(crate) async fn sessions_that_are_given_back_make_room(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    let two = Some(2);
    claim(first, "alice", 2, two).await;
    assert_eq!(claim(second, "alice", 1, two).await, Claimed::TooMany);
    claim(first, "alice", 1, two).await;
    let noted = Claimed::Noted(vec![neighbour(first, 1, false)]);
    assert_eq!(claim(second, "alice", 1, two).await, noted);
    // Giving back all is never refused, whatever the limit is now.
    let noted = Claimed::Noted(vec![neighbour(second, 1, false)]);
    assert_eq!(claim(first, "alice", 0, Some(0)).await, noted);
    assert_eq!(claim(second, "alice", 2, two).await, Claimed::Noted(vec![]));
    // Twice is harmless.
    claim(first, "alice", 0, None).await;
}

pub(crate) async fn neighbours_are_told_with_what_they_share(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    claim(first, "alice", 3, None).await;
    let noted = claim(second, "alice", 1, None).await;
    assert_eq!(noted, Claimed::Noted(vec![neighbour(first, 3, false)]));
    let sharing = SessionClaim {
        username: "alice",
        own: 3,
        limit: None,
        sharing: true,
    };
    store(first).claim_sessions(&sharing).await.unwrap();
    let noted = claim(second, "alice", 1, None).await;
    assert_eq!(noted, Claimed::Noted(vec![neighbour(first, 3, true)]));
}

pub(crate) async fn many_claims_never_exceed_the_limit(pair: &Pair) {
    const LIMIT: u32 = 7;
    let servers = [&pair.first, &pair.second].map(|provider| {
        // A server claims for a user one after the other.
        let own = Arc::new(Mutex::new(0_u32));
        (Arc::clone(provider), own)
    });
    let mut tasks = JoinSet::new();
    for task in 0..24 {
        let (provider, own) = servers[task % 2].clone();
        tasks.spawn(async move {
            let mut own = own.lock().await;
            let claimed = claim(&provider, "alice", *own + 1, Some(LIMIT)).await;
            if let Claimed::Noted(neighbours) = claimed {
                *own += 1;
                let all = neighbours.iter().map(|other| other.sessions).sum::<u32>() + *own;
                assert!(all <= LIMIT, "{all} sessions");
            }
        });
    }
    tasks.join_all().await;
    let [first, second] = servers.map(|(_, own)| own);
    assert_eq!(*first.lock().await + *second.lock().await, LIMIT);
}

pub(crate) async fn sessions_of_a_dead_server_do_not_count(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    claim(first, "alice", 2, Some(2)).await;
    assert_eq!(claim(second, "alice", 1, Some(2)).await, Claimed::TooMany);
    play_dead(first).await;
    assert_eq!(
        claim(second, "alice", 1, Some(2)).await,
        Claimed::Noted(vec![])
    );
    assert_eq!(
        store(second).live_nodes().await.unwrap(),
        [store(second).node().clone()]
    );
}

pub(crate) async fn users_of_a_dead_server_are_told_to_one_server_only(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    for username in ["bob", "alice"] {
        claim(first, username, 1, None).await;
    }
    assert!(beat(second).await.orphans.is_empty());
    play_dead(first).await;
    assert_eq!(beat(second).await.orphans, ["alice", "bob"]);
    assert!(beat(second).await.orphans.is_empty());
    assert!(beat(first).await.orphans.is_empty());
}

pub(crate) async fn a_server_that_was_forgotten_learns_of_it(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    assert!(!beat(first).await.was_forgotten);
    assert!(!beat(first).await.was_forgotten);
    play_dead(first).await;
    beat(second).await;
    assert!(beat(first).await.was_forgotten);
    assert!(!beat(first).await.was_forgotten);
    // One that only was late is not forgotten.
    play_dead(first).await;
    assert!(!beat(first).await.was_forgotten);
}

pub(crate) async fn nobody_is_taken_for_dead_whose_beats_were_missed_by_all(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    claim(first, "alice", 1, None).await;
    beat(second).await;
    play_dead(first).await;
    second.servers().unwrap().miss_beats();
    assert!(beat(second).await.orphans.is_empty());
    assert!(!beat(first).await.was_forgotten);
    assert!(matches!(
        claim(second, "alice", 1, Some(1)).await,
        Claimed::TooMany
    ));
}

pub(crate) async fn a_server_taken_for_dead_counts_again_with_its_next_session(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    claim(first, "alice", 1, None).await;
    play_dead(first).await;
    beat(second).await;
    claim(first, "bob", 1, None).await;
    assert_eq!(claim(second, "bob", 1, Some(1)).await, Claimed::TooMany);
    assert!(
        beat(first).await.was_forgotten,
        "alice is to be noted again"
    );
}

pub(crate) async fn a_server_that_leaves_is_forgotten(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    claim(first, "alice", 2, None).await;
    beat(second).await;
    store(first).leave().await.unwrap();
    assert_eq!(
        claim(second, "alice", 1, Some(1)).await,
        Claimed::Noted(vec![])
    );
    let beat = beat(second).await;
    assert!(beat.orphans.is_empty(), "it had an end: {beat:?}");
    assert_eq!(
        store(second).live_nodes().await.unwrap(),
        [store(second).node().clone()]
    );
}

pub(crate) async fn who_does_not_share_is_told_to(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    let share = async |provider, username, sharing| {
        let claim = SessionClaim {
            username,
            own: 1,
            limit: None,
            sharing,
        };
        store(provider).claim_sessions(&claim).await.unwrap()
    };
    share(first, "alice", false).await;
    share(first, "bob", false).await;
    share(second, "bob", false).await;
    share(second, "carol", true).await;
    assert_eq!(beat(first).await.to_share, ["bob"]);
    assert_eq!(beat(second).await.to_share, ["bob"]);
    share(second, "alice", true).await;
    assert_eq!(beat(first).await.to_share, ["alice", "bob"]);
    share(first, "alice", true).await;
    share(first, "bob", true).await;
    assert!(beat(first).await.to_share.is_empty());
    assert_eq!(beat(second).await.to_share, ["bob"]);
}

pub(crate) async fn a_beat_tells_what_all_live_servers_have(pair: &Pair) {
    let (first, second) = (&*pair.first, &*pair.second);
    let load = |sessions, transfers| Load {
        sessions,
        transfers,
    };
    let one = store(first).beat(load(3, 1)).await.unwrap();
    assert_eq!(one.everywhere, load(3, 1));
    let both = store(second).beat(load(40, 20)).await.unwrap();
    assert_eq!(both.everywhere, load(43, 21));
    let mut nodes = [first, second].map(|server| store(server).node().clone());
    nodes.sort();
    assert_eq!(store(first).live_nodes().await.unwrap(), nodes);
    play_dead(second).await;
    let one = store(first).beat(load(2, 2)).await.unwrap();
    assert_eq!(one.everywhere, load(2, 2));
}

pub(crate) async fn a_shared_text_is_replaced_by_whoever_knows_its_version(pair: &Pair) {
    let (first, second) = (store(&pair.first), store(&pair.second));
    assert_eq!(first.shared("Key").await.unwrap(), None);
    assert!(first.swap_shared("Key", None, Some("one")).await.unwrap());
    assert!(!second.swap_shared("Key", None, Some("two")).await.unwrap());
    let one = second.shared("Key").await.unwrap().unwrap();
    assert_eq!(one.text, "one");
    let version = Some(one.version);
    assert!(
        second
            .swap_shared("Key", version, Some("ü\n2"))
            .await
            .unwrap()
    );
    assert!(!first.swap_shared("Key", version, Some("3")).await.unwrap());
    assert!(!first.swap_shared("Key", version, None).await.unwrap());
    let two: SharedValue = first.shared("Key").await.unwrap().unwrap();
    assert_eq!(two.text, "ü\n2");
    assert_ne!(two.version, one.version);
    assert_eq!(first.shared("key").await.unwrap(), None, "another name");
    let long = "x".repeat(200_000);
    let version = Some(two.version);
    assert!(
        first
            .swap_shared("Key", version, Some(&long))
            .await
            .unwrap()
    );
    assert_eq!(second.shared("Key").await.unwrap().unwrap().text, long);
}

pub(crate) async fn a_shared_text_that_is_made_anew_has_a_new_version(pair: &Pair) {
    let first = store(&pair.first);
    assert!(first.swap_shared("key", None, None).await.unwrap());
    assert!(first.swap_shared("key", None, Some("one")).await.unwrap());
    let one = first.shared("key").await.unwrap().unwrap();
    let version = Some(one.version);
    assert!(first.swap_shared("key", version, None).await.unwrap());
    assert_eq!(first.shared("key").await.unwrap(), None);
    assert!(
        !first
            .swap_shared("key", version, Some("two"))
            .await
            .unwrap()
    );
    assert!(first.swap_shared("key", None, Some("two")).await.unwrap());
    assert!(!first.swap_shared("key", version, Some("3")).await.unwrap());
    assert!(!first.swap_shared("key", None, None).await.unwrap());
}

pub(crate) async fn of_many_swaps_none_is_lost(pair: &Pair) {
    let first = store(&pair.first);
    assert!(first.swap_shared("sum", None, Some("0")).await.unwrap());
    let mut tasks = JoinSet::new();
    for task in 0..10 {
        let provider = Arc::clone([&pair.first, &pair.second][task % 2]);
        tasks.spawn(async move {
            let store = store(&provider);
            loop {
                let value = store.shared("sum").await.unwrap().unwrap();
                let more = (value.text.parse::<u32>().unwrap() + 1).to_string();
                let swapped = store.swap_shared("sum", Some(value.version), Some(&more));
                if swapped.await.unwrap() {
                    return;
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(first.shared("sum").await.unwrap().unwrap().text, "10");
}

pub(crate) async fn a_closed_server_tells_nothing(pair: &Pair) {
    let first = store(&pair.first);
    pair.first.close().await;
    let claim = SessionClaim {
        username: "alice",
        own: 1,
        limit: None,
        sharing: false,
    };
    let errors = [
        first.claim_sessions(&claim).await.unwrap_err(),
        first.beat(NONE).await.unwrap_err(),
        first.leave().await.unwrap_err(),
        first.live_nodes().await.unwrap_err(),
        first.shared("key").await.unwrap_err(),
        first.swap_shared("key", None, Some("")).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), DataErrorKind::Unavailable);
    }
}
