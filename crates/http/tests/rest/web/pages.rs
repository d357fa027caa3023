//! Routes, titles and status codes of the pages (reference 12.1), and static files.

use std::fs;

use serde_json::json;
use sftpgo_core::CoreSettings;
use sftpgo_data::{DataProvider as _, UserStore as _};
use sftpgo_http::HttpLimits;

use super::{Fields, assert_page, post, unescaped};
use crate::support::TestServer;

#[tokio::test]
async fn the_root_and_web_lead_to_the_users() {
    let server = TestServer::start();
    for target in ["/", "/web"] {
        let reply = server.get(target).await;
        assert_eq!(reply.status, 301, "{target}");
        assert_eq!(reply.header("location"), Some("/web/users"));
    }
}

#[tokio::test]
async fn the_list_and_the_forms_are_shown_and_bad_ids_are_told() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    for target in [
        "/web/users",
        "/web/users?qlimit=2",
        "/web/users?qlimit=bad",
        "/web/users?order=x&after=",
    ] {
        assert_page(&server.get(target).await, 200, "Users");
    }
    assert_page(&server.get("/web/user").await, 200, "Add a new user");
    assert_page(&server.get("/web/user/1").await, 200, "Update user");
    assert_page(&server.get("/web/connections").await, 200, "Connections");
    assert_page(&server.get("/web/status").await, 200, "Status");
    assert_page(&server.get("/web/backup").await, 200, "Backup");
    for target in ["/web/user/0", "/web/user/0/delete", "/web/user/0/scan"] {
        assert_page(&server.get(target).await, 404, "Not found");
    }
    assert_page(&server.get("/web/user/a").await, 400, "Bad request");
    let fields = Fields::of(&server, "u");
    assert_page(
        &post(&server, "/web/user/0", &fields).await,
        404,
        "Not found",
    );
    assert_page(
        &post(&server, "/web/user/a", &fields).await,
        400,
        "Bad request",
    );
    assert_eq!(server.call("DELETE", "/web/users", "").await.status, 405);
    assert_eq!(server.get("/web/nothing").await.status, 404);
}

#[tokio::test]
async fn the_list_is_searched_sorted_and_cut_at_the_server() {
    let server = TestServer::start();
    for name in ["a1", "a2", "a3", "b1"] {
        server.added(&server.user(name)).await;
    }
    let names = |body: &str| {
        let rows = body.split("<tr data-id=").skip(1);
        let name = |row: &str| {
            row.split("\">")
                .nth(3)
                .unwrap()
                .split('<')
                .next()
                .unwrap()
                .to_owned()
        };
        rows.map(name).collect::<Vec<_>>()
    };
    let page = server.get("/web/users?qlimit=2&search=a").await.body;
    assert_eq!(names(&page), ["a1", "a2"]);
    assert!(unescaped(&page).contains("/web/users?search=a&qlimit=2&after=a2"));
    let page = server
        .get("/web/users?search=a&qlimit=2&after=a2")
        .await
        .body;
    assert_eq!(names(&page), ["a3"]);
    let page = server.get("/web/users?order=DESC").await.body;
    assert_eq!(names(&page), ["b1", "a3", "a2", "a1"]);
    let nobody = server.get("/web/users?search=%3Cb%3E").await.body;
    assert!(nobody.contains("No user begins with “&lt;b&gt;”") && !nobody.contains("<b>"));
}

#[tokio::test]
async fn a_row_tells_what_the_reference_tells() {
    let server = TestServer::start();
    let mut user = server.user("u");
    user["quota_files"] = json!(10);
    user["upload_bandwidth"] = json!(128);
    user["expiration_date"] = json!(1_000_000_000_000_i64);
    user["permissions"] = json!({"/": ["list", "download"], "/in": ["upload"]});
    user["max_sessions"] = json!(3);
    server.added(&user).await;
    let page = unescaped(&server.get("/web/users").await.body);
    for text in [
        "Files: 0/10",
        "\"/\": \"list, download\", \"/in\": \"upload\"",
        "Download: unlimited.",
        "Upload: 128.0 KB/s.",
        "Expired 2001-09-0",
        "Max sessions: <b>3</b>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[tokio::test]
async fn a_data_provider_that_is_closed_is_a_500_page() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    server.provider.close().await;
    let title = "Internal Server Error";
    for target in ["/web/users", "/web/user/1", "/web/user/1/delete"] {
        assert_page(&server.get(target).await, 500, title);
    }
    let fields = Fields::of(&server, "u");
    assert_page(&post(&server, "/web/user/1", &fields).await, 500, title);
    let status = server.get("/web/status").await;
    assert_page(&status, 200, "Status");
    assert!(status.body.contains("Not reachable"));
}

#[tokio::test]
async fn users_are_deleted_and_scanned_by_forms_that_ask_first() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    for (target, button) in [
        ("/web/user/1/delete", "Delete user"),
        ("/web/user/1/scan", "Start quota scan"),
    ] {
        let question = server.get(target).await;
        assert_page(&question, 200, button);
        assert!(unescaped(&question.body).contains(&format!("action=\"{target}\"")));
    }
    let reply = server.call("POST", "/web/user/1/scan", "").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/web/users"))
    );
    let reply = server.call("POST", "/web/user/1/delete", "").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/web/users"))
    );
    assert_eq!(server.stored("u").await, None);
    assert_page(
        &server.call("POST", "/web/user/1/delete", "").await,
        404,
        "Not found",
    );
}

#[tokio::test]
async fn accounts_that_are_managed_elsewhere_are_not_changed_here() {
    let settings = CoreSettings {
        manage_users: false,
        ..CoreSettings::default()
    };
    let server = TestServer::with(settings, HttpLimits::default());
    let record = sftpgo_core::model::UserRecord::from_json(server.user("u").to_string().as_bytes());
    server.provider.add_user(&record.unwrap()).await.unwrap();
    let reply = server.call("POST", "/web/user/1/delete", "").await;
    assert_page(&reply, 403, "Forbidden");
    let reply = post(&server, "/web/user", &Fields::of(&server, "new")).await;
    assert_page(&reply, 200, "Add a new user");
    assert!(reply.body.contains("data_provider.manage_users"));
}

#[tokio::test]
async fn what_was_done_is_told_once() {
    let server = TestServer::start();
    let reply = post(&server, "/web/user", &Fields::of(&server, "u")).await;
    let cookie = reply.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("sftpgo_done=added; Max-Age=30; HttpOnly; Path=/web; SameSite=Strict")
    );
    let address = server.address();
    let request = format!(
        "GET /web/users HTTP/1.1\r\nHost: {address}\r\nCookie: sftpgo_done=added\r\nConnection: close\r\n\r\n"
    );
    let page = server.raw(request.as_bytes()).await;
    assert!(page.body.contains("The user was added."));
    assert!(page.head.contains("sftpgo_done=; Max-Age=0"));
}

#[tokio::test]
async fn static_files_are_served_without_a_listing() {
    let server = TestServer::start();
    for (name, kind) in [
        ("favicon.ico", "image/x-icon"),
        ("app.css", "text/css; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("logo.svg", "image/svg+xml"),
    ] {
        let address = server.address();
        let request =
            format!("HEAD /static/{name} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let reply = server.raw(request.as_bytes()).await;
        assert_eq!(reply.status, 200, "{name}");
        assert_eq!(reply.header("content-type"), Some(kind));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("cache-control"), Some("no-cache"));
        let tag = reply.header("etag").unwrap().to_owned();
        let request = format!(
            "GET /static/{name} HTTP/1.1\r\nHost: {address}\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(server.raw(request.as_bytes()).await.status, 304);
    }
    let moved = server.get("/static").await;
    assert_eq!(
        (moved.status, moved.header("location")),
        (301, Some("/static/"))
    );
    for target in [
        "/static/",
        "/static/nothing",
        "/static/../Cargo.toml",
        "/static/%2e%2e/x",
        "/static//app.css",
    ] {
        assert_eq!(server.get(target).await.status, 404, "{target}");
    }
}

#[tokio::test]
async fn pages_name_their_files_by_what_is_in_them_so_that_they_can_be_kept() {
    let server = TestServer::start();
    let page = unescaped(&server.get("/web/users").await.body);
    let href = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap();
    let href = href.split('"').next().unwrap();
    let reply = server.get(href).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    let old = server.get("/static/app.css?v=0000000000000000").await;
    assert_eq!(old.header("cache-control"), Some("no-cache"));
}

#[tokio::test]
async fn no_page_asks_another_host_for_anything() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
    for directory in ["templates", "static"] {
        for entry in fs::read_dir(root.join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            // The name of a vocabulary, which nobody fetches.
            let text = text.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            for foreign in ["http:", "https:", "\"//", "'//", "url(", "@import"] {
                assert!(!text.contains(foreign), "{}: {foreign}", path.display());
            }
        }
    }
}
