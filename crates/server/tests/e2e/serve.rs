//! `sftpgo serve` as an operator starts and stops it.
#![cfg(unix)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use sftpgo_testkit::{Account, FileClient as _, Sftp, SshClient, request};
use sftpgo_wire::sftp::OpenFlags;

use super::program::{free_address, run, sftpgo, text};
use super::running::{Serve, add_user, configured};

const WRITE: OpenFlags = OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0);

#[tokio::test]
async fn an_empty_directory_is_enough_and_says_how_to_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let mut serve = Serve::start(at, &[]);
    let fingerprint = serve
        .seen()
        .iter()
        .find(|line| line.contains("Host key"))
        .unwrap();
    assert!(fingerprint.contains("ssh-ed25519 SHA256:"), "{fingerprint}");
    assert!(
        serve
            .line_with("sftpgo user add alice --home-dir ")
            .is_some()
    );
    let curl = serve.line_with("curl http").unwrap();

    for name in ["sftpgo.db", "id_ed25519", "id_ecdsa", "id_rsa"] {
        let mode = fs::metadata(at.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} is for its owner only");
    }
    for name in ["id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub", "sftpgo.log"] {
        assert!(at.join(name).exists(), "{name}");
    }

    // What the printed line would send.
    assert!(
        curl.contains(&format!("http://{}/api/v1/user", serve.http)),
        "{curl}"
    );
    let body = curl.split_once("-d '").unwrap().1.trim_end_matches('\'');
    let user: Value = serde_json::from_str(body).unwrap();
    let reply = request(serve.http, "POST", "/api/v1/user", &user).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut client = SshClient::connect(serve.ssh, None).await;
    assert!(client.password("alice", "CHOOSE-A-PASSWORD").await);
    let mut sftp = Sftp::open(Arc::new(client)).await.unwrap();
    sftp.put(b"/first", b"file").await.unwrap();
    assert_eq!(
        fs::read(Path::new(user["home_dir"].as_str().unwrap()).join("first")).unwrap(),
        b"file"
    );

    serve.signal(Signal::TERM);
    let (status, said) = serve.wait();
    assert_eq!(status.code(), Some(0), "{said:#?}");
    assert!(
        !at.join("sftpgo.db-wal").exists(),
        "the database was not closed"
    );
}

#[tokio::test]
async fn the_second_start_says_nothing_about_a_first_user() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let serve = Serve::start(directory.path(), &[]);
    serve.signal(Signal::INT);
    let (status, said) = serve.wait();
    assert_eq!(status.code(), Some(0), "{said:#?}");
    assert!(
        !said.iter().any(|line| line.contains("no user yet")),
        "{said:#?}"
    );
}

#[tokio::test]
async fn a_running_transfer_may_end_after_the_signal_to_stop() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let mut serve = Serve::start(directory.path(), &[]);
    let mut sftp = serve.sftp("alice").await;
    let handle = sftp.open_file(b"/slow", WRITE).await.unwrap();
    sftp.write(&handle, 0, b"first ").await.unwrap();
    serve.signal(Signal::TERM);
    assert!(serve.line_with("stopping").is_some());
    sftp.write(&handle, 6, b"last").await.unwrap();
    sftp.close(&handle).await.unwrap();
    let (status, said) = serve.wait();
    assert_eq!(status.code(), Some(0), "{said:#?}");
    let file = directory.path().join("homes/alice/slow");
    assert_eq!(fs::read(file).unwrap(), b"first last");
}

#[tokio::test]
async fn a_second_signal_ends_everything_at_once() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let mut serve = Serve::start(directory.path(), &[]);
    let mut sftp = serve.sftp("alice").await;
    let handle = sftp.open_file(b"/never", WRITE).await.unwrap();
    sftp.write(&handle, 0, b"12345").await.unwrap();
    let begun = Instant::now();
    serve.signal(Signal::TERM);
    assert!(serve.line_with("stopping").is_some());
    serve.signal(Signal::TERM);
    let (status, said) = serve.wait();
    assert_eq!(status.code(), Some(0), "{said:#?}");
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    // What was written in place is there and is counted.
    let output = run(directory.path(), &["user", "show", "alice", "--json"], "");
    let user: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&user["used_quota_files"], &user["used_quota_size"]),
        (&json!(1), &json!(5))
    );
}

#[tokio::test]
async fn a_client_that_does_nothing_does_not_hold_the_stop() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let serve = Serve::start(directory.path(), &[]);
    let _idle = serve.sftp("alice").await;
    let _nobody = SshClient::connect(serve.ssh, None).await;
    let begun = Instant::now();
    serve.signal(Signal::TERM);
    let (status, said) = serve.wait();
    assert_eq!(status.code(), Some(0), "{said:#?}");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_port_in_use_is_an_error_that_names_the_setting_and_changes_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases = [
        (&port[..], "0", "sftpd.bind_port"),
        ("0", &port[..], "httpd.bind_port"),
    ];
    for (ssh, http, setting) in cases {
        let directory = configured(&Value::Null);
        let output = sftpgo(directory.path())
            .arg("serve")
            .env("SFTPGO_SFTPD__BIND_ADDRESS", "127.0.0.1")
            .env("SFTPGO_SFTPD__BIND_PORT", ssh)
            .env("SFTPGO_HTTPD__BIND_PORT", http)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stdout);
        assert!(said.contains(setting) && said.contains(&port), "{said}");
        assert!(!directory.path().join("sftpgo.db").exists());
    }
}

#[test]
fn what_cannot_be_served_safely_is_refused_with_the_names_of_the_settings() {
    let cases = [
        (
            json!({ "httpd": { "bind_address": "" } }),
            "httpd.allow_no_auth",
        ),
        (
            json!({ "httpd": { "auth_user_file": "users" } }),
            "httpd.auth_user_file",
        ),
        (
            json!({ "sftpd": { "keys": [{ "private_key": "missing" }] } }),
            "missing",
        ),
        (
            json!({ "data_provider": { "driver": "postgresql", "connection_string": "speed=9" } }),
            "data_provider.connection_string",
        ),
        (
            json!({ "data_provider": { "name": "no/such/dir/db" } }),
            "no/such/dir/db",
        ),
    ];
    for (settings, word) in cases {
        let directory = configured(&settings);
        let output = sftpgo(directory.path())
            .arg("serve")
            .env("SFTPGO_SFTPD__BIND_PORT", "0")
            .env("SFTPGO_HTTPD__BIND_PORT", free_address().port().to_string())
            .output()
            .unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[tokio::test]
async fn a_hang_up_is_survived_and_user1_begins_a_new_log() {
    let directory = configured(&Value::Null);
    let mut serve = Serve::start(directory.path(), &[]);
    serve.signal(Signal::HUP);
    assert!(serve.line_with("asked to reload").is_some());
    serve.signal(Signal::USR1);
    assert!(serve.line_with("rotated").is_some());
    let health = request(serve.http, "GET", "/healthz", &Value::Null).await;
    assert_eq!(health.status, 200);
    serve.signal(Signal::TERM);
    assert_eq!(serve.wait().0.code(), Some(0));
    let names = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let logs = names
        .filter(|name| name.to_string_lossy().ends_with(".log"))
        .count();
    assert_eq!(logs, 2);
}

#[tokio::test]
async fn with_the_log_on_stdout_there_is_nothing_else() {
    let directory = configured(&Value::Null);
    let mut serve = Serve::spawn(directory.path(), &[("SFTPGO_LOG_FILE_PATH", "")]);
    let line = serve
        .line_with(r#""message":"listening on 127.0.0.1"#)
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&line).unwrap()["sender"],
        "sftpd"
    );
    serve.signal(Signal::TERM);
    let (status, said) = serve.wait();
    assert_eq!(status.code(), Some(0), "{said:#?}");
    for line in said {
        assert!(serde_json::from_str::<Value>(&line).is_ok(), "{line}");
    }
}

/// One process at a time has the file: commands before the server, the REST API beside it.
#[tokio::test]
async fn accounts_in_a_bolt_file_are_of_one_process_at_a_time() {
    let directory = configured(&json!({
        "data_provider": { "driver": "bolt", "name": "accounts.bolt" }
    }));
    let at = directory.path();
    let made = run(at, &["initprovider"], "");
    assert!(text(&made.stdout).contains("created"));
    // The advice for the first user is one that works beside the server.
    let mut serve = Serve::start(at, &[]);
    assert!(serve.line_with("curl http").is_some());
    assert!(!serve.seen().iter().any(|line| line.contains("user add")));
    serve.signal(Signal::TERM);
    assert_eq!(serve.wait().0.code(), Some(0));
    add_user(at, "alice");

    let serve = Serve::start(at, &[]);
    let mut sftp = serve.sftp("alice").await;
    sftp.put(b"/file", b"12345").await.unwrap();
    let refused = run(at, &["user", "list"], "");
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(
        said.contains("accounts.bolt") && said.contains("REST API"),
        "{said}"
    );
    serve.signal(Signal::TERM);
    assert_eq!(serve.wait().0.code(), Some(0));

    let shown = run(at, &["user", "show", "alice", "--json"], "");
    let user: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        (&user["used_quota_files"], &user["used_quota_size"]),
        (&json!(1), &json!(5))
    );
    assert!(user["last_login"].as_i64() > Some(0));
}

#[tokio::test]
async fn memory_begins_with_the_users_of_its_file() {
    let directory = configured(&json!({
        "data_provider": { "driver": "memory", "name": "users.json" }
    }));
    let home = directory.path().join("homes/alice");
    let user = json!({
        "username": "alice", "status": 1, "home_dir": home, "permissions": { "/": ["*"] },
        "public_keys": [Account::key("alice").line("")], "password": "plain in the file",
    });
    let file = directory.path().join("users.json");
    fs::write(&file, json!({ "users": [user] }).to_string()).unwrap();
    let serve = Serve::start(directory.path(), &[]);
    let mut sftp = serve.sftp("alice").await;
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    let mut client = SshClient::connect(serve.ssh, None).await;
    assert!(client.password("alice", "plain in the file").await);
    drop(serve);

    // A user that is not valid is not silently left out.
    fs::write(
        &file,
        json!({ "users": [{ "username": "bob" }] }).to_string(),
    )
    .unwrap();
    let output = sftpgo(directory.path())
        .arg("serve")
        .env("SFTPGO_SFTPD__BIND_PORT", "0")
        .env("SFTPGO_HTTPD__BIND_PORT", "0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(
        said.contains("users.json") && said.contains("bob"),
        "{said}"
    );
}

/// A listing is streamed: its size is nothing that the server has to hold.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_hundred_thousand_entries_are_listed_in_little_memory() {
    const ENTRIES: usize = 100_000;
    const MORE: u64 = 8 << 10;
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let serve = Serve::start(directory.path(), &[]);
    let mut sftp = serve.sftp("alice").await;
    let large = directory.path().join("homes/alice/large");
    fs::create_dir(&large).unwrap();
    for number in 0..ENTRIES {
        // A second name costs less than a file. Ext4 allows 65 000 of them.
        let first = large.join((number / 50_000 * 50_000).to_string());
        let path = large.join(number.to_string());
        if path == first {
            fs::write(path, b"").unwrap();
        } else {
            fs::hard_link(first, path).unwrap();
        }
    }
    sftp.list(b"/").await.unwrap();
    let before = serve.peak_kilobytes();
    let entries = sftp.list(b"/large").await.unwrap();
    let after = serve.peak_kilobytes();
    let names: std::collections::HashSet<_> = entries.iter().map(|entry| &entry.name).collect();
    assert_eq!((entries.len(), names.len()), (ENTRIES, ENTRIES));
    assert!(
        after - before < MORE,
        "{before} kB before, {after} kB after"
    );
}

/// Sync tools open a channel for every hash they ask for, on one connection.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_forgets_the_channels_that_are_over() {
    const MORE: u64 = 4 << 10;
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let serve = Serve::start(directory.path(), &[]);
    let client = serve.login("alice").await;
    let some = async |count: usize| {
        for _ in 0..count {
            // The server closes the channel first.
            assert_eq!(client.exec(b"pwd", b"").await.unwrap().status, Some(0));
        }
    };
    some(500).await;
    let before = serve.peak_kilobytes();
    some(4_000).await;
    let after = serve.peak_kilobytes();
    assert!(
        after.saturating_sub(before) < MORE,
        "{before} kB before, {after} kB after"
    );
}
