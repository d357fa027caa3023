//! The three upload modes: what is visible while an upload runs, and what stays of one that failed.
//!
//! Holding a file open needs more than `FileClient`, so these speak SFTP.

use sftpgo_storage::capability::{Visible, Writes};
use sftpgo_testkit::{FileClient as _, Refusal, Sftp, TestServer, until};
use sftpgo_wire::sftp::{OpenFlags, client};

use super::{Scene, content, refusal};

const REPLACE: OpenFlags =
    OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0 | OpenFlags::TRUNCATE.0);

/// Plays in every mode, in every kind of home; tells whether others see an upload while it runs.
async fn in_modes(modes: std::ops::Range<u8>, scenario: impl AsyncFn(&Scene, Sftp, bool)) {
    for mode in modes {
        let builder = TestServer::builder().upload_mode(mode);
        Scene::sftp(builder, async |scene, client| {
            let seen = mode == 0 && scene.can().visible == Visible::WhileWriting;
            scenario(&scene, client, seen).await;
        })
        .await;
    }
}

async fn failed_uploads(server: &TestServer, count: u64) {
    let failed = &server.core().metrics().uploads.failed;
    until("the end of the upload", async || failed.value() == count).await;
}

#[tokio::test]
async fn a_new_file_is_seen_at_once_in_place_and_at_the_end_otherwise() {
    in_modes(0..3, async |scene, mut client, seen| {
        let mut other = scene.server.sftp("alice").await;
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        client.write(&handle, 0, b"content").await.unwrap();
        assert_eq!(other.get(b"/file").await.is_ok(), seen);
        // Through its own handle the client sees it in every mode.
        assert_eq!(client.fstat(&handle).await.unwrap().size, Some(7));
        client.close(&handle).await.unwrap();
        assert_eq!(other.get(b"/file").await.unwrap(), b"content");
        assert_eq!(scene.names().await, ["file"]);
    })
    .await;
}

/// sshfs looks by name as soon as it has a handle, and gives up if there is nothing.
#[tokio::test]
async fn who_uploads_a_file_sees_it_under_its_name_before_others_do() {
    in_modes(0..3, async |scene, mut client, seen| {
        let mut other = scene.server.sftp("alice").await;
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        client.write(&handle, 0, b"content").await.unwrap();
        for path in [&b"/file"[..], b"//./file"] {
            let shown = client.lstat(path).await.unwrap();
            let open = client.fstat(&handle).await.unwrap();
            // A store gives a file its time when it is whole.
            assert_eq!((shown.size, shown.permissions), (Some(7), open.permissions));
            if scene.can().visible == Visible::WhileWriting {
                assert_eq!(shown, open);
                assert_eq!(shown, client.stat_attrs(path).await.unwrap());
            }
        }
        // Behind writes that are on their way.
        let write = client.send(|out, id| client::write(out, id, &handle, 7, b"more"));
        let shown = client.lstat(b"/file").await.unwrap();
        assert_eq!(shown.size, Some(11));
        client.reply_to(write).await;
        client.close(&handle).await.unwrap();
        assert_eq!(other.stat(b"/file").await.unwrap().size, 11);
        // Nor is it shown what was there before.
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        assert_eq!(client.stat(b"/file").await.unwrap().size, 0);
        let size = other.stat(b"/file").await.unwrap().size;
        assert_eq!(size, if seen { 0 } else { 11 });
        client.close(&handle).await.unwrap();
        // Nobody else sees more than there is.
        let handle = client.open_file(b"/new", REPLACE).await.unwrap();
        assert_eq!(other.stat(b"/new").await.is_ok(), seen);
        client.close(&handle).await.unwrap();
        client.remove(b"/new").await.unwrap();
        assert_eq!(refusal(client.stat(b"/new").await), Refusal::NotFound);
    })
    .await;
}

#[tokio::test]
async fn readers_have_the_old_file_until_an_atomic_upload_ends() {
    in_modes(1..3, async |scene, mut client, _| {
        let mut other = scene.server.sftp("alice").await;
        client.put(b"/file", b"old").await.unwrap();
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        client.write(&handle, 0, b"new and longer").await.unwrap();
        assert_eq!(other.get(b"/file").await.unwrap(), b"old");
        client.close(&handle).await.unwrap();
        assert_eq!(other.get(b"/file").await.unwrap(), b"new and longer");
        assert_eq!(scene.names().await, ["file"]);
    })
    .await;
}

#[tokio::test]
async fn what_stays_of_a_broken_upload_depends_on_the_mode() {
    for (mode, stays) in [(0, true), (1, false), (2, true)] {
        in_modes(mode..mode + 1, async |scene, mut client, _| {
            let handle = client.open_file(b"/file", REPLACE).await.unwrap();
            client.write(&handle, 0, &content(50_000)).await.unwrap();
            client.vanish();
            failed_uploads(&scene.server, 1).await;
            // Where nothing is seen before it is whole, nothing stays in any mode.
            let stays = stays && scene.can().visible == Visible::WhileWriting;
            let names: &[&str] = if stays { &["file"] } else { &[] };
            assert_eq!(scene.names().await, names, "mode {mode}");
            if stays {
                // Resumed, it is whole.
                let mut client = scene.server.sftp("alice").await;
                let rest = &content(90_000)[50_000..];
                client.append(b"/file", rest).await.unwrap();
                assert!(client.get(b"/file").await.unwrap() == content(90_000));
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_broken_overwrite_in_mode_one_leaves_the_old_file() {
    in_modes(1..2, async |scene, mut client, _| {
        client.put(b"/file", b"old").await.unwrap();
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        client.write(&handle, 0, b"new").await.unwrap();
        client.vanish();
        failed_uploads(&scene.server, 1).await;
        assert_eq!(scene.stored("file").await.unwrap(), b"old");
        assert_eq!(scene.names().await, ["file"]);
    })
    .await;
}

#[tokio::test]
async fn the_end_of_the_channel_without_a_close_is_a_failed_upload() {
    in_modes(1..2, async |scene, mut client, _| {
        let handle = client.open_file(b"/file", REPLACE).await.unwrap();
        client.write(&handle, 0, b"content").await.unwrap();
        client.send_eof();
        client.finish().await;
        failed_uploads(&scene.server, 1).await;
        assert!(scene.names().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_not_truncated_is_changed_in_place_in_every_mode() {
    in_modes(0..3, async |scene, mut client, _| {
        client.put(b"/file", b"0123456789").await.unwrap();
        let handle = client.open_file(b"/file", OpenFlags::WRITE).await.unwrap();
        let written = client.write(&handle, 3, b"abc").await;
        if scene.can().writes == Writes::Random {
            written.unwrap();
            client.close(&handle).await.unwrap();
            assert_eq!(client.get(b"/file").await.unwrap(), b"012abc6789");
            return;
        }
        assert_eq!(refusal(written), Refusal::Unsupported);
        assert!(client.close(&handle).await.is_err());
        assert_eq!(client.get(b"/file").await.unwrap(), b"0123456789");
    })
    .await;
}

#[tokio::test]
async fn the_longest_name_can_be_uploaded_in_every_mode() {
    in_modes(0..3, async |_, mut client, _| {
        let path = [b"/", &[b'n'; 255][..]].concat();
        client.put(&path, b"content").await.unwrap();
        assert_eq!(client.get(&path).await.unwrap(), b"content");
        let longer = [b"/", &[b'n'; 256][..]].concat();
        let kind = refusal(client.put(&longer, b"").await);
        assert!(
            matches!(kind, Refusal::Failed | Refusal::BadMessage),
            "{kind:?}"
        );
    })
    .await;
}
