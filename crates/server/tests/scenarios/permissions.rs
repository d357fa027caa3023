//! Permissions by directory (reference 3.3): which one an operation needs, and whose directory is asked.

use serde_json::json;
use sftpgo_testkit::{Account, Answer, FileClient, Refusal, TestServer};

use super::{Scene, refusal};

/// All permissions but the ones named.
fn all_but(without: &[&str]) -> String {
    let all = [
        "list",
        "download",
        "upload",
        "overwrite",
        "delete",
        "rename",
        "create_dirs",
        "create_symlinks",
        "chmod",
        "chown",
        "chtimes",
    ];
    let rest: Vec<&str> = all
        .into_iter()
        .filter(|name| !without.contains(name))
        .collect();
    rest.join(",")
}

/// Plays with `/dir` that has these permissions, and holds `file` and the empty directory `sub`; `/` allows everything.
async fn in_dir(permissions: &str, scenario: impl AsyncFn(Scene, Box<dyn FileClient>)) {
    let account = Account::new("alice").permit("/dir", permissions);
    Scene::each(TestServer::builder(), account, async |scene, client| {
        scene.make_dir("dir/sub").await;
        scene.make("dir/file", b"content").await;
        scene.make("free", b"content").await;
        scenario(scene, client).await;
    })
    .await;
}

fn denied<T>(answer: Answer<T>) {
    assert_eq!(refusal(answer), Refusal::Denied);
}

#[tokio::test]
async fn listing_and_stat_need_list() {
    in_dir(&all_but(&["list"]), async |_, mut client| {
        denied(client.list(b"/dir").await);
        denied(client.stat(b"/dir/file").await);
        // The directory itself is an entry of its parent.
        client.stat(b"/dir").await.unwrap();
        client.get(b"/dir/file").await.unwrap();
    })
    .await;
    in_dir("list", async |_, mut client| {
        client.list(b"/dir").await.unwrap();
        client.stat(b"/dir/file").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn reading_needs_download() {
    in_dir(&all_but(&["download"]), async |_, mut client| {
        denied(client.get(b"/dir/file").await);
        client.put(b"/dir/new", b"").await.unwrap();
        client.remove_file(b"/dir/file").await.unwrap();
    })
    .await;
    in_dir("download", async |_, mut client| {
        assert_eq!(client.get(b"/dir/file").await.unwrap(), b"content");
    })
    .await;
}

#[tokio::test]
async fn a_new_file_needs_upload_and_an_existing_one_overwrite() {
    in_dir(&all_but(&["upload"]), async |_, mut client| {
        denied(client.put(b"/dir/new", b"").await);
        client.put(b"/dir/file", b"changed").await.unwrap();
    })
    .await;
    in_dir(&all_but(&["overwrite"]), async |scene, mut client| {
        denied(client.put(b"/dir/file", b"changed").await);
        denied(client.append(b"/dir/file", b"more").await);
        client.put(b"/dir/new", b"").await.unwrap();
        assert_eq!(scene.stored("dir/file").await.unwrap(), b"content");
    })
    .await;
}

#[tokio::test]
async fn removing_needs_delete() {
    in_dir(&all_but(&["delete"]), async |_, mut client| {
        denied(client.remove_file(b"/dir/file").await);
        denied(client.remove_dir(b"/dir/sub").await);
        // Whether something is there is not told.
        denied(client.remove_file(b"/dir/none").await);
    })
    .await;
    in_dir("delete", async |scene, mut client| {
        client.remove_file(b"/dir/file").await.unwrap();
        client.remove_dir(b"/dir/sub").await.unwrap();
        // The directory itself belongs to its parent, which allows everything.
        client.remove_dir(b"/dir").await.unwrap();
        assert_eq!(scene.names().await, ["free"]);
    })
    .await;
}

#[tokio::test]
async fn renaming_needs_rename_where_the_new_name_is() {
    in_dir(&all_but(&["rename"]), async |_, mut client| {
        denied(client.rename(b"/free", b"/dir/moved").await);
        // The source directory is not asked.
        client.rename(b"/dir/file", b"/moved").await.unwrap();
        // And what may not be renamed may be removed.
        client.put(b"/dir/file", b"again").await.unwrap();
        denied(client.rename(b"/dir/file", b"/dir/other").await);
        client.remove_file(b"/dir/file").await.unwrap();
    })
    .await;
    in_dir("rename", async |_, mut client| {
        client.rename(b"/free", b"/dir/moved").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_rename_over_a_file_needs_overwrite_too() {
    in_dir("rename,list", async |scene, mut client| {
        assert_eq!(
            refusal(client.rename(b"/free", b"/dir/file").await),
            Refusal::Failed
        );
        assert!(scene.stored("free").await.is_some());
    })
    .await;
    in_dir("rename,overwrite", async |_, mut client| {
        client.rename(b"/free", b"/dir/file").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn making_directories_needs_create_dirs() {
    in_dir(&all_but(&["create_dirs"]), async |_, mut client| {
        denied(client.create_dir(b"/dir/new").await);
    })
    .await;
    in_dir("create_dirs", async |_, mut client| {
        client.create_dir(b"/dir/new").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_nearest_directory_with_permissions_counts_and_an_empty_list_allows_nothing() {
    let account = Account::new("alice")
        .permit("/closed", "")
        .permit("/closed/open", "*");
    Scene::each(TestServer::builder(), account, async |scene, mut client| {
        scene.make_dir("closed/open/deep/er").await;
        scene.make_dir("closedish").await;
        denied(client.list(b"/closed").await);
        denied(client.put(b"/closed/file", b"").await);
        denied(client.stat(b"/closed/open").await);
        denied(client.list(b"/closed/none/deeper").await);
        client.put(b"/closed/open/deep/er/file", b"").await.unwrap();
        client.put(b"/closedish/file", b"").await.unwrap();
        // Written in another way it is the same place.
        denied(client.put(b"/closed/open/../file", b"").await);
        denied(client.list(b"//closed/./").await);
    })
    .await;
}

#[tokio::test]
async fn the_root_cannot_be_moved_or_removed() {
    Scene::plain(async |_, mut client| {
        denied(client.remove_dir(b"/").await);
        denied(client.rename(b"/", b"/x").await);
        assert_eq!(refusal(client.create_dir(b"/").await), Refusal::Failed);
        assert_eq!(refusal(client.remove_file(b"/").await), Refusal::Failed);
    })
    .await;
}

#[tokio::test]
async fn only_allowed_endings_may_be_used() {
    let filters = json!({ "file_extensions": [
        { "path": "/", "allowed_extensions": [".zip"] },
        { "path": "/any", "denied_extensions": [".EXE"] },
    ]});
    let account = Account::new("alice").with("filters", filters);
    Scene::each(TestServer::builder(), account, async |scene, mut client| {
        scene.make_dir("any").await;
        scene.make("old.dat", b"").await;
        denied(client.put(b"/new.dat", b"").await);
        denied(client.get(b"/old.dat").await);
        denied(client.remove_file(b"/old.dat").await);
        denied(client.rename(b"/old.dat", b"/old.zip").await);
        client.put(b"/new.ZIP", b"").await.unwrap();
        denied(client.rename(b"/new.ZIP", b"/new.dat").await);
        client.stat(b"/old.dat").await.unwrap();
        // Directories have names without endings, and the nearest filter counts alone.
        client.create_dir(b"/dir.dat").await.unwrap();
        client.rename(b"/dir.dat", b"/other.dat").await.unwrap();
        client.put(b"/any/file.dat", b"").await.unwrap();
        denied(client.put(b"/any/file.exe", b"").await);
        assert_eq!(
            refusal(client.remove_file(b"/other.dat").await),
            Refusal::Failed
        );
    })
    .await;
}
