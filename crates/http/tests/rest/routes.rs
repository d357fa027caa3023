//! Routes that need no account, and the form of replies.

use sftpgo_data::DataProvider;

use crate::support::TestServer;

#[tokio::test]
async fn fixed_replies_are_those_of_the_reference_to_the_byte() {
    let server = TestServer::start();
    for (method, target, status, body) in [
        (
            "GET",
            "/api/v1/version",
            200,
            r#"{"version":"0.9.6","build_date":"","commit_hash":""}"#,
        ),
        (
            "GET",
            "/api/v1/providerstatus",
            200,
            r#"{"error":"","message":"Alive","status":200}"#,
        ),
        ("GET", "/api/v1/connection", 200, "[]"),
        ("GET", "/api/v1/user", 200, "[]"),
        (
            "GET",
            "/api/v1/user/abc",
            400,
            r#"{"error":"Invalid userID","message":"","status":400}"#,
        ),
        (
            "DELETE",
            "/api/v1/connection/x",
            404,
            r#"{"error":"","message":"Not Found","status":404}"#,
        ),
        (
            "GET",
            "/nothing",
            404,
            r#"{"error":"","message":"Not Found","status":404}"#,
        ),
        (
            "POST",
            "/api/v1/connection",
            405,
            r#"{"error":"","message":"Method not allowed","status":405}"#,
        ),
    ] {
        let reply = server.call(method, target, "").await;
        assert_eq!(
            (reply.status, reply.body),
            (status, format!("{body}\n")),
            "{method} {target}"
        );
        assert!(
            reply
                .head
                .contains("content-type: application/json; charset=utf-8"),
            "{}",
            reply.head
        );
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_and_an_unknown_path_404() {
    let server = TestServer::start();
    for (method, target, expected) in [
        ("POST", "/api/v1/version", 405),
        ("DELETE", "/api/v1/providerstatus", 405),
        ("PUT", "/api/v1/user", 405),
        ("POST", "/api/v1/user/1", 405),
        ("PATCH", "/api/v1/user/1", 405),
        ("GET", "/api/v1/connection/x", 405),
        ("BREW", "/api/v1/version", 405),
        ("POST", "/metrics", 405),
        ("GET", "/api/v1", 404),
        ("GET", "/api/v2/user", 404),
        ("DELETE", "/api/v1/connection/", 400),
    ] {
        let reply = server.call(method, target, "").await;
        assert_eq!(reply.status, expected, "{method} {target}");
        assert_eq!(reply.json()["status"], expected);
        assert_eq!(
            reply.header("allow").is_some(),
            expected == 405,
            "RFC 9110 15.5.6"
        );
    }
}

#[tokio::test]
async fn a_path_has_one_spelling() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    for target in [
        "//api/v1/user",
        "/api/v1//user",
        "/api/v1/user/",
        "/api/v1/./user",
        "/api/v1/x/../user",
        "/api/v1/user/../user",
        "/API/v1/user",
        "/api/v1/user%2F1",
        "/api%2fv1/user",
        "/api\\v1\\user",
        "/healthz/../api/v1/user",
        "/healthz/..;/api/v1/user",
        "/healthz%2f..%2fapi%2fv1%2fuser",
        "/metrics/",
        "*",
    ] {
        let reply = server.get(target).await;
        assert_eq!(reply.status, 404, "{target}");
        assert!(!reply.body.contains("username"));
    }
    for target in [
        "/api/v1/user/..%2f1",
        "/api/v1/user/%ff",
        "/api/v1/user/1%00",
        "/api/v1/user/1;x",
    ] {
        assert_eq!(server.get(target).await.status, 400, "{target}");
    }
    assert_eq!(
        server.get("/api/v1/user/%31").await.status,
        200,
        "a percent-encoded digit is a digit"
    );
}

#[tokio::test]
async fn text_in_replies_cannot_become_html() {
    let server = TestServer::start();
    let name = "<script>alert(1)</script>&";
    let added = server
        .send("POST", "/api/v1/user", &server.user(name))
        .await;
    assert!(
        added
            .body
            .contains(r"\u003cscript\u003ealert(1)\u003c/script\u003e\u0026"),
        "{}",
        added.body
    );
    assert_eq!(added.json()["username"], name);
    assert_eq!(added.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a_health_check_asks_the_data_provider() {
    let server = TestServer::start();
    let healthy = server.get("/healthz").await;
    assert_eq!((healthy.status, healthy.body.as_str()), (200, "ok\n"));
    let by_any_name = b"GET /healthz HTTP/1.1\r\nHost: pod-7.cluster\r\nConnection: close\r\n\r\n";
    assert_eq!(server.raw(by_any_name).await.status, 200);
    server.provider.close().await;
    assert_eq!(server.get("/healthz").await.status, 503);
}

#[tokio::test]
async fn a_data_provider_that_is_closed_is_a_500() {
    let server = TestServer::start();
    let user = server.user("u");
    server.added(&user).await;
    server.provider.close().await;
    for (method, target) in [
        ("GET", "/api/v1/providerstatus"),
        ("GET", "/api/v1/user"),
        ("GET", "/api/v1/user/1"),
        ("POST", "/api/v1/user"),
        ("PUT", "/api/v1/user/1"),
        ("DELETE", "/api/v1/user/1"),
    ] {
        let reply = server.send(method, target, &user).await;
        assert_eq!(reply.status, 500, "{method} {target}");
        assert_ne!(reply.error(), "");
    }
}
