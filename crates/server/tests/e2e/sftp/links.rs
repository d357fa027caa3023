//! Symbolic links: followed inside the home, of no use outside (reference 6.3, D.1).
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;

use bytes::Bytes;
use sftpgo_testkit::{Account, FileClient as _, Kind, Refusal, TestServer};
use sftpgo_wire::sftp::Extension;

use super::{Lab, mode, refused, size, times};

#[tokio::test]
async fn stat_follows_and_lstat_does_not() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"12345");
    symlink("file", lab.disk("link")).unwrap();
    symlink("none", lab.disk("dangling")).unwrap();
    assert_eq!(lab.sftp.stat_attrs(b"/link").await.unwrap().size, Some(5));
    assert_eq!(lab.sftp.stat(b"/link").await.unwrap().kind, Kind::File);
    refused(lab.sftp.stat_attrs(b"/dangling").await, Refusal::NotFound);
    // Departure: in the reference LSTAT follows too; clients then take links for files.
    for path in [&b"/link"[..], b"/dangling"] {
        let attrs = lab.sftp.lstat(path).await.unwrap();
        assert_eq!(attrs.permissions.unwrap() & 0o170_000, 0o120_000);
    }
    let entries = lab.sftp.list(b"/").await.unwrap();
    let kinds = entries
        .iter()
        .filter(|entry| entry.stat.kind == Kind::Symlink)
        .count();
    assert_eq!(kinds, 2);
}

#[tokio::test]
async fn a_link_inside_the_home_is_as_good_as_its_target() {
    let mut lab = Lab::new().await;
    lab.make_dir("dir");
    lab.write_disk("dir/file", b"content");
    symlink("dir", lab.disk("relative")).unwrap();
    symlink(lab.disk("dir"), lab.disk("absolute")).unwrap();
    for link in [&b"/relative"[..], b"/absolute"] {
        let file = [link, b"/file"].concat();
        assert_eq!(lab.sftp.get(&file).await.unwrap(), b"content");
        assert_eq!(lab.sftp.list(link).await.unwrap().len(), 1);
        lab.sftp.put(&file, b"content").await.unwrap();
        // A link to a directory is removed as what it is.
        refused(lab.sftp.rmdir(link).await, Refusal::Failed);
        lab.sftp.remove(link).await.unwrap();
    }
    assert_eq!(lab.read_disk("dir/file"), b"content");
}

#[tokio::test]
async fn a_link_that_leaves_the_home_opens_nothing() {
    let mut lab = Lab::new().await;
    let outside = lab.disk("../outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), b"secret").unwrap();
    symlink(&outside, lab.disk("absolute")).unwrap();
    symlink("../outside", lab.disk("relative")).unwrap();
    symlink(outside.join("file"), lab.disk("direct")).unwrap();
    symlink(outside.join("new"), lab.disk("dangling")).unwrap();
    let sftp = &mut lab.sftp;
    for link in [&b"/absolute"[..], b"/relative"] {
        let inside = |name: &str| [link, b"/", name.as_bytes()].concat();
        // Departure: the reference answers FAILURE, which tells that there is something.
        refused(sftp.opendir(link).await, Refusal::Denied);
        refused(sftp.stat_attrs(link).await, Refusal::Denied);
        refused(sftp.get(&inside("file")).await, Refusal::Denied);
        refused(sftp.put(&inside("file"), b"").await, Refusal::Denied);
        refused(sftp.put(&inside("new"), b"").await, Refusal::Denied);
        refused(sftp.mkdir(&inside("new")).await, Refusal::Denied);
        refused(sftp.remove(&inside("file")).await, Refusal::Denied);
        refused(sftp.setstat(link, &mode(0o777)).await, Refusal::Denied);
    }
    refused(sftp.get(b"/direct").await, Refusal::Denied);
    refused(sftp.put(b"/direct", b"x").await, Refusal::Denied);
    // Creating through a dangling link is the way out that is easily forgotten.
    refused(sftp.put(b"/dangling", b"x").await, Refusal::Denied);
    assert_eq!(fs::read(outside.join("file")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    // Departure: the reference cannot remove a link to something outside. The link itself is the user's.
    for link in [&b"/absolute"[..], b"/relative", b"/direct", b"/dangling"] {
        sftp.remove(link).await.unwrap();
    }
}

#[tokio::test]
async fn a_link_is_made_with_the_target_first_and_means_the_same_on_the_disk() {
    let mut lab = Lab::new().await;
    lab.make_dir("dir/sub");
    lab.write_disk("dir/file", b"content");
    lab.sftp
        .symlink(b"/dir/file", b"/dir/sub/absolute")
        .await
        .unwrap();
    lab.sftp
        .symlink(b"../file", b"/dir/sub/relative")
        .await
        .unwrap();
    for name in ["absolute", "relative"] {
        assert_eq!(lab.read_disk(&format!("dir/sub/{name}")), b"content");
        let path = format!("/dir/sub/{name}").into_bytes();
        assert_eq!(lab.sftp.get(&path).await.unwrap(), b"content");
    }
    refused(
        lab.sftp.symlink(b"/dir", b"/dir/file").await,
        Refusal::Failed,
    );
    refused(lab.sftp.symlink(b"/", b"/root").await, Refusal::Denied);
    refused(
        lab.sftp.symlink(b"../../../etc", b"/dir/sub/out").await,
        Refusal::Denied,
    );
    // The target need not exist.
    lab.sftp.symlink(b"/none", b"/dangling").await.unwrap();
}

/// Departure: the reference knows no READLINK.
#[tokio::test]
async fn the_text_of_a_link_can_be_read_and_shows_nothing_of_the_server() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"");
    symlink("file", lab.disk("relative")).unwrap();
    symlink(lab.disk("file"), lab.disk("absolute")).unwrap();
    symlink("/etc/passwd", lab.disk("outside")).unwrap();
    assert_eq!(lab.sftp.readlink(b"/relative").await.unwrap(), b"file");
    assert_eq!(lab.sftp.readlink(b"/absolute").await.unwrap(), b"/file");
    refused(lab.sftp.readlink(b"/outside").await, Refusal::Denied);
    refused(lab.sftp.readlink(b"/none").await, Refusal::NotFound);
    let answer = lab.sftp.readlink(b"/file").await;
    assert!(matches!(
        answer.unwrap_err().kind,
        Refusal::BadMessage | Refusal::Failed
    ));
}

#[tokio::test]
async fn links_open_no_directory_that_is_closed() {
    let account = Account::new("alice").permit("/closed", "");
    let mut lab = Lab::with(account).await;
    lab.make_dir("closed");
    lab.write_disk("closed/file", b"secret");
    symlink("closed", lab.disk("open")).unwrap();
    symlink("closed/file", lab.disk("file")).unwrap();
    refused(lab.sftp.get(b"/open/file").await, Refusal::Denied);
    refused(lab.sftp.get(b"/file").await, Refusal::Denied);
    refused(lab.sftp.list(b"/open").await, Refusal::Denied);
    refused(lab.sftp.put(b"/open/new", b"").await, Refusal::Denied);
    assert_eq!(lab.read_disk("closed/file"), b"secret");
}

#[tokio::test]
async fn making_links_needs_a_permission_of_its_own() {
    let mut lab = Lab::with(Account::new("alice").permit("/dir", "list,upload,overwrite")).await;
    lab.make_dir("dir");
    refused(lab.sftp.symlink(b"/x", b"/dir/link").await, Refusal::Denied);
    lab.sftp.symlink(b"/dir/x", b"/link").await.unwrap();
}

#[tokio::test]
async fn clients_that_send_the_link_before_its_target_are_understood() {
    for (banner, link_first) in [("SFTPGo", true), ("OpenSSH_9.9", false)] {
        let server = TestServer::builder()
            .set("sftpd.banner", banner)
            .start()
            .await;
        let mut lab = Lab::on(server, Account::new("alice")).await;
        lab.make_dir("dir");
        lab.write_disk("dir/file", b"content");
        for (number, software) in ["AsyncSSH_2.21.0", "WinSCP_release_6.5.3", "libssh_0.11.1"]
            .into_iter()
            .enumerate()
        {
            let mut client = lab.server.sftp_as(software, "alice").await;
            let link = format!("/link{number}").into_bytes();
            if link_first {
                client.symlink(&link, b"dir/file").await.unwrap();
            } else {
                client.symlink(b"dir/file", &link).await.unwrap();
            }
            assert_eq!(client.readlink(&link).await.unwrap(), b"dir/file");
            assert_eq!(client.get(&link).await.unwrap(), b"content", "{software}");
            let connections = lab.server.core().registry().connections();
            let shown = format!("SSH-2.0-{software}");
            assert!(
                connections
                    .iter()
                    .any(|row| row.info.client_version == shown)
            );
        }
        // Everybody else sends the target first, whatever this server calls itself.
        lab.sftp.symlink(b"dir/file", b"/link").await.unwrap();
        assert_eq!(lab.sftp.readlink(b"/link").await.unwrap(), b"dir/file");
    }
}

#[tokio::test]
async fn lsetstat_changes_a_link_and_not_what_it_leads_to() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"12345");
    symlink("file", lab.disk("link")).unwrap();
    symlink("none", lab.disk("dangling")).unwrap();
    let before = fs::metadata(lab.disk("file")).unwrap().modified().unwrap();
    let request = |path: &'static [u8], attrs| Extension::Lsetstat {
        path: Bytes::from_static(path),
        attrs,
    };
    let old = times(1_000_000_000, 1_100_000_000);
    for link in [&b"/link"[..], b"/dangling"] {
        lab.sftp.extended(&request(link, old)).await.unwrap();
        assert_eq!(lab.sftp.lstat(link).await.unwrap().times, old.times);
    }
    let after = fs::metadata(lab.disk("file")).unwrap().modified().unwrap();
    assert_eq!(before, after);
    // A link has neither a mode nor a size of its own, and is not followed for either.
    let answer = lab.sftp.extended(&request(b"/link", mode(0o600))).await;
    refused(answer, Refusal::Unsupported);
    let answer = lab.sftp.extended(&request(b"/link", size(0))).await;
    refused(answer, Refusal::BadMessage);
    assert_eq!(lab.read_disk("file"), b"12345");
    // Everything else is changed as by SETSTAT, and needs the same permissions.
    lab.sftp
        .extended(&request(b"/file", mode(0o600)))
        .await
        .unwrap();
    let attrs = lab.sftp.stat_attrs(b"/file").await.unwrap();
    assert_eq!(attrs.permissions.unwrap() & 0o777, 0o600);
}
