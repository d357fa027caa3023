//! A server that goes away and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sftpgo_model::UnixMillis;
use sftpgo_testdb::{Database, Product, Server, Setup};
use tokio::task::{JoinSet, spawn_blocking};

use super::on_a_server_of_its_own;
use crate::conformance::samples::{change, stored, user};
use crate::conformance::servers::settings;
use crate::error::DataErrorKind;
use crate::provider::QuotaDelta;

on_a_server_of_its_own! {
    Setup::default();
    a_restart_of_the_server_is_survived,
}

const ONE: QuotaDelta = QuotaDelta { files: 1, bytes: 1 };

async fn blocking(server: &Arc<Server>, work: impl FnOnce(&Server) + Send + 'static) {
    let server = Arc::clone(server);
    spawn_blocking(move || work(&server)).await.unwrap();
}

/// In one test, because a server of its own takes its time.
async fn a_restart_of_the_server_is_survived(server: Arc<Server>) {
    let database = Database::create(&server).await;
    let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();

    // Between calls: several connections are idle, and all of them break. A change is made on a new one.
    let calls = (0..8).map(|_| provider.user_by_name("alice"));
    futures_join(calls).await;
    blocking(&server, Server::restart).await;
    provider.check().await.unwrap();
    provider
        .add_quota(&change("alice", ONE, UnixMillis(1)))
        .await
        .unwrap();
    assert_eq!(provider.quota("alice").await.unwrap().unwrap().files, 1);

    // During calls: what reads is not disturbed; a change says whether it was made, or that it is not known.
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        let (provider, done) = (Arc::clone(&provider), Arc::clone(&done));
        readers.spawn(async move {
            while !done.load(Ordering::Relaxed) {
                stored(&provider, "alice").await;
            }
        });
    }
    let mut writers = JoinSet::new();
    let name = |writer: usize| format!("writer{writer}");
    for writer in 0..4 {
        let (provider, done) = (Arc::clone(&provider), Arc::clone(&done));
        let name = name(writer);
        provider.add_user(&user(&name)).await.unwrap();
        writers.spawn(async move {
            let (mut made, mut unknown) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                match provider.add_quota(&change(&name, ONE, UnixMillis(2))).await {
                    Ok(()) => made += 1,
                    Err(error) => {
                        assert_eq!(error.kind(), DataErrorKind::Unavailable, "{error}");
                        unknown += 1;
                    }
                }
            }
            (made, unknown)
        });
    }
    blocking(&server, Server::restart).await;
    blocking(&server, |server| {
        server.kill();
        server.resume();
    })
    .await;
    provider.check().await.unwrap();
    done.store(true, Ordering::Relaxed);
    readers.join_all().await;
    let results = writers.join_all().await;
    let made: i64 = results.iter().map(|(made, _)| made).sum();
    let unknown: i64 = results.iter().map(|(_, unknown)| unknown).sum();
    let mut files = 0;
    for writer in 0..4 {
        files += provider.quota(&name(writer)).await.unwrap().unwrap().files;
    }
    // The server keeps nothing over a crash in these tests' settings that was not on disk yet, but it is the process
    // that dies and not the machine.
    assert!(
        (made..=made + unknown).contains(&files),
        "{made} made, {unknown} unknown, {files} found"
    );
    // Each of the two ends disturbed at most what was on its way.
    assert!(unknown <= 2 * 4, "{unknown} changes failed");

    // Away for good: calls say so, in time; once, because it takes that time.
    if server.product() == Product::Mariadb {
        return;
    }
    blocking(&server, Server::stop).await;
    let error = provider.user_by_name("alice").await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Unavailable, "{error}");
    provider.close().await;
}

async fn futures_join<T>(calls: impl Iterator<Item = impl Future<Output = T>>) {
    let mut calls: Vec<_> = calls.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        calls.retain_mut(|call| call.as_mut().poll(context).is_pending());
        match calls.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
}
