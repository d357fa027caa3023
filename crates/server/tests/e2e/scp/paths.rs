//! Paths of every ugly kind: what SFTP decides about them is what SCP decides.

use std::fs;

use serde_json::json;
use sftpgo_testkit::corpus::{Meaning, spellings};
use sftpgo_testkit::{Account, FileClient as _, Scp, ScpFiles, quoted};

use super::{Scene, builder, names_in, put_file};

const SECRET: &[u8] = b"the secret";

/// `/closed` allows nothing, `/filtered` no `.txt`; both hold `secret.txt`.
async fn scene() -> Scene {
    let filters = json!({
        "file_extensions": [{ "path": "/filtered", "denied_extensions": [".txt"] }]
    });
    let account = Account::new("alice")
        .permit("/closed", "")
        .with("filters", filters);
    let scene = Scene::with(account).await;
    for holder in ["closed", "filtered", "open"] {
        fs::create_dir(scene.disk(holder)).unwrap();
        fs::write(scene.disk(holder).join("secret.txt"), SECRET).unwrap();
    }
    scene
}

#[tokio::test]
async fn every_spelling_is_decided_as_by_sftp() {
    let scene = scene().await;
    let mut sftp = scene.server.sftp("alice").await;
    let mut scp = ScpFiles::new(scene.server.sftp("alice").await);
    for path in [
        "/closed/secret.txt",
        "/filtered/secret.txt",
        "/open/secret.txt",
    ] {
        for spelling in spellings(path) {
            let (raw, shown) = (&spelling.raw[..], spelling.shown());
            let kind =
                |answer: sftpgo_testkit::Answer<Vec<u8>>| answer.map_err(|refused| refused.kind);
            let by_sftp = kind(sftp.get(raw).await);
            // A line break cannot be sent; ScpFiles asks SFTP then.
            let by_scp = kind(scp.get(raw).await);
            match (&by_sftp, &by_scp) {
                (Ok(content), Ok(other)) => assert_eq!(content, other, "{shown}"),
                (Err(one), Err(other)) if spelling.meaning == Meaning::Same => {
                    assert_eq!(one, other, "{shown}");
                }
                (Err(_), Err(_)) => {}
                (one, other) => panic!("{shown}: SFTP {one:?}, SCP {other:?}"),
            }
            if spelling.meaning == Meaning::Same && !path.starts_with("/open") {
                assert!(scp.put(raw, b"changed").await.is_err(), "{shown}");
            }
        }
    }
    for holder in ["closed", "filtered", "open"] {
        assert_eq!(
            fs::read(scene.disk(holder).join("secret.txt")).unwrap(),
            SECRET
        );
        assert_eq!(names_in(&scene.disk(holder)), ["secret.txt"]);
    }
}

#[tokio::test]
async fn no_name_in_a_record_leaves_its_directory() {
    let scene = scene().await;
    let beside = scene.home().parent().unwrap().join("beside");
    for kind in ["C0644 5", "D0755 0"] {
        for name in [
            "..",
            ".",
            "",
            "../beside",
            "/beside",
            "a/b",
            "a/../../beside",
            "x\0y",
        ] {
            let mut scp = scene.sink("-r -t /open").await;
            let (error, fatal) = scp.refused(format!("{kind} {name}\n")).await;
            assert!(
                fatal && error.contains("unexpected filename"),
                "{name:?}: {error}"
            );
            scp.ends_with(1).await;
        }
    }
    assert!(!beside.exists());
    assert_eq!(names_in(&scene.disk("open")), ["secret.txt"]);
}

#[tokio::test]
async fn odd_names_in_records_are_names() {
    let scene = Scene::plain().await;
    let names: [&[u8]; 10] = [
        b"with space",
        b" spaces ",
        b"...",
        b"..\\..\\x",
        b"-rf",
        b"\xff\xfe",
        b"\x1b[31mred\ttab\r",
        b"quote'\"`$HOME",
        b"~",
        b"*",
    ];
    for name in names {
        let mut scp = scene.sink("-t /").await;
        scp.agreed([b"C0644 3 ", name, b"\n"].concat()).await;
        scp.agreed("own\0").await;
        scp.ends_with(0).await;
        let arguments = [b"-f -- ", &quoted(name)[..]].concat();
        let mut scp = scene.source(arguments).await;
        assert_eq!(scp.line().await, [b"C0644 3 ", name, b"\n"].concat());
        scp.send(&b"\0"[..]);
        assert_eq!(scp.take(4).await, b"own\0");
        scp.send(&b"\0"[..]);
        scp.ends_with(0).await;
    }
    assert_eq!(names_in(&scene.home()).len(), names.len());
}

#[tokio::test]
async fn a_link_is_followed_inside_and_never_outside() {
    let scene = Scene::plain().await;
    let outside = scene.home().parent().unwrap().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("f"), SECRET).unwrap();
    std::os::unix::fs::symlink(&outside, scene.disk("dir")).unwrap();
    std::os::unix::fs::symlink(outside.join("f"), scene.disk("file")).unwrap();
    std::os::unix::fs::symlink(outside.join("new"), scene.disk("dangling")).unwrap();
    for path in ["dir/f", "file", "dangling"] {
        assert!(scene.get(path).await.is_err(), "{path}");
        assert!(scene.put(path, b"changed").await.is_err(), "{path}");
    }
    let mut scp = scene.sink("-r -t /").await;
    assert!(put_file(&mut scp, "file", b"changed").await.is_err());
    let (error, _) = scp.refused("D0755 0 dir\n").await;
    assert!(error.contains("scp: /dir:"), "{error}");
    scp.ends_with(1).await;
    let mut scp = scene.source("-r -f dir").await;
    assert_eq!(scp.line().await, b"\x01scp: /dir: Permission Denied\n");
    scp.ends_with(1).await;
    assert_eq!(names_in(&outside), ["f"]);
    assert_eq!(fs::read(outside.join("f")).unwrap(), SECRET);
}

#[tokio::test]
async fn links_do_not_open_what_is_closed() {
    let scene = scene().await;
    std::os::unix::fs::symlink("closed", scene.disk("link")).unwrap();
    std::os::unix::fs::symlink("../closed/secret.txt", scene.disk("open/file")).unwrap();
    for path in ["link/secret.txt", "open/file"] {
        assert!(scene.get(path).await.is_err(), "{path}");
        assert!(scene.put(path, b"changed").await.is_err(), "{path}");
    }
    for arguments in ["-r -f link", "-f link/*"] {
        let mut scp = scene.source(arguments).await;
        assert_eq!(scp.take(1).await, b"\x01", "{arguments}");
    }
    assert_eq!(fs::read(scene.disk("closed/secret.txt")).unwrap(), SECRET);
    assert_eq!(names_in(&scene.disk("closed")), ["secret.txt"]);
}

#[tokio::test]
async fn a_command_line_that_is_not_that_of_a_server_is_refused() {
    let scene = Scene::plain().await;
    for arguments in [
        "-r /a",
        "-t -f /a",
        "-t /a /b",
        "-S prog -t /a",
        "-t -r",
        "-5 -t /a",
    ] {
        let mut scp = scene.scp(arguments).await;
        assert_eq!(scp.take(1).await, b"\x02", "{arguments}");
        assert_eq!(scp.rest().await.1, Some(1), "{arguments}");
    }
    // Without an option and a path the request itself is refused.
    for arguments in ["/a", "-t", "-f", ""] {
        let refused = Scp::start(&scene.ssh, arguments).await.is_none();
        assert!(refused, "{arguments}");
    }
    // And without the setting there is no such command.
    let server = sftpgo_testkit::TestServer::start().await;
    server.add(Account::new("alice")).await;
    let ssh = server.login("alice").await;
    assert!(Scp::start(&ssh, "-t /").await.is_none());
    let server = builder().start().await;
    server.add(Account::new("alice")).await;
    let ssh = server.login("alice").await;
    assert!(Scp::start(&ssh, "-t /").await.is_some());
}
