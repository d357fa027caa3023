//! Quota under fire: files that change while others write them, and many sessions at the limit.

use bytes::Bytes;
use sftpgo_testkit::{Account, FileClient as _, Refusal, Sftp, TestServer, Usage};
use sftpgo_wire::sftp::{Attrs, OpenFlags, client};

use super::{CREATE, REPLACE, until_counted};

async fn limited(mode: u8, bytes: i64) -> (TestServer, Sftp, Sftp) {
    let server = TestServer::builder().upload_mode(mode).start().await;
    server.add(Account::new("alice").quota(100, bytes)).await;
    let (one, other) = (server.sftp("alice").await, server.sftp("alice").await);
    (server, one, other)
}

/// What another session does to a file that is being written.
async fn disturb(step: usize, sftp: &mut Sftp) {
    let sized = |size| Attrs {
        size: Some(size),
        ..Attrs::EMPTY
    };
    // Refusals are outcomes like any other.
    match step {
        0 => drop(sftp.remove(b"/a").await),
        1 => drop(sftp.rename(b"/a", b"/b").await),
        2 => drop(sftp.rename(b"/b", b"/a").await),
        3 => drop(sftp.put(b"/a", &[b'n'; 30_000]).await),
        4 => drop(sftp.setstat(b"/a", &sized(10)).await),
        5 => drop(sftp.setstat(b"/a", &sized(80_000)).await),
        6 => drop(sftp.symlink(b"/a", b"/link").await),
        _ => drop(sftp.append(b"/a", &[b'n'; 5_000]).await),
    }
}

#[tokio::test]
async fn a_file_that_is_removed_renamed_or_replaced_while_it_is_written_is_counted_right() {
    for mode in 0..3 {
        for flags in [REPLACE, CREATE] {
            for existing in [false, true] {
                let (server, mut writer, mut other) = limited(mode, 10 << 20).await;
                if existing {
                    other.put(b"/a", &[b'o'; 20_000]).await.unwrap();
                }
                for step in 0..8 {
                    let Ok(handle) = writer.open_file(b"/a", flags).await else {
                        continue;
                    };
                    drop(writer.write(&handle, 0, &[b'w'; 50_000]).await);
                    disturb(step, &mut other).await;
                    drop(writer.write(&handle, 50_000, &[b'w'; 50_000]).await);
                    drop(writer.close(&handle).await);
                    until_counted(&server, "alice").await;
                }
            }
        }
    }
}

#[tokio::test]
async fn two_uploads_of_one_file_at_once_leave_one_file_that_is_counted_once() {
    for mode in 0..3 {
        let (server, mut one, mut other) = limited(mode, 10 << 20).await;
        let first = one.open_file(b"/a", REPLACE).await.unwrap();
        let second = other.open_file(b"/a", REPLACE).await.unwrap();
        for block in 0..10_u64 {
            one.write(&first, block * 1_000, &[b'1'; 1_000])
                .await
                .unwrap();
            other
                .write(&second, block * 2_000, &[b'2'; 2_000])
                .await
                .unwrap();
        }
        one.close(&first).await.unwrap();
        // Where it was new to both, one name is left for one of them.
        let replaced = other.close(&second).await.is_ok();
        let expected = Usage {
            files: 1,
            bytes: if replaced { 20_000 } else { 10_000 },
        };
        assert_eq!(server.usage("alice"), expected, "mode {mode}");
        until_counted(&server, "alice").await;
    }
}

const LIMIT: i64 = 1_000_000;

/// Eight sessions store as much as they may, each a file of its own, three times over.
async fn fill(mode: u8, driver: &str) {
    let server = TestServer::builder()
        .upload_mode(mode)
        .driver(driver)
        .start()
        .await;
    server.add(Account::new("alice").quota(5, LIMIT)).await;
    let uploads = (0..8).map(|number| {
        let server = &server;
        async move {
            let mut sftp = server.sftp("alice").await;
            let path = format!("/{number}");
            let mut stored = 0;
            for _ in 0..3 {
                let data = vec![b'w'; 150_000 + number * 10_000];
                stored += u32::from(sftp.put(path.as_bytes(), &data).await.is_ok());
                // A replacement stands beside the old file until it is whole.
                if mode == 0 {
                    let now = server.usage("alice");
                    assert!(now.bytes <= LIMIT && now.files <= 5, "{now:?}");
                }
            }
            stored
        }
    });
    let stored = futures_util::future::join_all(uploads).await;
    assert!(stored.iter().sum::<u32>() > 0, "nobody may store anything");
    until_counted(&server, "alice").await;
    let end = server.usage("alice");
    assert!(end.bytes <= LIMIT && end.files <= 5, "{end:?}");
}

#[tokio::test]
async fn eight_sessions_never_have_more_than_the_limit_on_disk() {
    fill(0, "memory").await;
    fill(0, "sqlite").await;
}

#[tokio::test]
async fn eight_sessions_that_replace_their_files_are_counted_right() {
    // The inode of a replaced file is given to the next upload at once.
    for _ in 0..5 {
        fill(1, "memory").await;
    }
}

#[tokio::test]
async fn writes_far_apart_do_not_pass_the_limit_by_holes() {
    let (server, mut sftp, _) = limited(0, 1_000_000).await;
    let handle = sftp.open_file(b"/a", CREATE).await.unwrap();
    assert!(sftp.write(&handle, 999_999, b"xx").await.is_err());
    drop(sftp.close(&handle).await);
    let sized = Attrs {
        size: Some(1_000_001),
        ..Attrs::EMPTY
    };
    sftp.put(b"/b", b"x").await.unwrap();
    assert!(sftp.setstat(b"/b", &sized).await.is_err());
    let handle = sftp.open_file(b"/b", OpenFlags::WRITE).await.unwrap();
    assert!(sftp.fsetstat(&handle, &sized).await.is_err());
    drop(sftp.close(&handle).await);
    assert!(server.usage("alice").bytes <= 1_000_000);
    until_counted(&server, "alice").await;
}

#[tokio::test]
async fn writes_in_flight_over_the_limit_fail_and_the_rest_is_counted() {
    for mode in 0..3 {
        let (server, mut sftp, _) = limited(mode, 500_000).await;
        let handle: Bytes = sftp.open_file(b"/a", CREATE).await.unwrap();
        for block in 0..100 {
            sftp.send(|out, id| client::write(out, id, &handle, block * 10_000, &[b'w'; 10_000]));
        }
        assert!(sftp.close(&handle).await.is_err(), "mode {mode}");
        assert!(server.usage("alice").bytes <= 500_000);
        until_counted(&server, "alice").await;
    }
}

/// The file that an upload goes to until it is whole is nobody's: what is stored by another name of it would be counted by
/// nobody.
#[tokio::test]
async fn the_file_of_a_running_upload_is_out_of_the_reach_of_clients() {
    for mode in [1, 2] {
        let (server, mut writer, mut other) = limited(mode, 100 << 20).await;
        let handle = writer.open_file(b"/a", CREATE).await.unwrap();
        writer.write(&handle, 0, &[b'w'; 50_000]).await.unwrap();
        let names = super::names_in(&server.home("alice"));
        let [name] = &names[..] else {
            panic!("{names:?}")
        };
        assert!(name.starts_with(".sftpgo-upload."), "{name}");
        let path = format!("/{name}").into_bytes();
        assert!(other.list(b"/").await.unwrap().is_empty());
        let missing = [
            other.stat_attrs(&path).await.map(drop),
            other.get(&path).await.map(drop),
            other.remove(&path).await,
            other.rename(&path, b"/mine").await,
            other.plain_rename(&path, b"/mine").await,
            other.open_file(&path, OpenFlags::WRITE).await.map(drop),
        ];
        for answer in missing {
            assert_eq!(answer.unwrap_err().kind, Refusal::NotFound);
        }
        for flags in [CREATE, REPLACE] {
            let made = other.open_file(&path, flags).await;
            assert_eq!(made.unwrap_err().kind, Refusal::Denied);
        }
        writer
            .write(&handle, 50_000, &[b'w'; 50_000])
            .await
            .unwrap();
        writer.close(&handle).await.unwrap();
        assert_eq!(other.get(b"/a").await.unwrap().len(), 100_000);
        until_counted(&server, "alice").await;
    }
}
