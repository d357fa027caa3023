//! The fake of Google Cloud Storage does what that does, and keeps little of it.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use bytes::Bytes;
use serde_json::{Value, json};
use sftpgo_teststore::{Call, FakeGcs, Pattern, Reply};

const MIB: u64 = 1024 * 1024;

async fn start() -> FakeGcs {
    let fake = FakeGcs::start(None).await;
    fake.make_bucket("bucket");
    fake
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

fn at(name: &str) -> String {
    format!("/storage/v1/b/bucket/o/{name}")
}

fn insert(name: &str, body: impl Into<Bytes>) -> Call {
    let target = format!("/upload/storage/v1/b/bucket/o?uploadType=media&name={name}");
    Call::new("POST", target)
        .header("content-type", "text/plain")
        .body(body)
}

/// Begins an upload in chunks, and tells where they go.
async fn begin(fake: &FakeGcs, document: Value) -> String {
    let target = "/upload/storage/v1/b/bucket/o?uploadType=resumable";
    let call = Call::new("POST", target).body(document.to_string());
    let reply = call.send(fake.address()).await.succeeded();
    let location = reply.header("location").unwrap();
    let (_, path) = location.split_once(&fake.address().to_string()).unwrap();
    path.to_owned()
}

fn chunk(target: &str, range: &str, body: Bytes) -> Call {
    Call::new("PUT", target)
        .header("content-range", range)
        .body(body)
}

#[tokio::test]
async fn objects_are_kept_with_what_is_said_of_them() {
    let fake = start().await;
    let reply = insert("a%2Fb%20c", "content").send(fake.address()).await;
    let resource = json_of(&reply.succeeded());
    assert_eq!(resource["name"], "a/b c");
    assert_eq!(resource["size"], "7");
    assert_eq!(resource["contentType"], "text/plain");
    let media = Call::new("GET", at("a%2Fb%20c?alt=media"));
    let ranged = media.clone().header("range", "bytes=2-4");
    assert_eq!(media.send(fake.address()).await.text(), "content");
    let ranged = ranged.send(fake.address()).await;
    assert_eq!((ranged.status, ranged.text().as_str()), (206, "nte"));

    let change = json!({ "metadata": { "mtime": "1", "other": "2" } });
    let patch = |body: Value| Call::new("PATCH", at("a%2Fb%20c")).body(body.to_string());
    patch(change).send(fake.address()).await.succeeded();
    let change = json!({ "metadata": { "other": null } });
    let reply = patch(change).send(fake.address()).await;
    let changed = json_of(&reply);
    assert_eq!(changed["metadata"], json!({ "mtime": "1" }));
    assert_eq!(changed["generation"], resource["generation"]);
    assert_eq!(changed["metageneration"], "3");

    let delete = || Call::new("DELETE", at("a%2Fb%20c")).send(fake.address());
    assert_eq!(delete().await.status, 204);
    let gone = delete().await;
    assert_eq!(gone.status, 404);
    assert_eq!(json_of(&gone)["error"]["errors"][0]["reason"], "notFound");
}

#[tokio::test]
async fn an_object_can_come_with_its_document() {
    let fake = start().await;
    let body = "--x\r\nContent-Type: application/json\r\n\r\n{\"name\":\"key\",\"metadata\":{\"a\":\"b\"}}\
                \r\n--x\r\nContent-Type: text/css\r\n\r\nline\r\n--y\r\n--x--\r\n";
    let target = "/upload/storage/v1/b/bucket/o?uploadType=multipart";
    Call::new("POST", target)
        .header("content-type", "multipart/related; boundary=\"x\"")
        .body(body)
        .send(fake.address())
        .await
        .succeeded();
    let found = fake.object("bucket", "key").unwrap();
    assert_eq!(found.content.as_deref(), Some(&b"line\r\n--y"[..]));
    assert_eq!(found.resource["contentType"], "text/css");
    assert_eq!(found.resource["metadata"]["a"], "b");
}

#[tokio::test]
async fn chunks_become_an_object_when_the_last_one_has_come() {
    let fake = start().await;
    let document = json!({ "name": "large", "metadata": { "a": "b" } });
    let target = begin(&fake, document).await;
    let address = fake.address();
    let whole = 2 * MIB + 10;
    let first = chunk(&target, "bytes 0-1048575/*", Pattern::bytes(0, MIB));
    let reply = first.send(address).await;
    assert_eq!(reply.status, 308);
    assert_eq!(reply.header("range"), Some("bytes=0-1048575"));
    let question = chunk(&target, "bytes */*", Bytes::new());
    let reply = question.send(address).await;
    assert_eq!(
        (reply.status, reply.header("range")),
        (308, Some("bytes=0-1048575"))
    );
    let uneven = chunk(&target, "bytes 1048576-1048585/*", Pattern::bytes(MIB, 10));
    assert_eq!(uneven.send(address).await.status, 400);
    assert!(fake.object("bucket", "large").is_none());
    assert_eq!(fake.uploads(), 1);

    let rest = Pattern::bytes(MIB, MIB + 10);
    let last = chunk(&target, &format!("bytes 1048576-2097161/{whole}"), rest);
    let resource = json_of(&last.send(address).await.succeeded());
    assert_eq!(resource["size"], whole.to_string());
    let found = fake.object("bucket", "large").unwrap();
    assert_eq!(found.crc32, Pattern::crc32(whole));
    assert_eq!(found.resource["metadata"]["a"], "b");
    assert_eq!(fake.uploads(), 0);
    let media = Call::new("GET", at("large?alt=media")).send(address).await;
    assert_eq!(media.body, Pattern::bytes(0, whole));
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let fake = start().await;
    let target = begin(&fake, json!({ "name": "key" })).await;
    let cancel = || Call::new("DELETE", target.clone()).send(fake.address());
    assert_eq!(cancel().await.status, 499);
    assert_eq!(fake.uploads(), 0);
    assert_eq!(cancel().await.status, 404);
}

#[tokio::test]
async fn a_hundred_thousand_names_take_a_hundred_pages() {
    let fake = start().await;
    fake.fill("bucket", "many/", 100_000);
    let (mut names, mut token) = (0, String::new());
    loop {
        let target = format!("/storage/v1/b/bucket/o?prefix=many%2F&delimiter=%2F{token}");
        let reply = Call::new("GET", target).send(fake.address()).await;
        let page = json_of(&reply.succeeded());
        names += page["items"].as_array().unwrap().len();
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => break,
        }
    }
    assert_eq!(names, 100_000);
    assert_eq!(fake.requests().count("objects.list"), 100);
    let root = Call::new("GET", "/storage/v1/b/bucket/o?delimiter=/");
    let root = json_of(&root.send(fake.address()).await);
    assert_eq!(root["prefixes"], json!(["many/"]));
    assert!(root.get("items").is_none());
}

#[tokio::test]
async fn preconditions_are_held() {
    let fake = start().await;
    let address = fake.address();
    let fresh = || insert("key&ifGenerationMatch=0", "x").send(address);
    let generation = json_of(&fresh().await.succeeded())["generation"].clone();
    assert_eq!(fresh().await.status, 412);
    let generation = generation.as_str().unwrap();
    let get = |number: &str| {
        let target = at(&format!("key?alt=media&ifGenerationMatch={number}"));
        Call::new("GET", target).send(address)
    };
    get(generation).await.succeeded();
    assert_eq!(get("99").await.status, 412);
}

#[tokio::test]
async fn copies_of_large_objects_take_several_requests() {
    let fake = start().await;
    fake.put_pattern("bucket", "huge", 2560 * MIB);
    let (mut token, mut requests) = (String::new(), 0);
    let resource = loop {
        let target = at(&format!("huge/rewriteTo/b/bucket/o/the%2Fcopy?{token}"));
        let reply = Call::new("POST", target).send(fake.address()).await;
        let answer = json_of(&reply.succeeded());
        requests += 1;
        if answer["done"] == true {
            break answer["resource"].clone();
        }
        assert!(fake.object("bucket", "the/copy").is_none());
        token = format!("rewriteToken={}", answer["rewriteToken"].as_str().unwrap());
    };
    assert_eq!(requests, 3);
    assert_eq!(resource["name"], "the/copy");
    let found = fake.object("bucket", "the/copy").unwrap();
    assert_eq!(found.crc32, Pattern::crc32(2560 * MIB));
}

#[tokio::test]
async fn objects_are_put_together() {
    let fake = start().await;
    for (name, content) in [("a", "con"), ("b", "tent")] {
        insert(name, content).send(fake.address()).await.succeeded();
    }
    let body = json!({
        "sourceObjects": [{ "name": "a" }, { "name": "b" }],
        "destination": { "contentType": "text/plain" },
    });
    let compose = Call::new("POST", at("whole/compose")).body(body.to_string());
    compose.send(fake.address()).await.succeeded();
    let found = fake.object("bucket", "whole").unwrap();
    assert_eq!(found.content.as_deref(), Some(&b"content"[..]));
}

#[tokio::test]
async fn who_does_not_show_the_token_is_refused() {
    let fake = FakeGcs::start(Some("token")).await;
    fake.make_bucket("bucket");
    let list = || Call::new("GET", "/storage/v1/b/bucket/o");
    assert_eq!(list().send(fake.address()).await.status, 401);
    let list = list().header("authorization", "Bearer token");
    list.send(fake.address()).await.succeeded();
}
