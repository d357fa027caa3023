//! What the log says of transfers that run side by side (reference 14.3).
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use sftpgo_testkit::FileClient as _;
use sftpgo_wire::sftp::OpenFlags;

use super::running::{Serve, add_user, configured};

/// ProFTPD #1646: of several open handles all bytes were counted for one.
#[tokio::test]
async fn handles_that_are_used_in_turns_are_logged_apart() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let mut serve = Serve::start_logging(directory.path());
    let mut sftp = serve.sftp("alice").await;
    let home = directory.path().join("homes/alice");
    sftp.put(b"/read0", &[b'r'; 40_000]).await.unwrap();
    serve.line_with(r#""sender":"Upload""#).unwrap();
    fs::copy(home.join("read0"), home.join("read1")).unwrap();
    let write = OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0);
    let mut handles = Vec::new();
    for (path, flags) in [
        (&b"/write0"[..], write),
        (b"/read0", OpenFlags::READ),
        (b"/write1", write),
        (b"/read1", OpenFlags::READ),
    ] {
        handles.push(sftp.open_file(path, flags).await.unwrap());
    }
    for round in 0..10_u64 {
        sftp.write(&handles[0], round * 1_000, &[b'a'; 1_000])
            .await
            .unwrap();
        sftp.read(&handles[1], round * 2_000, 2_000).await.unwrap();
        sftp.write(&handles[2], round * 3_000, &[b'b'; 3_000])
            .await
            .unwrap();
        sftp.read(&handles[3], round * 4_000, 4_000).await.unwrap();
    }
    // In another order than they were opened.
    for index in [3, 0, 2, 1] {
        sftp.close(&handles[index]).await.unwrap();
    }
    let mut logged = BTreeMap::new();
    while logged.len() < 4 {
        let line = serve.line_with(r#""size_bytes""#).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let path = line["file_path"].as_str().unwrap().to_owned();
        let name = path.rsplit_once('/').unwrap().1.to_owned();
        let sender = line["sender"].as_str().unwrap().to_owned();
        let bytes = line["size_bytes"].as_u64().unwrap();
        assert_eq!(logged.insert(name, (sender, bytes)), None);
    }
    for (name, sender, bytes) in [
        ("read0", "Download", 20_000),
        ("read1", "Download", 40_000),
        ("write0", "Upload", 10_000),
        ("write1", "Upload", 30_000),
    ] {
        assert_eq!(logged[name], (sender.to_owned(), bytes));
    }
}

/// What is read through a handle that is open for writing, too, is a download beside the upload.
#[tokio::test]
async fn what_is_read_back_is_logged_as_a_download() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let mut serve = Serve::start_logging(directory.path());
    let mut sftp = serve.sftp("alice").await;
    let both = OpenFlags(OpenFlags::READ.0 | OpenFlags::WRITE.0 | OpenFlags::CREATE.0);
    let handle = sftp.open_file(b"/both", both).await.unwrap();
    sftp.write(&handle, 0, &[b'a'; 10_000]).await.unwrap();
    sftp.read(&handle, 0, 10_000).await.unwrap();
    sftp.read(&handle, 5_000, 20_000).await.unwrap();
    sftp.close(&handle).await.unwrap();
    let mut logged = BTreeMap::new();
    while logged.len() < 2 {
        let line = serve.line_with(r#""size_bytes""#).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(line["file_path"].as_str().unwrap().ends_with("/both"));
        let sender = line["sender"].as_str().unwrap().to_owned();
        let bytes = line["size_bytes"].as_u64().unwrap();
        assert_eq!(logged.insert(sender, bytes), None);
    }
    assert_eq!((logged["Upload"], logged["Download"]), (10_000, 15_000));
}
