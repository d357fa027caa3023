//! Filters of file names (TestExtensionsFilters, TestFilterFileExtensions) and of addresses.

use std::fs;

use serde_json::{Value, json};
use sftpgo_testkit::{Account, Refusal, Sftp, TestServer};

use crate::requests::Ask;

async fn filtered(filters: Value) -> (TestServer, Sftp) {
    let server = TestServer::start().await;
    let filters = json!({ "file_extensions": filters });
    server
        .add(Account::new("alice").with("filters", filters))
        .await;
    let sftp = server.sftp("alice").await;
    (server, sftp)
}

/// TestExtensionsFilters.
#[tokio::test]
async fn with_zip_files_allowed_others_are_not_moved_read_written_or_removed() {
    let (server, mut sftp) = filtered(json!([
        { "path": "/", "allowed_extensions": [".zip"], "denied_extensions": [] }
    ]))
    .await;
    fs::write(server.home("alice").join("file.dat"), b"content").unwrap();
    let denied = [
        Ask::Put(b"/new.dat"),
        Ask::Put(b"/file.dat"),
        Ask::Get(b"/file.dat"),
        Ask::Size(b"/file.dat", 0),
        Ask::Rename(b"/file.dat", b"/file.zip"),
        Ask::PosixRename(b"/file.dat", b"/file.zip"),
        Ask::Remove(b"/file.dat"),
    ];
    for ask in denied {
        let refusal = ask.refusal(&mut sftp).await;
        assert_eq!(refusal, Some(Refusal::Denied), "{ask:?}");
    }
    let done = [
        Ask::MkDir(b"/dir.dat"),
        Ask::Rename(b"/dir.dat", b"/renamed.dat"),
        Ask::List(b"/renamed.dat"),
        Ask::RmDir(b"/renamed.dat"),
        Ask::Stat(b"/file.dat"),
        Ask::Put(b"/new.zip"),
    ];
    for ask in done {
        assert_eq!(ask.refusal(&mut sftp).await, None, "{ask:?}");
    }
    let content = fs::read(server.home("alice").join("file.dat")).unwrap();
    assert_eq!(content, b"content");
}

/// TestFilterFileExtensions: which filter decides, and how.
#[tokio::test]
async fn the_nearest_filter_decides_alone_and_what_is_denied_wins() {
    let (server, mut sftp) = filtered(json!([
        { "path": "/", "allowed_extensions": [".jpg", ".txt"], "denied_extensions": ["secret.txt"] },
        { "path": "/sub", "denied_extensions": [".zip", ".JPG"] },
        { "path": "/sub/deep/all", "allowed_extensions": [""] },
    ]))
    .await;
    for directory in ["sub/deep/all", "sub2", "other"] {
        fs::create_dir_all(server.home("alice").join(directory)).unwrap();
    }
    let rows = [
        ("/a.jpg", true),
        ("/A.JPG", true),
        ("/a.txt", true),
        ("/my-secret.txt", false),
        ("/MY-SECRET.TXT", false),
        ("/a.zip", false),
        ("/jpg", false),
        ("/a.jpg.zip", false),
        ("/other/a.jpg", true),
        ("/other/a.zip", false),
        // Not below `/sub`, so the filter of the root counts.
        ("/sub2/a.zip", false),
        // No merging: what the root allows is denied here, and the other way round.
        ("/sub/a.jpg", false),
        ("/sub/a.Zip", false),
        ("/sub/a.png", true),
        ("/sub/secret.txt", true),
        ("/sub/deep/a.ZIP", false),
        ("/sub/deep/a", true),
        ("/sub/deep/all/a.zip", true),
        ("/sub/../a.png", false),
        ("sub/./deep//a.png", true),
    ];
    for (path, allowed) in rows {
        let expected = (!allowed).then_some(Refusal::Denied);
        let refusal = Ask::Put(path.as_bytes()).refusal(&mut sftp).await;
        assert_eq!(refusal, expected, "{path}");
    }
}
