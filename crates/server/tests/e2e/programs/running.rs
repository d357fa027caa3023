//! While a program runs: the connection list, the metrics, bandwidth; and what ends it.

use std::time::Instant;

use sftpgo_core::registry::Direction;
use sftpgo_testkit::{Account, until, within};

use super::*;

const PUSH: &[u8] = b"rsync --server -re.iLsfxCIvu . d";

async fn prepared(account: Account) -> (TestServer, SshClient, std::path::PathBuf) {
    let (server, client) = scene(account).await;
    let directory = server.home("alice").join("d");
    fs::create_dir(&directory).unwrap();
    (server, client, directory)
}

#[tokio::test]
async fn streams_are_listed_as_transfers_and_counted_when_they_end() {
    let (server, client, directory) = prepared(Account::new("alice")).await;
    let channel = client.start(PUSH).await.unwrap();
    until("the transfers are listed", async || {
        let connections = server.core().registry().connections();
        let command = connections.iter().find(|c| c.command.starts_with("rsync"));
        command.is_some_and(|command| {
            let transfers = command.transfers();
            let of = |direction| {
                transfers
                    .iter()
                    .filter(|t| t.direction == direction)
                    .count()
            };
            assert!(transfers.iter().all(|t| t.path.to_string() == "/d"));
            // rsync begins with its version.
            of(Direction::Upload) == 1
                && of(Direction::Download) == 2
                && transfers.iter().any(|t| t.bytes() >= 4)
        })
    })
    .await;
    let metrics = server.core().metrics();
    let failed = metrics.ssh_command_errors.value();
    channel.close().await.unwrap();
    until("they are gone", async || {
        server
            .core()
            .registry()
            .connections()
            .iter()
            .all(|c| c.transfer_count() == 0)
            && metrics.ssh_command_errors.value() == failed + 1
            && working_in(&directory) == 0
    })
    .await;
    assert!(metrics.downloads.bytes.value() >= 4);
}

#[tokio::test]
async fn streams_of_a_command_that_succeeds_are_completed_transfers() {
    let (server, client) = scene(Account::new("alice")).await;
    repository(&server.home("alice").join("r"));
    let metrics = server.core().metrics();
    let commands = metrics.ssh_commands.value();
    assert!(git_runs(&client, "receive-pack", "/r").await);
    until("the command is counted", async || {
        metrics.ssh_commands.value() == commands + 1
    })
    .await;
    let (up, down) = (&metrics.uploads, &metrics.downloads);
    assert_eq!(
        (up.completed.value(), up.failed.value(), up.bytes.value()),
        (1, 0, 4)
    );
    assert_eq!((down.completed.value(), down.failed.value()), (2, 0));
    assert!(down.bytes.value() > 4);
}

#[tokio::test]
async fn an_administrator_ends_a_connection_and_its_programs() {
    let (server, client, directory) = prepared(Account::new("alice")).await;
    let _channel = client.start(PUSH).await.unwrap();
    until("the program runs", async || working_in(&directory) > 0).await;
    let id = server.core().registry().connections()[0].info.id.clone();
    assert!(server.core().registry().close(&id));
    until("the program ended", async || working_in(&directory) == 0).await;
}

#[tokio::test]
async fn the_stop_of_the_server_ends_programs() {
    let (server, client, directory) = prepared(Account::new("alice")).await;
    let _channel = client.start(PUSH).await.unwrap();
    until("the program runs", async || working_in(&directory) > 0).await;
    server.drain(std::time::Duration::from_millis(100)).await;
    // What it had started itself was killed with it, and is gone a moment later.
    until("nothing runs", async || working_in(&directory) == 0).await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_costs_a_bounded_amount_and_holds_nobody_up() {
    let (server, client, directory) = prepared(Account::new("alice")).await;
    let file = fs::File::create(directory.join("large")).unwrap();
    file.set_len(1 << 30).unwrap();
    let _stalled = client
        .start(b"rsync --server --sender -re.iLsfxCIvu . d")
        .await
        .unwrap();
    for _ in 0..5 {
        assert_eq!(ran(&client, "pwd").await.text(), "/\n");
    }
    drop(server);
}

#[tokio::test]
async fn bandwidth_limits_hold_in_both_directions() {
    let account = Account::new("alice").with("upload_bandwidth", 100);
    let (_server, client, _directory) = prepared(account).await;
    let start = Instant::now();
    // Not the protocol: rsync ends when it has read that; what comes first is paced all the same.
    let sent = vec![0; 100_000];
    within("the command", client.exec(PUSH, &sent))
        .await
        .unwrap();
    let elapsed = start.elapsed();
    assert!(elapsed.as_millis() >= 300, "{elapsed:?}");
}

#[tokio::test]
async fn errors_of_a_program_reach_the_client_and_do_not_end_it() {
    let (server, client) = scene(Account::new("alice")).await;
    fs::create_dir(server.home("alice").join("plain")).unwrap();
    let ran = ran(&client, "git-upload-pack /plain").await;
    assert_eq!(ran.status, Some(1), "never 128: only 0 and 1");
    assert!(stderr(&ran).contains("does not appear to be a git repository"));
}
