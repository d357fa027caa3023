//! What is told of files and SSH commands, and of what nothing is told.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use sftpgo_testkit::{Account, FileClient as _, ScpFiles, Sftp, TestServer, until};
use sftpgo_wire::sftp::{Attrs, Extension, OpenFlags};

use super::{NOTES, in_order, lines};
use crate::hooks::Scripts;
use crate::hooks::service::Service;

const ALL: [&str; 5] = ["download", "upload", "delete", "rename", "ssh_cmd"];

/// A server that tells a script of everything, in order, and alice.
async fn told_of_everything(scripts: &Scripts) -> TestServer {
    let program = scripts.script("notes", NOTES);
    let server = TestServer::builder()
        .set("sftpd.enabled_ssh_commands", vec!["*"])
        .set(
            "sftpd.actions",
            in_order(&ALL, &json!({ "command": program })),
        )
        .start()
        .await;
    server.add(Account::new("alice")).await;
    server
}

/// Runs a command of which an action is told.
async fn ran(sftp: &Sftp, command: &str) {
    let ran = sftp.ssh().exec(command.as_bytes(), b"").await.unwrap();
    assert_eq!(ran.status, Some(0), "{command}");
}

/// How a path is written in a query.
fn encoded(path: &Path) -> String {
    path.to_str().unwrap().replace('/', "%2F")
}

#[tokio::test]
async fn every_event_is_told_with_its_arguments_and_variables_and_with_its_query() {
    let scripts = Scripts::new();
    let service = Service::saying(200, "").await;
    let actions = json!({
        "command": scripts.script("notes", NOTES),
        "http_notification_url": service.url("/told?token=t").replace("http://", "http://svc:p%40ss@"),
    });
    let server = TestServer::builder()
        .set("sftpd.enabled_ssh_commands", vec!["*"])
        .set("sftpd.actions", in_order(&ALL, &actions))
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let home = server.home("alice");
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/a.txt", b"0123456789").await.unwrap();
    sftp.put(b"/empty", b"").await.unwrap();
    sftp.append(b"/a.txt", b"01234").await.unwrap();
    sftp.get_from(b"/a.txt", 5).await.unwrap();
    sftp.rename(b"/a.txt", b"/b").await.unwrap();
    ran(&sftp, "md5sum empty b").await;
    ran(&sftp, "pwd").await;
    ran(&sftp, "cd /no/such/../dir/").await;
    sftp.remove(b"/b").await.unwrap();

    let at = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let (a, b, empty, dir) = (at("a.txt"), at("b"), at("empty"), at("no/dir"));
    let expected = [
        format!("5;upload;alice;{a};;;10;true;same"),
        format!("5;upload;alice;{empty};;;;true;same"),
        format!("5;upload;alice;{a};;;15;true;same"),
        format!("5;download;alice;{a};;;10;true;same"),
        format!("5;rename;alice;{a};{b};;;true;same"),
        format!("5;ssh_cmd;alice;{b};;md5sum;;true;same"),
        "5;ssh_cmd;alice;;;pwd;;true;same".to_owned(),
        format!("5;ssh_cmd;alice;{dir};;cd;;true;same"),
        format!("5;delete;alice;{b};;;15;true;same"),
    ];
    assert_eq!(lines(&scripts, "told", expected.len()).await, expected);

    until("the URL to be told", async || {
        service.seen().len() == expected.len()
    })
    .await;
    let at = |name: &str| encoded(&home.join(name));
    let (a, b, empty, dir) = (at("a.txt"), at("b"), at("empty"), at("no/dir"));
    let queries = [
        format!("action=upload&file_size=10&local_file=true&path={a}&username=alice"),
        format!("action=upload&local_file=true&path={empty}&username=alice"),
        format!("action=upload&file_size=15&local_file=true&path={a}&username=alice"),
        format!("action=download&file_size=10&local_file=true&path={a}&username=alice"),
        format!("action=rename&local_file=true&path={a}&target_path={b}&username=alice"),
        format!("action=ssh_cmd&local_file=true&path={b}&ssh_cmd=md5sum&username=alice"),
        "action=ssh_cmd&local_file=true&path=&ssh_cmd=pwd&username=alice".to_owned(),
        format!("action=ssh_cmd&local_file=true&path={dir}&ssh_cmd=cd&username=alice"),
        format!("action=delete&file_size=15&local_file=true&path={b}&username=alice"),
    ];
    for (request, query) in service.seen().iter().zip(queries) {
        assert_eq!(request.line, format!("GET /told?token=t&{query}"));
        assert_eq!(request.headers["authorization"], "Basic c3ZjOnBAc3M=");
        assert_eq!(request.body, "");
    }
    let metrics = server.core().metrics();
    until("all to be counted", async || metrics.actions.value() == 9).await;
    assert_eq!(metrics.action_errors.value(), 0);
}

#[tokio::test]
async fn nothing_is_told_of_what_is_no_event_or_has_failed() {
    let scripts = Scripts::new();
    let server = told_of_everything(&scripts).await;
    let home = server.home("alice");
    let mut sftp = server.sftp("alice").await;
    sftp.mkdir(b"/dir").await.unwrap();
    sftp.rmdir(b"/dir").await.unwrap();
    fs::write(home.join("file"), b"12345").unwrap();
    sftp.symlink(b"file", b"/link").await.unwrap();
    let mode = Attrs {
        permissions: Some(0o600),
        size: Some(3),
        ..Attrs::EMPTY
    };
    sftp.setstat(b"/file", &mode).await.unwrap();
    let second = Extension::Hardlink {
        from: Bytes::from_static(b"/file"),
        to: Bytes::from_static(b"/second"),
    };
    sftp.extended(&second).await.unwrap();
    sftp.stat(b"/file").await.unwrap();
    sftp.list(b"/").await.unwrap();
    for path in [&b"/missing"[..], b"/"] {
        sftp.get(path).await.unwrap_err();
        sftp.remove(path).await.unwrap_err();
        sftp.rename(path, b"/new").await.unwrap_err();
    }
    let failed = sftp.ssh().exec(b"md5sum missing", b"").await.unwrap();
    assert_eq!(failed.status, Some(1));
    assert_eq!(sftp.ssh().exec(b"no-such-command", b"").await, None);
    // Transfers whose client goes away.
    let mut other = server.sftp("alice").await;
    let write = OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0);
    let handle = other.open_file(b"/half", write).await.unwrap();
    other.write(&handle, 0, b"half").await.unwrap();
    let handle = other.open_file(b"/file", OpenFlags::READ).await.unwrap();
    other.read(&handle, 0, 2).await.unwrap();
    other.vanish();
    let metrics = server.core().metrics();
    until("both transfers to have failed", async || {
        metrics.uploads.failed.value() == 1 && metrics.downloads.failed.value() == 1
    })
    .await;
    ran(&sftp, "pwd").await;
    let told = lines(&scripts, "told", 1).await;
    assert_eq!(told, ["5;ssh_cmd;alice;;;pwd;;true;same"]);
}

#[tokio::test]
async fn scp_is_uploads_and_downloads_and_no_command() {
    let scripts = Scripts::new();
    let server = told_of_everything(&scripts).await;
    let home = server.home("alice");
    let mut scp = ScpFiles::new(server.sftp("alice").await);
    scp.put(b"/file", b"123").await.unwrap();
    scp.get(b"/file").await.unwrap();
    scp.put(b"/no/such/dir/file", b"123").await.unwrap_err();
    scp.remove_file(b"/file").await.unwrap();
    let file = home.join("file");
    let file = file.to_str().unwrap();
    let told = lines(&scripts, "told", 3).await;
    assert_eq!(
        told,
        [
            format!("5;upload;alice;{file};;;3;true;same"),
            format!("5;download;alice;{file};;;3;true;same"),
            format!("5;delete;alice;{file};;;3;true;same"),
        ]
    );
}

#[tokio::test]
async fn a_download_that_is_closed_early_and_one_through_a_handle_that_writes_are_told() {
    let scripts = Scripts::new();
    let server = told_of_everything(&scripts).await;
    let home = server.home("alice");
    let mut sftp = server.sftp("alice").await;
    fs::write(home.join("file"), b"0123456789").unwrap();
    let handle = sftp.open_file(b"/file", OpenFlags::READ).await.unwrap();
    sftp.read(&handle, 0, 4).await.unwrap();
    sftp.close(&handle).await.unwrap();
    let both = OpenFlags(OpenFlags::READ.0 | OpenFlags::WRITE.0);
    let handle = sftp.open_file(b"/file", both).await.unwrap();
    sftp.read(&handle, 0, 7).await.unwrap();
    // Bytes over bytes: the file has ten.
    sftp.write(&handle, 0, b"abcdef").await.unwrap();
    sftp.write(&handle, 0, b"abcdef").await.unwrap();
    sftp.close(&handle).await.unwrap();
    let file = home.join("file");
    let file = file.to_str().unwrap();
    let mut told = lines(&scripts, "told", 3).await;
    told[1..].sort();
    assert_eq!(
        told,
        [
            format!("5;download;alice;{file};;;4;true;same"),
            format!("5;download;alice;{file};;;7;true;same"),
            format!("5;upload;alice;{file};;;10;true;same"),
        ]
    );
}

#[tokio::test]
async fn a_file_is_whole_and_has_its_name_when_it_is_told_of_in_every_mode() {
    for upload_mode in 0..3 {
        let scripts = Scripts::new();
        let program = scripts.script(
            "reads",
            r#"printf '%s %s\n' "$3" "$(cat "$3")" >> "$here/told""#,
        );
        let server = TestServer::builder()
            .upload_mode(upload_mode)
            .set(
                "sftpd.actions",
                in_order(&["upload"], &json!({ "command": program })),
            )
            .start()
            .await;
        let mapped = scripts.file("mapped");
        fs::create_dir(&mapped).unwrap();
        let folders = json!([{ "virtual_path": "/folder", "mapped_path": mapped }]);
        let account = Account::new("alice").with("virtual_folders", folders);
        server.add(account).await;
        let home = server.home("alice");
        let mut sftp = server.sftp("alice").await;
        sftp.put(b"/file", b"whole").await.unwrap();
        sftp.put(b"/folder/file", b"elsewhere").await.unwrap();
        let told = lines(&scripts, "told", 2).await;
        let line = |file: &Path, content: &str| format!("{} {content}", file.display());
        let expected = [
            line(&home.join("file"), "whole"),
            line(&mapped.join("file"), "elsewhere"),
        ];
        assert_eq!(told, expected, "mode {upload_mode}");
    }
}

#[tokio::test]
async fn only_events_that_are_named_are_told() {
    let scripts = Scripts::new();
    let program = scripts.script("notes", NOTES);
    let server = TestServer::builder()
        .set(
            "sftpd.actions",
            in_order(&["delete"], &json!({ "command": program })),
        )
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", b"1").await.unwrap();
    sftp.get(b"/file").await.unwrap();
    sftp.remove(b"/file").await.unwrap();
    let told = lines(&scripts, "told", 1).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("5;delete;"), "{told:?}");
    // Nothing more comes: that was the last event, and one runs at a time.
    server.drain(std::time::Duration::from_secs(5)).await;
    assert_eq!(scripts.lines("told"), 1);
}

#[tokio::test]
async fn names_reach_a_program_and_a_url_byte_by_byte_and_no_shell() {
    let scripts = Scripts::new();
    let service = Service::saying(200, "").await;
    let program = scripts.script("bytes", r#"printf '%s\0' "$@" >> "$here/told""#);
    let actions = json!({ "command": program, "http_notification_url": service.url("/") });
    let server = TestServer::builder()
        .set("sftpd.actions", in_order(&["upload"], &actions))
        .start()
        .await;
    server.add(Account::new("-rf")).await;
    let home = server.home("-rf");
    let mut sftp = Sftp::open(Arc::new(server.login("-rf").await))
        .await
        .unwrap();
    let names: [&[u8]; 5] = [
        b"-n",
        b"a b'\"$(touch pwned)`id`;&|*",
        b"line\nbreak",
        b"\xff\xfe",
        "Gr\u{fc}\u{df}e".as_bytes(),
    ];
    for name in names {
        sftp.put(&[b"/", name].concat(), b"1").await.unwrap();
    }
    until("all to be told", async || {
        fs::read(scripts.file("told")).is_ok_and(|told| told.split(|byte| *byte == 0).count() == 26)
            && service.seen().len() == 5
    })
    .await;
    let told = fs::read(scripts.file("told")).unwrap();
    let told: Vec<&[u8]> = told.split(|byte| *byte == 0).collect();
    for (arguments, name) in told.chunks(5).zip(names) {
        let path = [home.to_str().unwrap().as_bytes(), b"/", name].concat();
        assert_eq!(arguments, [&b"upload"[..], b"-rf", &path, b"", b""]);
    }
    let lines: Vec<String> = service.seen().into_iter().map(|seen| seen.line).collect();
    assert!(lines[2].contains("line%0Abreak&username=-rf"), "{lines:?}");
    assert!(lines[3].contains("%2F%FF%FE&username"), "{lines:?}");
    assert!(lines[4].contains("Gr%C3%BC%C3%9Fe"), "{lines:?}");
    assert!(!home.join("pwned").exists() && !scripts.file("pwned").exists());
}
