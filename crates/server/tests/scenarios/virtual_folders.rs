//! Virtual folders: directories elsewhere on the disk that appear in a user's tree (reference 3.5).

use std::fs;

use serde_json::json;
use sftpgo_testkit::{Account, FileClient as _, Kind, Refusal, TestServer};

use super::refusal;

#[tokio::test]
async fn a_virtual_folder_is_used_like_a_directory_and_stays_where_it_is() {
    let server = TestServer::start().await;
    let mapped = server.home("mapped");
    fs::create_dir(&mapped).unwrap();
    let folders = json!([{ "virtual_path": "/deep/shared", "mapped_path": mapped }]);
    server
        .add(Account::new("alice").with("virtual_folders", folders))
        .await;
    let mut client = server.sftp("alice").await;

    client.put(b"/deep/shared/file", b"content").await.unwrap();
    assert_eq!(fs::read(mapped.join("file")).unwrap(), b"content");
    assert_eq!(
        client.get(b"/deep/shared/../shared/file").await.unwrap(),
        b"content"
    );
    let entries = client.list(b"/deep").await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (&entries[0].name[..], entries[0].stat.kind),
        (&b"shared"[..], Kind::Directory)
    );
    assert_eq!(client.list(b"/deep/shared").await.unwrap().len(), 1);
    assert_eq!(server.quota("alice").await.files, 1);

    assert_eq!(
        refusal(client.remove_dir(b"/deep/shared").await),
        Refusal::Denied
    );
    assert_eq!(
        refusal(client.create_dir(b"/deep/shared").await),
        Refusal::Denied
    );
    assert_eq!(
        refusal(client.rename(b"/deep/shared", b"/x").await),
        Refusal::Denied
    );
    client.put(b"/own", b"").await.unwrap();
    assert_eq!(
        refusal(client.rename(b"/own", b"/deep/shared").await),
        Refusal::Denied
    );
    assert_eq!(
        refusal(client.symlink(b"/own", b"/deep/shared").await),
        Refusal::Denied
    );
    // Neither can what leads to it.
    assert_eq!(
        refusal(client.rename(b"/deep", b"/x").await),
        Refusal::Denied
    );
    // From one storage to another there is no rename.
    assert_eq!(
        refusal(client.rename(b"/own", b"/deep/shared/own").await),
        Refusal::Failed
    );
}

#[tokio::test]
async fn a_virtual_folder_whose_directory_is_missing_is_not_found() {
    let server = TestServer::start().await;
    let folders = json!([{ "virtual_path": "/gone", "mapped_path": server.home("gone") }]);
    server
        .add(Account::new("alice").with("virtual_folders", folders))
        .await;
    let mut client = server.sftp("alice").await;
    assert_eq!(refusal(client.list(b"/gone").await), Refusal::NotFound);
    assert_eq!(
        refusal(client.put(b"/gone/file", b"").await),
        Refusal::NotFound
    );
    client.put(b"/file", b"").await.unwrap();
}
