//! Names of accounts (CVE-2026-30915, CVE-2025-47812): free text that becomes the name of a directory, a line of the log
//! and a key of the database, and never anything else.

use std::path::Path;

use sftpgo_testkit::{Account, FileClient as _, TestServer, request};

/// Adds an account whose home is made up from its name; the status of the reply.
async fn add(server: &TestServer, name: &str) -> u16 {
    let account = Account::new(name).json(Path::new(""));
    let reply = request(server.http_address(), "POST", "/api/v1/user", &account).await;
    reply.status
}

#[tokio::test]
async fn a_home_is_one_directory_below_the_base_for_every_name() {
    let base = tempfile::tempdir().unwrap();
    let homes = base.path().join("homes");
    let server = TestServer::builder()
        .set("data_provider.users_base_dir", homes.to_str().unwrap())
        .start()
        .await;
    for name in [
        "",
        ".",
        "..",
        "../other",
        "a/../b",
        "/etc",
        "a/b",
        "a\\b",
        "..\\x",
        "a\0b",
        "a\nb",
        "\u{1b}[2J",
        "a\u{7f}",
        "a\u{85}b",
    ] {
        assert_eq!(add(&server, name).await, 400, "{name:?}");
    }
    // Look-alikes, placeholders and patterns are names, each of an account of its own.
    let names = [
        "alice",
        "Alice",
        "\u{430}lice",
        "ali\u{200b}ce",
        "\u{202e}ecila",
        "\u{e9}",
        "e\u{301}",
        "\u{ff0e}\u{ff0e}",
        "\u{2025}",
        "...",
        ".. ",
        "%username%",
        "{{.Name}}",
        "$HOME",
        "~",
        "-rf *",
        "' OR '1'='1",
        "x\"; DROP TABLE users; --",
    ];
    for name in names {
        assert_eq!(add(&server, name).await, 200, "{name:?}");
        let mut sftp = server.sftp(name).await;
        sftp.put(b"/whose", name.as_bytes()).await.unwrap();
    }
    let mut expected: Vec<_> = names.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(super::names_in(&homes), expected);
    for name in names {
        let whose = std::fs::read(homes.join(name).join("whose")).unwrap();
        assert_eq!(whose, name.as_bytes());
    }
    assert_eq!(super::names_in(base.path()), ["homes"]);
}
