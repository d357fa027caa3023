//! Clients that go away in the middle.

use std::path::Path;

use sftpgo_testkit::{Account, FileClient as _, TestServer, until, usage};
use sftpgo_wire::sftp::{OpenFlags, client};

use super::{REPLACE, names_in, until_all_left, until_counted};

/// Uploads over an old file and to a new one, and vanishes in both; what is left in the home.
async fn vanish_in_upload(mode: u8, limited: bool) -> Vec<(String, u64)> {
    let server = TestServer::builder().upload_mode(mode).start().await;
    let account = Account::new("alice");
    let account = if limited {
        account.quota(10, 50 << 20)
    } else {
        account
    };
    server.add(account).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/old", b"old content").await.unwrap();
    for path in [&b"/old"[..], b"/new"] {
        let handle = sftp.open_file(path, REPLACE).await.unwrap();
        for block in 0..8 {
            let at = block * 100_000;
            sftp.write(&handle, at, &[b'w'; 100_000]).await.unwrap();
        }
        // These may arrive or not.
        for block in 8..40 {
            sftp.send(|out, id| client::write(out, id, &handle, block * 100_000, &[b'w'; 100_000]));
        }
    }
    sftp.vanish();
    until_all_left(&server).await;
    let home = server.home("alice");
    until_no_temporary_file(&home).await;
    until_counted(&server, "alice").await;
    let names = names_in(&home);
    let size = |name: &String| std::fs::metadata(home.join(name)).unwrap().len();
    let sizes: Vec<_> = names.iter().map(size).collect();
    names.into_iter().zip(sizes).collect()
}

async fn until_no_temporary_file(home: &Path) {
    until("the end of the clean-up", async || {
        !names_in(home).iter().any(|name| name.starts_with('.'))
    })
    .await;
}

#[tokio::test]
async fn what_arrived_in_place_stays_and_is_counted() {
    for limited in [false, true] {
        let left = vanish_in_upload(0, limited).await;
        let names: Vec<_> = left.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["new", "old"]);
        assert!(left.iter().all(|(_, size)| *size >= 800_000), "{left:?}");
    }
}

#[tokio::test]
async fn nothing_stays_of_an_atomic_upload_and_the_old_file_does() {
    for limited in [false, true] {
        let left = vanish_in_upload(1, limited).await;
        assert_eq!(left, [("old".to_owned(), 11)]);
    }
}

#[tokio::test]
async fn what_arrived_can_be_resumed_where_that_is_the_mode() {
    for limited in [false, true] {
        let left = vanish_in_upload(2, limited).await;
        let names: Vec<_> = left.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["new", "old"], "no temporary file");
        assert!(left.iter().all(|(_, size)| *size >= 800_000), "{left:?}");
    }
}

#[tokio::test]
async fn a_client_that_vanishes_while_its_upload_is_slowed_down_is_forgotten() {
    let server = TestServer::builder().upload_mode(1).start().await;
    // Bytes wait for minutes at this pace.
    server
        .add(Account::new("alice").with("upload_bandwidth", 1))
        .await;
    let mut sftp = server.sftp("alice").await;
    let handle = sftp.open_file(b"/slow", REPLACE).await.unwrap();
    for block in 0..40 {
        sftp.send(|out, id| client::write(out, id, &handle, block * 30_000, &[b'w'; 30_000]));
    }
    sftp.vanish();
    until_all_left(&server).await;
    until_no_temporary_file(&server.home("alice")).await;
    until_counted(&server, "alice").await;
    assert_eq!(names_in(&server.home("alice")), Vec::<String>::new());
}

#[tokio::test]
async fn fifty_clients_that_vanish_at_once_leave_nothing_behind() {
    let server = TestServer::builder().upload_mode(1).start().await;
    server
        .add(Account::new("alice").quota(1_000, 1 << 30))
        .await;
    let clients = (0..50).map(|number| {
        let server = &server;
        async move {
            let mut sftp = server.sftp("alice").await;
            let path = format!("/{number}");
            let handle = sftp.open_file(path.as_bytes(), REPLACE).await.unwrap();
            for block in 0..5 {
                sftp.send(|out, id| {
                    client::write(out, id, &handle, block * 20_000, &[b'w'; 20_000]);
                });
            }
            sftp.vanish();
        }
    });
    futures_util::future::join_all(clients).await;
    until_all_left(&server).await;
    until_no_temporary_file(&server.home("alice")).await;
    until_counted(&server, "alice").await;
    assert_eq!(usage(&server.home("alice")).files, 0);
    assert_eq!(server.quota("alice").await.files, 0);
}

#[tokio::test]
async fn a_download_that_is_cut_off_is_a_failed_one() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/a", &[b'a'; 1_000_000]).await.unwrap();
    let handle = sftp.open_file(b"/a", OpenFlags::READ).await.unwrap();
    sftp.read(&handle, 0, 1_000).await.unwrap();
    sftp.vanish();
    until_all_left(&server).await;
    assert_eq!(server.core().metrics().downloads.failed.value(), 1);
}
