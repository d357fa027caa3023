//! How it ends: exit status, logs, counters, and clients that go away.

use std::fs;
use std::time::{Duration, Instant};

use sftpgo_testkit::{Account, Scp, TestServer, until};

use super::{Scene, names_in};

pub(super) async fn until_failed_uploads(server: &TestServer, count: u64) {
    let failed = &server.core().metrics().uploads.failed;
    until("the end of the upload", async || failed.value() == count).await;
}

/// Waits until the counters of a user are what is on the disk.
pub(super) async fn until_counted(server: &TestServer, user: &str) {
    let end = Instant::now() + Duration::from_secs(20);
    while server.quota(user).await != server.usage(user) {
        assert!(Instant::now() < end, "the counters of {user}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn until_all_left(server: &TestServer) {
    until("the end of all sessions", async || {
        server.core().registry().connections().is_empty()
            && server.core().metrics().active_connections.value() == 0
    })
    .await;
}

/// Waits for a transfer that has moved at least this much.
async fn until_moved(server: &TestServer, bytes: u64) {
    until("bytes of a transfer", async || {
        let connections = server.core().registry().connections();
        let mut transfers = connections
            .iter()
            .flat_map(|connection| connection.transfers());
        transfers.any(|transfer| transfer.bytes() >= bytes)
    })
    .await;
}

/// A server without sessions but the one that `scp` of these arguments has.
async fn alone(mode: u8, arguments: &str) -> (Scene, Scp) {
    let builder = super::builder().upload_mode(mode);
    let scene = Scene::of(builder, Account::new("alice")).await;
    fs::File::create(scene.disk("large"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    until_all_left(&scene.server).await;
    let scp = scene.scp(arguments).await;
    (scene, scp)
}

#[tokio::test]
async fn a_client_that_is_killed_in_an_upload_is_forgotten() {
    for close_only in [false, true] {
        let (scene, mut scp) = alone(1, "-t /f").await;
        scp.agreed(&b""[..]).await;
        scp.agreed("C0644 1000000000 f\n").await;
        scp.send(vec![b'x'; 100_000]);
        until_moved(&scene.server, 100_000).await;
        if close_only {
            scp.close();
        } else {
            scene.ssh.vanish();
        }
        until_all_left(&scene.server).await;
        until_failed_uploads(&scene.server, 1).await;
        until("the end of the clean-up", async || {
            names_in(&scene.home()) == ["large"]
        })
        .await;
        assert_eq!(scene.ssh.is_closed(), !close_only);
    }
}

#[tokio::test]
async fn a_client_that_is_killed_in_a_download_is_forgotten() {
    let (scene, mut scp) = alone(0, "-f /large").await;
    scp.send(&b"\0"[..]);
    assert_eq!(scp.line().await, b"C0644 1073741824 large\n");
    scp.send(&b"\0"[..]);
    // It stops reading: the window shuts in the middle of the file.
    until_moved(&scene.server, 1 << 20).await;
    scene.ssh.vanish();
    until_all_left(&scene.server).await;
    assert_eq!(scene.server.core().metrics().downloads.failed.value(), 1);
}

#[tokio::test]
async fn a_connection_that_is_closed_by_an_administrator_ends_every_scp() {
    for (arguments, begin) in [
        ("-t /f", &b"C0644 1000000 f\nbeginning"[..]),
        ("-f /large", b"\0\0"),
        ("-f /large", b""),
        ("-rt /", b"D0755 0 dir\n"),
    ] {
        let (scene, scp) = alone(1, arguments).await;
        scp.send(begin);
        until("the session", async || {
            !scene.server.core().registry().connections().is_empty()
        })
        .await;
        let registry = scene.server.core().registry();
        let id = registry.connections()[0].info.id.clone();
        assert!(registry.close(&id));
        until_all_left(&scene.server).await;
    }
}

#[tokio::test]
async fn a_client_that_answers_nothing_is_closed_as_idle() {
    for (arguments, begin) in [
        ("-f /large", &b""[..]),
        ("-f /large", b"\0"),
        ("-t /f", b"C0644 1000000 f\n"),
        ("-t /", b""),
    ] {
        let (scene, scp) = alone(0, arguments).await;
        scp.send(begin);
        until("the session", async || {
            !scene.server.core().registry().connections().is_empty()
        })
        .await;
        // As the check would after that time.
        until("the idle check", async || {
            scene
                .server
                .core()
                .registry()
                .close_idle(Duration::from_millis(20));
            scene.server.core().registry().connections().is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn commands_and_transfers_are_counted() {
    let scene = Scene::plain().await;
    let metrics = scene.server.core().metrics();
    // `cd` made the home.
    let before = metrics.ssh_commands.value();
    scene.put("f", b"hello").await.unwrap();
    scene.get("f").await.unwrap();
    scene.get("none").await.unwrap_err();
    scene.put("/none/f", b"").await.unwrap_err();
    let mut scp = scene.sink("-t /").await;
    scp.refused("X\n").await;
    scp.ends_with(1).await;
    assert_eq!(metrics.ssh_commands.value() - before, 2);
    assert_eq!(metrics.ssh_command_errors.value(), 3);
    let (up, down) = (&metrics.uploads, &metrics.downloads);
    assert_eq!(
        (up.completed.value(), up.failed.value(), up.bytes.value()),
        (1, 0, 5)
    );
    assert_eq!(
        (
            down.completed.value(),
            down.failed.value(),
            down.bytes.value()
        ),
        (1, 0, 5)
    );
}

#[tokio::test]
async fn the_connection_list_shows_protocol_command_and_transfer() {
    let (scene, mut scp) = alone(0, "-t -- '/f'").await;
    scp.agreed(&b""[..]).await;
    scp.agreed("C0644 10 f\n").await;
    scp.send(&b"12345"[..]);
    until_moved(&scene.server, 5).await;
    let connections = scene.server.core().registry().connections();
    let [connection] = &connections[..] else {
        panic!("{connections:?}");
    };
    assert_eq!(connection.protocol.as_str(), "SCP");
    assert_eq!(connection.command, "scp -t -- '/f'");
    let transfers = connection.transfers();
    assert_eq!(transfers[0].path.as_bytes(), b"/f");
    assert_eq!(transfers[0].direction.as_str(), "upload");
}

#[tokio::test]
async fn several_run_on_one_connection() {
    let scene = Scene::plain().await;
    let content = vec![b'x'; 300_000];
    let names: Vec<_> = (0..8).map(|number| format!("f{number}")).collect();
    let puts = names.iter().map(|name| scene.put(name, &content));
    for result in futures_util::future::join_all(puts).await {
        result.unwrap();
    }
    let gets = names.iter().map(|name| scene.get(name));
    for result in futures_util::future::join_all(gets).await {
        assert!(result.unwrap() == content);
    }
}

#[tokio::test]
async fn a_bandwidth_limit_holds_both_ways() {
    let account = Account::new("alice")
        .with("upload_bandwidth", 500)
        .with("download_bandwidth", 500);
    let scene = Scene::with(account).await;
    let content = vec![b'x'; 250_000];
    let start = Instant::now();
    scene.put("f", &content).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(450));
    let start = Instant::now();
    assert!(scene.get("f").await.unwrap() == content);
    assert!(start.elapsed() >= Duration::from_millis(450));
}
