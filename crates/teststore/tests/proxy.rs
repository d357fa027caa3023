//! The proxy passes on what it should, and injects what it says.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sftpgo_teststore::{Action, Answer, Call, Dialect, FakeS3, Gate, Link, Pattern, Proxy, Rule};

async fn start() -> (FakeS3, Proxy) {
    let fake = FakeS3::start().await;
    fake.make_bucket("bucket");
    let proxy = Proxy::http(fake.address(), Dialect::S3).await;
    (fake, proxy)
}

fn put(body: impl Into<Bytes>) -> Call {
    Call::new("PUT", "/bucket/a//b%20c?x-id=PutObject").body(body)
}

fn get() -> Call {
    Call::new("GET", "/bucket/a//b%20c")
}

#[tokio::test]
async fn requests_and_answers_pass_unchanged_and_are_counted() {
    let (fake, proxy) = start().await;
    let body = Pattern::bytes(0, 1_000_000);
    put(body.clone())
        .header("x-amz-meta-a", "b")
        .send(proxy.address())
        .await
        .succeeded();
    let found = fake.object("bucket", "a//b c").unwrap();
    assert_eq!(found.crc32, Pattern::crc32(1_000_000));
    assert_eq!(found.headers, [("x-amz-meta-a".to_owned(), "b".to_owned())]);
    let reply = get().send(proxy.address()).await.succeeded();
    assert_eq!(reply.body, body);
    let head = Call::new("HEAD", "/bucket/a//b%20c")
        .send(proxy.address())
        .await;
    assert_eq!(head.header("content-length"), Some("1000000"));
    let missing = Call::new("GET", "/bucket/none").send(proxy.address()).await;
    assert_eq!(missing.status, 404);

    let requests = proxy.requests();
    for (operation, count) in [("PutObject", 1), ("GetObject", 2), ("HeadObject", 1)] {
        assert_eq!(requests.count(operation), count, "{operation}");
    }
    assert_eq!(requests.total(), 4);
    assert_eq!(requests.bytes_received(), 1_000_000);
    assert!(requests.bytes_sent() > 1_000_000);
    let statuses: Vec<_> = requests
        .of("GetObject")
        .iter()
        .map(|seen| seen.status)
        .collect();
    assert_eq!(statuses, [Some(200), Some(404)]);
    requests.clear();
    assert!(requests.counts().is_empty());
}

#[tokio::test]
async fn every_nth_request_of_a_kind_can_be_answered_in_the_stores_place() {
    let (fake, proxy) = start().await;
    let answer = Answer::slow_down().header("retry-after", "1");
    let rule = Rule::new(Action::Answer(answer)).on("PutObject").every(3);
    let placed = proxy.place(rule);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let reply = put(Pattern::bytes(0, 300_000)).send(proxy.address()).await;
        if reply.status == 503 {
            assert!(reply.text().contains("<Code>SlowDown</Code>"));
            assert_eq!(reply.header("retry-after"), Some("1"));
        }
        statuses.push(reply.status);
    }
    assert_eq!(statuses, [200, 200, 503, 200, 200, 503]);
    assert_eq!(placed.applied(), 2);
    assert_eq!(fake.requests().count("PutObject"), 4);
    get().send(proxy.address()).await.succeeded();
    proxy.take_away_rules();
    for _ in 0..3 {
        put("x").send(proxy.address()).await.succeeded();
    }
}

#[tokio::test]
async fn a_connection_can_be_cut_before_within_and_after_the_work() {
    let (fake, proxy) = start().await;
    let body = || Pattern::bytes(0, 1_000_000);
    for action in [Action::Cut, Action::CutUpload(500_000)] {
        proxy.place(Rule::new(action).on("PutObject").times(1));
        assert!(put(body()).try_send(proxy.address()).await.is_err());
        assert_eq!(fake.requests().count("PutObject"), 0);
    }
    proxy.place(Rule::new(Action::LoseAnswer).on("PutObject").times(1));
    assert!(put(body()).try_send(proxy.address()).await.is_err());
    assert_eq!(fake.object("bucket", "a//b c").unwrap().size, 1_000_000);
    proxy.place(Rule::new(Action::Truncate(1000)).on("GetObject").times(1));
    assert!(get().try_send(proxy.address()).await.is_err());
    assert_eq!(get().send(proxy.address()).await.body, body());
}

#[tokio::test]
async fn a_request_can_be_held_until_the_test_lets_it_go() {
    let (fake, proxy) = start().await;
    let gate = Gate::new();
    proxy.place(Rule::new(Action::Hold(gate.clone())).on("PutObject"));
    let address = proxy.address();
    let first = tokio::spawn(put("x").send(address));
    let second = tokio::spawn(put("x").send(address));
    gate.reached().await;
    assert_eq!(fake.requests().count("PutObject"), 0);
    sftpgo_teststore::within("both requests", async {
        while proxy.requests().running() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    gate.open();
    first.await.unwrap().succeeded();
    second.await.unwrap().succeeded();
    assert_eq!(proxy.requests().most_at_once("PutObject"), 2);
    assert_eq!(proxy.requests().running(), 0);
}

#[tokio::test]
async fn a_request_that_is_given_up_is_given_up_at_the_store_too() {
    let (_fake, proxy) = start().await;
    proxy.place(Rule::new(Action::Hang).on("GetObject"));
    let asking = get().try_send(proxy.address());
    assert!(
        tokio::time::timeout(Duration::from_millis(200), asking)
            .await
            .is_err()
    );
    sftpgo_teststore::within("the end of the request", async {
        while proxy.requests().running() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn latency_and_bandwidth_take_their_time() {
    let (fake, proxy) = start().await;
    fake.put_pattern("bucket", "key", 100_000);
    let get = || Call::new("GET", "/bucket/key").send(proxy.address());
    proxy.set_link(Link {
        latency: Duration::from_millis(100),
        ..Link::default()
    });
    let start = Instant::now();
    get().await.succeeded();
    let took = start.elapsed();
    // There and back, once: the pieces are on their way at the same time.
    assert!(took >= Duration::from_millis(200), "{took:?}");
    proxy.set_link(Link {
        bandwidth: Some(200_000),
        ..Link::default()
    });
    let start = Instant::now();
    get().await.succeeded();
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(450), "{took:?}");
}

#[tokio::test]
async fn a_link_resets_after_so_many_bytes_in_either_direction() {
    let (fake, proxy) = start().await;
    fake.put_pattern("bucket", "key", 1_000_000);
    let get = || Call::new("GET", "/bucket/key");
    proxy.set_link(Link {
        reset_after_received: Some(100_000),
        ..Link::default()
    });
    assert!(get().try_send(proxy.address()).await.is_err());
    proxy.set_link(Link {
        reset_after_sent: Some(100_000),
        ..Link::default()
    });
    get().send(proxy.address()).await.succeeded();
    let upload = put(Pattern::bytes(0, 1_000_000)).try_send(proxy.address());
    assert!(upload.await.is_err());
    assert!(fake.object("bucket", "a//b c").is_none());
}

#[tokio::test]
async fn a_stalled_link_goes_on_where_it_was() {
    let (fake, proxy) = start().await;
    fake.put_pattern("bucket", "key", 1_000_000);
    proxy.set_link(Link {
        stalled: true,
        ..Link::default()
    });
    let asking = Call::new("GET", "/bucket/key").send(proxy.address());
    tokio::pin!(asking);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut asking).await;
    assert!(early.is_err());
    assert_eq!(fake.requests().total(), 0);
    proxy.set_link(Link::default());
    assert_eq!(asking.await.body.len(), 1_000_000);
}

#[tokio::test]
async fn a_link_that_refuses_looks_like_a_store_that_is_down() {
    let (fake, proxy) = start().await;
    proxy.set_link(Link {
        refused: true,
        ..Link::default()
    });
    assert!(get().try_send(proxy.address()).await.is_err());
    proxy.set_link(Link::default());
    drop(fake);
    assert!(get().try_send(proxy.address()).await.is_err());
}

#[tokio::test]
async fn bytes_that_are_not_http_pass_as_well() {
    let (fake, _) = start().await;
    fake.put_pattern("bucket", "key", 1_000_000);
    let proxy = Proxy::tcp(fake.address()).await;
    let get = || Call::new("GET", "/bucket/key");
    let reply = get().send(proxy.address()).await;
    assert_eq!(reply.body, Pattern::bytes(0, 1_000_000));
    proxy.set_link(Link {
        reset_after_received: Some(500_000),
        ..Link::default()
    });
    assert!(get().try_send(proxy.address()).await.is_err());
}
