//! Accounts through REST: adding, listing, changing and removing them.

use serde_json::{Value, json};
use sftpgo_core::CoreSettings;
use sftpgo_core::model::{FilesystemConfig, UnixMillis};
use sftpgo_data::{QuotaChange, QuotaDelta, QuotaStore, UserStore};
use sftpgo_http::HttpLimits;

use crate::support::TestServer;

#[tokio::test]
async fn the_smallest_account_is_shown_as_the_reference_shows_it() {
    let server = TestServer::start();
    let sent = r#"{"username":"u","password":"secret","home_dir":"/srv/u","status":1,"permissions":{"/":["*"]}}"#;
    let expected = concat!(
        r#"{"id":1,"status":1,"username":"u","expiration_date":0,"home_dir":"/srv/u","uid":0,"gid":0,"#,
        r#""max_sessions":0,"quota_size":0,"quota_files":0,"permissions":{"/":["*"]},"#,
        r#""used_quota_size":0,"used_quota_files":0,"last_quota_update":0,"upload_bandwidth":0,"#,
        r#""download_bandwidth":0,"last_login":0,"filters":{},"#,
        r#""filesystem":{"provider":0,"s3config":{},"gcsconfig":{}}}"#
    );
    let added = server.call("POST", "/api/v1/user", sent).await;
    assert_eq!((added.status, added.body), (200, format!("{expected}\n")));
    assert_eq!(
        server.get("/api/v1/user/1").await.body,
        format!("{expected}\n")
    );
    assert_eq!(
        server.get("/api/v1/user?username=u").await.body,
        format!("[{expected}]\n")
    );
}

#[tokio::test]
async fn an_account_can_be_added_changed_and_removed() {
    let server = TestServer::start();
    let id = server.added(&server.user("u")).await["id"]
        .as_i64()
        .unwrap();
    let target = format!("/api/v1/user/{id}");
    let update = json!({
        "status": 0, "expiration_date": 1_600_000_000_000_i64, "uid": 1000, "gid": 1001, "max_sessions": 3,
        "quota_size": 4096, "quota_files": 5, "upload_bandwidth": 64, "download_bandwidth": 128,
        "permissions": {"/": ["*"], "/none": []}, "home_dir": "/srv/other",
        "filters": {"allowed_ip": ["192.0.2.0/24"], "denied_ip": ["198.51.100.0/24"],
            "denied_login_methods": ["password"],
            "file_extensions": [{"path": "/", "allowed_extensions": [".txt"], "denied_extensions": [".zip"]}]},
        "virtual_folders": [{"virtual_path": "/v", "mapped_path": "/srv/mapped"}],
    });
    let updated = server.send("PUT", &target, &update).await;
    assert_eq!(
        updated.body,
        "{\"error\":\"\",\"message\":\"User updated\",\"status\":200}\n"
    );
    let stored = server.get(&target).await.json();
    for (key, value) in update.as_object().unwrap() {
        assert_eq!(&stored[key], value, "{key}");
    }
    let removed = server.call("DELETE", &target, "").await;
    assert_eq!(
        removed.body,
        "{\"error\":\"\",\"message\":\"User deleted\",\"status\":200}\n"
    );
    assert_eq!(server.get(&target).await.status, 404);
}

#[tokio::test]
async fn no_reply_shows_a_password_or_a_secret() {
    let server = TestServer::start();
    let mut user = server.user("u");
    user["password"] = "plain".into();
    user["filesystem"] = json!({"provider": 1, "s3config": {"bucket": "b", "region": "r",
        "access_key": "key", "access_secret": "topsecret"}});
    let added = server.added(&user).await;
    let target = "/api/v1/user/1";
    for shown in [
        &added,
        &server.get(target).await.json(),
        &server.get("/api/v1/user").await.json()[0],
    ] {
        assert_eq!(shown.get("password"), None);
        let secret = shown["filesystem"]["s3config"]["access_secret"]
            .as_str()
            .unwrap();
        // The hidden form: the data without its key.
        assert!(
            secret.starts_with("$aes$") && secret.split('$').count() == 3,
            "{secret}"
        );
    }
    let stored = server.provider.user_by_id(1).await.unwrap().unwrap();
    assert!(stored.password.starts_with("$argon2id$"));
    // Sent back as shown, the account stays as it is.
    assert_eq!(server.send("PUT", target, &added).await.status, 200);
    let after = server.provider.user_by_id(1).await.unwrap().unwrap();
    assert_eq!(
        (after.password, after.filesystem),
        (stored.password, stored.filesystem)
    );
}

#[tokio::test]
async fn what_an_update_leaves_out_stays() {
    let server = TestServer::start();
    let mut user = server.user("u");
    user["permissions"] = json!({"/": ["list"], "/sub": ["*", "list"]});
    user["max_sessions"] = 7.into();
    server.added(&user).await;
    let before = server.provider.user_by_id(1).await.unwrap().unwrap();
    for update in [
        json!({}),
        json!({"permissions": {}}),
        json!({"id": 1}),
        json!({"UserName": "other"}),
    ] {
        assert_eq!(
            server.send("PUT", "/api/v1/user/1", &update).await.status,
            200,
            "{update}"
        );
        assert_eq!(
            server.provider.user_by_id(1).await.unwrap().unwrap(),
            before,
            "{update}"
        );
    }
    assert_eq!(
        before.permissions["/sub"],
        ["*"],
        "everything includes the rest"
    );
}

#[tokio::test]
async fn an_update_is_refused_with_a_reason() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    for (target, body, status) in [
        ("/api/v1/user/1", "{", 400),
        ("/api/v1/user/1", "", 400),
        ("/api/v1/user/1", "[]", 400),
        ("/api/v1/user/1", r#"{"status":"on"}"#, 400),
        ("/api/v1/user/1", r#"{"home_dir":""}"#, 400),
        ("/api/v1/user/1", r#"{"home_dir":"relative"}"#, 400),
        ("/api/v1/user/1", r#"{"password":""}"#, 400),
        ("/api/v1/user/a", "{}", 400),
        ("/api/v1/user/99999999999999999999", "{}", 400),
        ("/api/v1/user/0", "{}", 404),
        ("/api/v1/user/2", "{}", 404),
    ] {
        let reply = server.call("PUT", target, body).await;
        assert_eq!(reply.status, status, "{target} {body}: {}", reply.body);
        assert_ne!(reply.error(), "");
    }
    let mismatch = server.call("PUT", "/api/v1/user/1", r#"{"id":5}"#).await;
    assert_eq!((mismatch.status, mismatch.error().as_str()), (400, ""));
    assert_ne!(mismatch.json()["message"], "");
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_a_404() {
    let server = TestServer::start();
    for method in ["GET", "PUT", "DELETE"] {
        for (id, status) in [
            ("0", 404),
            ("999", 404),
            ("-1", 404),
            ("a", 400),
            ("1.0", 400),
        ] {
            let reply = server
                .call(method, &format!("/api/v1/user/{id}"), "{}")
                .await;
            assert_eq!(reply.status, status, "{method} {id}");
            if status == 404 {
                assert!(reply.error().starts_with("Not found: "));
            }
        }
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_a_500() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    let again = server.send("POST", "/api/v1/user", &server.user("u")).await;
    assert_eq!(again.status, 500);
    assert_ne!(again.error(), "");
}

#[tokio::test]
async fn accounts_that_are_managed_elsewhere_are_only_shown() {
    let settings = CoreSettings {
        manage_users: false,
        ..CoreSettings::default()
    };
    let server = TestServer::with(settings, HttpLimits::default());
    let user = server.user("u");
    for (method, target, status) in [
        ("POST", "/api/v1/user", 403),
        ("PUT", "/api/v1/user/1", 403),
        ("DELETE", "/api/v1/user/1", 500),
    ] {
        let reply = server.send(method, target, &user).await;
        assert_eq!(reply.status, status, "{method}");
        assert!(reply.error().starts_with("Method disabled error: "));
    }
    assert_eq!(server.get("/api/v1/user").await.status, 200);
}

#[tokio::test]
async fn a_list_is_a_page_in_order() {
    let server = TestServer::start();
    for name in ["b", "c", "a", "B&b"] {
        server.added(&server.user(name)).await;
    }
    for (query, expected) in [
        ("", &["B&b", "a", "b", "c"][..]),
        ("?order=ASC", &["B&b", "a", "b", "c"]),
        ("?order=DESC", &["c", "b", "a", "B&b"]),
        ("?limit=2", &["B&b", "a"]),
        ("?limit=2&offset=1", &["a", "b"]),
        ("?limit=510", &["B&b", "a", "b", "c"]),
        ("?limit=0", &[]),
        ("?limit=-1", &[]),
        ("?offset=4", &[]),
        ("?username=b", &["b"]),
        ("?username=B", &[]),
        ("?username=B%26b", &["B&b"]),
        ("?username=", &["B&b", "a", "b", "c"]),
        ("?username=b&offset=1", &[]),
        ("?unknown=1", &["B&b", "a", "b", "c"]),
    ] {
        let reply = server.get(&format!("/api/v1/user{query}")).await;
        let names: Vec<Value> = reply
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|u| u["username"].clone())
            .collect();
        assert_eq!(names, expected, "{query}");
    }
}

#[tokio::test]
async fn a_list_goes_on_after_a_name_and_is_searched_by_how_names_begin() {
    let server = TestServer::start();
    for name in ["anna", "anton", "Anton", "bert", "b&b", "\u{e4}nne"] {
        server.added(&server.user(name)).await;
    }
    for (query, expected) in [
        ("?after=anna", &["anton", "b&b", "bert", "\u{e4}nne"][..]),
        ("?after=anna&limit=2", &["anton", "b&b"]),
        ("?after=anna&limit=1&offset=1", &["b&b"]),
        // There need not be such a user.
        ("?after=ann", &["anna", "anton", "b&b", "bert", "\u{e4}nne"]),
        ("?after=anton&order=DESC", &["anna", "Anton"]),
        ("?after=%C3%A4nne", &[]),
        (
            "?after=",
            &["Anton", "anna", "anton", "b&b", "bert", "\u{e4}nne"],
        ),
        ("?search=an", &["anna", "anton"]),
        ("?search=an&order=DESC&limit=1", &["anton"]),
        ("?search=an&after=anna", &["anton"]),
        ("?search=an&after=bert", &[]),
        ("?search=anton", &["anton"]),
        ("?search=%C3%A4", &["\u{e4}nne"]),
        ("?search=b%26", &["b&b"]),
        // How names begin, letter by letter: neither what they contain, nor a pattern.
        ("?search=nto", &[]),
        ("?search=%25", &[]),
        ("?search=an_on", &[]),
        (
            "?search=",
            &["Anton", "anna", "anton", "b&b", "bert", "\u{e4}nne"],
        ),
        ("?search=an&username=anna", &["anna"]),
        ("?search=b&username=anna", &[]),
    ] {
        let reply = server.get(&format!("/api/v1/user{query}")).await;
        let names: Vec<Value> = reply
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["username"].clone())
            .collect();
        assert_eq!(names, expected, "{query}");
    }
}

#[tokio::test]
async fn parameters_of_a_list_must_make_sense() {
    let server = TestServer::start();
    for query in [
        "limit=a",
        "limit=",
        "limit=1.5",
        "offset=x",
        "offset=",
        "order=asc",
        "order=",
        "limit=99999999999999999999",
    ] {
        let reply = server.get(&format!("/api/v1/user?{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.error().starts_with("Invalid "), "{}", reply.body);
    }
}

#[tokio::test]
async fn used_quota_is_shown_and_cannot_be_set() {
    let server = TestServer::start();
    let mut user = server.user("u");
    (
        user["used_quota_size"],
        user["used_quota_files"],
        user["last_login"],
    ) = (9.into(), 9.into(), 9.into());
    let added = server.added(&user).await;
    assert_eq!(
        (&added["used_quota_size"], &added["last_login"]),
        (&json!(0), &json!(0))
    );
    let delta = QuotaDelta {
        files: 2,
        bytes: 30,
    };
    server
        .provider
        .add_quota(&QuotaChange {
            username: "u",
            delta,
            at: UnixMillis::now(),
            number: 1,
        })
        .await
        .unwrap();
    assert_eq!(
        server.send("PUT", "/api/v1/user/1", &user).await.status,
        200
    );
    let shown = server.get("/api/v1/user/1").await.json();
    assert_eq!(
        (&shown["used_quota_size"], &shown["used_quota_files"]),
        (&json!(30), &json!(2))
    );
}

#[tokio::test]
async fn a_home_is_made_up_from_the_base_directory_if_there_is_one() {
    let settings = CoreSettings {
        users_base_dir: Some("/srv/base".into()),
        ..CoreSettings::default()
    };
    let server = TestServer::with(settings, HttpLimits::default());
    let mut user = server.user("u");
    user["home_dir"] = "".into();
    assert_eq!(server.added(&user).await["home_dir"], "/srv/base/u");
    user["username"] = "../escape".into();
    assert_eq!(server.send("POST", "/api/v1/user", &user).await.status, 400);
}

/// The stored secret of the account's S3 store after an update, with the status of the reply.
async fn secret_after(server: &TestServer, s3: Value) -> (u16, String) {
    let update = json!({ "filesystem": { "provider": 1, "s3config": s3 } });
    let reply = server.send("PUT", "/api/v1/user/1", &update).await;
    let stored = server.stored("u").await.unwrap().filesystem.s3config;
    let secret = serde_json::to_value(stored.access_secret).unwrap();
    (reply.status, secret.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn credentials_of_a_store_are_set_replaced_kept_and_given_up() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    let first =
        json!({ "bucket": "b", "region": "r", "access_key": "k", "access_secret": "first" });
    let (status, sealed) = secret_after(&server, first).await;
    assert_eq!(status, 200);
    assert!(sealed.starts_with("$aes$") && sealed.split('$').count() == 4);
    let shown = server.get("/api/v1/user/1").await.json();
    let hidden = shown["filesystem"]["s3config"]["access_secret"].clone();
    for keeps in [
        json!({ "region": "r2" }),
        json!({ "access_key": "k2", "access_secret": "" }),
        json!({ "access_secret": "" }),
        json!({ "access_secret": hidden }),
    ] {
        let kept = secret_after(&server, keeps.clone()).await;
        assert_eq!(kept, (200, sealed.clone()), "{keeps}");
    }
    let (status, second) = secret_after(&server, json!({ "access_secret": "second" })).await;
    assert_eq!(status, 200);
    assert_ne!(second, sealed);
    let sealed_before = json!({ "access_secret": sealed });
    assert_eq!(
        secret_after(&server, sealed_before).await,
        (200, sealed.clone())
    );
    // A key without its secret, or the other way round, is none.
    let half = secret_after(&server, json!({ "access_key": "" })).await;
    assert_eq!(half, (400, sealed));
    let none = json!({ "access_key": "", "access_secret": "" });
    assert_eq!(secret_after(&server, none).await, (200, String::new()));
    assert_eq!(secret_after(&server, json!({})).await, (200, String::new()));
}

#[tokio::test]
async fn an_account_goes_from_one_back_end_to_another() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    let s3 = json!({ "bucket": "b", "region": "r", "key_prefix": "p/../q" });
    let gcs = json!({ "bucket": "g", "automatic_credentials": 1, "storage_class": "NEARLINE" });
    for (filesystem, shown) in [
        (
            json!({ "provider": 1, "s3config": s3 }),
            json!({ "provider": 1, "gcsconfig": {},
                "s3config": { "bucket": "b", "region": "r", "key_prefix": "q/" } }),
        ),
        (
            json!({ "provider": 2, "gcsconfig": gcs, "s3config": { "bucket": "c" } }),
            json!({ "provider": 2, "gcsconfig": gcs,
                "s3config": { "bucket": "c", "region": "r", "key_prefix": "q/" } }),
        ),
        (
            json!({ "provider": 0 }),
            json!({ "provider": 0, "gcsconfig": {}, "s3config": {} }),
        ),
    ] {
        let update = json!({ "filesystem": filesystem });
        let reply = server.send("PUT", "/api/v1/user/1", &update).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let user = server.get("/api/v1/user/1").await.json();
        assert_eq!(user["filesystem"], shown);
    }
}

/// The account's filesystem after an update, as it is stored.
async fn filesystem_after(server: &TestServer, filesystem: Value) -> FilesystemConfig {
    let update = json!({ "filesystem": filesystem });
    let reply = server.send("PUT", "/api/v1/user/1", &update).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    server.stored("u").await.unwrap().filesystem
}

#[tokio::test]
async fn secrets_of_google_and_azure_are_sealed_hidden_kept_and_given_up() {
    let server = TestServer::start();
    server.added(&server.user("u")).await;
    let key = "{\"private_key\":\"s3cret\"}";
    let google = json!({ "provider": 2, "gcsconfig": { "bucket": "b", "credentials": key } });
    let azure = json!({ "provider": 3, "azblobconfig": { "container": "c", "account_name": "a",
        "account_key": "czNjcmV0", "sas_url": "sv=1&sig=s3cret" } });
    for (filesystem, object, secrets, gives_up) in [
        (
            google,
            "gcsconfig",
            &["credentials"][..],
            json!({ "automatic_credentials": 1, "credentials": "" }),
        ),
        (
            azure,
            "azblobconfig",
            &["account_key", "sas_url"],
            json!({ "account_key": "", "sas_url": "" }),
        ),
    ] {
        let stored = filesystem_after(&server, filesystem).await;
        let shown = server.get("/api/v1/user/1").await;
        assert!(!shown.body.contains("s3cret") && !shown.body.contains("czNjcmV0"));
        let shown = shown.json()["filesystem"].clone();
        let whole = serde_json::to_value(&stored).unwrap();
        for secret in secrets {
            let (sealed, hidden) = (&whole[object][secret], &shown[object][secret]);
            assert_eq!(sealed.as_str().unwrap().split('$').count(), 4, "{secret}");
            assert_eq!(hidden.as_str().unwrap().split('$').count(), 3, "{secret}");
            let empty = json!({ object: { *secret: "" } });
            assert_eq!(filesystem_after(&server, empty).await, stored, "{secret}");
        }
        assert_eq!(filesystem_after(&server, shown).await, stored);
        let given_up = filesystem_after(&server, json!({ object: gives_up })).await;
        let given_up = serde_json::to_value(given_up).unwrap();
        for secret in secrets {
            assert_eq!(given_up[object][secret], Value::Null, "{secret}");
        }
    }
}

#[tokio::test]
async fn a_file_of_credentials_of_the_reference_is_enough() {
    let directory = tempfile::tempdir().unwrap();
    let settings = CoreSettings {
        credentials_dir: Some(directory.path().to_owned()),
        ..CoreSettings::default()
    };
    let server = TestServer::with(settings, HttpLimits::default());
    let mut user = server.user("u");
    user["filesystem"] = json!({ "provider": 2, "gcsconfig": { "bucket": "b" } });
    let refused = server.send("POST", "/api/v1/user", &user).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.error().contains("gcsconfig: credentials"),
        "{}",
        refused.body
    );
    let file = directory.path().join("u_gcs_credentials.json");
    std::fs::write(file, "{}").unwrap();
    server.added(&user).await;
    user["username"] = json!("../u");
    assert_eq!(server.send("POST", "/api/v1/user", &user).await.status, 400);
    let stored = server.stored("u").await.unwrap().filesystem.gcsconfig;
    assert!(stored.credentials.is_empty());
}

#[tokio::test]
async fn a_password_that_is_too_long_is_a_400() {
    let server = TestServer::start();
    let mut user = server.user("u");
    user["password"] = "x".repeat(1025).into();
    let reply = server.send("POST", "/api/v1/user", &user).await;
    assert_eq!(reply.status, 400);
    let error = reply.error();
    assert!(error.starts_with("Validation error: "), "{error}");
}
