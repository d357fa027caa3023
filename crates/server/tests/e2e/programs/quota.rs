//! Quota: full accounts, what grows on the disk while a program runs, counters afterwards.

use std::fs::File;

use sftpgo_core::OpErrorKind;
use sftpgo_testkit::{Account, FileClient as _, until};
use sftpgo_wire::sftp::OpenFlags;

use super::*;

#[tokio::test]
async fn a_full_account_starts_nothing_that_writes() {
    for (files, bytes) in [(1, 0), (0, 100)] {
        let (server, client) = scene(Account::new("alice").quota(files, bytes)).await;
        let mut sftp = server.sftp("alice").await;
        sftp.put(b"/file", &[0; 100]).await.unwrap();
        fs::create_dir(server.home("alice").join("d")).unwrap();
        for line in ["git-receive-pack /d", "rsync --server -re.iLsfxCIvu . d"] {
            let refused = ran(&client, line).await;
            assert_eq!(refused.status, Some(1));
            let text = OpErrorKind::QuotaExceeded.client_text();
            assert!(stderr(&refused).contains(text), "{line}: {refused:?}");
        }
        assert!(rsync_runs(&client, "rsync --server --sender -re.iLsfxCIvu . d").await);
    }
}

#[tokio::test]
async fn counters_are_what_is_there_after_a_program_however_it_ended() {
    let (server, client) = scene(Account::new("alice").quota(1000, 1 << 30)).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", &[0; 100]).await.unwrap();
    let home = server.home("alice");
    fs::create_dir(home.join("d")).unwrap();
    // As if the program had written it.
    write(&home.join("d/new"), "content");
    fs::remove_file(home.join("file")).unwrap();
    ran(&client, "rsync --server -re.iLsfxCIvu . d").await;
    until("the counters are right", async || {
        server.quota("alice").await == server.usage("alice")
    })
    .await;
    write(&home.join("d/newer"), "content");
    // What is left of the first one would be taken for the second.
    until("the first one is gone", async || {
        working_in(&home.join("d")) == 0
    })
    .await;
    // The connection vanishes while the program runs.
    let _channel = client.start(b"rsync --server -re.iLsfxCIvu . d").await;
    until("the program runs", async || working_in(&home.join("d")) > 0).await;
    client.vanish();
    until("the counters are right again", async || {
        server.quota("alice").await == server.usage("alice")
    })
    .await;
}

#[tokio::test]
async fn counters_stay_right_with_an_upload_open_meanwhile() {
    let (server, client) = scene(Account::new("alice").quota(1000, 1 << 30)).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    write(&home.join("d/new"), &"x".repeat(100_000));
    let flags = OpenFlags::WRITE | OpenFlags::CREATE;
    let upload = sftp.open_file(b"/open", flags).await.unwrap();
    sftp.write(&upload, 0, &[1; 30_000]).await.unwrap();
    ran(&client, "rsync --server -re.iLsfxCIvu . d").await;
    // What the program left is counted at least, so that nobody stores more than allowed meanwhile.
    until("the new file is counted", async || {
        server.quota("alice").await.bytes >= 100_000
    })
    .await;
    sftp.write(&upload, 30_000, &[1; 30_000]).await.unwrap();
    sftp.close(&upload).await.unwrap();
    until("the counters are right", async || {
        server.quota("alice").await == server.usage("alice")
    })
    .await;
}

#[tokio::test]
async fn a_program_that_stores_more_than_allowed_is_ended_while_it_runs() {
    let (server, client) = scene(Account::new("alice").quota(0, 1 << 20)).await;
    let home = server.home("alice");
    fs::create_dir(home.join("d")).unwrap();
    let mut channel = client
        .start(b"rsync --server -re.iLsfxCIvu . d")
        .await
        .unwrap();
    // What it would have written from compressed data.
    let grown = File::create(home.join("d/grown")).unwrap();
    grown.set_len(2 << 20).unwrap();
    let ended = sftpgo_testkit::within("the end of the program", async {
        let mut text = Vec::new();
        let mut status = None;
        while let Some(message) = channel.wait().await {
            match message {
                russh::ChannelMsg::ExtendedData { data, .. } => text.extend_from_slice(&data),
                russh::ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
                _ => {}
            }
        }
        (String::from_utf8_lossy(&text).into_owned(), status)
    })
    .await;
    assert!(ended.0.contains("quota exceeded"), "{ended:?}");
    assert_eq!(ended.1, Some(1));
}

#[tokio::test]
async fn programs_that_follow_each_other_leave_nothing_behind() {
    let (server, client) = scene(Account::new("alice").quota(1000, 1 << 30)).await;
    let home = server.home("alice");
    for round in 0..30 {
        write(&home.join(format!("d/{round}")), "content");
        ran(&client, "rsync --server -re.iLsfxCIvu . d").await;
    }
    until("no command is listed", async || {
        server.core().registry().connections().is_empty()
    })
    .await;
    until("the counters are right", async || {
        server.quota("alice").await == server.usage("alice")
    })
    .await;
}

#[tokio::test]
async fn without_tracking_nothing_is_counted_or_refused() {
    let server = TestServer::builder()
        .set("sftpd.enabled_ssh_commands", vec!["*"])
        .track_quota(0)
        .start()
        .await;
    server.add(Account::new("alice").quota(1, 1)).await;
    let client = server.login("alice").await;
    ran(&client, "cd").await;
    write(&server.home("alice").join("d/file"), "more than one byte");
    write(&server.home("alice").join("d/file2"), "more than one byte");
    assert!(rsync_runs(&client, "rsync --server -re.iLsfxCIvu . d").await);
    assert_eq!(server.quota("alice").await.files, 0);
}
