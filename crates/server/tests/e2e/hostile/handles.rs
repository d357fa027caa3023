//! Handles that do not exist, or not here, or not for this; numbers at the end of their range.

use std::sync::Arc;

use bytes::Bytes;
use sftpgo_testkit::{FileClient as _, Refusal, Sftp};
use sftpgo_wire::sftp::{Attrs, Extension, OpenFlags, client};

use super::{CREATE, alice, until_counted};

/// Everything that can be done with a handle; the refusals, CLOSE last.
async fn refusals(sftp: &mut Sftp, handle: &Bytes) -> Vec<Option<Refusal>> {
    let handle = handle.clone();
    let kind = |error: sftpgo_testkit::Refused| error.kind;
    vec![
        sftp.read(&handle, 0, 10).await.err().map(kind),
        sftp.write(&handle, 0, b"x").await.err().map(kind),
        sftp.fstat(&handle).await.err().map(kind),
        sftp.fsetstat(&handle, &Attrs::EMPTY).await.err().map(kind),
        sftp.readdir(&handle).await.err().map(kind),
        sftp.extended(&Extension::Fsync {
            handle: handle.clone(),
        })
        .await
        .err()
        .map(kind),
        sftp.close(&handle).await.err().map(kind),
    ]
}

#[tokio::test]
async fn a_handle_that_nobody_gave_is_refused_by_every_request() {
    let (_server, mut sftp) = alice().await;
    let handles: [&[u8]; 5] = [b"", b"1", b"\0\0\0\0\0\0\0\0", &[0xff; 8], &[b'h'; 256]];
    for handle in handles {
        let answers = refusals(&mut sftp, &Bytes::copy_from_slice(handle)).await;
        assert_eq!(answers, vec![Some(Refusal::Failed); 7], "{handle:?}");
    }
}

#[tokio::test]
async fn a_closed_handle_is_refused_also_when_its_place_was_taken_again() {
    let (_server, mut sftp) = alice().await;
    let old = sftp.open_file(b"/old", CREATE).await.unwrap();
    sftp.close(&old).await.unwrap();
    let new = sftp.open_file(b"/new", CREATE).await.unwrap();
    assert_ne!(old, new);
    assert_eq!(
        refusals(&mut sftp, &old).await,
        vec![Some(Refusal::Failed); 7]
    );
    sftp.write(&new, 0, b"mine").await.unwrap();
    sftp.close(&new).await.unwrap();
    assert_eq!(sftp.get(b"/old").await.unwrap(), b"");
}

#[tokio::test]
async fn a_handle_means_nothing_in_another_channel_of_the_same_connection() {
    let (_server, mut sftp) = alice().await;
    sftp.put(b"/a", b"content").await.unwrap();
    let mut other = Sftp::open(Arc::clone(sftp.ssh())).await.unwrap();
    let handle = sftp.open_file(b"/a", OpenFlags::READ).await.unwrap();
    let _same_place = other.open_file(b"/a", OpenFlags::READ).await.unwrap();
    assert_eq!(
        refusals(&mut other, &handle).await,
        vec![Some(Refusal::Failed); 7]
    );
    assert_eq!(sftp.read(&handle, 0, 10).await.unwrap().unwrap(), "content");
}

#[tokio::test]
async fn a_handle_does_what_it_was_opened_for_and_no_more() {
    let (_server, mut sftp) = alice().await;
    sftp.put(b"/file", b"content").await.unwrap();
    sftp.create_dir(b"/dir").await.unwrap();
    let directory = sftp.opendir(b"/dir").await.unwrap();
    assert!(sftp.read(&directory, 0, 10).await.is_err());
    assert!(sftp.write(&directory, 0, b"x").await.is_err());
    assert_eq!(sftp.readdir(&directory).await.unwrap(), None);
    let reading = sftp.open_file(b"/file", OpenFlags::READ).await.unwrap();
    assert!(sftp.readdir(&reading).await.is_err());
    assert!(sftp.write(&reading, 0, b"x").await.is_err());
    assert!(sftp.read(&reading, 0, 10).await.unwrap().is_some());
    let writing = sftp.open_file(b"/file", OpenFlags::WRITE).await.unwrap();
    assert!(sftp.readdir(&writing).await.is_err());
    assert!(sftp.read(&writing, 0, 10).await.is_err());
    sftp.write(&writing, 0, b"C").await.unwrap();
    for handle in [directory, reading, writing] {
        sftp.close(&handle).await.unwrap();
    }
    assert_eq!(sftp.get(b"/file").await.unwrap(), b"Content");
    assert!(sftp.opendir(b"/file").await.is_err());
    assert!(sftp.open_file(b"/dir", OpenFlags::READ).await.is_err());
}

#[tokio::test]
async fn a_handle_that_is_closed_twice_at_once_is_closed_once() {
    let (_server, mut sftp) = alice().await;
    let handle = sftp.open_file(b"/a", CREATE).await.unwrap();
    let write = sftp.send(|out, id| client::write(out, id, &handle, 0, b"x"));
    let first = sftp.send(|out, id| client::close(out, id, &handle));
    let behind = sftp.send(|out, id| client::write(out, id, &handle, 1, b"y"));
    let second = sftp.send(|out, id| client::close(out, id, &handle));
    let mut codes = Vec::new();
    for id in [write, first, behind, second] {
        codes.push(format!("{:?}", sftp.reply_to(id).await).contains("code: Ok"));
    }
    assert_eq!(codes, [true, true, false, false]);
    assert_eq!(sftp.get(b"/a").await.unwrap(), b"x");
}

#[tokio::test]
async fn reading_far_behind_the_end_is_the_end_of_the_file() {
    let (_server, mut sftp) = alice().await;
    sftp.put(b"/a", b"content").await.unwrap();
    let handle = sftp.open_file(b"/a", OpenFlags::READ).await.unwrap();
    for len in [1, 32_768, u32::MAX] {
        for offset in [7, 8, 1 << 40, 1 << 62] {
            let read = sftp.read(&handle, offset, len).await;
            assert_eq!(read.unwrap(), None, "{offset} {len}");
        }
        // Where no file can reach, no request can mean anything.
        for offset in [i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
            let read = sftp.read(&handle, offset, len).await;
            assert_eq!(
                read.unwrap_err().kind,
                Refusal::BadMessage,
                "{offset} {len}"
            );
        }
    }
    assert_eq!(
        sftp.read(&handle, 0, u32::MAX).await.unwrap().unwrap(),
        "content"
    );
}

#[tokio::test]
async fn a_file_opened_for_both_reads_far_behind_its_end_too() {
    let (_server, mut sftp) = alice().await;
    let both = OpenFlags(CREATE.0 | OpenFlags::READ.0);
    let handle = sftp.open_file(b"/a", both).await.unwrap();
    sftp.write(&handle, 0, b"content").await.unwrap();
    assert_eq!(sftp.read(&handle, 7, u32::MAX).await.unwrap(), None);
    for offset in [i64::MAX as u64, u64::MAX] {
        let read = sftp.read(&handle, offset, u32::MAX).await;
        assert_eq!(read.unwrap_err().kind, Refusal::BadMessage, "{offset}");
    }
    // A refused READ does not spoil the upload.
    sftp.close(&handle).await.unwrap();
}

#[tokio::test]
async fn writing_where_no_file_reaches_is_refused_and_stores_nothing() {
    let (server, mut sftp) = alice().await;
    for offset in [u64::MAX, u64::MAX - 3, i64::MAX as u64, i64::MAX as u64 - 1] {
        let handle = sftp.open_file(b"/a", CREATE).await.unwrap();
        assert!(
            sftp.write(&handle, offset, b"four").await.is_err(),
            "{offset}"
        );
        // The upload has failed, whatever is closed.
        assert!(sftp.close(&handle).await.is_err());
        assert_eq!(server.usage("alice").bytes, 0);
    }
    until_counted(&server, "alice").await;
}

#[tokio::test]
async fn a_write_of_nothing_is_a_write() {
    let (server, mut sftp) = alice().await;
    let handle = sftp.open_file(b"/a", CREATE).await.unwrap();
    for offset in [0, 5, 1 << 40] {
        sftp.write(&handle, offset, b"").await.unwrap();
    }
    sftp.close(&handle).await.unwrap();
    assert_eq!(sftp.stat(b"/a").await.unwrap().size, 0);
    until_counted(&server, "alice").await;
}

#[tokio::test]
async fn absurd_attributes_are_answered_and_leave_the_counters_right() {
    let (server, mut sftp) = alice().await;
    sftp.put(b"/a", b"content").await.unwrap();
    for size in [u64::MAX, i64::MAX as u64 + 1] {
        let attrs = Attrs {
            size: Some(size),
            ..Attrs::EMPTY
        };
        assert!(sftp.setstat(b"/a", &attrs).await.is_err(), "{size}");
        assert!(sftp.setstat(b"/none", &attrs).await.is_err());
        let handle = sftp.open_file(b"/a", OpenFlags::WRITE).await.unwrap();
        assert!(sftp.fsetstat(&handle, &attrs).await.is_err(), "{size}");
        sftp.close(&handle).await.unwrap();
    }
    assert_eq!(sftp.get(b"/a").await.unwrap(), b"content");
    let times = Attrs {
        times: Some((u32::MAX, u32::MAX)),
        permissions: Some(u32::MAX),
        ..Attrs::EMPTY
    };
    sftp.setstat(b"/a", &times).await.unwrap();
    let stat = sftp.stat(b"/a").await.unwrap();
    assert_eq!(stat.modified, Some(u32::MAX));
    assert_eq!(stat.mode, Some(0o777), "no bits but permissions");
    // Listings show the year 2106 without stumbling.
    assert_eq!(sftp.list(b"/").await.unwrap().len(), 1);
    until_counted(&server, "alice").await;
}

#[tokio::test]
async fn flags_that_ask_for_nothing_open_nothing() {
    let (server, mut sftp) = alice().await;
    for flags in [0, OpenFlags::EXCLUSIVE.0, 0xffff_ff00, 0x8000_0000] {
        let opened = sftp.open_file(b"/a", OpenFlags(flags)).await;
        assert!(opened.is_err(), "{flags:#x}");
    }
    assert_eq!(server.usage("alice").files, 0);
}
