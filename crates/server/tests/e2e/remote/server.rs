//! `sftpgo status`, `connections`, `quota`, `bans`: what only a running server knows.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use sftpgo_testkit::{SshClient, until};
use sftpgo_wire::sftp::OpenFlags;

use super::{Remote, asked, worked};
use crate::program::text;
use crate::running::add_user;

const WRITE: OpenFlags = OpenFlags(0x02 | 0x08);

/// With `alice`, who has a key.
fn with_alice(settings: &Value) -> Remote {
    let remote = Remote::start(settings);
    add_user(remote.there.path(), "alice");
    remote
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_listed_with_their_transfers_and_closed() {
    let remote = with_alice(&Value::Null);
    assert_eq!(remote.json(&["connections", "list"]), json!([]));
    let empty = remote.works(&["connections", "list"], "");
    assert!(
        empty.starts_with("ID  USERNAME") && empty.lines().count() == 1,
        "{empty}"
    );

    let mut sftp = remote.serve.sftp("alice").await;
    let handle = sftp.open_file(b"/a\x1b[2Jb", WRITE).await.unwrap();
    sftp.write(&handle, 0, &[0; 1500]).await.unwrap();
    let list = remote.json(&["connections", "list"]);
    assert_eq!(list[0]["username"], "alice");
    assert_eq!(list[0]["active_transfers"][0]["size"], 1500);
    let keys: Vec<&String> = list[0].as_object().unwrap().keys().collect();
    assert!(keys.is_sorted(), "{keys:?}");
    // A name that a client chose does nothing to a terminal.
    for arguments in [
        &["connections", "list"][..],
        &["connections", "list", "-o", "json"],
    ] {
        let said = remote.works(arguments, "");
        assert!(said.contains("[2Jb") && !said.contains('\x1b'), "{said}");
    }
    let table = remote.works(&["connections", "list"], "");
    assert!(table.contains("(1.5 KB)"), "{table}");

    let id = list[0]["connection_id"].as_str().unwrap();
    let said = remote.works(&["connections", "close", id], "");
    assert_eq!(said, format!("Connection {id} closed\n"));
    until("the end of the connection", async || {
        remote.json(&["connections", "list"]) == json!([])
    })
    .await;
    let said = remote.fails(&["connections", "close", id]);
    assert!(
        said.contains(id) && said.contains("connections list"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_what_runs_and_how_it_fares() {
    let remote = with_alice(&Value::Null);
    let _sftp = remote.serve.sftp("alice").await;
    let status = remote.json(&["status"]);
    assert_eq!(
        (&status["connections"], &status["sessions"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&status["provider_alive"], &status["bans"]),
        (&json!(true), &Value::Null)
    );
    let version = status["version"]["version"].as_str().unwrap().to_owned();
    assert!(status["started"].as_i64().unwrap() > 1_600_000_000_000);
    let people = remote.works(&["status"], "");
    for words in [
        version.as_str(),
        "data provider  answers",
        "running for",
        "defender.enabled",
        &remote.serve.http.to_string(),
    ] {
        assert!(people.contains(words), "{words}: {people}");
    }
}

#[test]
fn on_the_machine_of_the_server_its_settings_say_where_it_is() {
    let remote = Remote::start(&Value::Null);
    let port = remote.serve.http.port().to_string();
    let there = remote.there.path();
    for arguments in [
        &["status"][..],
        &["connections", "list"],
        &["quota", "scans"],
    ] {
        let output = asked(there, &[("SFTPGO_HTTPD__BIND_PORT", &port)], arguments, "");
        worked(arguments, &output);
    }
    let output = asked(there, &[("SFTPGO_HTTPD__BIND_PORT", "0")], &["status"], "");
    let said = super::failed(&["status"], &output);
    assert!(
        said.contains("httpd.bind_port") && said.contains("--url"),
        "{said}"
    );
}

#[test]
fn files_are_counted_anew_and_the_end_is_waited_for() {
    let remote = with_alice(&Value::Null);
    let home = remote.there.path().join("homes/alice");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("file"), vec![b'x'; 2500]).unwrap();
    let said = remote.works(&["quota", "scan", "alice", "--wait"], "");
    assert_eq!(said, "alice has 1 files of 2.5 KB\n");
    let said = remote.works(&["quota", "scan", "alice"], "");
    assert_eq!(said, "The files of alice are being counted\n");
    assert!(remote.json(&["quota", "scans"]).is_array());
    let table = remote.works(&["quota", "scans"], "");
    assert!(table.starts_with("USERNAME"), "{table}");
    let said = remote.fails(&["quota", "scan", "nobody"]);
    assert!(said.contains("\"nobody\" does not exist"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bans_are_listed_and_lifted() {
    let remote = with_alice(&json!({ "defender": { "enabled": true, "threshold": 3 } }));
    assert_eq!(remote.json(&["bans", "list"]), json!([]));
    let mut guessing = SshClient::connect(remote.serve.ssh, None).await;
    assert!(!guessing.password("alice", "1").await);
    assert_eq!(remote.json(&["bans", "list"]), json!([]));
    assert_eq!(
        remote.json(&["bans", "list", "--all"])[0]["ip"],
        "127.0.0.1"
    );
    for guess in ["2", "3"] {
        assert!(!guessing.password("alice", guess).await);
    }
    let bans = remote.json(&["bans", "list"]);
    assert_eq!(bans[0]["ip"], "127.0.0.1");
    let table = remote.works(&["bans", "list"], "");
    assert!(
        table.contains("127.0.0.1") && table.contains("BANNED UNTIL"),
        "{table}"
    );
    let said = remote.works(&["bans", "remove", "127.0.0.1"], "");
    assert!(said.contains("127.0.0.1"), "{said}");
    assert_eq!(remote.json(&["bans", "list", "--all"]), json!([]));
    let _in_again = remote.serve.login("alice").await;
    let said = remote.fails(&["bans", "remove", "127.0.0.1"]);
    assert!(said.contains("is not banned"), "{said}");
}

#[test]
fn a_server_without_a_defender_says_which_setting_makes_one() {
    let remote = Remote::start(&Value::Null);
    let said = remote.fails(&["bans", "list"]);
    assert!(said.contains("defender.enabled"), "{said}");
}

/// A server whose data provider is away; answers so many requests, each on a connection of its own.
fn without_its_database(requests: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            let mut field = String::new();
            while reader.read_line(&mut field).unwrap() > 2 {
                field.clear();
            }
            let (status, body) = match line.split(' ').nth(1).unwrap() {
                "/api/v1/version" => ("200 OK", r#"{"version":"9"}"#),
                "/api/v1/providerstatus" => (
                    "500 Internal Server Error",
                    r#"{"error":"database is locked","message":"","status":500}"#,
                ),
                "/metrics" => ("200 OK", "nothing 1\n"),
                _ => ("200 OK", "[]"),
            };
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

#[test]
fn a_data_provider_that_is_away_makes_the_status_fail() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("http://{}", without_its_database(6));
    let output = asked(directory.path(), &[], &["status", "--url", &url], "");
    let said = super::failed(&["status"], &output);
    assert!(said.contains("database is locked"), "{said}");
    let shown = text(&output.stdout);
    assert!(shown.contains("data provider  does not answer"), "{shown}");
    assert!(!shown.contains("running for"), "{shown}");
}
