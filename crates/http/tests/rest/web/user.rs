//! The form of a user (reference 12.3).

use serde_json::json;

use super::{Fields, assert_page, post, post_multipart, unescaped};
use crate::support::TestServer;

#[tokio::test]
async fn a_user_is_added_by_the_form_when_nothing_is_wrong_with_it() {
    let server = TestServer::start();
    let mapped = server.homes.path().join("mapped").display().to_string();
    let good = Fields::of(&server, "u")
        .with("virtual_folders", &format!(" /vdir:: {mapped} "))
        .with("allowed_extensions", "/dir1::.jpg,.png")
        .with("denied_extensions", " /dir1::.zip \n/dir2::.exe")
        .with("public_keys", "\n");
    for (field, value) in [
        ("username", ""),
        ("status", "a"),
        ("status", "2"),
        ("expiration_date", "a"),
        ("uid", "a"),
        ("gid", ""),
        ("max_sessions", "a"),
        ("quota_size", "a"),
        ("quota_files", "a"),
        ("upload_bandwidth", "a"),
        ("download_bandwidth", "a"),
        ("home_dir", ""),
        ("home_dir", "relative"),
        ("password", ""),
        ("permissions", "none"),
        ("sub_dirs_permissions", "/a::none"),
        ("sub_dirs_permissions", "/a:list"),
        ("public_keys", "no key"),
        ("denied_ip", "192.168.1.0"),
        ("allowed_ip", "invalid,ip"),
        ("virtual_folders", "vdir::/x"),
        ("ssh_login_methods", "none"),
    ] {
        let reply = post(&server, "/web/user", &good.clone().with(field, value)).await;
        assert_page(&reply, 200, "Add a new user");
        assert!(
            reply.body.contains("Nothing was saved yet"),
            "{field}={value}"
        );
        assert_eq!(server.stored("u").await, None, "{field}={value}");
    }
    for field in ["permissions", "status", "uid", "download_bandwidth"] {
        let reply = post(&server, "/web/user", &good.clone().without(field)).await;
        assert_page(&reply, 200, "Add a new user");
    }
    let reply = post(&server, "/web/user", &good).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/web/users"))
    );
    let again = post(&server, "/web/user", &good).await;
    assert_page(&again, 200, "Add a new user");

    let user = server.stored("u").await.unwrap();
    assert_eq!(user.permissions["/"], ["*"]);
    assert_eq!(user.permissions["/subdir"], ["list", "download"]);
    assert_eq!(user.virtual_folders[0].virtual_path, "/vdir");
    assert_eq!(user.virtual_folders[0].mapped_path, mapped);
    let filters = &user.filters.file_extensions;
    assert_eq!(filters[0].path, "/dir1");
    assert_eq!(filters[0].allowed_extensions, [".jpg", ".png"]);
    assert_eq!(filters[0].denied_extensions, [".zip"]);
    assert_eq!(filters[1].denied_extensions, [".exe"]);
    assert_eq!((user.status, user.expiration_date), (1, 0));
}

#[tokio::test]
async fn a_form_may_be_sent_in_both_ways() {
    let server = TestServer::start();
    let fields = Fields::of(&server, "u");
    let reply = post_multipart(&server, "/web/user", &fields, None).await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    assert!(server.stored("u").await.is_some());
}

#[tokio::test]
async fn a_user_is_changed_by_the_form() {
    let server = TestServer::start();
    let mut user = server.user("u");
    user["filters"] = json!({"file_extensions": [{"path": "/", "denied_extensions": [".x"]}],
        "required_login_methods": ["publickey,password"]});
    user["public_keys"] = json!([]);
    server.added(&user).await;
    let fields = Fields::of(&server, "other name")
        .with("status", "0")
        .with("uid", "1")
        .with("gid", "2")
        .with("max_sessions", "3")
        .with("quota_size", "4")
        .with("quota_files", "5")
        .with("upload_bandwidth", "6")
        .with("download_bandwidth", "7")
        .with("password", "")
        .with("permissions", "download")
        .with("sub_dirs_permissions", "/otherdir :: list ,download ")
        .with("expiration_date", "2020-01-01 00:00:00")
        .with("allowed_ip", " 192.168.1.3/32, 192.168.2.0/24 ")
        .with("denied_ip", " 10.0.0.2/32 ")
        .with("ssh_login_methods", "keyboard-interactive");
    let reply = post(&server, "/web/user/1", &fields.clone().with("uid", "x")).await;
    assert_page(&reply, 200, "Update user");
    let reply = post(&server, "/web/user/1", &fields).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/web/users"))
    );
    let stored = server.stored("u").await.unwrap();
    assert_eq!(stored.username, "u");
    assert_eq!(
        (stored.status, stored.uid, stored.gid, stored.max_sessions),
        (0, 1, 2, 3)
    );
    assert_eq!((stored.quota_size, stored.quota_files), (4, 5));
    assert_eq!((stored.upload_bandwidth, stored.download_bandwidth), (6, 7));
    assert_eq!(stored.password, "$argon2id$none");
    assert_eq!(stored.permissions["/"], ["download"]);
    assert_eq!(stored.permissions["/otherdir"], ["list", "download"]);
    assert_eq!(stored.expiration_date, 1_577_836_800_000);
    assert_eq!(
        stored.filters.allowed_ip,
        ["192.168.1.3/32", "192.168.2.0/24"]
    );
    assert_eq!(stored.filters.denied_ip, ["10.0.0.2/32"]);
    assert_eq!(
        stored.filters.denied_login_methods,
        ["keyboard-interactive"]
    );
    // Lists are whole, and what the reference's form does not know stays.
    assert!(stored.filters.file_extensions.is_empty());
    assert_eq!(
        stored.filters.required_login_methods,
        ["publickey,password"]
    );
}

#[tokio::test]
async fn a_mistake_keeps_what_was_typed_and_leads_to_its_field() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    let fields = Fields::of(&server, "u")
        .with("quota_size", "many")
        .with("home_dir", "/typed/home")
        .with("password", "typed secret")
        .with("permissions", "rename")
        .with("sub_dirs_permissions", "/typed::list");
    for target in ["/web/user", "/web/user/1"] {
        let reply = post(&server, target, &fields).await;
        assert_eq!(reply.status, 200);
        let page = unescaped(&reply.body);
        for text in [
            "value=\"many\"",
            "value=\"/typed/home\"",
            "/typed::list",
            "value=\"rename\" checked",
            "<a href=\"#quota_size\">",
            "id=\"error-quota_size\"",
        ] {
            assert!(page.contains(text), "{target}: {text}");
        }
        assert!(!page.contains("typed secret"), "{target}");
    }
    assert_eq!(server.stored("u").await.unwrap().quota_size, 0);
}

#[tokio::test]
async fn the_form_of_a_user_shows_what_is_stored_and_no_secret() {
    let server = TestServer::start();
    let mut user = server.user("u");
    user["expiration_date"] = json!(1_577_836_800_000_i64);
    user["permissions"] = json!({"/": ["list", "chmod"], "/a": [], "/b": ["upload", "delete"]});
    user["filters"] = json!({"allowed_ip": ["10.0.0.0/8", "192.0.2.0/24"]});
    server.added(&user).await;
    let page = unescaped(&server.get("/web/user/1").await.body);
    for text in [
        "value=\"2020-01-01T00:00:00\"",
        "value=\"list\" checked",
        "value=\"chmod\" checked",
        "/a::\n/b::upload,delete</textarea>",
        "value=\"10.0.0.0/8, 192.0.2.0/24\"",
        "name=\"username\" type=\"text\" value=\"u\" autocomplete=\"off\" spellcheck=\"false\" required readonly",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("value=\"*\" checked") && !page.contains("argon2id"));
}
