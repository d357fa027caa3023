//! Basic authentication (reference 11.2, TestBasicAuth).

use std::fs;

use futures_util::future::join_all;

use crate::log::Recorder;
use crate::support::{BY_ALICE, BY_BOB, Reply, TestServer, USERS};

/// `eve:wrong`
const BY_EVE: &str = "Authorization: Basic ZXZlOndyb25n\r\n";
/// `alice:wrong`
const BY_ALICE_WRONGLY: &str = "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n";

async fn version(server: &TestServer, field: &str) -> Reply {
    server.call_by(field, "GET", "/api/v1/version", "").await
}

#[tokio::test]
async fn every_route_answers_401_without_a_password_and_those_that_are_free_do_not() {
    let server = TestServer::with_users();
    let mut walked = 0;
    for route in sftpgo_http::routes() {
        let target = route.path.replace("{id}", "1");
        let heads = (route.method == "GET").then_some("HEAD");
        for method in [route.method].into_iter().chain(heads) {
            let reply = server.call(method, &target, "{}").await;
            let refused = reply.status == 401;
            assert_eq!(refused, route.needs_password, "{method} {target}");
            if refused {
                let challenge = reply.header("www-authenticate");
                assert_eq!(challenge, Some("Basic realm=\"SFTPGo Web\""));
                walked += 1;
            }
            let by_bob = server.call_by(BY_BOB, method, &target, "{}").await;
            assert_ne!(by_bob.status, 401, "{method} {target}");
        }
        // No route has a method beside those of the table.
        for method in ["OPTIONS", "TRACE", "PATCH", "BREW"] {
            let reply = server.call(method, &target, "").await;
            assert_eq!(reply.status, 405, "{method} {target}");
        }
    }
    assert!(walked >= 30, "{walked}");
}

#[tokio::test]
async fn no_other_spelling_of_a_path_leads_around_the_password() {
    let server = TestServer::with_users();
    let user = server.user("carol").to_string();
    let added = server
        .call_by(BY_ALICE, "POST", "/api/v1/user", &user)
        .await;
    assert_eq!(added.status, 200, "{}", added.body);
    for target in [
        "//api/v1/user",
        "/api/v1//user",
        "/api/v1/user/",
        "/api/v1/user//",
        "/api/v1/./user",
        "/api/v1/x/../user",
        "/static/../api/v1/user",
        "/static/..%2fapi/v1/user",
        "/healthz/../api/v1/user",
        "/healthz/..;/api/v1/user",
        "/healthz%2f..%2fapi%2fv1%2fuser",
        "/healthz?/api/v1/user",
        "/API/v1/user",
        "/%61pi/v1/user",
        "/api%2fv1/user",
        "/api\\v1\\user",
        "/api/v1/user;x",
        "/api/v1/user%00",
        "/api/v1/user%20",
        "/api/v1/user.json",
        "/metrics/",
        "//metrics",
        "/openapi.json/",
        "/api/v1/user/%31",
        "/api/v1/user/1?x=/healthz",
        "*",
    ] {
        for method in ["GET", "HEAD"] {
            let reply = server.call(method, target, "").await;
            assert!(!reply.body.contains("carol"), "{target}: {}", reply.body);
            let free = target.starts_with("/healthz?");
            let expected = if free { &[200][..] } else { &[401, 404] };
            assert!(expected.contains(&reply.status), "{target}: {}", reply.head);
        }
    }
    let address = server.address();
    let absolute = format!(
        "GET http://{address}/api/v1/user HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(server.raw(absolute.as_bytes()).await.status, 401);
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_ask_for_no_password() {
    let server = TestServer::with_users();
    assert_eq!(server.get("/nothing").await.status, 404);
    assert_eq!(server.get("/api/v1/nothing").await.status, 404);
    assert_eq!(server.call("POST", "/api/v1/version", "").await.status, 405);
    assert_eq!(server.get("/healthz").await.body, "ok\n");
}

#[tokio::test]
async fn a_refusal_is_json_below_the_api_and_text_elsewhere() {
    let server = TestServer::with_users();
    let reply = server.get("/api/v1/version").await;
    let expected = "{\"error\":\"Unauthorized\",\"message\":\"\",\"status\":401}\n";
    assert_eq!((reply.status, reply.body.as_str()), (401, expected));
    for target in ["/metrics", "/openapi.json"] {
        let reply = server.get(target).await;
        assert_eq!((reply.status, reply.body.as_str()), (401, "Unauthorized\n"));
        let content_type = reply.header("content-type").unwrap();
        assert!(content_type.starts_with("text/plain"), "{content_type}");
    }
}

#[tokio::test]
async fn who_is_in_the_file_is_let_in_with_the_right_password_only() {
    let server = TestServer::with_users();
    for field in [BY_ALICE, BY_BOB] {
        assert_eq!(version(&server, field).await.status, 200, "{field}");
    }
    for field in [
        "",
        "Authorization: Basic\r\n",
        "Authorization: Basic !\r\n",
        "Authorization: Bearer YWxpY2U6cGFzc3dvcmQx\r\n",
        // alice:password2, alice:, :password1, Alice:password1
        "Authorization: Basic YWxpY2U6cGFzc3dvcmQy\r\n",
        "Authorization: Basic YWxpY2U6\r\n",
        "Authorization: Basic OnBhc3N3b3JkMQ==\r\n",
        "Authorization: Basic QWxpY2U6cGFzc3dvcmQx\r\n",
        // bob: and his hash
        "Authorization: Basic Ym9iOiRhcHIxJGdMbklrUklmJFhyLzZhSmZtSXJpaFA0YjJOMnRjcy8=\r\n",
        BY_EVE,
        "Authorization: Basic YWxpY2U6cGFzc3dvcmQx\r\nAuthorization: Basic YWxpY2U6cGFzc3dvcmQx\r\n",
    ] {
        assert_eq!(version(&server, field).await.status, 401, "{field}");
    }
}

#[tokio::test]
async fn a_change_of_the_file_counts_at_once_also_for_who_was_known() {
    let server = TestServer::with_users();
    let file = server.user_file();
    assert_eq!(version(&server, BY_ALICE).await.status, 200);
    fs::write(&file, USERS.replace("alice", "carol")).unwrap();
    assert_eq!(version(&server, BY_ALICE).await.status, 401);
    assert_eq!(version(&server, BY_BOB).await.status, 200);
    for broken in ["alice\n", "bob:\"$apr1$x\n", "a:b:c\n", "", "\u{fffd}:::\n"] {
        fs::write(&file, broken).unwrap();
        assert_eq!(version(&server, BY_BOB).await.status, 401, "{broken:?}");
        assert_eq!(
            server.call_by(BY_BOB, "GET", "/metrics", "").await.status,
            401
        );
        assert_eq!(server.get("/healthz").await.status, 200);
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(version(&server, BY_BOB).await.status, 401);
    fs::write(&file, USERS).unwrap();
    assert_eq!(version(&server, BY_BOB).await.status, 200);
    assert_eq!(version(&server, BY_ALICE).await.status, 200);
}

#[tokio::test]
async fn a_file_that_breaks_is_told_once_with_its_setting() {
    let (recorder, _guard) = Recorder::start();
    let server = TestServer::with_users();
    fs::write(server.user_file(), "alice\nsecret\n").unwrap();
    for _ in 0..3 {
        assert_eq!(version(&server, BY_ALICE).await.status, 401);
    }
    fs::remove_file(server.user_file()).unwrap();
    for _ in 0..3 {
        assert_eq!(version(&server, BY_ALICE).await.status, 401);
    }
    let told = |text: &str| {
        let lines = recorder.with("message").into_iter().flatten();
        let messages = lines.filter(|(name, value)| *name == "message" && value.contains(text));
        messages.map(|(_, value)| value).collect::<Vec<_>>()
    };
    let refused = told("every request is refused");
    assert_eq!(refused.len(), 2, "{refused:?}");
    let at = "httpd.auth_user_file: ";
    assert!(
        refused.iter().all(|line| line.starts_with(at)),
        "{refused:?}"
    );
    assert!(told("secret").is_empty());
    fs::write(server.user_file(), USERS).unwrap();
    version(&server, BY_ALICE).await;
    assert_eq!(told("was read, 2 users").len(), 2, "at the start, and now");
}

#[tokio::test]
async fn who_fails_too_often_waits_and_who_is_known_does_not() {
    let server = TestServer::with_users();
    assert_eq!(version(&server, BY_ALICE).await.status, 200);
    let mut statuses = Vec::new();
    for _ in 0..15 {
        statuses.push(version(&server, BY_EVE).await.status);
    }
    assert_eq!(statuses[..10], [401; 10]);
    assert!(statuses.contains(&429), "{statuses:?}");
    // Until it has to wait for so long that the rest of the test is done meanwhile.
    let refused = loop {
        let reply = version(&server, BY_EVE).await;
        let wait = reply.header("retry-after");
        let wait: Option<u64> = wait.map(|wait| wait.parse().unwrap());
        assert_eq!(wait.is_some(), reply.status == 429);
        assert!(wait.is_none_or(|wait| (1..=5).contains(&wait)), "{wait:?}");
        if wait >= Some(3) {
            break reply;
        }
    };
    assert!(
        refused.error().contains("failed logins"),
        "{}",
        refused.body
    );
    // A right one too, if nobody knows it yet; what was right a moment ago goes on.
    assert_eq!(version(&server, BY_BOB).await.status, 429);
    assert_eq!(version(&server, BY_ALICE).await.status, 200);
    assert_eq!(version(&server, "").await.status, 401, "no guess, no wait");
    let text = server.call_by(BY_EVE, "GET", "/metrics", "").await;
    assert_eq!(text.status, 429);
    assert!(text.header("retry-after").is_some());
}

#[tokio::test]
async fn many_requests_at_once_with_the_right_password_are_all_answered() {
    let server = TestServer::with_users();
    let requests = (0..60).map(|_| version(&server, BY_BOB));
    for reply in join_all(requests).await {
        assert_eq!(reply.status, 200);
    }
}

#[tokio::test]
async fn a_failure_is_one_line_for_ban_tools_and_shows_no_password() {
    let (recorder, _guard) = Recorder::start();
    let server = TestServer::with_users();
    assert_eq!(version(&server, BY_ALICE_WRONGLY).await.status, 401);
    assert_eq!(version(&server, BY_ALICE).await.status, 200);
    assert_eq!(version(&server, "").await.status, 401);
    let lines = recorder.with("client_ip");
    let expected = [
        ("sender", "connection_failed"),
        ("client_ip", "127.0.0.1"),
        ("username", "alice"),
        ("login_type", "http-basic"),
        ("error", "wrong user name or password"),
    ];
    assert_eq!(lines.len(), 1, "{lines:?}");
    let fields: Vec<_> = lines[0].iter().map(|(k, v)| (*k, v.as_str())).collect();
    assert_eq!(fields, expected);
    let everything = format!("{:?}", recorder.all());
    for secret in ["wrong:", "password1", "YWxpY2U6", "$2y$05$"] {
        assert!(!everything.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn who_sends_a_large_body_without_a_password_gets_to_read_why_not() {
    let server = TestServer::with_users();
    let body = "x".repeat(4 << 20);
    let reply = server.call("POST", "/api/v1/user", &body).await;
    assert_eq!(reply.status, 401);
    let address = server.address();
    let asks = format!(
        "POST /api/v1/user HTTP/1.1\r\nHost: {address}\r\nExpect: 100-continue\r\n\
         Content-Length: 1000\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(server.raw(asks.as_bytes()).await.status, 401);
}

#[tokio::test]
async fn behind_a_password_the_server_may_be_called_by_any_name() {
    let server = TestServer::with_users();
    let request = |more: &str| {
        format!(
            "DELETE /api/v1/connection/x HTTP/1.1\r\nHost: sftp.example\r\n{BY_ALICE}{more}\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
    };
    let own = request("Origin: https://sftp.example\r\n");
    assert_eq!(server.raw(own.as_bytes()).await.status, 404);
    let foreign = request("Origin: https://evil.example\r\n");
    assert_eq!(server.raw(foreign.as_bytes()).await.status, 403);
}
