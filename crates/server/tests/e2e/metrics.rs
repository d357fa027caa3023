//! What is counted of clients at work: counters, gauges and histograms say the same.
#![cfg(unix)]

use std::sync::Arc;

use sftpgo_testkit::{Account, FileClient as _, PASSWORD, Sftp, TestKey, TestServer, until};
use sftpgo_wire::sftp::OpenFlags;

#[tokio::test]
async fn histograms_have_what_the_counters_have() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    assert!(server.connect().await.password("alice", PASSWORD).await);
    assert!(!server.connect().await.password("alice", "wrong").await);
    let mut client = server.connect().await;
    assert!(!client.key("alice", &TestKey::numbered(9)).await);
    assert!(client.key("alice", &Account::key("alice")).await);
    let mut sftp = Sftp::open(Arc::new(client)).await.unwrap();
    for size in [0, 10, 100_000] {
        sftp.put(b"/file", &vec![7; size]).await.unwrap();
        sftp.get(b"/file").await.unwrap();
    }
    let metrics = server.core().metrics();
    for (counters, times) in [
        (&metrics.password_logins, &metrics.password_times),
        (&metrics.public_key_logins, &metrics.public_key_times),
        (
            &metrics.keyboard_interactive_logins,
            &metrics.keyboard_interactive_times,
        ),
    ] {
        assert_eq!(times.ok.snapshot().count, counters.ok.value());
        assert_eq!(times.failed.snapshot().count, counters.failed.value());
    }
    assert_eq!(metrics.password_times.failed.snapshot().count, 1);
    for transfers in [&metrics.uploads, &metrics.downloads] {
        until("the transfers to be counted", async || {
            transfers.completed.value() == 3
        })
        .await;
        assert_eq!(transfers.times.snapshot().count, 3);
        let sizes = transfers.sizes.snapshot();
        assert_eq!((sizes.count, sizes.sum), (3, 100_010.0));
        // 0 and 10 bytes are at most 1 KiB.
        assert_eq!(sizes.buckets[0], (1024.0, 2));
        assert_eq!(
            (transfers.passed.value(), transfers.bytes.value()),
            (100_010, 100_010)
        );
    }
}

/// The counters of the reference jump when a transfer ends; a graph needs what passes now.
#[tokio::test]
async fn a_running_transfer_is_seen_while_it_runs() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    let metrics = server.core().metrics();
    assert_eq!(
        (metrics.sessions.sftp.value(), metrics.sessions.scp.value()),
        (1, 0)
    );
    let flags = OpenFlags::WRITE | OpenFlags::CREATE;
    let handle = sftp.open_file(b"/file", flags).await.unwrap();
    sftp.write(&handle, 0, &[7; 5000]).await.unwrap();
    let uploads = &metrics.uploads;
    assert_eq!(
        (uploads.active.value(), metrics.downloads.active.value()),
        (1, 0)
    );
    assert_eq!((uploads.passed.value(), uploads.bytes.value()), (5000, 0));
    // The client goes away in the middle of it.
    drop(sftp);
    until("the end of the transfer", async || {
        uploads.failed.value() == 1 && uploads.active.value() == 0
    })
    .await;
    assert_eq!(
        (uploads.passed.value(), uploads.bytes.value()),
        (5000, 5000)
    );
    until("the end of the session", async || {
        metrics.sessions.sftp.value() == 0
    })
    .await;
    assert_eq!(metrics.active_connections.value(), 0);
}
