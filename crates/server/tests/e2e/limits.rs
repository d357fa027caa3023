//! Limits on connections that are not logged in: their number, their rate, what misconduct costs, attempts.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};
use sftpgo_testkit::{
    Account, FileClient as _, PASSWORD, SshClient, TestServer, connect_from, is_greeted, until,
    within,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::running::{Serve, configured};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

async fn limited(limits: Value) -> TestServer {
    let server = TestServer::builder()
        .set("sftpd.limits", limits)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    server
}

/// A connection from there, once the server greeted it; `None` if it was closed without a byte.
async fn greeted(server: std::net::SocketAddr, from: IpAddr) -> Option<TcpStream> {
    let mut stream = connect_from(from, server).await;
    is_greeted(&mut stream).await.then_some(stream)
}

async fn lets_in(server: &TestServer, from: IpAddr) -> bool {
    greeted(server.ssh_address(), from).await.is_some()
}

async fn client_from(server: &TestServer, from: IpAddr) -> SshClient {
    let stream = connect_from(from, server.ssh_address()).await;
    SshClient::over(stream, None).await.unwrap()
}

/// Waits until the server has drawn its conclusions from the connections that are over.
async fn until_over(server: &TestServer, from: IpAddr) {
    until("a refusal", async || !lets_in(server, from).await).await;
}

#[tokio::test]
async fn an_address_with_a_failed_login_is_refused_for_a_while_and_no_other_one() {
    let server = limited(json!({
        "exempt": [], "penalty_failed_login": 60, "penalty_least": 60, "penalty_most": 600,
    }))
    .await;
    let before = client_from(&server, HERE).await;
    let mut working = server.sftp("alice").await;
    let mut failing = client_from(&server, HERE).await;
    assert!(!failing.password("alice", "wrong").await);
    // Not before it is over: the next password may be right.
    assert!(lets_in(&server, HERE).await);
    drop(failing);
    until_over(&server, HERE).await;
    let refused = &server.core().metrics().refused_connections;
    assert!(refused.value() > 0);
    assert!(lets_in(&server, THERE).await);
    // Who is in stays, and so does who was about to log in.
    working.put(b"/file", b"content").await.unwrap();
    let mut before = before;
    assert!(before.password("alice", PASSWORD).await);
}

#[tokio::test]
async fn a_login_after_wrong_passwords_costs_nothing() {
    let server = limited(json!({
        "exempt": [], "penalty_failed_login": 60, "penalty_least": 60, "penalty_most": 600,
    }))
    .await;
    for _ in 0..3 {
        let mut client = client_from(&server, HERE).await;
        assert!(!client.password("alice", "wrong").await);
        assert!(client.password("alice", PASSWORD).await);
    }
    assert!(lets_in(&server, HERE).await);
}

#[tokio::test]
async fn who_is_kept_out_by_a_rule_and_not_by_a_credential_owes_nothing() {
    let server = limited(json!({
        "exempt": [], "penalty_failed_login": 60, "penalty_no_login": 60, "penalty_least": 60,
        "penalty_most": 600,
    }))
    .await;
    server
        .add(Account::new("bob").with("max_sessions", 1))
        .await;
    let mut first = client_from(&server, HERE).await;
    assert!(first.password("bob", PASSWORD).await);
    for _ in 0..3 {
        let mut client = client_from(&server, HERE).await;
        assert!(!client.password("bob", PASSWORD).await);
    }
    assert!(lets_in(&server, HERE).await);
}

#[tokio::test]
async fn a_connection_that_is_closed_before_the_client_speaks_costs_nothing_and_one_after_it_does()
{
    let server = limited(json!({
        "exempt": [], "penalty_no_login": 60, "penalty_least": 60, "penalty_most": 600,
    }))
    .await;
    for _ in 0..20 {
        drop(connect_from(HERE, server.ssh_address()).await);
        assert!(lets_in(&server, HERE).await);
    }
    let probes = &server.core().metrics().probes;
    until("the count of all", async || probes.value() == 40).await;
    let mut stream = greeted(server.ssh_address(), HERE).await.unwrap();
    stream.write_all(b"SSH-2.0-scanner\r\n").await.unwrap();
    drop(stream);
    until_over(&server, HERE).await;
}

#[tokio::test]
async fn a_connection_that_lets_the_time_to_log_in_pass_costs() {
    let limits = json!({
        "exempt": [], "penalty_too_slow": 60, "penalty_least": 60, "penalty_most": 600,
    });
    let server = TestServer::builder()
        .set("sftpd.limits", limits)
        .login_deadline(std::time::Duration::from_millis(500))
        .start()
        .await;
    let mut silent = greeted(server.ssh_address(), HERE).await.unwrap();
    let mut rest = Vec::new();
    let _ = within("its end", silent.read_to_end(&mut rest)).await;
    until_over(&server, HERE).await;
    assert!(lets_in(&server, THERE).await);
}

#[tokio::test]
async fn an_address_may_begin_so_many_connections_at_once() {
    let limits = json!({ "exempt": [], "start_rate": 1, "start_burst": 8 });
    let server = limited(limits).await;
    let mut let_in = 0;
    for _ in 0..20 {
        if lets_in(&server, HERE).await {
            let_in += 1;
        }
    }
    assert!((8..20).contains(&let_in), "{let_in}");
    assert!(lets_in(&server, THERE).await);
    until("the next second", async || lets_in(&server, HERE).await).await;
}

#[tokio::test]
async fn who_is_exempt_is_counted_and_neither_slowed_nor_punished() {
    let server = limited(json!({
        "exempt": ["127.0.0.0/30"], "start_rate": 1, "start_burst": 1, "penalty_no_login": 600,
        "penalty_most": 600, "max_unauthenticated_per_address": 30,
    }))
    .await;
    let mut open = Vec::new();
    for _ in 0..30 {
        let mut stream = greeted(server.ssh_address(), HERE).await.unwrap();
        stream.write_all(b"SSH-2.0-scanner\r\n").await.unwrap();
        open.push(stream);
    }
    assert!(!lets_in(&server, HERE).await);
    drop(open);
    until("a free place", async || lets_in(&server, HERE).await).await;
    let other = IpAddr::from([127, 0, 0, 5]);
    assert!(lets_in(&server, other).await);
    assert!(!lets_in(&server, other).await);
}

#[tokio::test]
async fn the_number_of_all_connections_is_limited_and_who_is_in_stays() {
    let limits = json!({ "max_connections": 4, "max_unauthenticated": 2 });
    let server = limited(limits).await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(server.sftp("alice").await);
    }
    let open = greeted(server.ssh_address(), HERE).await.unwrap();
    assert!(!lets_in(&server, THERE).await, "four are open");
    for session in &mut sessions {
        session.put(b"/file", b"content").await.unwrap();
    }
    sessions.clear();
    until("room for one more", async || lets_in(&server, THERE).await).await;
    drop(open);
}

/// However many are refused, the log has a line or two a minute.
#[tokio::test]
async fn refused_connections_leave_one_line_in_the_log() {
    let limits = json!({ "max_unauthenticated_per_address": 1 });
    let directory = configured(&json!({ "sftpd": { "limits": limits } }));
    let mut serve = Serve::start_logging(directory.path());
    let open = greeted(serve.ssh, HERE).await.unwrap();
    for _ in 0..200 {
        assert!(greeted(serve.ssh, HERE).await.is_none());
    }
    let line = serve.line_with("was refused").unwrap();
    assert!(line.contains(r#""level":"info""#), "{line}");
    assert!(line.contains("127.0.0.1") && line.contains("max_unauthenticated_per_address"));
    drop(open);
    // Something that is logged for certain, after all of them.
    let mut client = loop {
        let stream = connect_from(HERE, serve.ssh).await;
        if let Some(client) = SshClient::over(stream, None).await {
            break client;
        }
    };
    assert!(!client.password("nobody", "wrong").await);
    serve.line_with(r#""login_type":"password""#).unwrap();
    let lines = serve.seen().iter();
    let refusals = lines.filter(|line| line.contains("refused")).count();
    assert!(refusals <= 2, "{:#?}", serve.seen());
}

#[tokio::test]
async fn zero_tries_are_six() {
    let server = limited(json!({})).await;
    let mut client = server.connect().await;
    // As every client begins; that one is free.
    client.methods("alice").await;
    for attempt in 0..6 {
        assert!(!client.password("alice", "wrong").await);
        assert!(!client.is_closed(), "{attempt}");
    }
    assert!(!client.password("alice", PASSWORD).await);
    assert!(client.is_closed());
}

#[tokio::test]
async fn a_negative_number_of_tries_is_no_limit() {
    let server = TestServer::builder()
        .set("sftpd.max_auth_tries", -1)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut client = server.connect().await;
    client.methods("alice").await;
    for _ in 0..12 {
        assert!(!client.password("alice", "wrong").await);
    }
    assert!(client.password("alice", PASSWORD).await);
}
