//! WinSCP, packet by packet: it uploads to `name.filepart`, renames that to `name`, and sets the times before it has read the
//! answers. An error at any of it is a failed transfer.

use sftpgo_testkit::{FileClient as _, Sftp};
use sftpgo_wire::sftp::{Attrs, OpenFlags, Reply, client};

use super::*;

const REPLACE: OpenFlags =
    OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0 | OpenFlags::TRUNCATE.0);
/// The packets of its transfers.
const BLOCK: usize = 32_768;
const TIME: u32 = 1_100_000_000;

fn times() -> Attrs {
    Attrs {
        permissions: Some(0o100_644),
        times: Some((TIME, TIME)),
        ..Attrs::EMPTY
    }
}

async fn is_missing(sftp: &mut Sftp, path: &[u8]) {
    assert_eq!(refusal(sftp.lstat(path).await), Refusal::NotFound);
}

/// Writes from an offset without waiting, closes, and does the rest in the same breath.
async fn transfer(
    sftp: &mut Sftp,
    path: &[u8],
    flags: OpenFlags,
    (offset, data): (usize, &[u8]),
    then: impl FnOnce(&mut Sftp) -> Vec<u32>,
) {
    let handle = sftp.open_file(path, flags).await.unwrap();
    let mut ids = Vec::new();
    let mut at = offset as u64;
    for block in data.chunks(BLOCK) {
        ids.push(sftp.send(|out, id| client::write(out, id, &handle, at, block)));
        at += block.len() as u64;
    }
    ids.push(sftp.send(|out, id| client::close(out, id, &handle)));
    ids.extend(then(sftp));
    for id in ids {
        sftp.status_of(id).await.unwrap();
    }
}

fn set_times(sftp: &mut Sftp) -> u32 {
    sftp.send(|out, id| client::setstat(out, id, b"/file", &times()))
}

fn rename(sftp: &mut Sftp) -> u32 {
    sftp.send(|out, id| client::rename(out, id, b"/file.filepart", b"/file"))
}

/// What is there in the end: the file, with its time, and nothing beside it.
async fn is_there(bucket: &Bucket, sftp: &mut Sftp, data: &[u8]) {
    let id = sftp.send(|out, id| client::stat(out, id, b"/file"));
    let Reply::Attrs { attrs, .. } = sftp.reply_to(id).await else {
        panic!("no attributes");
    };
    assert_eq!(attrs.size, Some(data.len() as u64));
    assert_eq!(attrs.times.map(|(_, modified)| modified), Some(TIME));
    assert!(bucket.content("file").await.unwrap() == data);
    assert_eq!(bucket.keys().await, ["file"]);
    assert!(bucket.open_uploads().await.is_empty());
}

async fn in_each_store(scenario: impl AsyncFn(&Bucket, Sftp)) {
    for kind in StoreKind::ALL {
        let bucket = Bucket::new(*kind).await;
        let server = server_of(&bucket).await;
        let mut sftp = server.sftp("alice").await;
        assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
        scenario(&bucket, sftp).await;
    }
}

#[tokio::test]
async fn winscp_uploads_a_large_file_under_another_name_first() {
    let data = content(6_000_000);
    in_each_store(async |bucket, mut sftp| {
        is_missing(&mut sftp, b"/file").await;
        is_missing(&mut sftp, b"/file.filepart").await;
        let then = |sftp: &mut Sftp| vec![rename(sftp), set_times(sftp)];
        transfer(&mut sftp, b"/file.filepart", REPLACE, (0, &data), then).await;
        is_there(bucket, &mut sftp, &data).await;
    })
    .await;
}

/// SFTP version 3 has no rename that replaces: what is there is removed before.
#[tokio::test]
async fn winscp_removes_what_it_replaces_and_renames_then() {
    let data = content(300_000);
    in_each_store(async |bucket, mut sftp| {
        bucket.put("file", b"the old one").await;
        assert_eq!(sftp.lstat(b"/file").await.unwrap().size, Some(11));
        let then = |sftp: &mut Sftp| {
            vec![
                sftp.send(|out, id| client::remove(out, id, b"/file")),
                rename(sftp),
                set_times(sftp),
            ]
        };
        transfer(&mut sftp, b"/file.filepart", REPLACE, (0, &data), then).await;
        is_there(bucket, &mut sftp, &data).await;
    })
    .await;
}

#[tokio::test]
async fn winscp_writes_a_small_file_in_its_place() {
    in_each_store(async |bucket, mut sftp| {
        bucket.put("file", b"the old one, which is longer").await;
        let then = |sftp: &mut Sftp| vec![set_times(sftp)];
        transfer(&mut sftp, b"/file", REPLACE, (0, b"small"), then).await;
        is_there(bucket, &mut sftp, b"small").await;
    })
    .await;
}

#[tokio::test]
async fn winscp_goes_on_with_what_an_interrupted_transfer_left() {
    let data = content(7_000_000);
    in_each_store(async |bucket, mut sftp| {
        bucket.put("file.filepart", &data[..6_000_000]).await;
        let there = sftp.lstat(b"/file.filepart").await.unwrap().size;
        assert_eq!(there, Some(6_000_000));
        let rest = (6_000_000, &data[6_000_000..]);
        let then = |sftp: &mut Sftp| vec![rename(sftp), set_times(sftp)];
        transfer(&mut sftp, b"/file.filepart", OpenFlags::WRITE, rest, then).await;
        is_there(bucket, &mut sftp, &data).await;
    })
    .await;
}

/// Its synchronisation and its panels show times of listings.
#[tokio::test]
async fn winscp_lists_what_it_has_uploaded() {
    in_each_store(async |_, mut sftp| {
        sftp.put(b"/file", b"content").await.unwrap();
        sftp.create_dir(b"/dir").await.unwrap();
        let entries = sftp.list(b"/").await.unwrap();
        let mut names: Vec<_> = entries.iter().map(|entry| &entry.name[..]).collect();
        names.sort_unstable();
        assert_eq!(names, [&b"dir"[..], b"file"]);
        // An empty directory has a parent.
        assert!(sftp.list(b"/dir").await.unwrap().is_empty());
        sftp.lstat(b"/dir/..").await.unwrap();
    })
    .await;
}
