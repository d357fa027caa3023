//! Which permission SCP asks for, and whose directory's (reference 3.3).

use std::fs;

use serde_json::json;
use sftpgo_testkit::Account;

use super::{Scene, get_file, put_file};

fn denied<T: std::fmt::Debug>(result: Result<T, String>) {
    let error = result.unwrap_err();
    assert!(error.contains("Permission Denied"), "{error}");
}

#[tokio::test]
async fn a_new_file_needs_upload_and_an_existing_one_overwrite() {
    let scene = Scene::with(Account::new("alice").permit("/", "overwrite")).await;
    fs::write(scene.disk("old"), b"old").unwrap();
    denied(scene.put("new", b"").await);
    scene.put("old", b"changed").await.unwrap();
    let scene = Scene::with(Account::new("alice").permit("/", "upload")).await;
    scene.put("new", b"new").await.unwrap();
    denied(scene.put("new", b"again").await);
    assert_eq!(fs::read(scene.disk("new")).unwrap(), b"new");
}

#[tokio::test]
async fn permissions_of_the_name_of_a_file_are_not_those_of_its_directory() {
    // As for every other protocol: an entry belongs to the directory that holds it.
    let account = Account::new("alice")
        .permit("/", "upload")
        .permit("/f", "overwrite");
    let scene = Scene::with(account).await;
    scene.put("f", b"new").await.unwrap();
    denied(scene.put("f", b"again").await);
}

#[tokio::test]
async fn a_file_needs_download_on_its_directory_and_a_directory_on_itself() {
    let account = Account::new("alice")
        .permit("/", "download")
        .permit("/closed", "list");
    let scene = Scene::with(account).await;
    fs::create_dir(scene.disk("closed")).unwrap();
    fs::write(scene.disk("closed/f"), b"x").unwrap();
    fs::write(scene.disk("open"), b"x").unwrap();
    assert_eq!(scene.get("open").await.unwrap(), b"x");
    denied(scene.get("closed/f").await);
    let mut scp = scene.source("-r -f /closed").await;
    assert_eq!(scp.line().await, b"\x01scp: /closed: Permission Denied\n");
    scp.ends_with(1).await;
    // A file of that name would be an entry of the root.
    fs::remove_dir_all(scene.disk("closed")).unwrap();
    fs::write(scene.disk("closed"), b"a file").unwrap();
    assert_eq!(scene.get("closed").await.unwrap(), b"a file");
}

#[tokio::test]
async fn a_directory_may_be_had_from_within_one_that_may_not() {
    let account = Account::new("alice")
        .permit("/", "upload")
        .permit("/open", "download");
    let scene = Scene::with(account).await;
    fs::create_dir(scene.disk("open")).unwrap();
    fs::write(scene.disk("open/f"), b"x").unwrap();
    let mut scp = scene.source("-r -f /open").await;
    assert_eq!(scp.line().await, b"D0755 0 open\n");
    scp.send(&b"\0"[..]);
    assert_eq!(get_file(&mut scp).await.unwrap().1, b"x");
    assert_eq!(scp.line().await, b"E\n");
    scp.send(&b"\0"[..]);
    scp.ends_with(0).await;
}

#[tokio::test]
async fn closed_parts_of_a_tree_are_left_out_and_told() {
    let account = Account::new("alice").permit("/dir/closed", "");
    let scene = Scene::with(account).await;
    fs::create_dir_all(scene.disk("dir/closed")).unwrap();
    fs::write(scene.disk("dir/closed/secret"), b"secret").unwrap();
    let mut scp = scene.source("-r -f dir").await;
    assert_eq!(scp.line().await, b"D0755 0 dir\n");
    scp.send(&b"\0"[..]);
    assert_eq!(
        scp.line().await,
        b"\x01scp: /dir/closed: Permission Denied\n"
    );
    assert_eq!(scp.line().await, b"E\n");
    scp.send(&b"\0"[..]);
    scp.ends_with(1).await;
}

#[tokio::test]
async fn directories_need_create_dirs_also_if_they_are_there() {
    let scene = Scene::with(Account::new("alice").permit("/", "list,upload,overwrite")).await;
    fs::create_dir(scene.disk("there")).unwrap();
    for name in ["there", "new"] {
        let mut scp = scene.sink("-r -t /").await;
        let (error, fatal) = scp.refused(format!("D0755 0 {name}\n")).await;
        assert!(error.contains("Permission Denied") && !fatal, "{error}");
        // Nothing of it comes then; what lies beside it does.
        put_file(&mut scp, &format!("beside-{name}"), b"")
            .await
            .unwrap();
        scp.ends_with(1).await;
    }
    assert!(!scene.disk("new").exists());
}

#[tokio::test]
async fn whoever_may_only_drop_files_can() {
    let account = Account::new("alice")
        .permit("/", "list")
        .permit("/drop", "upload");
    let scene = Scene::with(account).await;
    fs::create_dir(scene.disk("drop")).unwrap();
    let mut scp = scene.sink("-t /drop").await;
    put_file(&mut scp, "f", b"x").await.unwrap();
    scp.ends_with(0).await;
    denied(scene.put("/drop/f", b"again").await);
    denied(scene.get("/drop/f").await);
    denied(scene.put("/other", b"").await);
    assert_eq!(fs::read(scene.disk("drop/f")).unwrap(), b"x");
}

#[tokio::test]
async fn filtered_names_go_neither_way_and_the_file_there_stays_as_it_is() {
    let filters = json!({
        "file_extensions": [{ "path": "/", "denied_extensions": [".exe"] }]
    });
    for mode in 0..3 {
        let account = Account::new("alice").with("filters", filters.clone());
        let scene = Scene::of(super::builder().upload_mode(mode), account).await;
        fs::create_dir(scene.disk("dir.exe")).unwrap();
        fs::write(scene.disk("dir.exe/f"), b"x").unwrap();
        fs::write(scene.disk("old.EXE"), b"old").unwrap();
        denied(scene.put("old.EXE", b"changed").await);
        denied(scene.put("new.exe", b"").await);
        denied(scene.get("old.EXE").await);
        let mut scp = scene.sink("-t /").await;
        let (error, fatal) = scp.refused("C0644 5 old.EXE\n").await;
        assert!(error.contains("Permission Denied") && !fatal, "{error}");
        scp.ends_with(1).await;
        assert_eq!(
            fs::read(scene.disk("old.EXE")).unwrap(),
            b"old",
            "mode {mode}"
        );
        assert_eq!(super::names_in(&scene.home()), ["dir.exe", "old.EXE"]);
        // Directories have names without endings.
        let mut scp = scene.source("-r -f dir.exe").await;
        assert_eq!(scp.line().await, b"D0755 0 dir.exe\n");
        scp.send(&b"\0"[..]);
        assert_eq!(get_file(&mut scp).await.unwrap().1, b"x");
        assert_eq!(scp.line().await, b"E\n");
        scp.send(&b"\0"[..]);
        scp.ends_with(0).await;
    }
}
