//! Several clients, also on several servers with one database, that do something to the same names in one store, which takes
//! its time: nothing is counted twice or not at all, and nobody waits for ever.

use std::time::Duration;

use sftpgo_testkit::{FileClient as _, Usage, until, within};
use sftpgo_teststore::{Action, Gate, Rule};
use sftpgo_wire::sftp::OpenFlags;

use super::fault::Stage;
use super::*;

const CONTENT: &[u8] = b"some content";
/// Whoever must not go on has not gone on when this is over.
const A_WHILE: Duration = Duration::from_secs(1);

/// Two servers with one database and a home of `alice` in one bucket, behind a proxy.
struct Cluster {
    bucket: Bucket,
    proxy: Proxy,
    servers: [TestServer; 2],
}

impl Cluster {
    async fn new(kind: StoreKind) -> Self {
        let bucket = Bucket::new(kind).await;
        let proxy = proxy_before(&bucket).await;
        let first = TestServer::builder().driver("sqlite").start().await;
        let filesystem = bucket.filesystem_by(proxy.address());
        let account = Account::new("alice").with("filesystem", filesystem);
        first.add(account).await;
        let second = TestServer::builder().beside(&first).start().await;
        Self {
            bucket,
            proxy,
            servers: [first, second],
        }
    }

    /// What the counters say when they say what is there, or never do.
    async fn counts(&self, files: i64, bytes: i64) {
        let expected = Usage { files, bytes };
        for server in &self.servers {
            server.core().flush_quota().await;
        }
        assert_eq!(self.servers[0].quota("alice").await, expected);
    }
}

/// A client that was cut off asks again, maybe another server, while what it had asked for still goes on.
async fn a_rename_is_asked_for_twice(kind: StoreKind, at_another_server: bool) {
    let cluster = Cluster::new(kind).await;
    let [one, other] = &cluster.servers;
    let mut first = one.sftp("alice").await;
    let second = if at_another_server { other } else { one };
    let mut second = second.sftp("alice").await;
    first.put(b"/old", CONTENT).await.unwrap();

    // The copy is there and the original, too.
    let gate = Gate::new();
    let removal = Stage::Delete.operation(kind).unwrap();
    let rule = Rule::new(Action::Hold(gate.clone())).on(removal).times(1);
    cluster.proxy.place(rule);
    let mut renaming = tokio::spawn(async move { first.rename(b"/old", b"/new").await });
    gate.reached().await;
    let mut again = tokio::spawn(async move { second.rename(b"/old", b"/new").await });
    let early = tokio::time::timeout(A_WHILE, &mut again).await;
    gate.open();
    let renamed = within("the first answer", &mut renaming).await.unwrap();
    let again = match early {
        Ok(answer) => answer.unwrap(),
        Err(_) => within("the second answer", again).await.unwrap(),
    };

    renamed.unwrap();
    assert_eq!(refusal(again), Refusal::NotFound, "{kind:?}");
    assert_eq!(cluster.bucket.keys().await, ["new"], "{kind:?}");
    cluster.counts(1, CONTENT.len() as i64).await;
}

#[tokio::test]
async fn a_rename_that_two_clients_ask_for_is_done_and_counted_once() {
    for kind in StoreKind::ALL {
        a_rename_is_asked_for_twice(*kind, false).await;
    }
}

#[tokio::test]
async fn a_rename_that_is_asked_for_again_at_another_server_is_done_and_counted_once() {
    for kind in StoreKind::ALL {
        a_rename_is_asked_for_twice(*kind, true).await;
    }
}

/// Each holds what the other one wants, if they take it in the order in which they name it.
#[tokio::test]
async fn renames_that_cross_do_not_wait_for_each_other() {
    let kind = StoreKind::S3;
    let cluster = Cluster::new(kind).await;
    let mut first = cluster.servers[0].sftp("alice").await;
    let mut second = cluster.servers[0].sftp("alice").await;
    for _ in 0..20 {
        first.put(b"/a", b"1").await.unwrap();
        first.put(b"/b", b"22").await.unwrap();
        let (one, other) = within("both answers", async {
            tokio::join!(first.rename(b"/a", b"/b"), second.rename(b"/b", b"/a"))
        })
        .await;
        assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
        let keys = cluster.bucket.keys().await;
        let left = cluster.bucket.content(keys.first().unwrap()).await.unwrap();
        assert_eq!(keys.len(), 1);
        cluster.counts(1, left.len() as i64).await;
        first
            .remove_file(format!("/{}", keys[0]).as_bytes())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_login_at_another_server_does_not_stop_an_upload_that_ends() {
    let cluster = Cluster::new(StoreKind::S3).await;
    let mut first = cluster.servers[0].sftp("alice").await;
    first.put(b"/file", b"what was there before").await.unwrap();
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let handle = first.open_file(b"/file", flags).await.unwrap();
    first.write(&handle, 0, CONTENT).await.unwrap();

    // It looks at what it replaces, and has hold of its own file.
    let gate = Gate::new();
    let look = Stage::Look.operation(StoreKind::S3).unwrap();
    let rule = Rule::new(Action::Hold(gate.clone())).on(look).times(1);
    cluster.proxy.place(rule);
    let closing = tokio::spawn(async move { first.close(&handle).await });
    gate.reached().await;
    let mut login = Box::pin(cluster.servers[1].sftp("alice"));
    let early = tokio::time::timeout(A_WHILE, &mut login).await;
    gate.open();
    within("the end of the upload", closing)
        .await
        .unwrap()
        .unwrap();
    let mut second = match early {
        Ok(client) => client,
        Err(_) => within("the login", login).await,
    };
    assert_eq!(second.get(b"/file").await.unwrap(), CONTENT);
    let last = async || cluster.servers[0].quota("alice").await;
    let expected = Usage {
        files: 1,
        bytes: CONTENT.len() as i64,
    };
    until("right counters", async || last().await == expected).await;
}

#[tokio::test]
async fn a_rename_may_end_after_the_signal_to_stop() {
    let bucket = Bucket::new(StoreKind::S3).await;
    let proxy = proxy_before(&bucket).await;
    let server = server_by(&bucket, proxy.address()).await;
    let mut client = server.sftp("alice").await;
    client.put(b"/old", CONTENT).await.unwrap();

    let gate = Gate::new();
    let copy = Stage::Copy.operation(StoreKind::S3).unwrap();
    proxy.place(Rule::new(Action::Hold(gate.clone())).on(copy));
    let renaming = tokio::spawn(async move { client.rename(b"/old", b"/new").await });
    gate.reached().await;
    let stopping = server.drain(Duration::from_secs(30));
    let renamed = async {
        // Whoever ends connections that do nothing has looked at it by now.
        tokio::time::sleep(A_WHILE).await;
        gate.open();
        within("the answer", renaming).await.unwrap()
    };
    let (renamed, ()) = tokio::join!(renamed, stopping);
    renamed.unwrap();
    assert_eq!(bucket.keys().await, ["new"]);
}
