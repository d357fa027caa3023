//! SETSTAT, FSETSTAT and what STAT tells (reference 6.7, 6.9).
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use sftpgo_testkit::{Account, FileClient as _, Refusal, TestServer};
use sftpgo_wire::sftp::Attrs;

use super::{Lab, READ, REPLACE, WRITE, mode, refused, size, times};

#[tokio::test]
async fn mode_and_times_are_set_and_told() {
    let mut lab = Lab::new().await;
    lab.make_dir("dir");
    lab.write_disk("file", b"");
    for path in [&b"/file"[..], b"/dir"] {
        lab.sftp.setstat(path, &mode(0o100_640)).await.unwrap();
        lab.sftp
            .setstat(path, &times(1_000_000_000, 1_100_000_000))
            .await
            .unwrap();
        let attrs = lab.sftp.stat_attrs(path).await.unwrap();
        assert_eq!(attrs.permissions.unwrap() & 0o7777, 0o640);
        assert_eq!(attrs.times, Some((1_000_000_000, 1_100_000_000)));
    }
    for change in [mode(0o600), times(1, 1), size(0)] {
        refused(lab.sftp.setstat(b"/none", &change).await, Refusal::NotFound);
    }
}

/// Departure: the reference applies the first group of attributes only, and says that all went well.
#[tokio::test]
async fn every_attribute_of_a_request_is_applied() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"1234567890");
    let all = Attrs {
        size: Some(4),
        permissions: Some(0o604),
        times: Some((1_000_000_000, 1_100_000_000)),
        ..Attrs::EMPTY
    };
    lab.sftp.setstat(b"/file", &all).await.unwrap();
    let found = fs::metadata(lab.disk("file")).unwrap();
    assert_eq!(
        (found.len(), found.mode() & 0o7777, found.mtime()),
        (4, 0o604, 1_100_000_000)
    );
}

/// Departure: the reference accepts a size and does nothing.
#[tokio::test]
async fn a_size_cuts_or_extends_the_file_and_is_counted() {
    let mut lab = Lab::new().await;
    lab.sftp.put(b"/file", b"1234567890").await.unwrap();
    lab.sftp.setstat(b"/file", &size(4)).await.unwrap();
    assert_eq!(lab.read_disk("file"), b"1234");
    lab.sftp.setstat(b"/file", &size(6)).await.unwrap();
    assert_eq!(lab.read_disk("file"), b"1234\0\0");
    assert_eq!(lab.server.quota("alice").await.bytes, 6);
}

#[tokio::test]
async fn set_id_bits_are_not_set() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"");
    lab.sftp.setstat(b"/file", &mode(0o7755)).await.unwrap();
    let found = fs::metadata(lab.disk("file")).unwrap().permissions().mode();
    assert_eq!(found & 0o7777, 0o755);
}

#[tokio::test]
async fn each_attribute_has_its_permission_and_nothing_changes_if_one_is_missing() {
    let chown = Attrs {
        owner: Some((0, 0)),
        ..Attrs::EMPTY
    };
    let cases = [
        ("chmod", mode(0o600)),
        ("chown", chown),
        ("chtimes", times(1, 1)),
        ("overwrite", size(0)),
    ];
    for (permission, change) in cases {
        let all = "list,download,upload,overwrite,delete,rename,chmod,chown,chtimes";
        let rest: Vec<&str> = all.split(',').filter(|name| *name != permission).collect();
        let account = Account::new("alice").permit("/dir", &rest.join(","));
        let mut lab = Lab::with(account).await;
        lab.make_dir("dir");
        lab.write_disk("dir/file", b"content");
        refused(
            lab.sftp.setstat(b"/dir/file", &change).await,
            Refusal::Denied,
        );
        let both = Attrs {
            permissions: Some(0o600),
            times: Some((1, 1)),
            ..change
        };
        if permission != "overwrite" {
            refused(lab.sftp.setstat(b"/dir/file", &both).await, Refusal::Denied);
        }
        let found = fs::metadata(lab.disk("dir/file")).unwrap();
        assert_eq!(
            (found.len(), found.mode() & 0o777),
            (7, 0o644),
            "{permission}"
        );
        // The directory itself is an entry of its parent, where everything is allowed.
        if permission != "overwrite" {
            lab.sftp.setstat(b"/dir", &change).await.unwrap();
        }
    }
}

#[tokio::test]
async fn attributes_set_through_a_handle_hold_after_the_close_in_every_mode() {
    for upload_mode in 0..3 {
        let server = TestServer::builder().upload_mode(upload_mode).start().await;
        let mut lab = Lab::on(server, Account::new("alice")).await;
        let handle = lab.sftp.open_file(b"/file", REPLACE).await.unwrap();
        lab.sftp.write(&handle, 0, b"1234567890").await.unwrap();
        lab.sftp.fsetstat(&handle, &mode(0o600)).await.unwrap();
        lab.sftp.fsetstat(&handle, &size(3)).await.unwrap();
        lab.sftp
            .fsetstat(&handle, &times(1_000_000_000, 1_100_000_000))
            .await
            .unwrap();
        lab.sftp.close(&handle).await.unwrap();
        let found = fs::metadata(lab.disk("file")).unwrap();
        assert_eq!(
            (found.len(), found.mode() & 0o777, found.mtime()),
            (3, 0o600, 1_100_000_000),
            "mode {upload_mode}"
        );
    }
}

#[tokio::test]
async fn setstat_may_be_switched_off() {
    let server = TestServer::builder()
        .set("sftpd.setstat_mode", 1)
        .start()
        .await;
    let mut lab = Lab::on(server, Account::new("alice").permit("/", "list,upload")).await;
    lab.write_disk("file", b"");
    // Not even the permission is asked for.
    lab.sftp.setstat(b"/file", &mode(0o600)).await.unwrap();
    lab.sftp.setstat(b"/file", &times(1, 1)).await.unwrap();
    let found = fs::metadata(lab.disk("file")).unwrap();
    assert_eq!(found.mode() & 0o777, 0o644);
    assert!(found.mtime() > 1);
}

#[tokio::test]
async fn a_listing_line_is_as_ls_writes_it() {
    let mut lab = Lab::new().await;
    lab.write_disk("old file", b"12345");
    lab.sftp
        .setstat(b"/old file", &times(1_000_000_000, 1_000_000_000))
        .await
        .unwrap();
    let handle = lab.sftp.opendir(b"/").await.unwrap();
    let names = lab.sftp.readdir(&handle).await.unwrap().unwrap();
    let line = String::from_utf8(names[0].longname.to_vec()).unwrap();
    let fields: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(
        (fields[0], fields[4], fields[5]),
        ("-rw-r--r--", "5", "Sep"),
        "{line}"
    );
    assert_eq!(fields[7..], ["2001", "old", "file"], "{line}");
    assert!(lab.sftp.readdir(&handle).await.unwrap().is_none());
}

#[tokio::test]
async fn a_handle_acts_on_its_file_wherever_the_name_went() {
    for upload_mode in 0..3 {
        let server = TestServer::builder().upload_mode(upload_mode).start().await;
        let mut lab = Lab::on(server, Account::new("alice")).await;
        lab.write_disk("file", b"0123456789");
        let sftp = &mut lab.sftp;
        let reading = sftp.open_file(b"/file", READ).await.unwrap();
        let writing = sftp.open_file(b"/file", WRITE).await.unwrap();
        sftp.rename(b"/file", b"/moved").await.unwrap();
        sftp.put(b"/file", b"other").await.unwrap();
        sftp.fsetstat(&reading, &times(1, 1_000_000_000))
            .await
            .unwrap();
        sftp.fsetstat(&reading, &mode(0o640)).await.unwrap();
        sftp.fsetstat(&writing, &size(4)).await.unwrap();
        for handle in [&reading, &writing] {
            let attrs = sftp.fstat(handle).await.unwrap();
            assert_eq!((attrs.size, attrs.permissions), (Some(4), Some(0o100_640)));
        }
        assert_eq!(lab.read_disk("moved"), b"0123");
        assert_eq!(lab.read_disk("file"), b"other");
        let found = fs::metadata(lab.disk("file")).unwrap();
        assert_eq!(found.mode() & 0o777, 0o644);
        // And when no name is left.
        let sftp = &mut lab.sftp;
        sftp.remove(b"/moved").await.unwrap();
        sftp.fsetstat(&writing, &size(2)).await.unwrap();
        sftp.fsetstat(&reading, &mode(0o600)).await.unwrap();
        let attrs = sftp.fstat(&reading).await.unwrap();
        assert_eq!((attrs.size, attrs.permissions), (Some(2), Some(0o100_600)));
    }
}

#[tokio::test]
async fn a_handle_to_read_cuts_no_file() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"0123456789");
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    let both = Attrs {
        size: Some(0),
        ..mode(0o600)
    };
    refused(lab.sftp.fsetstat(&handle, &size(0)).await, Refusal::Denied);
    refused(lab.sftp.fsetstat(&handle, &both).await, Refusal::Denied);
    assert_eq!(lab.read_disk("file"), b"0123456789");
    let found = fs::metadata(lab.disk("file")).unwrap();
    assert_eq!(found.mode() & 0o777, 0o644);
}

#[tokio::test]
async fn a_handle_of_a_directory_acts_on_it_wherever_it_went() {
    let account = Account::new("alice").permit("/parent", "list,rename,chmod");
    let mut lab = Lab::with(account).await;
    for dir in ["dir", "parent/dir"] {
        lab.make_dir(dir);
        lab.write_disk(&format!("{dir}/file"), b"");
    }
    let sftp = &mut lab.sftp;
    let handle = sftp.opendir(b"/dir").await.unwrap();
    sftp.rename(b"/dir", b"/moved").await.unwrap();
    sftp.mkdir(b"/dir").await.unwrap();
    sftp.fsetstat(&handle, &mode(0o701)).await.unwrap();
    sftp.fsetstat(&handle, &times(1, 1_000_000_000))
        .await
        .unwrap();
    let attrs = sftp.fstat(&handle).await.unwrap();
    assert_eq!(attrs.permissions, Some(0o040_701));
    assert_eq!(attrs.times.unwrap().1, 1_000_000_000);
    refused(sftp.fsetstat(&handle, &size(0)).await, Refusal::Failed);
    // It can be listed as before.
    assert_eq!(sftp.readdir(&handle).await.unwrap().unwrap().len(), 1);
    assert!(sftp.readdir(&handle).await.unwrap().is_none());
    sftp.fstat(&handle).await.unwrap();
    let untouched = sftp.stat_attrs(b"/dir").await.unwrap();
    assert_eq!(untouched.permissions, Some(0o040_755));
    // What its parent does not allow is not allowed here either.
    let handle = sftp.opendir(b"/parent/dir").await.unwrap();
    refused(sftp.fsetstat(&handle, &times(1, 1)).await, Refusal::Denied);
    sftp.fsetstat(&handle, &mode(0o700)).await.unwrap();
}
