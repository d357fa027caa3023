//! Which accounts REST refuses (reference 3, 18.2), and which unusual ones it takes.

use serde_json::{Value, json};

use crate::support::TestServer;

/// Lays `change` over a good account; `null` removes a key.
fn changed(server: &TestServer, change: &Value) -> Value {
    let mut user = server.user("u");
    for (key, value) in change.as_object().unwrap() {
        user[key] = value.clone();
    }
    user
}

async fn assert_refused(changes: &[Value]) {
    let server = TestServer::start();
    for change in changes {
        let reply = server
            .send("POST", "/api/v1/user", &changed(&server, change))
            .await;
        assert_eq!(reply.status, 400, "{change}: {}", reply.body);
        assert!(
            reply.error().starts_with("Validation error: "),
            "{change}: {}",
            reply.body
        );
    }
    assert_eq!(
        server.get("/api/v1/user").await.body,
        "[]\n",
        "nothing of it is stored"
    );
}

async fn assert_taken(changes: &[Value]) {
    for change in changes {
        let server = TestServer::start();
        let reply = server
            .send("POST", "/api/v1/user", &changed(&server, change))
            .await;
        assert_eq!(reply.status, 200, "{change}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_status_is_0_or_1() {
    assert_refused(&[
        json!({"status": 2}),
        json!({"status": 3}),
        json!({"status": -1}),
    ])
    .await;
    assert_taken(&[
        json!({"status": 0}),
        json!({"status": 1}),
        json!({"status": null}),
    ])
    .await;
}

#[tokio::test]
async fn an_account_needs_a_name_credentials_and_an_absolute_home() {
    assert_refused(&[
        json!({"username": ""}),
        json!({"username": null}),
        json!({"password": ""}),
        json!({"password": null, "public_keys": []}),
        json!({"home_dir": ""}),
        json!({"home_dir": "relative"}),
        json!({"home_dir": "../up"}),
        json!({"home_dir": "/srv/\u{0}"}),
    ])
    .await;
}

#[tokio::test]
async fn permissions_need_the_root_and_known_names() {
    assert_refused(&[
        json!({"permissions": {}}),
        json!({"permissions": null}),
        json!({"permissions": {"/": []}}),
        json!({"permissions": {"/": ["invalid"]}}),
        json!({"permissions": {"/sub": ["*"]}}),
        json!({"permissions": {"/": ["*"], "/sub/..": ["*"]}}),
        json!({"permissions": {"/": ["*"], "..": ["*"]}}),
        json!({"permissions": {"/": ["*"], "relative": ["*"]}}),
        json!({"permissions": {"/": vec!["list"; 13]}}),
    ])
    .await;
    assert_taken(&[json!({"permissions": {"/": ["list"], "/closed": []}})]).await;
    let server = TestServer::start();
    let user = changed(
        &server,
        &json!({"permissions": {"/": ["*", "list"], "/some/../other/": ["list"]}}),
    );
    let expected = json!({"/": ["*"], "/other": ["list"]});
    assert_eq!(server.added(&user).await["permissions"], expected);
}

#[tokio::test]
async fn filters_must_be_understood() {
    let extensions = |filters: Value| json!({"filters": {"file_extensions": filters}});
    assert_refused(&[
        json!({"filters": {"allowed_ip": ["192.0.2.1"]}}),
        json!({"filters": {"denied_ip": ["192.0.2.0/33"]}}),
        json!({"filters": {"denied_ip": ["invalid"]}}),
        json!({"filters": {"denied_login_methods": ["invalid"]}}),
        json!({"filters": {"denied_login_methods": ["publickey", "password", "keyboard-interactive"]}}),
        extensions(json!([{"path": "relative", "denied_extensions": [".zip"]}])),
        extensions(json!([{"path": "/", "denied_extensions": [], "allowed_extensions": []}])),
        extensions(json!([{"path": "/a", "denied_extensions": [".zip"]}, {"path": "/a/", "denied_extensions": [".gz"]}])),
    ])
    .await;
}

#[tokio::test]
async fn back_ends_need_their_settings() {
    let s3 = |config: Value| json!({"filesystem": {"provider": 1, "s3config": config}});
    let gcs = |config: Value| json!({"filesystem": {"provider": 2, "gcsconfig": config}});
    assert_refused(&[
        s3(json!({})),
        s3(json!({"bucket": "b"})),
        s3(json!({"region": "r"})),
        s3(json!({"bucket": "b", "region": "r", "access_key": "k"})),
        s3(json!({"bucket": "b", "region": "r", "key_prefix": "/absolute"})),
        gcs(json!({})),
        gcs(json!({"bucket": "b"})),
        gcs(json!({"bucket": "b", "credentials": "no base64!"})),
        gcs(json!({"bucket": "b", "automatic_credentials": 1, "key_prefix": "/absolute"})),
    ])
    .await;
    assert_taken(&[
        s3(json!({"bucket": "b", "region": "r"})),
        gcs(json!({"bucket": "b", "automatic_credentials": 1})),
    ])
    .await;
}

#[tokio::test]
async fn virtual_folders_overlap_nothing() {
    let server = TestServer::start();
    let home = server.homes.path().join("u");
    let folders = |list: Value| json!({"virtual_folders": list});
    let folder = |path: &str, mapped: &str| json!({"virtual_path": path, "mapped_path": mapped});
    assert_refused(&[
        folders(json!([folder("relative", "/srv/m")])),
        folders(json!([folder("/", "/srv/m")])),
        folders(json!([folder("/v", "relative")])),
        folders(json!([folder("/v", "/srv/m"), folder("/v", "/srv/n")])),
        folders(json!([folder("/v", "/srv/m"), folder("/v/w", "/srv/n")])),
        folders(json!([folder("/v", "/srv/m"), folder("/w", "/srv/m/n")])),
    ])
    .await;
    for mapped in [
        home.clone(),
        home.join("inside"),
        server.homes.path().to_path_buf(),
    ] {
        let user = changed(
            &server,
            &folders(json!([folder("/v", &mapped.to_string_lossy())])),
        );
        assert_eq!(
            server.send("POST", "/api/v1/user", &user).await.status,
            400,
            "{mapped:?}"
        );
    }
}

#[tokio::test]
async fn public_keys_must_be_keys() {
    assert_refused(&[
        json!({"public_keys": ["no key"]}),
        json!({"public_keys": ["ssh-ed25519 AAAA"]}),
    ])
    .await;
}

#[tokio::test]
async fn a_public_key_may_be_there_twice() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f a comment";
    let server = TestServer::start();
    let user = changed(&server, &json!({ "public_keys": [key, key] }));
    assert_eq!(server.added(&user).await["public_keys"], json!([key, key]));
}

#[tokio::test]
async fn a_body_that_is_no_account_is_refused() {
    let server = TestServer::start();
    for body in [
        "",
        "{",
        "[]",
        "null",
        "1",
        "\"u\"",
        r#"{"username":1}"#,
        r#"{"status":1.5}"#,
        "{}{}",
        "\u{feff}{}",
    ] {
        let reply = server.call("POST", "/api/v1/user", body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_ne!(reply.error(), "");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(server.call("POST", "/api/v1/user", &deep).await.status, 400);
}

#[tokio::test]
async fn keys_are_read_in_any_case_and_unknown_ones_ignored() {
    let server = TestServer::start();
    let body = r#"{"UserName":"u","PASSWORD":"p","Home_Dir":"/srv/u","Status":1,"permissions":{"/":["*"]},"more":{}}"#;
    let reply = server.call("POST", "/api/v1/user", body).await;
    assert_eq!(
        (reply.status, reply.json()["username"].as_str()),
        (200, Some("u"))
    );
}
