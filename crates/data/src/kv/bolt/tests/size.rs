//! Many accounts: what is asked for is found without reading the rest.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sftpgo_model::UserRecord;
use tokio::task::JoinSet;

use super::Place;
use super::device::Disk;
use crate::conformance::samples::{full_user, user};
use crate::kv::bolt::engine::BoltProvider;
use crate::provider::{DataProvider as _, UserQuery, UserStore as _};

const USERS: usize = 20_000;
/// Adding them one by one would wait for the disk each time.
const AT_A_TIME: usize = 200;

fn name(number: usize) -> String {
    format!("user{number:06}")
}

async fn fill(provider: &Arc<BoltProvider>) {
    let mut tasks = JoinSet::new();
    for first in 0..AT_A_TIME {
        let provider = Arc::clone(provider);
        tasks.spawn(async move {
            for number in (first..USERS).step_by(AT_A_TIME) {
                let record = UserRecord {
                    // As long as an account with keys and filters.
                    home_dir: format!("/{}", "x".repeat(800)),
                    ..full_user(&name(number))
                };
                provider.add_user(&record).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn among_many_accounts_one_is_found_and_a_page_is_read_without_the_rest() {
    let (place, disk) = (Place::new(), Arc::new(Disk::default()));
    let provider = Arc::new(disk.open(&place.path).await.unwrap());
    fill(&provider).await;
    provider.close().await;
    let size = place.path.metadata().unwrap().len();

    let provider = disk.open(&place.path).await.unwrap();
    let read = || disk.bytes_read.load(Ordering::Relaxed);

    let before = read();
    assert!(
        provider
            .user_by_name(&name(12_345))
            .await
            .unwrap()
            .is_some()
    );
    assert!(provider.user_by_name("nobody").await.unwrap().is_none());
    provider.add_user(&user("another")).await.unwrap();
    let one = read() - before;
    assert!(one < size / 200, "{one} of {size}");

    let before = read();
    let page = UserQuery {
        limit: 20,
        offset: u32::try_from(USERS - 20).unwrap(),
        ..UserQuery::default()
    };
    let users = provider.users(&page).await.unwrap();
    let names: Vec<String> = users.into_iter().map(|user| user.username).collect();
    // "another" comes before them all.
    let expected: Vec<String> = (USERS - 21..USERS - 1).map(name).collect();
    assert_eq!(names, expected);
    let paging = read() - before;
    assert!(paging < size / 10, "{paging} of {size}");
    provider.close().await;
}
