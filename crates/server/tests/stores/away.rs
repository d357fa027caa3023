//! A store that is down, or that does not answer: everything ends in time, and clients are told.

use std::time::{Duration, Instant};

use sftpgo_testkit::{FileClient as _, within};
use sftpgo_teststore::Emulator;

use super::*;

/// A call that moves no bytes is given up after 30 s; the rest is for a busy machine.
const IN_TIME: Duration = Duration::from_secs(45);

/// Everything a client may try, each on a connection of its own: all are let in, and all are refused in time.
async fn everything_is_refused_in_time(server: &TestServer) {
    let begun = Instant::now();
    let upload = Box::pin(async {
        let mut client = server.sftp("alice").await;
        assert!(begun.elapsed() < Duration::from_secs(10), "a slow login");
        client.put(b"/new", b"content").await
    });
    let listing = Box::pin(async { server.sftp("alice").await.list(b"/").await.map(drop) });
    let download = Box::pin(async { server.sftp("alice").await.get(b"/file").await.map(drop) });
    let removal = Box::pin(async { server.sftp("alice").await.remove_file(b"/file").await });
    let rename = Box::pin(async {
        let mut client = server.sftp("alice").await;
        client.rename(b"/file", b"/moved").await
    });
    let answers = within("answers", async {
        let (upload, listing, download, removal, rename) =
            tokio::join!(upload, listing, download, removal, rename);
        [upload, listing, download, removal, rename]
    });
    for answer in answers.await {
        let refused = answer.unwrap_err();
        assert_eq!(refused.kind, Refusal::Failed);
        // Of the store it says no more than that.
        assert!(!refused.message.contains("127.0.0.1"), "{refused:?}");
        assert!(!refused.message.is_empty());
    }
    assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
}

/// Plays with an emulator of its own of each kind: side by side, since waiting takes its time.
async fn in_each_store(scenario: impl AsyncFn(&Bucket, TestServer)) {
    let mut buckets = Vec::new();
    for kind in StoreKind::ALL {
        let bucket = Bucket::of(*kind, Emulator::start(kind.product())).await;
        bucket.put("file", b"content").await;
        buckets.push(bucket);
    }
    let playing = buckets.iter().map(|bucket| {
        let scenario = &scenario;
        Box::pin(async move { scenario(bucket, server_of(bucket).await).await })
    });
    futures_util::future::join_all(playing).await;
}

#[tokio::test]
async fn a_store_that_is_down_is_told_in_time() {
    in_each_store(async |bucket, server| {
        bucket.emulator().kill();
        everything_is_refused_in_time(&server).await;
    })
    .await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_in_time_and_serves_again() {
    in_each_store(async |bucket, server| {
        let mut before = server.sftp("alice").await;
        before.list(b"/").await.unwrap();
        bucket.emulator().freeze();
        everything_is_refused_in_time(&server).await;
        bucket.emulator().thaw();
        assert_eq!(before.get(b"/file").await.unwrap(), b"content");
        assert!(!before.list(b"/").await.unwrap().is_empty());
    })
    .await;
}

/// Whoever hangs up does not wait, and neither does the end of the server.
#[tokio::test]
async fn the_server_stops_while_a_store_does_not_answer() {
    in_each_store(async |bucket, server| {
        let mut client = server.sftp("alice").await;
        client.list(b"/").await.unwrap();
        bucket.emulator().freeze();
        let waiting = tokio::spawn(async move { client.put(b"/new", b"content").await });
        let begun = Instant::now();
        server.drain(Duration::from_secs(1)).await;
        assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
        waiting.abort();
    })
    .await;
}
