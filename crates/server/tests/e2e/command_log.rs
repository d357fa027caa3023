//! What the log says of commands that succeeded (reference 14.4).
#![cfg(unix)]

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::running::{Serve, add_user, configured};

#[tokio::test]
async fn a_command_is_one_line_with_its_path_argument() {
    let directory = configured(&json!({ "sftpd": { "enabled_ssh_commands": ["*"] } }));
    add_user(directory.path(), "alice");
    let mut serve = Serve::start_logging(directory.path());
    let client = serve.login("alice").await;
    client.exec(b"cd", b"").await.unwrap();
    let home = directory.path().join("homes/alice");
    fs::create_dir(home.join("dir")).unwrap();
    fs::write(home.join("dir/file"), b"content").unwrap();
    let made = Command::new("git")
        .args(["init", "-q", "--bare"])
        .arg(home.join("repo"))
        .status()
        .unwrap();
    assert!(made.success());
    // The one before is not looked at.
    serve.line_with(r#""sender":"SSHCommand""#).unwrap();
    let cases: [(&str, &[u8], &str); 15] = [
        ("cd", b"", ""),
        ("cd /x", b"", "/x"),
        ("cd 'a b/'", b"", "/a b/"),
        ("pwd", b"", ""),
        ("md5sum", b"input", ""),
        ("md5sum -b", b"input", ""),
        ("md5sum ./dir/../dir/file", b"", "/dir/file"),
        ("sha1sum \"'/dir/file'\"", b"", "/dir/file"),
        ("sha256sum dir/file dir/./file", b"", "/dir/file"),
        ("df", b"", ""),
        ("df -k /dir/", b"", "/dir/"),
        ("df ..", b"", "/"),
        ("git-upload-pack 'repo/'", b"0000", "/repo/"),
        ("scp -t /dir/", b"", "/dir/"),
        ("scp -r -t dir", b"", "/dir"),
    ];
    for (command, input, path) in cases {
        let ran = client.exec(command.as_bytes(), input).await.unwrap();
        assert_eq!(ran.status, Some(0), "{command}: {}", ran.text());
        let line = serve.line_with(r#""sender":"SSHCommand""#).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["file_path"], path, "{command}");
        assert_eq!(line["ssh_command"], command);
        assert_eq!(
            (&line["protocol"], &line["username"]),
            (&"SSH".into(), &"alice".into())
        );
        assert_eq!(
            (&line["uid"], &line["target_path"]),
            (&(-1).into(), &"".into())
        );
    }
}
