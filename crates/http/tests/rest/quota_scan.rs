//! `/api/v1/quota_scan` (reference 11.10, TestGetQuotaScans, TestStartQuotaScan and their mocks). What scans find, and two
//! at a time, is tested with the whole server.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sftpgo_core::CoreSettings;
use sftpgo_core::model::UnixMillis;
use sftpgo_core::quota::QuotaTracking;
use sftpgo_data::{DataProvider as _, QuotaStore as _};
use sftpgo_http::HttpLimits;

use crate::support::{PATIENCE, TestServer};

async fn scanned(server: &TestServer) {
    let begun = Instant::now();
    while server.get("/api/v1/quota_scan").await.body != "[]\n" {
        assert!(begun.elapsed() < PATIENCE, "the scan does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_scan_is_started_listed_and_counted() {
    let server = TestServer::start();
    let user = server.added(&server.user("alice")).await;
    let home = server.homes.path().join("alice");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("file"), "content").unwrap();
    assert_eq!(server.get("/api/v1/quota_scan").await.body, "[]\n");
    let before = UnixMillis::now().0;
    let reply = server.send("POST", "/api/v1/quota_scan", &user).await;
    let started = "{\"error\":\"\",\"message\":\"Scan started\",\"status\":201}\n";
    assert_eq!((reply.status, reply.body.as_str()), (201, started));
    let listed = server.get("/api/v1/quota_scan").await.json();
    for scan in listed.as_array().unwrap() {
        assert_eq!(scan["username"], "alice");
        let start = scan["start_time"].as_i64().unwrap();
        assert!((before..=UnixMillis::now().0).contains(&start));
        assert_eq!(scan.as_object().unwrap().len(), 2);
    }
    scanned(&server).await;
    let stored = server.stored("alice").await.unwrap();
    assert_eq!((stored.used_quota_files, stored.used_quota_size), (1, 7));
}

#[tokio::test]
async fn the_counters_of_a_home_that_is_not_there_stay() {
    let server = TestServer::start();
    server.added(&server.user("alice")).await;
    let at = UnixMillis(1);
    server.provider.set_quota("alice", 3, 4, at).await.unwrap();
    let body = json!({ "username": "alice" });
    let reply = server.send("POST", "/api/v1/quota_scan", &body).await;
    assert_eq!(reply.status, 201, "errors of scans are only logged");
    scanned(&server).await;
    let stored = server.stored("alice").await.unwrap();
    assert_eq!((stored.used_quota_files, stored.used_quota_size), (3, 4));
    assert!(
        !server.homes.path().join("alice").exists(),
        "nothing is made"
    );
}

#[tokio::test]
async fn an_unknown_user_is_a_404_and_bad_json_a_400() {
    let server = TestServer::start();
    let post = async |body: &str| server.call("POST", "/api/v1/quota_scan", body).await;
    for body in [r#"{"username":"nobody"}"#, "{}", r#"{"username":""}"#] {
        let reply = post(body).await;
        assert_eq!(reply.status, 404, "{body}");
        assert!(reply.error().starts_with("Not found: "), "{}", reply.body);
    }
    for body in ["", "{", "[]", "\"alice\"", r#"{"username":1}"#] {
        let reply = post(body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_ne!(reply.error(), "");
    }
    assert_eq!(
        server.call("PUT", "/api/v1/quota_scan", "").await.status,
        405
    );
    server.provider.close().await;
    assert_eq!(
        post(r#"{"username":"alice"}"#).await.status,
        404,
        "any lookup failure"
    );
}

#[tokio::test]
async fn without_counters_there_is_nothing_to_scan_for() {
    for (tracking, expected) in [
        (QuotaTracking::Off, 403),
        (QuotaTracking::Always, 201),
        (QuotaTracking::LimitedOnly, 201),
    ] {
        let settings = CoreSettings {
            quota_tracking: tracking,
            ..CoreSettings::default()
        };
        let server = TestServer::with(settings, HttpLimits::default());
        server.added(&server.user("alice")).await;
        let home = server.homes.path().join("alice");
        fs::create_dir(&home).unwrap();
        fs::write(home.join("file"), "content").unwrap();
        let body = json!({ "username": "alice" });
        let reply = server.send("POST", "/api/v1/quota_scan", &body).await;
        assert_eq!(reply.status, expected, "{tracking:?}");
        scanned(&server).await;
        let counted = server.stored("alice").await.unwrap().used_quota_files;
        assert_eq!(counted, i64::from(expected == 201), "{tracking:?}");
    }
}

#[tokio::test]
async fn the_counters_of_a_store_that_cannot_be_opened_stay() {
    let server = TestServer::start();
    let mut user: Value = server.user("alice");
    // An empty object, which is nobody's credentials.
    let gcs = json!({ "bucket": "b", "credentials": "e30=" });
    user["filesystem"] = json!({ "provider": 2, "gcsconfig": gcs });
    server.added(&user).await;
    let at = UnixMillis(1);
    server.provider.set_quota("alice", 3, 4, at).await.unwrap();
    let body = json!({ "username": "alice" });
    let reply = server.send("POST", "/api/v1/quota_scan", &body).await;
    assert_eq!(reply.status, 201);
    scanned(&server).await;
    let stored = server.stored("alice").await.unwrap();
    assert_eq!((stored.used_quota_files, stored.used_quota_size), (3, 4));
}
