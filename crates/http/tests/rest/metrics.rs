//! The metrics page: exact names, from the start.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::TestServer;

/// Reference 13; `g` gauge, `c` counter.
const OF_THE_REFERENCE: &str = "
    g sftpgo_dataprovider_availability
    g sftpgo_active_connections
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
    c sftpgo_http_server_errors_total
    c sftpgo_s3_uploads_total
    c sftpgo_s3_downloads_total
    c sftpgo_s3_upload_errors_total
    c sftpgo_s3_download_errors_total
    c sftpgo_s3_upload_size
    c sftpgo_s3_download_size
    c sftpgo_s3_list_objects
    c sftpgo_s3_list_objects_errors
    c sftpgo_s3_copy_object
    c sftpgo_s3_copy_object_errors
    c sftpgo_s3_delete_object
    c sftpgo_s3_delete_object_errors
    c sftpgo_s3_head_bucket
    c sftpgo_s3_head_bucket_errors
    c sftpgo_gcs_uploads_total
    c sftpgo_gcs_downloads_total
    c sftpgo_gcs_upload_errors_total
    c sftpgo_gcs_download_errors_total
    c sftpgo_gcs_upload_size
    c sftpgo_gcs_download_size
    c sftpgo_gcs_list_objects
    c sftpgo_gcs_list_objects_errors
    c sftpgo_gcs_copy_object
    c sftpgo_gcs_copy_object_errors
    c sftpgo_gcs_delete_object
    c sftpgo_gcs_delete_object_errors
    c sftpgo_gcs_head_bucket
    c sftpgo_gcs_head_bucket_errors";

/// What the process metrics of Prometheus' client libraries are, on Linux.
const OF_CLIENT_LIBRARIES: &str = "
    c process_cpu_seconds_total
    g process_resident_memory_bytes
    g process_virtual_memory_bytes
    g process_virtual_memory_max_bytes
    g process_start_time_seconds
    g process_open_fds
    g process_max_fds
    c promhttp_metric_handler_requests_total
    g promhttp_metric_handler_requests_in_flight";

/// Name and type of each line of a list.
fn listed(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let rows = text.lines().filter_map(|line| line.trim().split_once(' '));
    rows.map(|(kind, name)| (name, if kind == "g" { "gauge" } else { "counter" }))
}

/// Name to type, and name with labels to value; each line of the page is understood.
struct Parsed {
    types: BTreeMap<String, String>,
    values: BTreeMap<String, f64>,
}

impl Parsed {
    fn of(page: &str) -> Self {
        let (mut types, mut values) = (BTreeMap::new(), BTreeMap::new());
        for line in page.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, text) = help.split_once(' ').unwrap();
                assert!(text.ends_with('.'), "{name}: {text}");
            } else if let Some(family) = line.strip_prefix("# TYPE ") {
                let (name, kind) = family.split_once(' ').unwrap();
                let before = types.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{name} twice");
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let before = values.insert(series.to_owned(), value.parse().unwrap());
                assert_eq!(before, None, "{series} twice");
            }
        }
        assert!(page.ends_with('\n'));
        Self { types, values }
    }

    fn value(&self, series: &str) -> f64 {
        let found = self.values.get(series);
        *found.unwrap_or_else(|| panic!("no {series} in {:#?}", self.values.keys()))
    }
}

async fn page(server: &TestServer) -> Parsed {
    Parsed::of(&server.get("/metrics").await.body)
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
    let found = Parsed::of(&reply.body);
    for (name, kind) in listed(OF_THE_REFERENCE) {
        assert_eq!(
            found.types.get(name).map(String::as_str),
            Some(kind),
            "{name}"
        );
        // Without a label, and 0.
        let value = found.value(name);
        assert!(
            value == 0.0 || name == "sftpgo_dataprovider_availability",
            "{name}"
        );
    }
}

/// A series that appears only when something happens first is one that alert rules cannot see begin.
#[tokio::test]
async fn every_series_is_there_from_the_start_and_is_zero() {
    let server = TestServer::start();
    let found = page(&server).await;
    let ours = found
        .values
        .iter()
        .filter(|(series, _)| series.starts_with("sftpgo_"));
    for (series, value) in ours {
        let one = series.starts_with("sftpgo_build_info{")
            || series == "sftpgo_dataprovider_availability";
        assert!(*value == 0.0 || one, "{series} {value}");
    }
    let started = found.values.len();
    server.get("/nothing").await;
    assert_eq!(page(&server).await.values.len(), started);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_metrics_of_client_libraries_are_there() {
    let server = TestServer::start();
    let found = page(&server).await;
    let expected: BTreeMap<&str, &str> = listed(OF_CLIENT_LIBRARIES).collect();
    let theirs = found
        .types
        .iter()
        .filter(|(name, _)| !name.starts_with("sftpgo_"));
    let theirs: BTreeMap<&str, &str> = theirs.map(|(name, kind)| (&**name, &**kind)).collect();
    assert_eq!(theirs, expected);
    let total = |code| {
        found.value(&format!(
            "promhttp_metric_handler_requests_total{{code=\"{code}\"}}"
        ))
    };
    assert_eq!((total(200), total(500), total(503)), (0.0, 0.0, 0.0));
    assert_eq!(
        found.value("promhttp_metric_handler_requests_in_flight"),
        1.0
    );
    let again = page(&server).await;
    let series = "promhttp_metric_handler_requests_total{code=\"200\"}";
    assert_eq!(again.value(series), 1.0);
}

/// The table of `docs/metrics.md`: `| name | type | ...`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_documentation_lists_exactly_the_metrics_there_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let text = fs::read_to_string(path).unwrap();
    let mut documented = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        for name in cells[1].split(", ") {
            let name = name.trim_matches('`').to_owned();
            let before = documented.insert(name, cells[2].to_owned());
            assert_eq!(before, None, "twice: {line}");
        }
    }
    let server = TestServer::start();
    assert_eq!(page(&server).await.types, documented);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_process_is_measured() {
    let server = TestServer::start();
    let found = page(&server).await;
    let value = |name: &str| found.value(name);
    assert!(
        value("process_open_fds") >= 3.0 && value("process_open_fds") < value("process_max_fds")
    );
    assert!(value("process_resident_memory_bytes") > 100_000.0);
    assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
    assert!(value("process_virtual_memory_max_bytes") > value("process_resident_memory_bytes"));
    assert!(value("process_cpu_seconds_total") >= 0.0);
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
    let found = page(&server).await;
    for (series, expected) in [
        ("sftpgo_http_req_total", 5.0),
        ("sftpgo_http_req_ok_total", 2.0),
        ("sftpgo_http_client_errors_total", 3.0),
        ("sftpgo_http_server_errors_total", 0.0),
        (
            "sftpgo_http_request_duration_seconds_count{code=\"2xx\"}",
            2.0,
        ),
        (
            "sftpgo_http_request_duration_seconds_bucket{code=\"4xx\",le=\"+Inf\"}",
            3.0,
        ),
    ] {
        assert_eq!(found.value(series), expected, "{series}");
    }
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

#[tokio::test]
async fn the_build_is_told_in_labels() {
    let server = TestServer::start();
    let labels = r#"{version="0.9.6",commit="",build_date=""}"#;
    let found = page(&server).await;
    assert_eq!(found.value(&format!("sftpgo_build_info{labels}")), 1.0);
}

#[tokio::test]
async fn a_histogram_is_cumulative_and_its_count_is_that_of_the_last_bucket() {
    let server = TestServer::start();
    let metrics = server.core.metrics();
    metrics.uploads.sizes.observe(2000);
    metrics.uploads.sizes.observe(5_000_000);
    let found = page(&server).await;
    let value = |suffix: &str| found.value(&format!("sftpgo_transfer_size_bytes{suffix}"));
    for (bound, below) in [
        ("1024", 0.0),
        ("16384", 1.0),
        ("4194304", 1.0),
        ("16777216", 2.0),
        ("+Inf", 2.0),
    ] {
        let labels = format!("_bucket{{direction=\"upload\",le=\"{bound}\"}}");
        assert_eq!(value(&labels), below, "{bound}");
    }
    assert_eq!(value("_count{direction=\"upload\"}"), 2.0);
    assert_eq!(value("_sum{direction=\"upload\"}"), 5_002_000.0);
    assert_eq!(value("_count{direction=\"download\"}"), 0.0);
}
