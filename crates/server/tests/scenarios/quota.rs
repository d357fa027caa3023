//! Quotas: what each operation does to the counters (reference 5.6), and what is refused. The counters after anything at
//! all are `quota_property`'s matter.

use serde_json::json;
use sftpgo_testkit::{Account, FileClient, Refusal, TestServer, Usage};

use super::{Scene, content, refusal};

async fn counted(scene: &Scene) -> (i64, i64) {
    let Usage { files, bytes } = scene.server.quota("alice").await;
    (files, bytes)
}

async fn limited(files: i64, bytes: i64, scenario: impl AsyncFn(Scene, Box<dyn FileClient>)) {
    let account = Account::new("alice").quota(files, bytes);
    for mode in 0..3 {
        let builder = TestServer::builder().upload_mode(mode);
        Scene::each(builder, account.clone(), &scenario).await;
    }
}

#[tokio::test]
async fn every_change_is_counted() {
    limited(100, 1_000_000, async |scene, mut client| {
        client.put(b"/a", &content(1000)).await.unwrap();
        assert_eq!(counted(&scene).await, (1, 1000), "new file");
        client.put(b"/a", &content(400)).await.unwrap();
        assert_eq!(counted(&scene).await, (1, 400), "overwritten");
        client.append(b"/a", &content(50)).await.unwrap();
        assert_eq!(counted(&scene).await, (1, 450), "resumed");
        client.put(b"/b", &content(10)).await.unwrap();
        client.rename(b"/a", b"/c").await.unwrap();
        assert_eq!(counted(&scene).await, (2, 460), "renamed");
        client.rename(b"/c", b"/b").await.unwrap();
        assert_eq!(counted(&scene).await, (1, 450), "renamed over another");
        client.create_dir(b"/d").await.unwrap();
        client.remove_dir(b"/d").await.unwrap();
        assert_eq!(counted(&scene).await, (1, 450), "directories are free");
        client.remove_file(b"/b").await.unwrap();
        assert_eq!(counted(&scene).await, (0, 0), "removed");
    })
    .await;
}

#[tokio::test]
async fn one_file_too_many_is_refused_and_room_is_room_again() {
    limited(2, 0, async |scene, mut client| {
        client.put(b"/a", b"1").await.unwrap();
        client.put(b"/b", b"2").await.unwrap();
        assert_eq!(refusal(client.put(b"/c", b"3").await), Refusal::Failed);
        client
            .put(b"/b", b"overwriting is no new file")
            .await
            .unwrap();
        client.remove_file(b"/a").await.unwrap();
        client.put(b"/c", b"3").await.unwrap();
        assert_eq!(scene.names().await, ["b", "c"]);
        assert_eq!(scene.server.quota("alice").await, scene.usage().await);
    })
    .await;
}

#[tokio::test]
async fn an_upload_ends_where_the_space_ends() {
    limited(0, 100_000, async |scene, mut client| {
        client.put(b"/a", &content(60_000)).await.unwrap();
        assert_eq!(
            refusal(client.put(b"/b", &content(60_000)).await),
            Refusal::Failed
        );
        let real = scene.usage().await;
        assert!(real.bytes <= 100_000, "{real:?}");
        assert_eq!(scene.server.quota("alice").await, real);
        // To the last byte.
        let _ = client.remove_file(b"/b").await;
        client.put(b"/b", &content(40_000)).await.unwrap();
        assert_eq!(counted(&scene).await, (2, 100_000));
        assert_eq!(refusal(client.append(b"/b", b"x").await), Refusal::Failed);
        client.remove_file(b"/a").await.unwrap();
        client.append(b"/b", b"x").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn many_uploads_at_once_do_not_pass_the_limit_together() {
    limited(0, 200_000, async |scene, _| {
        let uploads = (0..6_u8).map(|number| {
            let scene = &scene;
            async move {
                let mut client = scene.client().await;
                client
                    .put(&[b'/', b'a' + number], &content(90_000))
                    .await
                    .is_ok()
            }
        });
        let stored = futures_util::future::join_all(uploads).await;
        assert!(stored.iter().filter(|stored| **stored).count() <= 2);
        let real = scene.usage().await;
        assert!(real.bytes <= 200_000, "{real:?}");
        assert_eq!(scene.server.quota("alice").await, real);
    })
    .await;
}

#[tokio::test]
async fn without_tracking_nothing_is_counted_or_refused() {
    let builder = TestServer::builder().track_quota(0);
    Scene::each(
        builder,
        Account::new("alice").quota(1, 10),
        async |scene, mut client| {
            client.put(b"/a", &content(100)).await.unwrap();
            client.put(b"/b", &content(100)).await.unwrap();
            assert_eq!(counted(&scene).await, (0, 0));
        },
    )
    .await;
}

#[tokio::test]
async fn tracking_may_be_for_users_with_a_limit_only() {
    for (quota, expected) in [((0, 0), (0, 0)), ((9, 0), (1, 100))] {
        let builder = TestServer::builder().track_quota(2);
        let account = Account::new("alice").quota(quota.0, quota.1);
        Scene::each(builder, account, async |scene, mut client| {
            client.put(b"/a", &content(100)).await.unwrap();
            assert_eq!(counted(&scene).await, expected);
        })
        .await;
    }
}

/// Reference D.2.
#[tokio::test]
async fn filter_and_permission_are_asked_before_the_quota() {
    let filters = json!({ "file_extensions": [{ "path": "/", "denied_extensions": [".no"] }] });
    let account = Account::new("alice")
        .quota(1, 0)
        .permit("/ro", "list")
        .with("filters", filters);
    Scene::each(TestServer::builder(), account, async |scene, mut client| {
        scene.make_dir("ro").await;
        client.put(b"/full", b"").await.unwrap();
        assert_eq!(refusal(client.put(b"/file.no", b"").await), Refusal::Denied);
        assert_eq!(refusal(client.put(b"/ro/file", b"").await), Refusal::Denied);
        assert_eq!(refusal(client.put(b"/file", b"").await), Refusal::Failed);
    })
    .await;
}
