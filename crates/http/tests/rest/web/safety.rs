//! Headers, tokens, other web sites, bounds, and names that are HTML.

use serde_json::json;

use super::{Fields, assert_page, post, post_multipart, send};
use crate::support::{Reply, TestServer};

const BROWSER: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n";
const FORM: &str = "application/x-www-form-urlencoded";

/// The cookie and the token that a browser gets with a page.
fn token_of(page: &Reply) -> (String, String) {
    let cookie = page
        .header("set-cookie")
        .expect("a cookie")
        .split(';')
        .next()
        .unwrap();
    let token = page
        .body
        .split("name=\"_form_token\" value=\"")
        .nth(1)
        .expect("a token");
    (
        cookie.to_owned(),
        token.split('"').next().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn pages_run_and_load_nothing_but_our_own_files_and_stay_in_no_cache() {
    let server = TestServer::start();
    for target in [
        "/web/users",
        "/web/user",
        "/web/connections",
        "/web/status",
        "/web/backup",
        "/web/user/7",
    ] {
        let reply = server.get(target).await;
        let policy = reply.header("content-security-policy").unwrap();
        assert_eq!(
            policy,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
             connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{target}");
        }
        for inline in [
            "<script>",
            "<style",
            " style=",
            " onclick=",
            " onload=",
            "javascript:",
        ] {
            assert!(!reply.body.contains(inline), "{target}: {inline}");
        }
    }
}

#[tokio::test]
async fn a_browser_changes_something_only_with_the_token_of_a_page() {
    let server = TestServer::start();
    server.added(&server.user("there")).await;
    let (cookie, token) = token_of(&server.get("/web/user").await);
    let own = format!("{BROWSER}Cookie: {cookie}\r\n");
    let fields = Fields::of(&server, "u");
    for (headers, fields) in [
        (BROWSER.to_owned(), fields.clone()),
        (own.clone(), fields.clone()),
        (own.clone(), fields.clone().with("_form_token", "00")),
        (
            BROWSER.to_owned(),
            fields.clone().with("_form_token", &token),
        ),
    ] {
        let reply = send(&server, "/web/user", FORM, &fields.encoded(), &headers).await;
        assert_page(&reply, 403, "Add a new user");
        for target in [
            "/web/user/1/delete",
            "/web/user/1/scan",
            "/web/backup",
            "/web/restore",
            "/web/status/forgive",
        ] {
            let reply = send(&server, target, FORM, &fields.encoded(), &headers).await;
            assert_page(&reply, 403, "Forbidden");
        }
        let reply = send(
            &server,
            "/web/connection/0af1/disconnect",
            FORM,
            &fields.encoded(),
            &headers,
        )
        .await;
        assert_page(&reply, 403, "Forbidden");
    }
    assert_eq!(server.stored("u").await, None);
    let body = fields.with("_form_token", &token).encoded();
    let reply = send(&server, "/web/user", FORM, &body, &own).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/web/users"))
    );
    assert!(server.stored("u").await.is_some() && server.stored("there").await.is_some());
}

#[tokio::test]
async fn a_form_that_came_too_late_keeps_what_was_typed() {
    let server = TestServer::start();
    let fields = Fields::of(&server, "typed-name").with("_form_token", "00");
    let reply = send(&server, "/web/user", FORM, &fields.encoded(), BROWSER).await;
    assert_page(&reply, 403, "Add a new user");
    assert!(reply.body.contains("value=\"typed-name\""));
    assert!(!reply.body.contains("argon2id"));
}

#[tokio::test]
async fn forms_of_other_web_sites_are_refused() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    let body = Fields::of(&server, "new").encoded();
    for headers in [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        for target in [
            "/web/user",
            "/web/user/1",
            "/web/user/1/delete",
            "/web/restore",
            "/web/backup",
        ] {
            let reply = send(&server, target, FORM, &body, headers).await;
            assert_eq!(reply.status, 403, "{target} {headers}");
        }
    }
    assert!(server.stored("u").await.is_some() && server.stored("new").await.is_none());
}

#[tokio::test]
async fn a_form_has_a_mebibyte_at_most() {
    let server = TestServer::start();
    let large = Fields::of(&server, "u").with("public_keys", &"x".repeat(1024 * 1024));
    assert_page(
        &post(&server, "/web/user", &large).await,
        400,
        "Bad request",
    );
    let reply = post_multipart(&server, "/web/user", &large, None).await;
    assert_page(&reply, 400, "Bad request");
    assert!(reply.body.contains("larger than 1048576 bytes"));
    assert_eq!(server.stored("u").await, None);
}

#[tokio::test]
async fn what_is_no_form_is_told_and_changes_nothing() {
    let server = TestServer::start();
    for (kind, body) in [
        ("application/json", "{}"),
        ("multipart/form-data; boundary=X", "--Y--"),
    ] {
        let reply = send(&server, "/web/user", kind, body, "").await;
        assert_page(&reply, 400, "Bad request");
    }
}

#[tokio::test]
async fn names_and_paths_that_are_html_show_as_text() {
    let server = TestServer::start();
    let name = "<script>alert(1)</script>";
    let mut user = server.user("home");
    user["username"] = json!(name);
    user["home_dir"] = json!("/srv/<img src=x onerror=alert(2)>");
    user["permissions"] = json!({"/": ["*"], "/\"><b>": ["list"]});
    user["filters"] =
        json!({"file_extensions": [{"path": "/</textarea><i>", "denied_extensions": [".x"]}]});
    server.added(&user).await;
    for target in [
        "/web/users",
        "/web/users?search=%3Cscript%3E",
        "/web/user/1",
        "/web/user/1/delete",
        "/web/user/1/scan",
    ] {
        let page = server.get(target).await;
        assert_eq!(page.status, 200);
        for html in ["<script>alert", "<img src=x", "\"><b>", "</textarea><i>"] {
            assert!(!page.body.contains(html), "{target}: {html}");
        }
        assert!(
            page.body
                .contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;"),
            "{target}"
        );
    }
    let fields = Fields::of(&server, name)
        .with("uid", "\"><u>x</u>")
        .with("home_dir", "<u>");
    let page = post(&server, "/web/user", &fields).await;
    assert_page(&page, 200, "Add a new user");
    assert!(!page.body.contains("<u>") && page.body.contains("&lt;u&gt;"));
}
