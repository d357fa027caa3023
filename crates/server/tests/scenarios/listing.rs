//! Listings.

use std::collections::BTreeSet;

use sftpgo_testkit::Kind;

use super::Scene;

#[tokio::test]
async fn a_listing_tells_names_kinds_and_sizes() {
    Scene::plain(async |_, mut client| {
        assert!(client.list(b"/").await.unwrap().is_empty());
        client.create_dir(b"/dir").await.unwrap();
        client.put(b"/file", b"12345").await.unwrap();
        let mut entries = client.list(b"/").await.unwrap();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (&entries[0].name[..], entries[0].stat.kind),
            (&b"dir"[..], Kind::Directory)
        );
        assert_eq!(
            (&entries[1].name[..], entries[1].stat.kind),
            (&b"file"[..], Kind::File)
        );
        assert_eq!(entries[1].stat.size, 5);
        assert_eq!(entries[1].stat.mode, Some(0o644));
        assert_eq!(entries[0].stat.mode, Some(0o755));
    })
    .await;
}

#[tokio::test]
async fn every_entry_of_a_large_directory_is_listed_once() {
    Scene::plain(async |scene, mut client| {
        let many = scene.many();
        scene.make_dir("large").await;
        let paths = (0..many).map(|number| format!("large/file {number}"));
        scene.make_all(paths).await;
        let entries = client.list(b"/large").await.unwrap();
        let names: BTreeSet<_> = entries.iter().map(|entry| entry.name.clone()).collect();
        assert_eq!((entries.len(), names.len()), (many, many));
    })
    .await;
}

#[tokio::test]
async fn a_directory_may_change_while_it_is_listed() {
    Scene::plain(async |scene, mut client| {
        let count = scene.many().min(500);
        let stays = (0..count).map(|number| format!("stays {number}"));
        scene.make_all(stays).await;
        let mut other = scene.client().await;
        let changes = async {
            for number in 0..50 {
                let path = format!("/comes and goes {number}").into_bytes();
                other.put(&path, b"").await.unwrap();
                other.remove_file(&path).await.unwrap();
            }
        };
        let listings = async {
            for _ in 0..10 {
                let entries = client.list(b"/").await.unwrap();
                let stay = entries
                    .iter()
                    .filter(|entry| entry.name.starts_with(b"stays"));
                assert_eq!(stay.count(), count);
            }
        };
        futures_util::future::join(changes, listings).await;
    })
    .await;
}
