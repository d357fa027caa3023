//! What the operating system has a say in: permission errors (TestOpenError), owners, the log, and a crash.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;
use sftpgo_testkit::{Account, FileClient as _, Refusal, TestServer, request};
use sftpgo_wire::sftp::{Attrs, OpenFlags};
use tempfile::TempDir;

use crate::program::run;
use crate::requests::{Ask, REPLACE, WRITE};
use crate::running::{Serve, add_user, configured};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// TestOpenError: what the system does not allow the server is PERMISSION_DENIED, whatever was asked.
#[tokio::test]
async fn what_the_system_forbids_is_permission_denied() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let home = directory.path().join("homes/alice");
    for name in ["closed/below", "fixed/below"] {
        fs::create_dir_all(home.join(name)).unwrap();
    }
    for name in ["closed/file", "fixed/file", "unreadable", "mine"] {
        fs::write(home.join(name), b"content").unwrap();
    }
    let serve = Serve::start_unprivileged(directory.path());
    set_mode(&home.join("closed"), 0o000);
    set_mode(&home.join("fixed"), 0o500);
    set_mode(&home.join("unreadable"), 0o000);
    let mut sftp = serve.sftp("alice").await;
    let rows = [
        Ask::List(b"/closed"),
        Ask::Stat(b"/closed/file"),
        Ask::Lstat(b"/closed/file"),
        Ask::Get(b"/closed/file"),
        Ask::Put(b"/closed/new"),
        Ask::MkDir(b"/closed/new"),
        Ask::Mode(b"/closed/file", 0o600),
        Ask::Size(b"/closed/file", 0),
        Ask::Rename(b"/mine", b"/closed/mine"),
        Ask::PosixRename(b"/closed/file", b"/moved"),
        Ask::ReadLink(b"/closed/file"),
        Ask::Put(b"/fixed/new"),
        Ask::MkDir(b"/fixed/new"),
        Ask::Remove(b"/fixed/file"),
        Ask::RmDir(b"/fixed/below"),
        Ask::Rename(b"/mine", b"/fixed/mine"),
        Ask::PosixRename(b"/mine", b"/fixed/file"),
        Ask::Rename(b"/fixed/file", b"/moved"),
        Ask::Symlink(b"/mine", b"/fixed/link"),
        Ask::Get(b"/unreadable"),
        Ask::Open(b"/unreadable", WRITE),
        Ask::Put(b"/unreadable"),
        Ask::Size(b"/unreadable", 0),
    ];
    for ask in rows {
        let answer = ask.of(&mut sftp).await;
        let refused = answer.expect_err(&format!("{ask:?} was not refused"));
        assert_eq!(refused.kind, Refusal::Denied, "{ask:?}: {refused:?}");
    }
    assert_eq!(sftp.get(b"/mine").await.unwrap(), b"content");
    set_mode(&home.join("closed"), 0o700);
    assert_eq!(sftp.get(b"/closed/file").await.unwrap(), b"content");
}

/// Ids to give to files: any for root, and the own ones for everybody else.
fn ids(uid: u32, gid: u32) -> (u32, u32) {
    let own = rustix::process::getuid();
    if own.is_root() {
        (uid, gid)
    } else {
        (own.as_raw(), rustix::process::getgid().as_raw())
    }
}

fn owner(path: &Path) -> (u32, u32) {
    let metadata = fs::symlink_metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
}

#[tokio::test]
async fn new_files_and_directories_belong_to_the_ids_of_the_account() {
    let ids = ids(12_345, 23_456);
    for mode in 0..3 {
        let server = TestServer::builder().upload_mode(mode).start().await;
        let account = Account::new("alice").with("uid", ids.0).with("gid", ids.1);
        server.add(account).await;
        let mut sftp = server.sftp("alice").await;
        let home = server.home("alice");
        sftp.put(b"/file", b"content").await.unwrap();
        sftp.mkdir(b"/dir").await.unwrap();
        for path in [home.clone(), home.join("file"), home.join("dir")] {
            assert_eq!(owner(&path), ids, "mode {mode}: {}", path.display());
        }
    }
}

/// Departure: the reference gave what is renamed to the ids of the account once more (6.8).
#[tokio::test]
async fn a_rename_and_an_overwrite_leave_the_owner_alone() {
    let (account_ids, other) = (ids(12_345, 23_456), ids(111, 222));
    for mode in 0..3 {
        let server = TestServer::builder().upload_mode(mode).start().await;
        let account = Account::new("alice").with("uid", account_ids.0);
        server.add(account.with("gid", account_ids.1)).await;
        let mut sftp = server.sftp("alice").await;
        let home = server.home("alice");
        sftp.put(b"/file", b"content").await.unwrap();
        sftp.mkdir(b"/dir").await.unwrap();
        for name in ["file", "dir"] {
            chown(home.join(name), Some(other.0), Some(other.1)).unwrap();
        }
        sftp.rename(b"/file", b"/moved").await.unwrap();
        sftp.plain_rename(b"/dir", b"/moved-dir").await.unwrap();
        sftp.put(b"/moved", b"other content").await.unwrap();
        for name in ["moved", "moved-dir"] {
            assert_eq!(owner(&home.join(name)), other, "mode {mode}: {name}");
        }
    }
}

/// Departure: the reference wrote the access time in both places (14.4).
#[tokio::test]
async fn the_command_log_tells_both_times_that_were_set() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let mut serve = Serve::start_logging(directory.path());
    let mut sftp = serve.sftp("alice").await;
    sftp.put(b"/file", b"content").await.unwrap();
    let times = Attrs {
        times: Some((1_000_000_000, 1_100_000_000)),
        ..Attrs::EMPTY
    };
    sftp.setstat(b"/file", &times).await.unwrap();
    let line = serve.line_with(r#""sender":"Chtimes""#).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    // The seconds are the same in every zone.
    let told = |name: &str| line[name].as_str().unwrap().to_owned();
    let (accessed, modified) = (told("access_time"), told("modification_time"));
    assert!(
        accessed.starts_with("2001-09-") && accessed.ends_with(":40"),
        "{accessed}"
    );
    assert!(
        modified.starts_with("2004-11-") && modified.ends_with(":20"),
        "{modified}"
    );
}

/// A server with a database, `alice` with these limits, and the end of it in the middle of an upload.
async fn crash(quota: i64, uploading: usize) -> (TempDir, i64, i64) {
    let directory = configured(&Value::Null);
    let serve = Serve::start(directory.path(), &[]);
    let home = directory.path().join("alice");
    let account = Account::new("alice").quota(0, quota).json(&home);
    let reply = request(serve.http, "POST", "/api/v1/user", &account).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut sftp = serve.sftp("alice").await;
    sftp.put(b"/whole", &[b'w'; 100_000]).await.unwrap();
    // What is shown has been stored.
    let shown = request(
        serve.http,
        "GET",
        "/api/v1/user?username=alice",
        &Value::Null,
    )
    .await;
    assert_eq!(shown.json()[0]["used_quota_size"], 100_000);
    let handle = sftp.open_file(b"/part", REPLACE).await.unwrap();
    sftp.write(&handle, 0, &vec![b'p'; uploading])
        .await
        .unwrap();
    serve.signal(Signal::KILL);
    let (status, _) = serve.wait();
    assert!(!status.success());
    let output = run(directory.path(), &["user", "show", "alice", "--json"], "");
    let user: Value = serde_json::from_slice(&output.stdout).unwrap();
    let real = sftpgo_testkit::usage(&home).bytes;
    let counted = user["used_quota_size"].as_i64().unwrap();
    (directory, counted, real)
}

#[tokio::test]
async fn a_crash_leaves_no_more_than_a_reservation_in_the_counters() {
    let limit = 1 << 40;
    let (_directory, counted, real) = crash(limit, 200_000).await;
    assert_eq!(real, 300_000);
    let over = counted - real;
    assert!(
        (0..=64 << 20).contains(&over),
        "{over} bytes more than there are"
    );

    // Nobody decides by the counters of an account without a limit: what was not written down yet is missing.
    let (_directory, counted, real) = crash(0, 200_000).await;
    assert!((100_000..=real).contains(&counted), "{counted} of {real}");
}

#[tokio::test]
async fn every_combination_of_flags_opens_what_it_says() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    // READ 1, WRITE 2, APPEND 4, CREAT 8, TRUNC 16, EXCL 32 (draft 6.3).
    for bits in 0..64 {
        let flags = OpenFlags(bits);
        let has = |flag: OpenFlags| flags.contains(flag);
        let writes = bits & 0b1_1110 != 0;
        let exclusive = has(OpenFlags::CREATE) && has(OpenFlags::EXCLUSIVE);
        for there in [true, false] {
            let _ = fs::remove_file(home.join("file"));
            if there {
                fs::write(home.join("file"), b"content").unwrap();
            }
            let expected = match (writes, there) {
                (false, _) if !has(OpenFlags::READ) => Some(Refusal::Failed),
                (false, false) => Some(Refusal::NotFound),
                (true, false) if !has(OpenFlags::CREATE) => Some(Refusal::NotFound),
                (true, true) if exclusive => Some(Refusal::Failed),
                _ => None,
            };
            let opened = sftp.open_file(b"/file", flags).await;
            let kind = opened.as_ref().err().map(|refused| refused.kind);
            assert_eq!(kind, expected, "{flags:?}, there: {there}");
            let Ok(handle) = opened else { continue };
            assert_eq!(
                sftp.write(&handle, 7, b"!").await.is_ok(),
                writes,
                "{flags:?}"
            );
            let read = sftp.read(&handle, 0, 7).await;
            assert_eq!(read.is_ok(), has(OpenFlags::READ), "{flags:?}: {read:?}");
            sftp.close(&handle).await.unwrap();
            let kept = there && !has(OpenFlags::TRUNCATE);
            let start = if kept { &b"content"[..] } else { &[0; 7] };
            let stored = fs::read(home.join("file")).unwrap();
            let appended = has(OpenFlags::APPEND) && !kept;
            let expected = match (writes, appended) {
                (false, _) => b"content".to_vec(),
                (true, false) => [start, b"!"].concat(),
                (true, true) => b"!".to_vec(),
            };
            assert_eq!(stored, expected, "{flags:?}, there: {there}");
        }
    }
}

/// TestInitialization: settings that the reference puts up with. What stops the start is `serve`'s matter.
#[tokio::test]
async fn a_server_starts_without_its_umask_its_banner_file_or_a_command_it_does_not_know() {
    let settings = serde_json::json!({ "sftpd": {
        "umask": "invalid",
        "login_banner_file": "no-such-file",
        "keyboard_interactive_auth_program": "/no/such/program",
        "enabled_ssh_commands": ["no-such-command", "pwd"],
    }});
    let directory = configured(&settings);
    add_user(directory.path(), "alice");
    let serve = Serve::start(directory.path(), &[]);
    let mut sftp = serve.sftp("alice").await;
    sftp.put(b"/file", b"content").await.unwrap();
}
