//! The defender: who is banned for what, who never, and how a ban is lifted.
#![cfg(unix)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rustix::process::Signal;
use serde_json::{Value, json};
use sftpgo_testkit::{
    Account, FileClient as _, PASSWORD, Response, SshClient, TestKey, TestServer, connect_from,
    is_greeted, request, until,
};
use tokio::io::AsyncWriteExt as _;

use super::program::{run, text};
use super::proxy_protocol::v1;
use super::running::{Serve, add_user, configured};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A server that bans an address with so many points, and knows alice.
async fn defended(more: &[(&str, Value)]) -> TestServer {
    let mut builder = TestServer::builder().set("defender.enabled", true);
    for (key, value) in more {
        builder = builder.set(key, value.clone());
    }
    let server = builder.start().await;
    server.add(Account::new("alice")).await;
    server
}

async fn greets(server: SocketAddr, from: IpAddr) -> bool {
    let mut stream = connect_from(from, server).await;
    is_greeted(&mut stream).await
}

async fn lets_in(server: &TestServer, from: IpAddr) -> bool {
    greets(server.ssh_address(), from).await
}

async fn client(server: &TestServer, from: IpAddr) -> SshClient {
    let stream = connect_from(from, server.ssh_address()).await;
    SshClient::over(stream, None).await.unwrap()
}

async fn rest(server: &TestServer, method: &str, path: &str) -> Response {
    let path = format!("/api/v1/defender/{path}");
    request(server.http_address(), method, &path, &Value::Null).await
}

async fn score(server: &TestServer, ip: IpAddr) -> Value {
    let reply = rest(server, "GET", &format!("score?ip={ip}")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["score"].clone()
}

#[tokio::test]
async fn too_many_wrong_passwords_ban_their_address_and_no_other_one() {
    let server = defended(&[("defender.threshold", json!(3))]).await;
    let mut working = server.sftp("alice").await;
    let mut open = client(&server, HERE).await;
    let mut guessing = client(&server, HERE).await;
    for guess in ["1", "2", "3"] {
        assert!(!guessing.password("alice", guess).await);
    }
    // Cut off where it stands, and not greeted again.
    until("the end of its connection", async || guessing.is_closed()).await;
    assert!(!lets_in(&server, HERE).await);
    assert!(lets_in(&server, THERE).await);
    // What was open before may not go on guessing, not even rightly; who is logged in stays.
    assert!(!open.password("alice", PASSWORD).await);
    working.put(b"/file", b"content").await.unwrap();
    assert!(
        client(&server, THERE)
            .await
            .password("alice", PASSWORD)
            .await
    );
    assert_eq!(server.core().metrics().bans.value(), 1);
}

async fn until_equal(what: &str, both: impl AsyncFn() -> (Value, Value)) {
    until(what, async || {
        let (one, other) = both().await;
        one == other
    })
    .await;
}

#[tokio::test]
async fn a_ban_is_listed_and_lifted_over_rest() {
    let server = defended(&[("defender.threshold", json!(2))]).await;
    assert_eq!(rest(&server, "GET", "hosts").await.json(), json!([]));
    assert!(!client(&server, THERE).await.password("nobody", "1").await);
    let id = "3132372e302e302e32";
    let host = json!({ "id": id, "ip": "127.0.0.2", "score": 1 });
    assert_eq!(rest(&server, "GET", "hosts").await.json(), json!([host]));
    assert_eq!(score(&server, THERE).await, 1);
    let time = rest(&server, "GET", "bantime?ip=127.0.0.2").await;
    assert_eq!(time.json(), json!({ "date_time": null }));

    assert!(!client(&server, THERE).await.password("nobody", "2").await);
    assert!(!lets_in(&server, THERE).await);
    let hosts = rest(&server, "GET", "hosts").await.json();
    let banned = &hosts[0];
    assert_eq!(
        (&banned["ip"], &banned["score"]),
        (&json!("127.0.0.2"), &Value::Null)
    );
    let until = banned["ban_time"].as_str().unwrap();
    assert!(until.starts_with("20") && until.ends_with('Z'), "{until}");
    // Times are told to the second, and two answers may lie on both sides of one.
    until_equal("the end of the ban", async || {
        let hosts = rest(&server, "GET", "hosts").await.json();
        let time = rest(&server, "GET", "bantime?ip=127.0.0.2").await.json();
        (hosts[0]["ban_time"].clone(), time["date_time"].clone())
    })
    .await;
    assert_eq!(score(&server, THERE).await, 0);
    for name in ["127.0.0.2", id] {
        let path = format!("hosts/{name}");
        until_equal("the host by its name", async || {
            let hosts = rest(&server, "GET", "hosts").await.json();
            (hosts[0].clone(), rest(&server, "GET", &path).await.json())
        })
        .await;
    }

    let reply = rest(&server, "DELETE", &format!("hosts/{id}")).await;
    assert_eq!(
        (reply.status, reply.json()["message"].as_str()),
        (200, Some("Host removed"))
    );
    assert!(lets_in(&server, THERE).await);
    assert_eq!(rest(&server, "GET", "hosts").await.json(), json!([]));
    for (method, path, status) in [
        ("DELETE", "hosts/127.0.0.2", 404),
        ("GET", "hosts/127.0.0.2", 404),
        ("GET", "hosts/nonsense", 400),
        ("DELETE", "hosts/127.0.0.0%2F24", 400),
        ("GET", "score", 400),
        ("GET", "bantime?ip=x", 400),
        ("POST", "hosts", 405),
    ] {
        let reply = rest(&server, method, path).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
    }
}

#[tokio::test]
async fn without_a_defender_its_resources_say_so_and_nobody_is_banned() {
    let server = TestServer::start().await;
    for (method, path) in [
        ("GET", "hosts"),
        ("GET", "hosts/127.0.0.1"),
        ("DELETE", "hosts/127.0.0.1"),
        ("GET", "score?ip=127.0.0.1"),
        ("GET", "bantime?ip=127.0.0.1"),
    ] {
        let reply = rest(&server, method, path).await;
        assert_eq!(reply.status, 403, "{}", reply.body);
        assert!(reply.body.contains("defender.enabled"), "{}", reply.body);
    }
    for _ in 0..20 {
        let mut stream = connect_from(HERE, server.ssh_address()).await;
        stream.write_all(b"SSH-2.0-scanner\r\n").await.unwrap();
    }
    assert!(lets_in(&server, HERE).await);
}

/// A client offers all keys that it has, the right one last.
#[tokio::test]
async fn refused_keys_count_once_and_only_where_nobody_logs_in() {
    let server = defended(&[]).await;
    let mut lucky = client(&server, THERE).await;
    for key in 1..=4 {
        assert!(!lucky.offer_key("alice", &TestKey::numbered(key)).await);
    }
    assert!(lucky.key("alice", &Account::key("alice")).await);
    drop(lucky);
    let mut unlucky = client(&server, THERE).await;
    for key in 1..=4 {
        assert!(!unlucky.offer_key("alice", &TestKey::numbered(key)).await);
    }
    assert_eq!(score(&server, THERE).await, 0);
    drop(unlucky);
    until("the point", async || score(&server, THERE).await == 1).await;
}

#[tokio::test]
async fn a_connection_that_is_closed_before_its_banner_is_a_probe_and_never_scored() {
    let server = defended(&[("defender.score_no_auth", json!(15))]).await;
    for _ in 0..30 {
        drop(connect_from(THERE, server.ssh_address()).await);
        assert!(lets_in(&server, THERE).await);
    }
    let probes = &server.core().metrics().probes;
    until("the count of all", async || probes.value() == 60).await;
    assert_eq!(score(&server, THERE).await, 0);
    // One that says who it is and no more.
    let mut stream = connect_from(THERE, server.ssh_address()).await;
    stream.write_all(b"SSH-2.0-scanner\r\n").await.unwrap();
    drop(stream);
    until("the ban", async || !lets_in(&server, THERE).await).await;
}

#[tokio::test]
async fn connections_over_a_limit_of_their_address_score() {
    let server = defended(&[
        ("defender.threshold", json!(6)),
        (
            "sftpd.limits",
            json!({ "max_unauthenticated_per_address": 1 }),
        ),
    ])
    .await;
    let mut open = connect_from(THERE, server.ssh_address()).await;
    assert!(is_greeted(&mut open).await);
    assert!(!lets_in(&server, THERE).await);
    assert_eq!(score(&server, THERE).await, 3);
    assert!(!lets_in(&server, THERE).await);
    assert_eq!(server.core().defender().unwrap().banned(), 1);
}

#[tokio::test]
async fn who_is_kept_out_by_a_rule_gets_no_points() {
    let server = defended(&[]).await;
    server
        .add(Account::new("bob").with("max_sessions", 1))
        .await;
    let mut first = client(&server, THERE).await;
    assert!(first.password("bob", PASSWORD).await);
    for _ in 0..3 {
        assert!(!client(&server, THERE).await.password("bob", PASSWORD).await);
    }
    assert_eq!(score(&server, THERE).await, 0);
}

#[tokio::test]
async fn the_address_of_a_proxy_header_is_the_one_that_is_banned() {
    let server = defended(&[
        ("defender.threshold", json!(2)),
        ("sftpd.proxy_protocol", json!(2)),
        ("sftpd.proxy_allowed", json!(["127.0.0.2"])),
    ])
    .await;
    let from = async |client: &str| {
        let mut stream = connect_from(THERE, server.ssh_address()).await;
        stream.write_all(&v1(client)).await.unwrap();
        SshClient::over(stream, None).await
    };
    let mut guessing = from("203.0.113.7:1").await.unwrap();
    for guess in ["1", "2"] {
        assert!(!guessing.password("alice", guess).await);
    }
    assert!(from("203.0.113.7:2").await.is_none());
    assert!(from("[::ffff:203.0.113.7]:2").await.is_none());
    let mut other = from("203.0.113.8:2").await.unwrap();
    assert!(other.password("alice", PASSWORD).await);
    let hosts = rest(&server, "GET", "hosts").await.json();
    assert_eq!(hosts[0]["ip"], "203.0.113.7");
}

/// Where nobody is said to be the proxy, a banned address must not get in by naming another one.
#[tokio::test]
async fn a_banned_address_gets_in_by_no_header_of_its_own() {
    let server = defended(&[
        ("defender.threshold", json!(1)),
        ("sftpd.proxy_protocol", json!(1)),
    ])
    .await;
    // The header is left out: the address of the socket counts, and is banned.
    let mut guessing = client(&server, THERE).await;
    assert!(!guessing.password("alice", "wrong").await);
    let mut stream = connect_from(THERE, server.ssh_address()).await;
    // It may be closed already.
    let _ = stream.write_all(&v1("203.0.113.7:1")).await;
    assert!(!is_greeted(&mut stream).await);
}

#[tokio::test]
async fn lists_hold_from_the_start_and_are_read_again_with_a_hang_up() {
    let directory = configured(&json!({ "defender": {
        "enabled": true, "threshold": 1,
        "safelist_file": "safe", "blocklist_file": "blocked",
    } }));
    let at = directory.path();
    add_user(at, "alice");
    fs::write(at.join("safe"), "127.0.0.1 # the office\n127.0.0.2\n").unwrap();
    fs::write(
        at.join("blocked"),
        r#"{"addresses": ["127.0.0.2"], "networks": ["127.0.9.0/24"]}"#,
    )
    .unwrap();
    let mut serve = Serve::start_logging(at);
    let address = |third, last| IpAddr::from([127, 0, third, last]);
    // Both lists: blocked. The safe one is not banned whatever it does, others are.
    assert!(!greets(serve.ssh, address(0, 2)).await);
    assert!(!greets(serve.ssh, address(9, 200)).await);
    for _ in 0..3 {
        let mut client = SshClient::connect(serve.ssh, None).await;
        assert!(!client.password("alice", "wrong").await);
    }
    assert!(greets(serve.ssh, HERE).await);

    fs::write(at.join("blocked"), "127.0.9.0/33\n").unwrap();
    serve.signal(Signal::HUP);
    let said = serve.line_with("asked to reload").unwrap();
    assert!(
        said.contains("stay as they were") && said.contains("line 1"),
        "{said}"
    );
    assert!(!greets(serve.ssh, address(9, 200)).await);

    fs::write(at.join("safe"), "").unwrap();
    fs::write(at.join("blocked"), "127.0.8.0/24\n").unwrap();
    serve.signal(Signal::HUP);
    let said = serve.line_with("asked to reload").unwrap();
    assert!(
        said.contains("the safe list has 0 entries, the block list 1"),
        "{said}"
    );
    assert!(greets(serve.ssh, address(9, 200)).await);
    assert!(!greets(serve.ssh, address(8, 200)).await);
    let mut client = SshClient::connect(serve.ssh, None).await;
    assert!(!client.password("alice", "wrong").await);
    assert!(!greets(serve.ssh, HERE).await);
}

#[test]
fn a_list_that_cannot_be_read_stops_the_start() {
    let directory = configured(&json!({
        "sftpd": { "bind_port": 0, "bind_address": "127.0.0.1" },
        "httpd": { "bind_port": 0 },
        "defender": { "enabled": true, "blocklist_file": "missing" },
    }));
    let output = run(directory.path(), &["serve"], "");
    assert!(!output.status.success());
    let said = text(&output.stderr) + &text(&output.stdout);
    assert!(
        said.contains("defender.blocklist_file") && said.contains("missing"),
        "{said}"
    );
}
