//! The fake S3 does what S3 does, and keeps little of it.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write as _;

use bytes::Bytes;
use sftpgo_teststore::{Call, FakeS3, Keys, Pattern, Reply, Settings};

const MIB: u64 = 1024 * 1024;

async fn start() -> FakeS3 {
    let fake = FakeS3::start().await;
    fake.make_bucket("bucket");
    fake
}

async fn call(fake: &FakeS3, method: &'static str, target: &str, body: impl Into<Bytes>) -> Reply {
    Call::new(method, target)
        .body(body)
        .send(fake.address())
        .await
}

/// What stands in the first element of this name.
fn element(reply: &Reply, name: &str) -> String {
    let text = reply.text();
    let (_, rest) = text.split_once(&format!("<{name}>")).unwrap();
    rest.split_once('<').unwrap().0.replace("&quot;", "\"")
}

async fn begin(fake: &FakeS3, key: &str) -> String {
    let target = format!("/bucket/{key}?uploads");
    element(
        &call(fake, "POST", &target, "").await.succeeded(),
        "UploadId",
    )
}

async fn part(fake: &FakeS3, key: &str, id: &str, number: usize, body: Bytes) -> String {
    let target = format!("/bucket/{key}?partNumber={number}&uploadId={id}");
    let reply = call(fake, "PUT", &target, body).await.succeeded();
    reply.header("etag").unwrap().to_owned()
}

async fn complete(fake: &FakeS3, key: &str, id: &str, etags: &[String]) -> Reply {
    let mut body = String::from("<CompleteMultipartUpload>");
    for (index, etag) in etags.iter().enumerate() {
        let etag = etag.replace('"', "&quot;");
        let number = index + 1;
        write!(
            body,
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        )
        .unwrap();
    }
    body.push_str("</CompleteMultipartUpload>");
    call(fake, "POST", &format!("/bucket/{key}?uploadId={id}"), body).await
}

#[tokio::test]
async fn small_objects_are_kept_with_their_metadata_and_class() {
    let fake = start().await;
    Call::new("PUT", "/bucket/a%20b/c")
        .header("content-type", "text/plain")
        .header("x-amz-meta-mtime", "12")
        .header("x-amz-storage-class", "STANDARD_IA")
        .body("content")
        .send(fake.address())
        .await
        .succeeded();
    let reply = call(&fake, "GET", "/bucket/a%20b/c", "").await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "content"));
    for (name, value) in [
        ("content-type", "text/plain"),
        ("x-amz-meta-mtime", "12"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ] {
        assert_eq!(reply.header(name), Some(value));
    }
    let head = call(&fake, "HEAD", "/bucket/a%20b/c", "").await;
    assert_eq!(head.header("content-length"), Some("7"));
    let found = fake.object("bucket", "a b/c").unwrap();
    assert_eq!(found.content.as_deref(), Some(&b"content"[..]));
    assert_eq!(found.crc32, crc32fast::hash(b"content"));
    assert_eq!(fake.requests().count("PutObject"), 1);
    assert_eq!(fake.requests().bytes_received(), 7);

    let ranged = Call::new("GET", "/bucket/a%20b/c").header("range", "bytes=2-4");
    let ranged = ranged.send(fake.address()).await;
    assert_eq!((ranged.status, ranged.text().as_str()), (206, "nte"));
    assert_eq!(ranged.header("content-range"), Some("bytes 2-4/7"));

    assert_eq!(
        call(&fake, "DELETE", "/bucket/a%20b/c", "").await.status,
        204
    );
    let gone = call(&fake, "GET", "/bucket/a%20b/c", "").await;
    assert_eq!(
        (gone.status, element(&gone, "Code").as_str()),
        (404, "NoSuchKey")
    );
}

#[tokio::test]
async fn parts_become_an_object_when_all_of_them_are_there() {
    let fake = start().await;
    let id = begin(&fake, "large").await;
    let first = part(&fake, "large", &id, 1, Pattern::bytes(0, 5 * MIB)).await;
    let second = part(&fake, "large", &id, 2, Pattern::bytes(5 * MIB, 1000)).await;
    assert_eq!(fake.object("bucket", "large").map(|found| found.size), None);
    let stays = fake.uploads("bucket");
    assert_eq!((stays[0].parts, stays[0].bytes), (2, 5 * MIB + 1000));

    let wrong = complete(&fake, "large", &id, &[second.clone(), first.clone()]).await;
    assert_eq!(element(&wrong, "Code"), "InvalidPart");
    complete(&fake, "large", &id, &[first, second])
        .await
        .succeeded();
    let found = fake.object("bucket", "large").unwrap();
    assert_eq!((found.size, found.parts), (5 * MIB + 1000, 2));
    assert_eq!(found.crc32, Pattern::crc32(5 * MIB + 1000));
    assert!(fake.uploads("bucket").is_empty());
    // Nothing of it was kept, but it can be made again.
    let reply = call(&fake, "GET", "/bucket/large", "").await;
    assert_eq!(reply.body, Pattern::bytes(0, 5 * MIB + 1000));
}

#[tokio::test]
async fn parts_that_are_too_small_are_refused_and_an_abort_leaves_nothing() {
    let fake = start().await;
    let id = begin(&fake, "key").await;
    let first = part(&fake, "key", &id, 1, Bytes::from_static(b"small")).await;
    let second = part(&fake, "key", &id, 2, Bytes::from_static(b"small")).await;
    let reply = complete(&fake, "key", &id, &[first, second]).await;
    assert_eq!(
        (reply.status, element(&reply, "Code").as_str()),
        (400, "EntityTooSmall")
    );
    let target = format!("/bucket/key?uploadId={id}");
    assert_eq!(call(&fake, "DELETE", &target, "").await.status, 204);
    assert!(fake.uploads("bucket").is_empty());
    let reply = call(&fake, "DELETE", &target, "").await;
    assert_eq!(element(&reply, "Code"), "NoSuchUpload");
}

#[tokio::test]
async fn copies_are_made_at_once_up_to_5_gib_and_in_parts_above() {
    let fake = start().await;
    fake.put_pattern("bucket", "small one", 1000);
    fake.put_pattern("bucket", "huge", 6 * 1024 * MIB);
    let copy =
        |target: &str, source: &str| Call::new("PUT", target).header("x-amz-copy-source", source);
    let address = fake.address();
    let call = copy("/bucket/copy", "/bucket/small%20one");
    call.send(address).await.succeeded();
    assert_eq!(
        fake.object("bucket", "copy").unwrap().crc32,
        Pattern::crc32(1000)
    );
    let refused = copy("/bucket/copy", "bucket/huge").send(address).await;
    assert_eq!(element(&refused, "Code"), "InvalidRequest");

    let id = begin(&fake, "copy").await;
    let mut etags = Vec::new();
    for (number, range) in [(1, "bytes=0-5242879"), (2, "bytes=5242880-5242889")] {
        let call = copy(
            &format!("/bucket/copy?partNumber={number}&uploadId={id}"),
            "bucket/huge",
        );
        let reply = call
            .header("x-amz-copy-source-range", range)
            .send(address)
            .await;
        etags.push(element(&reply.succeeded(), "ETag"));
    }
    complete(&fake, "copy", &id, &etags).await.succeeded();
    let found = fake.object("bucket", "copy").unwrap();
    assert_eq!(
        (found.size, found.crc32),
        (5 * MIB + 10, Pattern::crc32(5 * MIB + 10))
    );
    assert_eq!(fake.requests().count("UploadPartCopy"), 2);
}

#[tokio::test]
async fn a_hundred_thousand_names_take_a_hundred_pages() {
    let fake = start().await;
    fake.fill("bucket", "many/", 100_000);
    let (mut names, mut token) = (0, String::new());
    loop {
        let target = format!("/bucket?list-type=2&prefix=many%2F&delimiter=%2F{token}");
        let reply = call(&fake, "GET", &target, "").await.succeeded();
        names += reply.text().matches("<Key>").count();
        if element(&reply, "IsTruncated") == "false" {
            break;
        }
        token = format!(
            "&continuation-token={}",
            element(&reply, "NextContinuationToken")
        );
    }
    assert_eq!(names, 100_000);
    assert_eq!(fake.requests().count("ListObjectsV2"), 100);
    let root = call(&fake, "GET", "/bucket?list-type=2&delimiter=/", "").await;
    assert_eq!(element(&root, "KeyCount"), "1");
    assert!(
        root.text()
            .contains("<CommonPrefixes><Prefix>many/</Prefix>")
    );
}

#[tokio::test]
async fn names_are_encoded_when_the_client_asks_for_it() {
    let fake = start().await;
    fake.put_pattern("bucket", "a\u{1}&b//c d", 1);
    let plain = call(&fake, "GET", "/bucket?list-type=2", "").await;
    assert_eq!(element(&plain, "Key"), "a&#x1;&amp;b//c d");
    let encoded = call(&fake, "GET", "/bucket?list-type=2&encoding-type=url", "").await;
    assert_eq!(element(&encoded, "Key"), "a%01%26b//c%20d");
}

#[tokio::test]
async fn a_body_in_chunks_is_taken_apart_and_checked() {
    let fake = start().await;
    let put = |crc: &str| {
        Call::new("PUT", "/bucket/key")
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("content-encoding", "aws-chunked")
            .header("x-amz-decoded-content-length", "7")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .body(format!(
                "3\r\ncon\r\n4\r\ntent\r\n0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n"
            ))
    };
    let wrong = put("AAAAAA==").send(fake.address()).await;
    assert_eq!(element(&wrong, "Code"), "BadDigest");
    assert!(fake.object("bucket", "key").is_none());
    // CRC-32 of `content`, 0xb30b2ed3.
    let crc = base64_of(crc32fast::hash(b"content"));
    put(&crc).send(fake.address()).await.succeeded();
    let found = fake.object("bucket", "key").unwrap();
    assert_eq!(found.content.as_deref(), Some(&b"content"[..]));
    assert!(found.headers.is_empty(), "{:?}", found.headers);
}

fn base64_of(number: u32) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(number.to_be_bytes())
}

#[tokio::test]
async fn an_upload_that_breaks_off_stores_nothing() {
    use tokio::io::AsyncWriteExt as _;
    let fake = start().await;
    let mut stream = tokio::net::TcpStream::connect(fake.address())
        .await
        .unwrap();
    let head = "PUT /bucket/key HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\npart";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    sftpgo_teststore::within("the end of the request", async {
        while fake.requests().count("PutObject") == 0 || fake.requests().running() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(fake.object("bucket", "key").is_none());
}

#[tokio::test]
async fn conditions_are_held() {
    let fake = start().await;
    let put = || {
        Call::new("PUT", "/bucket/key")
            .header("if-none-match", "*")
            .body("x")
    };
    put().send(fake.address()).await.succeeded();
    assert_eq!(put().send(fake.address()).await.status, 412);
    let get = Call::new("GET", "/bucket/key").header("if-match", "\"other\"");
    assert_eq!(get.send(fake.address()).await.status, 412);
}

#[tokio::test]
async fn wrong_signatures_are_refused_where_keys_are_set() {
    let keys = Keys {
        id: "id",
        secret: "secret",
    };
    let settings = Settings {
        keys: Some(keys),
        ..Settings::default()
    };
    let fake = FakeS3::with(settings).await;
    fake.make_bucket("bucket");
    let address = fake.address();
    let put = || Call::new("PUT", "/bucket/a%20b?x-id=PutObject").body("x");
    assert_eq!(put().send(address).await.status, 403);
    let wrong = Keys {
        secret: "other",
        ..keys
    };
    let refused = put().signed(address, wrong).send(address).await;
    assert_eq!(element(&refused, "Code"), "SignatureDoesNotMatch");
    put().signed(address, keys).send(address).await.succeeded();
}

#[tokio::test]
async fn a_session_token_is_demanded_where_one_is_set() {
    let keys = Keys {
        id: "id",
        secret: "secret",
    };
    let settings = Settings {
        keys: Some(keys),
        session_token: Some("token"),
        ..Settings::default()
    };
    let fake = FakeS3::with(settings).await;
    fake.make_bucket("bucket");
    let address = fake.address();
    let put = || Call::new("PUT", "/bucket/key").body("x");
    let without = put().signed(address, keys).send(address).await;
    assert_eq!(element(&without, "Code"), "InvalidToken");
    let with = put().header("x-amz-security-token", "token");
    with.signed(address, keys).send(address).await.succeeded();
}

#[tokio::test]
async fn what_is_read_has_no_end_if_nobody_wants_one() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let fake = start().await;
    let terabyte = 1024 * 1024 * MIB;
    fake.put_pattern("bucket", "endless", terabyte);
    let mut stream = tokio::net::TcpStream::connect(fake.address())
        .await
        .unwrap();
    let head = "GET /bucket/endless HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 64 * 1024];
    let mut read = 0;
    while read < 64 * MIB {
        read += u64::try_from(stream.read(&mut buffer).await.unwrap()).unwrap();
    }
    drop(stream);
    let last = Call::new("GET", "/bucket/endless").header("range", "bytes=-10");
    let last = last.send(fake.address()).await;
    assert_eq!(last.body, Pattern::bytes(terabyte - 10, 10));
}
