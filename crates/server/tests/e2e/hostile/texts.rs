//! Texts of clients in the log: file names cannot forge a line, hide in one or reach the terminal of its reader.
//!
//! Names are bytes here, so invisible letters and marks of direction are allowed in them (a decision: refusing what some
//! version of Unicode calls a format character would make files of the disk unreachable). What must not be is that they do
//! something where they are shown.

use serde_json::Value;
use sftpgo_testkit::FileClient as _;

use super::super::running::{Serve, add_user, configured};

const NAMES: [&str; 7] = [
    "x\",\"username\":\"root\"}\n{\"level\":\"info\",\"sender\":\"Upload\",\"forged\":\"y",
    "line\r\nbreak\u{85}next\u{2028}paragraph\u{2029}",
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m",
    "invoice\u{202e}fdp.exe",
    "\u{2066}isolated\u{2069}\u{200f}\u{61c}",
    "tab\there\\and\\\"quotes\"",
    "%s%n{}$(id)`id`",
];

/// Whether a terminal or a reader of lines would do something about it.
fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}'
        )
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[tokio::test]
async fn a_file_name_is_text_in_the_log_and_nothing_else() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let mut serve = Serve::start_logging(directory.path());
    let mut sftp = serve.sftp("alice").await;
    for name in NAMES {
        // A slash would make directories of it.
        let name = name.replace('/', "");
        let path = format!("/{name}").into_bytes();
        sftp.put(&path, b"x").await.unwrap();
        let uploaded = serve.line_with(r#""sender":"Upload""#).unwrap();
        sftp.rename(&path, b"/plain").await.unwrap();
        let renamed = serve.line_with(r#""sender":"Rename""#).unwrap();
        for line in [uploaded, renamed] {
            assert!(!line.contains(acts), "{line:?}");
            let entry: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(entry["username"], "alice", "{line}");
            assert!(entry.get("forged").is_none(), "{line}");
        }
        sftp.remove(b"/plain").await.unwrap();
        serve.line_with(r#""sender":"Remove""#).unwrap();
    }
    drop(sftp);
    // Nor did any of them make a line of its own.
    let users = serve
        .seen()
        .iter()
        .filter(|line| line.contains("\"forged\":"));
    assert_eq!(users.count(), 0);
    for line in serve.seen() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[tokio::test]
async fn marks_of_direction_and_letters_nobody_sees_are_letters_of_a_name() {
    let (server, mut sftp) = super::alice().await;
    let names = [
        "a\u{202e}b",
        "a\u{200b}b",
        "\u{feff}",
        "e\u{301}",
        "\u{e9}",
        "ab",
    ];
    for name in names {
        let path = format!("/{name}").into_bytes();
        sftp.put(&path, name.as_bytes()).await.unwrap();
    }
    // None is taken for another.
    for name in names {
        let path = format!("/{name}").into_bytes();
        assert_eq!(sftp.get(&path).await.unwrap(), name.as_bytes());
    }
    assert_eq!(super::names_in(&server.home("alice")).len(), names.len());
}
