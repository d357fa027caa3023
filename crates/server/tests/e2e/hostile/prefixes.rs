//! `/share` is not the beginning of `/share2` (CVE-2026-49244): permissions, filters, virtual folders and homes are
//! compared name by name, on the wire and on the disk.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;
use sftpgo_testkit::{Account, FileClient as _, Refusal, TestServer};

use super::super::requests::Ask;

#[tokio::test]
async fn permissions_of_a_directory_are_not_those_of_one_whose_name_begins_alike() {
    let server = TestServer::start().await;
    let account = Account::new("alice")
        .permit("/share", "")
        .permit("/drop2", "*")
        .permit("/", "list,create_dirs");
    server.add(account).await;
    let mut sftp = server.sftp("alice").await;
    for name in [
        "share", "share2", "shar", "share 2", "drop", "drop2", "drop22",
    ] {
        fs::create_dir_all(server.home("alice").join(name)).unwrap();
    }
    let rows: [(&[u8], bool); 7] = [
        (b"/share", false),
        (b"/share/below", false),
        (b"/share2", true),
        (b"/shar", true),
        (b"/share 2", true),
        (b"/share.", true),
        (b"/drop2", true),
    ];
    for (path, allowed) in rows {
        let denied = Ask::List(path).refusal(&mut sftp).await == Some(Refusal::Denied);
        assert_eq!(denied, !allowed, "{}", path.escape_ascii());
    }
    for (path, allowed) in [
        (&b"/drop2/file"[..], true),
        (b"/drop/file", false),
        (b"/drop22/file", false),
        (b"/drop2file", false),
    ] {
        let denied = Ask::Put(path).refusal(&mut sftp).await == Some(Refusal::Denied);
        assert_eq!(denied, !allowed, "{}", path.escape_ascii());
    }
}

#[tokio::test]
async fn a_virtual_folder_does_not_reach_beside_itself() {
    let server = TestServer::start().await;
    let mapped = server.home("mapped");
    for name in ["mapped", "mapped2", "alice2"] {
        fs::create_dir(server.home(name)).unwrap();
        fs::write(server.home(name).join("file"), name).unwrap();
    }
    let folders = json!([{ "virtual_path": "/share", "mapped_path": mapped }]);
    server
        .add(Account::new("alice").with("virtual_folders", folders))
        .await;
    let mut sftp = server.sftp("alice").await;
    fs::create_dir(server.home("alice").join("share2")).unwrap();
    fs::write(server.home("alice").join("share2/file"), b"own").unwrap();
    assert_eq!(sftp.get(b"/share/file").await.unwrap(), b"mapped");
    assert_eq!(sftp.get(b"/share2/file").await.unwrap(), b"own");
    // On the disk: links to a sibling whose path begins with that of the root.
    symlink("../mapped2", mapped.join("relative")).unwrap();
    symlink(server.home("mapped2"), mapped.join("absolute")).unwrap();
    symlink(server.home("alice2"), server.home("alice").join("sibling")).unwrap();
    for path in [
        &b"/share/relative/file"[..],
        b"/share/absolute/file",
        b"/sibling/file",
    ] {
        for ask in [
            Ask::Get(path),
            Ask::Put(path),
            Ask::Remove(path),
            Ask::Stat(path),
        ] {
            let refusal = ask.refusal(&mut sftp).await;
            assert_eq!(refusal, Some(Refusal::Denied), "{ask:?}");
        }
    }
    for link in [&b"/share/absolute"[..], b"/sibling"] {
        let refusal = Ask::ReadLink(link).refusal(&mut sftp).await;
        assert_eq!(refusal, Some(Refusal::Denied));
    }
    assert_eq!(
        fs::read(server.home("mapped2").join("file")).unwrap(),
        b"mapped2"
    );
}

#[tokio::test]
async fn a_link_between_places_whose_names_begin_alike_is_judged_by_its_real_place() {
    let server = TestServer::start().await;
    server.add(Account::new("alice").permit("/share", "")).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    for name in ["share", "share2"] {
        fs::create_dir(home.join(name)).unwrap();
        fs::write(home.join(name).join("file"), name).unwrap();
    }
    symlink("share", home.join("to-share")).unwrap();
    symlink("share2", home.join("to-share2")).unwrap();
    assert_eq!(sftp.get(b"/to-share2/file").await.unwrap(), b"share2");
    let refusal = Ask::Get(b"/to-share/file").refusal(&mut sftp).await;
    assert_eq!(refusal, Some(Refusal::Denied));
}
