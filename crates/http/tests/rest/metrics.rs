//! The metrics page: exact names, from the start.

use std::collections::BTreeMap;

use crate::support::TestServer;

/// Reference 13, without what comes with object stores; `g` gauge, `c` counter.
const NAMES: &str = "
    g sftpgo_dataprovider_availability
    g sftpgo_active_connections
    g sftpgo_cluster_sessions
    g sftpgo_cluster_transfers
    c sftpgo_refused_connections_total
    c sftpgo_connection_probes_total
    c sftpgo_defender_bans_total
    g sftpgo_defender_banned_hosts
    c sftpgo_actions_total
    c sftpgo_action_errors_total
    c sftpgo_actions_dropped_total
    c sftpgo_gate_refusals_total
    c sftpgo_uploads_total
    c sftpgo_downloads_total
    c sftpgo_upload_errors_total
    c sftpgo_download_errors_total
    c sftpgo_upload_size
    c sftpgo_download_size
    c sftpgo_ssh_commands_total
    c sftpgo_ssh_command_errors_total
    c sftpgo_login_attempts_total
    c sftpgo_login_ok_total
    c sftpgo_login_ko_total
    c sftpgo_password_login_attempts_total
    c sftpgo_password_login_ok_total
    c sftpgo_password_login_ko_total
    c sftpgo_public_key_login_attempts_total
    c sftpgo_public_key_login_ok_total
    c sftpgo_public_key_login_ko_total
    c sftpgo_keyboard_interactive_login_attempts_total
    c sftpgo_keyboard_interactive_login_ok_total
    c sftpgo_keyboard_interactive_login_ko_total
    c sftpgo_http_req_total
    c sftpgo_http_req_ok_total
    c sftpgo_http_client_errors_total
    c sftpgo_http_server_errors_total";

/// Name to (type, value), each line of the page understood.
fn parsed(page: &str) -> BTreeMap<String, (String, f64)> {
    let mut types = BTreeMap::new();
    let mut values = BTreeMap::new();
    for line in page.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["#", "HELP", _, ..] => {}
            ["#", "TYPE", name, kind] => {
                assert!(types.insert(name, kind).is_none(), "{name} twice")
            }
            [name, value] => {
                let sample = (types[name].to_owned(), value.parse().unwrap());
                assert!(
                    values.insert(name.to_owned(), sample).is_none(),
                    "{name} twice"
                );
            }
            _ => panic!("not a line of the format: {line:?}"),
        }
    }
    assert!(page.ends_with('\n'));
    values
}

#[tokio::test]
async fn every_metric_of_the_reference_is_there_from_the_start() {
    let server = TestServer::start();
    let reply = server.get("/metrics").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let found = parsed(&reply.body);
    let expected: BTreeMap<&str, &str> = NAMES
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(kind, name)| (name, if kind == "g" { "gauge" } else { "counter" }))
        .collect();
    let ours: BTreeMap<&str, &str> = found
        .iter()
        .filter(|(name, _)| name.starts_with("sftpgo_"))
        .map(|(name, (kind, _))| (name.as_str(), kind.as_str()))
        .collect();
    assert_eq!(ours, expected);
    for name in expected
        .keys()
        .filter(|name| **name != "sftpgo_dataprovider_availability")
    {
        assert_eq!(found[*name].1, 0.0, "{name}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_process_is_measured() {
    let server = TestServer::start();
    let found = parsed(&server.get("/metrics").await.body);
    let value = |name: &str| found[name].1;
    assert!(
        value("process_open_fds") >= 3.0 && value("process_open_fds") < value("process_max_fds")
    );
    assert!(value("process_resident_memory_bytes") > 100_000.0);
    assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
    assert!(value("process_virtual_memory_max_bytes") > value("process_resident_memory_bytes"));
    assert!(value("process_cpu_seconds_total") >= 0.0);
    assert_eq!(found["process_cpu_seconds_total"].0, "counter");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let age = now.as_secs_f64() - value("process_start_time_seconds");
    assert!((-2.0..3600.0).contains(&age), "{age}");
}

#[tokio::test]
async fn requests_are_counted_by_the_class_of_their_status() {
    let server = TestServer::start();
    for target in [
        "/api/v1/version",
        "/api/v1/version",
        "/nothing",
        "/api/v1/user/a",
        "/api/v1/user/1",
    ] {
        server.get(target).await;
    }
    let found = parsed(&server.get("/metrics").await.body);
    assert_eq!(found["sftpgo_http_req_total"].1, 5.0);
    assert_eq!(found["sftpgo_http_req_ok_total"].1, 2.0);
    assert_eq!(found["sftpgo_http_client_errors_total"].1, 3.0);
    assert_eq!(found["sftpgo_http_server_errors_total"].1, 0.0);
}

#[tokio::test]
async fn what_core_counts_is_shown() {
    let server = TestServer::start();
    let metrics = server.core.metrics();
    metrics.uploads.completed.add(3);
    metrics.uploads.bytes.add(12_345_678_901_234_567);
    metrics.public_key_logins.failed.increment();
    let page = server.get("/metrics").await.body;
    assert!(page.contains("\nsftpgo_uploads_total 3\n"));
    assert!(page.contains("\nsftpgo_upload_size 12345678901234567\n"));
    assert!(page.contains("\nsftpgo_public_key_login_ko_total 1\n"));
}
