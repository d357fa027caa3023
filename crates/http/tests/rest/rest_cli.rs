//! The requests of the reference's REST client, `sftpgo_api_cli.py` (17.6), as the library `requests` sends them: each of
//! its sub-commands works.

use serde_json::{Value, json};

use crate::support::{BY_ALICE, Reply, TestServer};

/// What `requests` adds, with the user and password of `-u` and `-p`.
async fn sent(server: &TestServer, method: &str, target: &str, body: Option<Value>) -> Reply {
    let address = server.address();
    let body = body.map(|body| body.to_string());
    let content = body.as_ref().map_or(String::new(), |body| {
        let length = body.len();
        format!("Content-Length: {length}\r\nContent-Type: application/json\r\n")
    });
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: python-requests/2.32.3\r\n\
         Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: close\r\n{content}{BY_ALICE}\r\n{}",
        body.unwrap_or_default()
    );
    server.raw(request.as_bytes()).await
}

/// What `add-user` and `update-user` send: all of it, each time.
fn user(server: &TestServer, id: i64, filters: &Value) -> Value {
    json!({
        "id": id, "username": "test_username", "uid": 1000, "gid": 1000, "max_sessions": 2, "quota_size": 0,
        "quota_files": 3, "upload_bandwidth": 100, "download_bandwidth": 60, "status": 1,
        "expiration_date": 1_546_300_800_000_i64, "password": "$argon2id$none",
        "home_dir": server.homes.path().join("test_username"),
        "permissions": {"/": ["list", "download"], "/dir1": ["*"]},
        "virtual_folders": [{"virtual_path": "/vdir", "mapped_path": "/tmp/mapped"}],
        "filters": filters,
        "filesystem": {"provider": 0},
    })
}

#[tokio::test]
async fn every_sub_command_of_the_rest_client_works() {
    let server = TestServer::with_users();
    let filters = json!({
        "allowed_ip": ["192.168.1.1/32"], "denied_ip": ["10.0.0.0/8"], "denied_login_methods": ["password"],
        "file_extensions": [{"path": "/dir1", "allowed_extensions": [], "denied_extensions": [".zip"]}],
    });
    let added = sent(
        &server,
        "POST",
        "/api/v1/user",
        Some(user(&server, 0, &filters)),
    )
    .await;
    assert_eq!(added.status, 200, "{}", added.body);
    let shown = added.json();
    assert_eq!(shown["id"], 1);
    assert_eq!(shown["filters"]["denied_ip"][0], "10.0.0.0/8");

    // An empty text on its command line clears a list.
    let cleared = json!({
        "allowed_ip": [], "denied_ip": ["10.0.0.0/8"], "denied_login_methods": [], "file_extensions": [],
    });
    let updated = sent(
        &server,
        "PUT",
        "/api/v1/user/1",
        Some(user(&server, 1, &cleared)),
    )
    .await;
    let expected = "{\"error\":\"\",\"message\":\"User updated\",\"status\":200}\n";
    assert_eq!(updated.body, expected);
    let shown = sent(&server, "GET", "/api/v1/user/1", None).await.json();
    assert_eq!(shown["filters"].get("allowed_ip"), None);
    assert_eq!(shown["filters"]["denied_ip"][0], "10.0.0.0/8");
    let listed = "/api/v1/user?limit=100&offset=0&order=ASC&username=test_username";
    assert_eq!(
        sent(&server, "GET", listed, None).await.json(),
        json!([shown])
    );

    let get = async |target: &str| sent(&server, "GET", target, None).await;
    assert_eq!(get("/api/v1/connection").await.body, "[]\n");
    let closed = sent(&server, "DELETE", "/api/v1/connection/abc", None).await;
    assert_eq!(closed.status, 404);
    assert_eq!(get("/api/v1/quota_scan").await.status, 200);
    let scan = user(&server, 0, &json!({}));
    let scan = sent(&server, "POST", "/api/v1/quota_scan", Some(scan)).await;
    assert_eq!(scan.status, 201, "{}", scan.body);
    assert_eq!(get("/api/v1/version").await.json()["version"], "0.9.6");
    assert_eq!(
        get("/api/v1/providerstatus").await.json()["message"],
        "Alive"
    );
    let dumped = get("/api/v1/dumpdata?output_file=backup.json&indent=1").await;
    assert_eq!(dumped.status, 200, "{}", dumped.body);
    let file = server.backups().join("backup.json");
    let file = file.display();
    let loaded = get(&format!(
        "/api/v1/loaddata?input_file={file}&scan_quota=2&mode=1"
    ))
    .await;
    assert_eq!(loaded.status, 200, "{}", loaded.body);
    let removed = sent(&server, "DELETE", "/api/v1/user/1", None).await;
    assert_eq!(removed.json()["message"], "User deleted");
}
