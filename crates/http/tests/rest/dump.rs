//! `GET /api/v1/dumpdata` (reference 11.8, TestDumpdata).

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::{Value, json};
use sftpgo_data::DataProvider as _;

use crate::support::TestServer;

const SAVED: &str = "{\"error\":\"\",\"message\":\"Data saved\",\"status\":200}\n";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn with_secret(server: &TestServer) -> Value {
    let mut user = server.user("bob");
    user["filesystem"] = json!({ "provider": 1, "s3config": {
        "bucket": "b", "region": "r", "access_key": "k", "access_secret": "the secret",
    }});
    user
}

#[tokio::test]
async fn a_dump_holds_everything_and_the_reply_nothing_of_it() {
    let server = TestServer::start();
    server.added(&server.user("alice")).await;
    server.added(&with_secret(&server)).await;
    let reply = server
        .get("/api/v1/dumpdata?output_file=daily/monday/users.json")
        .await;
    assert_eq!((reply.status, reply.body.as_str()), (200, SAVED));
    let file = server.backups().join("daily/monday/users.json");
    let text = fs::read_to_string(&file).unwrap();
    let stored = [
        server.stored("alice").await.unwrap(),
        server.stored("bob").await.unwrap(),
    ];
    let expected = format!(
        "{{\"users\":{}}}\n",
        serde_json::to_string(&stored).unwrap()
    );
    assert_eq!(text, expected, "the keys of the reference in its order");
    assert!(text.contains("$argon2id$none") && text.contains("\"access_secret\":\"$aes$"));
    assert!(!text.contains("the secret"));
    assert_eq!(mode(&file), 0o600);
    for directory in ["", "daily", "daily/monday"] {
        assert_eq!(
            mode(&server.backups().join(directory)),
            0o700,
            "{directory}"
        );
    }
}

#[tokio::test]
async fn an_indented_dump_has_the_same_contents() {
    let server = TestServer::start();
    server.added(&server.user("alice")).await;
    for (name, indent, on_one_line) in [
        ("a", "&indent=0", true),
        ("b", "&indent=1", false),
        ("c", "&indent=2", true),
        ("d", "", true),
    ] {
        let target = format!("/api/v1/dumpdata?output_file={name}{indent}");
        assert_eq!(server.get(&target).await.status, 200);
        let text = fs::read_to_string(server.backups().join(name)).unwrap();
        assert_eq!(text.lines().count() == 1, on_one_line, "{target}: {text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["users"][0]["username"], "alice");
    }
    let indented = fs::read_to_string(server.backups().join("b")).unwrap();
    assert!(indented.starts_with("{\n  \"users\": [\n    {\n      \"id\": 1,\n"));
}

#[tokio::test]
async fn a_name_that_leaves_the_directory_is_a_400() {
    let server = TestServer::start();
    for name in [
        "",
        "?output_file=",
        "?output_file=/etc/cron.d/x",
        "?output_file=../x",
        "?output_file=a/../../x",
        "?output_file=a..b",
        "?output_file=%2e%2e%2fx",
        "?output_file=%2fx",
        "?output_file=.",
        "?output_file=a/",
        "?output_file=a%00b",
        "?Output_file=a",
    ] {
        let reply = server.get(&format!("/api/v1/dumpdata{name}")).await;
        assert_eq!(reply.status, 400, "{name}");
        assert!(reply.error().starts_with("Invalid output_file"), "{name}");
    }
    assert!(!server.backups().exists());
}

#[tokio::test]
async fn a_link_leads_no_dump_out_of_the_directory() {
    let server = TestServer::start();
    let outside = server.homes.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "theirs").unwrap();
    fs::create_dir(server.backups()).unwrap();
    symlink(&outside, server.backups().join("directory")).unwrap();
    symlink("../outside/file", server.backups().join("link")).unwrap();
    symlink("../outside/new", server.backups().join("dangling")).unwrap();
    for name in ["directory/x", "directory/new/x", "link", "dangling"] {
        let reply = server
            .get(&format!("/api/v1/dumpdata?output_file={name}"))
            .await;
        assert_eq!(reply.status, 500, "{name}");
        assert_ne!(reply.error(), "");
    }
    assert_eq!(names(&outside), ["file"]);
    assert_eq!(fs::read(outside.join("file")).unwrap(), b"theirs");
}

#[tokio::test]
async fn what_cannot_be_written_is_a_500_and_a_name_that_is_taken_by_a_directory_a_400() {
    let server = TestServer::start();
    let target = "/api/v1/dumpdata?output_file=x";
    fs::write(server.backups(), "a file where the directory should be").unwrap();
    let reply = server.get(target).await;
    assert_eq!(reply.status, 500);
    assert!(reply.error().contains("backups"), "{}", reply.body);
    fs::remove_file(server.backups()).unwrap();
    fs::create_dir_all(server.backups().join("x")).unwrap();
    assert_eq!(server.get(target).await.status, 400, "a directory is there");
    let reply = server
        .get("/api/v1/dumpdata?output_file=x/y&output_file=ignored")
        .await;
    assert_eq!(reply.status, 200);
    let reply = server.get("/api/v1/dumpdata?output_file=x/y/z").await;
    assert_eq!(reply.status, 400, "a file is no directory");
}

#[tokio::test]
async fn a_dump_takes_the_place_of_the_one_before_only_when_it_is_complete() {
    let server = TestServer::start();
    let file = server.backups().join("users.json");
    fs::create_dir(server.backups()).unwrap();
    fs::write(&file, "an old dump").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let target = "/api/v1/dumpdata?output_file=users.json";
    assert_eq!(server.get(target).await.status, 200);
    assert_eq!(fs::read(&file).unwrap(), b"{\"users\":[]}\n");
    assert_eq!(mode(&file), 0o600);
    // The provider fails when the file is open already.
    server.provider.close().await;
    assert_eq!(server.get(target).await.status, 500);
    assert_eq!(fs::read(&file).unwrap(), b"{\"users\":[]}\n");
    assert_eq!(
        names(&server.backups()),
        ["users.json"],
        "nothing is left over"
    );
}

#[tokio::test]
async fn dumps_are_written_one_after_the_other() {
    let server = TestServer::start();
    server.added(&server.user("alice")).await;
    let all = (0..20).map(|_| server.get("/api/v1/dumpdata?output_file=same"));
    for reply in futures_util::future::join_all(all).await {
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    assert_eq!(names(&server.backups()), ["same"]);
}
