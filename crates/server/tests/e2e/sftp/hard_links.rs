//! `hardlink@openssh.com`: who may give a file a second name, and what it counts.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use bytes::Bytes;
use serde_json::json;
use sftpgo_testkit::{Account, Answer, FileClient as _, Refusal, Sftp, TestServer, Usage};
use sftpgo_wire::sftp::{Extension, OpenFlags};

use super::{Lab, WRITE, refused, size};

async fn link(sftp: &mut Sftp, from: &'static str, to: &'static str) -> Answer<()> {
    let request = Extension::Hardlink {
        from: Bytes::from_static(from.as_bytes()),
        to: Bytes::from_static(to.as_bytes()),
    };
    sftp.extended(&request).await
}

fn usage(files: i64, bytes: i64) -> Usage {
    Usage { files, bytes }
}

#[tokio::test]
async fn a_hard_link_is_a_second_name_of_the_file() {
    let mut lab = Lab::new().await;
    lab.make_dir("dir");
    lab.sftp.put(b"/file", b"content").await.unwrap();
    link(&mut lab.sftp, "/file", "/dir/name").await.unwrap();
    let inode = |name: &str| fs::metadata(lab.disk(name)).unwrap().ino();
    assert_eq!(inode("file"), inode("dir/name"));
    // A relative path begins at the home, and the old name may go.
    link(&mut lab.sftp, "dir/name", "third").await.unwrap();
    lab.sftp.remove(b"/file").await.unwrap();
    assert_eq!(lab.sftp.get(b"/third").await.unwrap(), b"content");
}

#[tokio::test]
async fn what_gets_no_second_name_and_what_is_none() {
    let server = TestServer::start().await;
    let folders = json!([{ "virtual_path": "/vdir", "mapped_path": server.home("mapped") }]);
    fs::create_dir(server.home("mapped")).unwrap();
    let account = Account::new("alice").with("virtual_folders", folders);
    let mut lab = Lab::on(server, account).await;
    lab.make_dir("dir");
    lab.write_disk("file", b"content");
    lab.write_disk("other", b"other");
    symlink("file", lab.disk("link")).unwrap();
    let sftp = &mut lab.sftp;
    let rows = [
        ("/dir", "/new", Refusal::Failed),
        ("/none", "/new", Refusal::NotFound),
        ("/link", "/new", Refusal::Denied),
        ("/", "/new", Refusal::Denied),
        ("/vdir", "/new", Refusal::Denied),
        ("/file", "/", Refusal::Denied),
        ("/file", "/vdir", Refusal::Denied),
        ("/file", "/other", Refusal::Failed),
        ("/file", "/file", Refusal::Failed),
        ("/file", "/link", Refusal::Failed),
        ("/file", "/dir", Refusal::Failed),
        ("/file", "/none/new", Refusal::NotFound),
        // Two storages have no file in common.
        ("/file", "/vdir/new", Refusal::Failed),
    ];
    for (from, to, kind) in rows {
        let answer = link(sftp, from, to).await;
        assert_eq!(answer.unwrap_err().kind, kind, "{from} {to}");
    }
    assert_eq!(fs::metadata(lab.disk("file")).unwrap().nlink(), 1);
    assert_eq!(lab.read_disk("other"), b"other");
}

#[tokio::test]
async fn a_hard_link_is_a_download_and_an_upload() {
    let filters = json!({ "file_extensions": [{ "path": "/", "denied_extensions": [".no"] }] });
    let account = Account::new("alice")
        .with("filters", filters)
        .permit("/unread", "list,upload,overwrite,chmod,chown,chtimes")
        .permit(
            "/full",
            "list,download,overwrite,delete,rename,create_symlinks",
        );
    let mut lab = Lab::with(account).await;
    for dir in ["unread", "full", "dir"] {
        lab.make_dir(dir);
        lab.write_disk(&format!("{dir}/file"), b"content");
        lab.write_disk(&format!("{dir}/file.no"), b"content");
    }
    let sftp = &mut lab.sftp;
    refused(link(sftp, "/unread/file", "/new").await, Refusal::Denied);
    refused(link(sftp, "/dir/file", "/full/new").await, Refusal::Denied);
    refused(link(sftp, "/dir/file.no", "/new").await, Refusal::Denied);
    refused(link(sftp, "/dir/file", "/new.no").await, Refusal::Denied);
    link(sftp, "/dir/file", "/unread/new").await.unwrap();
}

/// It is the same file: a name in another directory would lend what that directory allows.
#[tokio::test]
async fn a_second_name_allows_no_change_that_the_first_one_does_not() {
    for missing in ["overwrite", "chmod", "chown", "chtimes"] {
        let all = "list,download,upload,overwrite,chmod,chown,chtimes,delete";
        let rest: Vec<&str> = all.split(',').filter(|name| *name != missing).collect();
        let account = Account::new("alice")
            .permit("/less", &rest.join(","))
            .permit("/reader", "list,download,upload");
        let mut lab = Lab::with(account).await;
        lab.make_dir("less");
        lab.make_dir("reader");
        lab.write_disk("less/file", b"content");
        let sftp = &mut lab.sftp;
        refused(link(sftp, "/less/file", "/new").await, Refusal::Denied);
        link(sftp, "/less/file", "/less/new").await.unwrap();
        link(sftp, "/less/file", "/reader/new").await.unwrap();
        link(sftp, "/reader/new", "/less/back").await.unwrap_err();
    }
}

#[tokio::test]
async fn a_second_name_counts_as_a_second_file() {
    let mut lab = Lab::with(Account::new("alice").quota(3, 25)).await;
    lab.sftp.put(b"/a", b"0123456789").await.unwrap();
    link(&mut lab.sftp, "/a", "/b").await.unwrap();
    assert_eq!(lab.server.quota("alice").await, usage(2, 20));
    refused(link(&mut lab.sftp, "/a", "/c").await, Refusal::Failed);
    assert_eq!(lab.server.quota("alice").await, usage(2, 20));
    // What is written by one name is there by both, and must fit twice.
    lab.sftp.append(b"/a", b"12").await.unwrap();
    assert_eq!(lab.server.quota("alice").await, usage(2, 24));
    refused(lab.sftp.append(b"/b", b"3").await, Refusal::Failed);
    refused(lab.sftp.setstat(b"/b", &size(13)).await, Refusal::Failed);
    lab.sftp.setstat(b"/b", &size(5)).await.unwrap();
    assert_eq!(lab.server.quota("alice").await, usage(2, 10));
    link(&mut lab.sftp, "/b", "/c").await.unwrap();
    refused(link(&mut lab.sftp, "/b", "/d").await, Refusal::Failed);
    for (name, left) in [(&b"/a"[..], 2), (b"/b", 1), (b"/c", 0)] {
        lab.sftp.remove(name).await.unwrap();
        assert_eq!(lab.server.quota("alice").await, usage(left, 5 * left));
    }
}

#[tokio::test]
async fn names_that_come_and_go_while_the_file_is_written_are_counted_in_the_end() {
    for limit in [0, 1_000_000_000] {
        for upload_mode in 0..3 {
            let server = TestServer::builder().upload_mode(upload_mode).start().await;
            let account = Account::new("alice").quota(0, limit);
            let mut lab = Lab::on(server, account).await;
            let sftp = &mut lab.sftp;
            sftp.put(b"/a", b"0123456789").await.unwrap();
            let handle = sftp.open_file(b"/a", WRITE).await.unwrap();
            sftp.write(&handle, 10, &[b'x'; 1_000]).await.unwrap();
            link(sftp, "/a", "/b").await.unwrap();
            link(sftp, "/b", "/c").await.unwrap();
            for block in 0..20 {
                let block = 1_010 + block * 100_000;
                sftp.write(&handle, block, &[b'x'; 100_000]).await.unwrap();
            }
            sftp.remove(b"/a").await.unwrap();
            sftp.write(&handle, 2_001_010, b"more").await.unwrap();
            sftp.close(&handle).await.unwrap();
            assert_eq!(lab.server.quota("alice").await, lab.server.usage("alice"));
            let sftp = &mut lab.sftp;
            // All names go, and the file is written on.
            let flags = WRITE | OpenFlags::APPEND;
            let handle = sftp.open_file(b"/b", flags).await.unwrap();
            sftp.remove(b"/c").await.unwrap();
            sftp.write(&handle, 0, b"more").await.unwrap();
            sftp.rename(b"/b", b"/d").await.unwrap();
            sftp.remove(b"/d").await.unwrap();
            sftp.close(&handle).await.unwrap();
            assert_eq!(lab.server.quota("alice").await, usage(0, 0));
        }
    }
}
