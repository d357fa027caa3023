//! SSH commands that are operations of a session: hashes, `cd`, `pwd`, `df` (reference 8).

use std::fs;
use std::os::unix::fs::symlink;

use sftpgo_testkit::corpus::{self, Meaning};
use sftpgo_testkit::{Account, FileClient as _, Ran, Sftp, TestServer, until, within};
use sftpgo_wire::sftp::OpenFlags;
use sftpgo_wire::sftp::client::write;

use super::programs::{ran, scene};

fn succeeded(ran: Ran, output: &str) {
    assert_eq!((ran.status, ran.text().as_str()), (Some(0), output));
    assert_eq!(ran.stderr, b"");
}

fn failed(ran: Ran, output: &str) {
    assert_eq!((ran.status, ran.text().as_str()), (Some(1), output));
}

const EMPTY: [(&str, &str); 4] = [
    ("md5sum", "d41d8cd98f00b204e9800998ecf8427e"),
    ("sha1sum", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    (
        "sha256sum",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    (
        "sha384sum",
        "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    ),
];

#[tokio::test]
async fn cd_does_nothing_and_pwd_prints_the_root() {
    let (_server, client) = scene(Account::new("alice")).await;
    succeeded(ran(&client, "cd").await, "");
    succeeded(ran(&client, "cd /no/such; rm x").await, "");
    succeeded(ran(&client, "pwd").await, "/\n");
}

#[tokio::test]
async fn what_is_no_command_or_not_enabled_is_refused_and_the_connection_goes_on() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let client = server.login("alice").await;
    let refused = [
        "ls",
        "echo hello",
        "sh -c id",
        "/usr/bin/md5sum x",
        "sha256sum x",
        "pwd'",
        "rsync --server . /",
        "scp -t /",
        "true; pwd",
        "#pwd",
        "",
    ];
    for command in refused {
        assert_eq!(
            client.exec(command.as_bytes(), b"").await,
            None,
            "{command}"
        );
    }
    succeeded(ran(&client, "pwd").await, "/\n");
}

#[tokio::test]
async fn the_hash_of_standard_input_is_printed_with_a_dash() {
    let (_server, client) = scene(Account::new("alice")).await;
    for (command, digest) in EMPTY {
        succeeded(ran(&client, command).await, &format!("{digest}  -\n"));
        // Also where it is named, or where an option is all there is.
        for argument in ["-", "-b", "--text"] {
            succeeded(
                ran(&client, &format!("{command} {argument}")).await,
                &format!("{digest}  -\n"),
            );
        }
    }
    // More than one packet: the reference hashed at most 4096 bytes.
    let input = vec![b'x'; 3 << 20];
    let hashed = client.exec(b"sha1sum", &input).await.unwrap();
    succeeded(hashed, "29d0554bd32045956135c3a22bb99d3531249f22  -\n");
}

#[tokio::test]
async fn the_hash_of_a_file_is_printed_with_its_absolute_path() {
    let (server, client) = scene(Account::new("alice")).await;
    let home = server.home("alice");
    fs::create_dir(home.join("a dir")).unwrap();
    for name in [
        "empty",
        "a dir/it's",
        "back\\slash",
        "line\nbreak",
        "-b",
        "--x",
    ] {
        fs::write(home.join(name), b"").unwrap();
    }
    let md5 = EMPTY[0].1;
    let cases = [
        ("md5sum empty", format!("{md5}  /empty\n")),
        (
            "md5sum -b ../.././a\\ dir/../empty",
            format!("{md5}  /empty\n"),
        ),
        ("md5sum '/a dir/it'\\''s'", format!("{md5}  /a dir/it's\n")),
        ("md5sum \"'/a dir/it's'\"", format!("{md5}  /a dir/it's\n")),
        // As coreutils: a mark, so that one line is one file.
        ("md5sum 'back\\slash'", format!("\\{md5}  /back\\\\slash\n")),
        ("md5sum 'line\nbreak'", format!("\\{md5}  /line\\nbreak\n")),
        ("md5sum -- -b", format!("{md5}  /-b\n")),
        ("md5sum --x", format!("{md5}  /--x\n")),
        ("md5sum empty -- -b", format!("{md5}  /empty\n{md5}  /-b\n")),
    ];
    for (command, output) in cases {
        succeeded(ran(&client, command).await, &output);
    }
}

/// Of what is in one buffer, of what is in many, and of what FIPS 180 and RFC 1321 have an answer for.
#[tokio::test]
async fn digests_are_those_that_others_compute() {
    let (server, client) = scene(Account::new("alice")).await;
    let home = server.home("alice");
    let large: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
    for (name, content) in [("abc", &b"abc"[..]), ("large", &large)] {
        fs::write(home.join(name), content).unwrap();
        for command in ["md5sum", "sha1sum", "sha256sum", "sha384sum", "sha512sum"] {
            // The program of coreutils of the same name.
            let output = std::process::Command::new(command)
                .arg(home.join(name))
                .output()
                .unwrap();
            let printed = String::from_utf8(output.stdout).unwrap();
            let digest = printed.split_once("  ").unwrap().0;
            let of_file = ran(&client, &format!("{command} {name}")).await;
            succeeded(of_file, &format!("{digest}  /{name}\n"));
            let of_input = client.exec(command.as_bytes(), content).await.unwrap();
            succeeded(of_input, &format!("{digest}  -\n"));
        }
    }
    let known = [
        ("md5sum", "900150983cd24fb0d6963f7d28e17f72"),
        ("sha1sum", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ];
    for (command, digest) in known {
        let expected = format!("{digest}  /abc\n");
        succeeded(ran(&client, &format!("{command} /abc")).await, &expected);
    }
}

#[tokio::test]
async fn a_hash_that_cannot_be_had_is_a_line_and_status_one() {
    let (server, client) = scene(Account::new("alice")).await;
    fs::create_dir(server.home("alice").join("dir")).unwrap();
    fs::write(server.home("alice").join("file"), b"").unwrap();
    failed(
        ran(&client, "md5sum /gone").await,
        "md5sum: /gone No Such File\n",
    );
    let md5 = EMPTY[0].1;
    failed(
        ran(&client, "md5sum gone file").await,
        &format!("md5sum: /gone No Such File\n{md5}  /file\n"),
    );
    failed(
        ran(&client, "md5sum --check list").await,
        "md5sum: this option is not supported\n",
    );
    assert_eq!(ran(&client, "md5sum /dir").await.status, Some(1));
    assert_eq!(ran(&client, "md5sum /").await.status, Some(1));
    assert_eq!(ran(&client, "md5sum file/x").await.status, Some(1));
    let metrics = server.core().metrics();
    assert_eq!(metrics.ssh_command_errors.value(), 6);
    assert_eq!(metrics.ssh_commands.value(), 1);
}

#[tokio::test]
async fn a_hash_needs_list_and_an_allowed_name_also_behind_links() {
    let account = Account::new("alice")
        .permit("/closed", "download,upload")
        .permit("/listed", "list")
        .with(
            "filters",
            serde_json::json!({ "file_extensions": [
            { "path": "/open", "allowed_extensions": [], "denied_extensions": [".key"] }
        ] }),
        );
    let (server, client) = scene(account).await;
    let home = server.home("alice");
    for directory in ["closed", "listed", "open"] {
        fs::create_dir(home.join(directory)).unwrap();
        fs::write(home.join(directory).join("file"), b"").unwrap();
    }
    fs::write(home.join("open/a.KEY"), b"").unwrap();
    symlink("../closed/file", home.join("open/link")).unwrap();
    symlink("../closed", home.join("open/dir")).unwrap();
    symlink("a.KEY", home.join("open/text")).unwrap();
    symlink("/etc/passwd", home.join("open/outside")).unwrap();
    assert_eq!(ran(&client, "sha1sum /listed/file").await.status, Some(0));
    assert_eq!(ran(&client, "sha1sum /open/file").await.status, Some(0));
    for path in [
        "/closed/file",
        "/closed/gone",
        "/open/a.KEY",
        "/open/link",
        "/open/dir/file",
        "/open/text",
        "/open/outside",
    ] {
        let answer = ran(&client, &format!("sha1sum {path}")).await;
        assert_eq!(answer.status, Some(1), "{path}");
        assert!(
            answer.text().contains("Permission Denied"),
            "{path}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_virtual_folder_is_hashed_under_its_virtual_path() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), b"").unwrap();
    let account = Account::new("alice").with(
        "virtual_folders",
        serde_json::json!([{ "virtual_path": "/deep/vdir", "mapped_path": outside.path() }]),
    );
    let (_server, client) = scene(account).await;
    let expected = format!("{}  /deep/vdir/file\n", EMPTY[1].1);
    succeeded(ran(&client, "sha1sum deep/vdir/file").await, &expected);
}

#[tokio::test]
async fn every_spelling_of_a_path_is_decided_as_its_canonical_form() {
    let account = Account::new("alice").permit("/closed", "");
    let (server, client) = scene(account).await;
    let home = server.home("alice");
    fs::create_dir(home.join("closed")).unwrap();
    fs::write(home.join("closed/secret.txt"), b"secret").unwrap();
    for spelling in corpus::spellings("/closed/secret.txt") {
        // What a shell's quoting cannot carry is refused before it is a path.
        if spelling.raw.contains(&0) || spelling.raw.len() > 60_000 {
            continue;
        }
        let quoted = spelling
            .raw
            .split(|byte| *byte == b'\'')
            .collect::<Vec<_>>()
            .join(&b"'\\''"[..]);
        let command = [b"md5sum '", &quoted[..], b"'"].concat();
        let answer = client.exec(&command, b"").await;
        let Some(answer) = answer else { continue };
        assert_eq!(
            answer.status,
            Some(1),
            "{}: {}",
            spelling.shown(),
            answer.text()
        );
        if spelling.meaning == Meaning::Same {
            assert!(
                answer.text().contains("Permission Denied"),
                "{}: {}",
                spelling.shown(),
                answer.text()
            );
        }
    }
}

#[tokio::test]
async fn df_shows_the_space_that_the_quota_leaves() {
    let (_server, client) = scene(Account::new("alice").quota(0, 8 << 20)).await;
    for command in ["df", "df -k /", "df -Pk ."] {
        let answer = ran(&client, command).await;
        assert_eq!(answer.status, Some(0));
        let text = answer.text();
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[1], ["sftpgo", "8192", "0", "8192", "0%", "/"]);
    }
    assert_eq!(ran(&client, "df -k /gone").await.status, Some(1));
    assert_eq!(ran(&client, "df --output=source /").await.status, Some(1));
}

#[tokio::test]
async fn a_command_whose_client_leaves_ends_and_is_counted_as_failed() {
    let (server, client) = scene(Account::new("alice")).await;
    let waiting = client.start(b"md5sum").await.unwrap();
    let rows = || server.core().registry().connections();
    until("the row comes", async || !rows().is_empty()).await;
    let row = &rows()[0];
    assert_eq!(
        (row.command.as_str(), row.protocol.as_str()),
        ("md5sum", "SSH")
    );
    within("the end of the channel", waiting.close())
        .await
        .unwrap();
    until("the row goes", async || rows().is_empty()).await;
    assert_eq!(server.core().metrics().ssh_command_errors.value(), 1);
    succeeded(ran(&client, "pwd").await, "/\n");
    let _waiting = client.start(b"sha1sum").await.unwrap();
    until("the row comes", async || !rows().is_empty()).await;
    client.vanish();
    until("the row goes", async || rows().is_empty()).await;
    assert_eq!(server.core().metrics().ssh_command_errors.value(), 2);
}

#[tokio::test]
async fn commands_run_side_by_side_with_sftp_on_one_connection() {
    let (server, client) = scene(Account::new("alice")).await;
    let client = std::sync::Arc::new(client);
    let mut sftp = Sftp::open(client.clone()).await.unwrap();
    let waiting = client.start(b"md5sum").await.unwrap();
    sftp.put(b"/file", b"abc").await.unwrap();
    succeeded(
        ran(&client, "md5sum file").await,
        "900150983cd24fb0d6963f7d28e17f72  /file\n",
    );
    let rows = async || server.core().registry().connections().len() == 2;
    until("both are listed, and nothing else", rows).await;
    drop(waiting);
}

#[tokio::test]
async fn a_stalled_upload_does_not_hold_up_its_neighbours_on_the_connection() {
    let (server, client) = scene(Account::new("alice").with("upload_bandwidth", 1)).await;
    fs::write(server.home("alice").join("large"), vec![b'l'; 24 << 20]).unwrap();
    let client = std::sync::Arc::new(client);
    let mut slow = Sftp::open(client.clone()).await.unwrap();
    let handle = slow
        .open_file(b"/slow", OpenFlags::WRITE | OpenFlags::CREATE)
        .await
        .unwrap();
    // More than the server takes of it in an hour, and more than it is willing to keep.
    for number in 0..160 {
        let offset = number * 32_768;
        slow.send(|out, id| write(out, id, &handle, offset, &[b's'; 32_768]));
    }
    // More than one window of the client, so that its adjustments must get through.
    let mut quick = Sftp::open(client.clone()).await.unwrap();
    assert_eq!(quick.get(b"/large").await.unwrap().len(), 24 << 20);
    let hashed = client.exec(b"md5sum", &[b'x'; 3 << 20]).await.unwrap();
    assert_eq!(hashed.status, Some(0));
}
