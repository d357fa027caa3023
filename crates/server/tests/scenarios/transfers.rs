//! Uploads, downloads, and moving things about.

use std::fs;
use std::time::{Duration, Instant};

use sftpgo_testkit::{Account, Refusal, TestServer, until};

use super::{Scene, content, refusal};

#[tokio::test]
async fn what_is_uploaded_is_stored_and_downloaded() {
    Scene::plain(async |scene, mut client| {
        for size in [0, 1, 32_767, 32_768, 32_769, 1_000_003, 5_000_000] {
            let data = content(size);
            client.put(b"/file", &data).await.unwrap();
            assert!(
                scene.stored("file").await.unwrap() == data,
                "{size} in the home"
            );
            assert!(
                client.get(b"/file").await.unwrap() == data,
                "{size} downloaded"
            );
            assert_eq!(client.stat(b"/file").await.unwrap().size, size as u64);
        }
    })
    .await;
}

#[tokio::test]
async fn an_upload_replaces_a_longer_file_whole() {
    Scene::plain(async |scene, mut client| {
        client.put(b"/file", &content(100_000)).await.unwrap();
        client.put(b"/file", b"short").await.unwrap();
        assert_eq!(scene.stored("file").await.unwrap(), b"short");
    })
    .await;
}

#[tokio::test]
async fn a_download_begins_where_it_is_asked_to() {
    Scene::plain(async |_, mut client| {
        let data = content(100_000);
        client.put(b"/file", &data).await.unwrap();
        for offset in [0, 1, 32_768, 99_999, 100_000] {
            let rest = client.get_from(b"/file", offset as u64).await.unwrap();
            assert!(rest == data[offset..], "from {offset}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_upload_is_resumed_where_the_connection_broke() {
    Scene::plain(async |scene, mut client| {
        let data = content(200_000);
        client.put(b"/file", &data[..70_000]).await.unwrap();
        client.vanish();
        let mut client = scene.client().await;
        client.append(b"/file", &data[70_000..]).await.unwrap();
        assert!(client.get(b"/file").await.unwrap() == data);
    })
    .await;
}

#[tokio::test]
async fn a_rename_moves_files_and_directories_and_replaces_files() {
    Scene::plain(async |scene, mut client| {
        client.create_dir(b"/from").await.unwrap();
        client.put(b"/from/file", b"new").await.unwrap();
        client.put(b"/old", b"old").await.unwrap();
        client.rename(b"/from", b"/to").await.unwrap();
        client.rename(b"/to/file", b"/old").await.unwrap();
        assert_eq!(client.get(b"/old").await.unwrap(), b"new");
        assert_eq!(scene.names().await, ["old", "to"]);
        assert_eq!(
            refusal(client.rename(b"/missing", b"/x").await),
            Refusal::NotFound
        );
        assert_eq!(
            refusal(client.rename(b"/old", b"/no/x").await),
            Refusal::NotFound
        );
        assert_eq!(
            refusal(client.rename(b"/old", b"/to").await),
            Refusal::Failed
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    Scene::plain(async |_, mut client| {
        assert_eq!(refusal(client.get(b"/none").await), Refusal::NotFound);
        assert_eq!(
            refusal(client.put(b"/none/file", b"").await),
            Refusal::NotFound
        );
        assert_eq!(refusal(client.stat(b"/none").await), Refusal::NotFound);
        assert_eq!(refusal(client.list(b"/none").await), Refusal::NotFound);
        assert_eq!(
            refusal(client.remove_file(b"/none").await),
            Refusal::NotFound
        );
        assert_eq!(
            refusal(client.remove_dir(b"/none").await),
            Refusal::NotFound
        );
        assert_eq!(
            refusal(client.create_dir(b"/none/sub").await),
            Refusal::NotFound
        );
    })
    .await;
}

#[tokio::test]
async fn directories_are_made_one_by_one_and_removed_when_empty() {
    Scene::plain(async |scene, mut client| {
        client.create_dir(b"/a").await.unwrap();
        client.create_dir(b"/a/b").await.unwrap();
        client.put(b"/a/b/file", b"").await.unwrap();
        assert_eq!(refusal(client.create_dir(b"/a").await), Refusal::Failed);
        assert_eq!(refusal(client.remove_dir(b"/a/b").await), Refusal::Failed);
        assert_eq!(
            refusal(client.remove_dir(b"/a/b/file").await),
            Refusal::Failed
        );
        assert_eq!(refusal(client.remove_file(b"/a/b").await), Refusal::Failed);
        client.remove_file(b"/a/b/file").await.unwrap();
        client.remove_dir(b"/a/b").await.unwrap();
        client.remove_dir(b"/a").await.unwrap();
        assert!(scene.names().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn no_path_leaves_the_home() {
    Scene::plain(async |scene, mut client| {
        let outside = scene.server.home("outside");
        fs::write(&outside, b"secret").unwrap();
        for path in [
            &b"../outside"[..],
            b"/../outside",
            b"/x/../../outside",
            b"../../outside",
        ] {
            assert_eq!(refusal(client.get(path).await), Refusal::NotFound);
        }
        client.put(b"/../../inside", b"mine").await.unwrap();
        assert_eq!(scene.stored("inside").await.unwrap(), b"mine");
        assert_eq!(fs::read(outside).unwrap(), b"secret");
    })
    .await;
}

#[tokio::test]
async fn many_clients_transfer_at_the_same_time() {
    Scene::plain(async |scene, _| {
        let work = (0..8_u8).map(|number| {
            let scene = &scene;
            async move {
                let mut client = scene.client().await;
                let mut data = content(700_000);
                data[0] = number;
                let path = [b"/file", &[b'0' + number][..]].concat();
                client.put(&path, &data).await.unwrap();
                assert!(client.get(&path).await.unwrap() == data, "{number}");
            }
        });
        futures_util::future::join_all(work).await;
        assert_eq!(scene.names().await.len(), 8);
    })
    .await;
}

#[tokio::test]
async fn transfers_are_counted_and_leave_the_list_when_they_end() {
    Scene::plain(async |scene, mut client| {
        client.put(b"/file", &content(1000)).await.unwrap();
        client.get(b"/file").await.unwrap();
        let metrics = scene.server.core().metrics();
        assert_eq!(metrics.uploads.completed.value(), 1);
        assert_eq!(metrics.uploads.bytes.value(), 1000);
        until("the end of the download", async || {
            metrics.downloads.completed.value() == 1
        })
        .await;
        assert_eq!(metrics.downloads.bytes.value(), 1000);
        let connections = scene.server.core().registry().connections();
        assert_eq!(connections.len(), 1);
        assert_eq!(connections[0].transfer_count(), 0);
        drop(client);
        until("the end of the session", async || {
            metrics.active_connections.value() == 0
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_transfer_keeps_to_the_bandwidth_of_the_account() {
    let account = Account::new("alice")
        .with("upload_bandwidth", 200)
        .with("download_bandwidth", 200);
    let builder = TestServer::builder();
    Scene::each(builder, account, async |_, mut client| {
        let data = content(160_000);
        // 0.8 s at 200 000 bytes a second, as precise as the reference's own test.
        let least = Duration::from_millis(700);
        let begun = Instant::now();
        client.put(b"/file", &data).await.unwrap();
        assert!(begun.elapsed() >= least, "upload: {:?}", begun.elapsed());
        let begun = Instant::now();
        assert!(client.get(b"/file").await.unwrap() == data);
        assert!(begun.elapsed() >= least, "download: {:?}", begun.elapsed());
    })
    .await;
}
