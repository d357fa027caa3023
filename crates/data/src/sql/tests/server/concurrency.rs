//! Several of us on one database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sftpgo_model::{UnixMillis, UserRecord};
use sftpgo_testdb::{Database, Product};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::on_both;
use super::words::{REFERENCE_USER, make_v1, version};
use crate::config::DataProviderConfig;
use crate::conformance::samples::{change, stored, user};
use crate::conformance::servers::{config, resolved, settings};
use crate::provider::{DataProvider, QuotaDelta};
use crate::sql::engine::{SqlEngine, Statement};

on_both! {
    many_may_open_an_empty_database_at_once,
    many_may_take_over_a_database_at_once,
    reservations_of_several_providers_never_exceed_the_limit,
    no_more_connections_are_open_than_the_settings_allow,
    a_call_that_is_dropped_takes_its_connection_along,
    a_change_of_the_table_by_others_disturbs_nobody,
}

const ONE: QuotaDelta = QuotaDelta {
    files: 1,
    bytes: 10,
};

async fn open_many(database: &Database, count: usize) -> Vec<Arc<dyn DataProvider>> {
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let settings = settings(database);
        tasks.spawn(async move { crate::open(&settings, Vec::new()).await.unwrap() });
    }
    tasks.join_all().await
}

async fn many_may_open_an_empty_database_at_once(database: Database) {
    let providers = open_many(&database, 8).await;
    providers[0].add_user(&user("alice")).await.unwrap();
    for provider in &providers {
        stored(provider, "alice").await;
        provider.close().await;
    }
    assert_eq!(version(&database).await.len(), 1);
}

async fn many_may_take_over_a_database_at_once(database: Database) {
    make_v1(&database).await;
    database.run(REFERENCE_USER).await;
    for provider in open_many(&database, 8).await {
        stored(&provider, "alice").await;
        provider.close().await;
    }
    assert_eq!(version(&database).await.len(), 1);
}

async fn reservations_of_several_providers_never_exceed_the_limit(database: Database) {
    let providers = open_many(&database, 7).await;
    let limited = UserRecord {
        quota_files: 40,
        ..user("alice")
    };
    providers[0].add_user(&limited).await.unwrap();
    let mut tasks = JoinSet::new();
    // A server makes its changes to one account one after the other.
    for provider in &providers {
        let provider = Arc::clone(provider);
        tasks.spawn(async move {
            let mut granted = 0;
            for _ in 0..12 {
                let one = change("alice", ONE, UnixMillis(1));
                granted += i64::from(provider.reserve_quota(&one).await.unwrap());
            }
            granted
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<i64>(), 40);
    let usage = providers[0].quota("alice").await.unwrap().unwrap();
    assert_eq!((usage.files, usage.bytes), (40, 400));
    for provider in providers {
        provider.close().await;
    }
}

async fn no_more_connections_are_open_than_the_settings_allow(database: Database) {
    let settings = resolved(DataProviderConfig {
        pool_size: 3,
        ..config(&database)
    });
    let provider = crate::open(&settings, Vec::new()).await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..30 {
        let provider = Arc::clone(&provider);
        tasks.spawn(async move {
            for _ in 0..5 {
                stored(&provider, "alice").await;
            }
        });
    }
    tasks.join_all().await;
    let name = database.name();
    let count = match database.server().product() {
        Product::Postgresql => format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' \
             AND application_name = 'sftpgo'"
        ),
        // One of them asks.
        Product::Mariadb => {
            format!("SELECT COUNT(*) - 1 FROM information_schema.processlist WHERE db = '{name}'")
        }
    };
    // The server may still be about to end the connection that looked at the schema; those of the pool stay.
    let began = Instant::now();
    let mut open: u32 = u32::MAX;
    while open > 3 && began.elapsed() < Duration::from_secs(20) {
        open = database.rows(&count).await[0][0].parse().unwrap();
    }
    assert!((1..=3).contains(&open), "{open}");
    provider.close().await;
}

async fn a_call_that_is_dropped_takes_its_connection_along(database: Database) {
    let settings = resolved(DataProviderConfig {
        pool_size: 1,
        ..config(&database)
    });
    let (engine, slow): (Box<dyn SqlEngine>, _) = match database.server().product() {
        Product::Postgresql => (
            Box::new(crate::sql::postgres::engine(&settings).await.unwrap()),
            "SELECT count(pg_sleep(60))",
        ),
        Product::Mariadb => (
            Box::new(crate::sql::mysql::engine(&settings).await.unwrap()),
            "SELECT SLEEP(60)",
        ),
    };
    let slow = Statement(slow.into());
    let dropped = timeout(Duration::from_millis(50), engine.query(&slow, &[])).await;
    assert!(dropped.is_err());
    // The next neither waits for the answer nor takes it for its own.
    let quick = Statement("SELECT 7".into());
    let rows = timeout(Duration::from_secs(20), engine.query(&quick, &[])).await;
    assert!(rows.unwrap().unwrap()[0] == [7.into()]);
    engine.close().await;
}

/// A newer version of this program that starts beside this one changes the tables under it.
async fn a_change_of_the_table_by_others_disturbs_nobody(database: Database) {
    let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    let change = match database.server().product() {
        Product::Postgresql => {
            "ALTER TABLE users ALTER COLUMN home_dir TYPE text, ALTER COLUMN uid TYPE numeric"
        }
        Product::Mariadb => "ALTER TABLE users MODIFY home_dir longtext, MODIFY uid decimal(20)",
    };
    let before = stored(&provider, "alice").await;
    // Many connections have prepared the statement.
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let provider = Arc::clone(&provider);
        tasks.spawn(async move { stored(&provider, "alice").await });
    }
    tasks.join_all().await;
    database.run(change).await;
    assert_eq!(stored(&provider, "alice").await, before);
    provider.update_user(&before).await.unwrap();
    provider.add_user(&user("bob")).await.unwrap();
    provider.close().await;
}
