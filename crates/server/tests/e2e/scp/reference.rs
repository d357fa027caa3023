//! The steps of the reference's own tests of SCP that go beyond a rule: several transfers, and what is counted after each.

use std::fs;

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use sftpgo_testkit::{Account, FileClient as _, Refusal, ScpFiles, Usage};

use crate::running::{Serve, add_user, configured};

use super::{Scene, get_file, put_file};

async fn counted(scene: &Scene, files: i64, bytes: i64) {
    let expected = Usage { files, bytes };
    super::ending::until_counted(&scene.server, "alice").await;
    assert_eq!(scene.server.quota("alice").await, expected);
}

#[tokio::test]
async fn a_file_goes_up_comes_down_and_is_replaced_and_counted_once() {
    for mode in 0..3 {
        let builder = super::builder().upload_mode(mode);
        let scene = Scene::of(builder, Account::new("alice").quota(100, 1 << 30)).await;
        scene.get("/test_file.dat").await.unwrap_err();
        let content = vec![b'x'; 131_072];
        let mut scp = scene.sink("-t /").await;
        put_file(&mut scp, "test_file.dat", &content).await.unwrap();
        scp.ends_with(0).await;
        counted(&scene, 1, 131_072).await;
        assert!(scene.get("/test_file.dat").await.unwrap() == content);
        // Once more, with times and another size.
        for size in [131_072, 32_760, 200_000] {
            let mut scp = scene.sink("-p -t /test_file.dat").await;
            scp.agreed("T1582100000 0 1582100000 0\n").await;
            put_file(&mut scp, "test_file.dat", &vec![b'y'; size])
                .await
                .unwrap();
            scp.ends_with(0).await;
            counted(&scene, 1, i64::try_from(size).unwrap()).await;
        }
    }
}

#[tokio::test]
async fn a_tree_goes_up_twice_and_comes_down() {
    let scene = Scene::with(Account::new("alice").quota(100, 1 << 30)).await;
    let mut scp = scene.source("-r -f /none").await;
    assert_eq!(scp.line().await, b"\x01scp: /none: No Such File\n");
    scp.ends_with(1).await;
    for _ in 0..2 {
        let mut scp = scene.sink("-r -t /").await;
        scp.agreed("D0755 0 tree\n").await;
        put_file(&mut scp, "one", b"1").await.unwrap();
        scp.agreed("D0755 0 sub\n").await;
        put_file(&mut scp, "two", b"22").await.unwrap();
        scp.agreed("E\n").await;
        scp.agreed("E\n").await;
        scp.ends_with(0).await;
        counted(&scene, 2, 3).await;
    }
    let mut scp = scene.source("-r -f /tree").await;
    let mut seen = Vec::new();
    let mut depth = 0;
    loop {
        let line = String::from_utf8(scp.line().await).unwrap();
        scp.send(&b"\0"[..]);
        match line.split_at(1) {
            ("D", rest) => {
                depth += 1;
                seen.push(rest.trim_end().to_owned());
            }
            ("E", _) => depth -= 1,
            ("C", rest) => {
                let size = rest.split(' ').nth(1).unwrap().parse().unwrap();
                scp.take(size).await;
                scp.agreed(&b""[..]).await;
                scp.send(&b"\0"[..]);
                seen.push(rest.trim_end().to_owned());
            }
            _ => panic!("{line}"),
        }
        if depth == 0 {
            break;
        }
    }
    scp.ends_with(0).await;
    seen.sort();
    assert_eq!(
        seen,
        ["0644 1 one", "0644 2 two", "0755 0 sub", "0755 0 tree"]
    );
    assert!(
        scene
            .get("/tree")
            .await
            .unwrap_err()
            .contains("not a regular file")
    );
}

#[tokio::test]
async fn where_uploads_are_allowed_and_nothing_else_the_second_one_is_refused() {
    let scene = Scene::with(Account::new("alice").permit("/", "list,upload")).await;
    scene.put("/f", b"first").await.unwrap();
    let error = scene.put("/f", b"second").await.unwrap_err();
    assert_eq!(error, "scp: /f: Permission Denied");
    let mut scp = scene.source("-f /f").await;
    let error = get_file(&mut scp).await.unwrap_err();
    assert_eq!(error, "scp: /f: Permission Denied");
    scp.ends_with(1).await;
    assert_eq!(fs::read(scene.disk("f")).unwrap(), b"first");
}

#[tokio::test]
async fn what_the_system_does_not_give_is_refused() {
    let settings = json!({ "sftpd": { "enabled_ssh_commands": ["scp"] } });
    let directory = configured(&settings);
    add_user(directory.path(), "alice");
    let home = directory.path().join("homes/alice");
    fs::create_dir_all(home.join("closed")).unwrap();
    for name in ["closed/file", "unreadable", "fixed"] {
        fs::write(home.join(name), b"content").unwrap();
    }
    let serve = Serve::start_unprivileged(directory.path());
    for (name, mode) in [("closed", 0o000), ("unreadable", 0o000), ("fixed", 0o444)] {
        fs::set_permissions(home.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let sftp = serve.sftp("alice").await;
    let mut client = ScpFiles::new(sftp);
    for path in [&b"/unreadable"[..], b"/closed/file"] {
        let refused = client.get(path).await.unwrap_err();
        assert_eq!(refused.kind, Refusal::Denied, "{refused:?}");
    }
    for path in [&b"/fixed"[..], b"/closed/file", b"/closed/new"] {
        let refused = client.put(path, b"changed").await.unwrap_err();
        assert_eq!(refused.kind, Refusal::Denied, "{refused:?}");
    }
    assert_eq!(client.get(b"/fixed").await.unwrap(), b"content");
}
