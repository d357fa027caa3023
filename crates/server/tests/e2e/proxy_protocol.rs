//! The PROXY protocol (reference 2.11): whose header counts, and that its address is the client's everywhere.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use sftpgo_testkit::{
    Account, PASSWORD, SshClient, TestServer, connect_from, is_greeted, request, until,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::running::{Serve, add_user, configured};

/// Who is in `proxy_allowed`, where anybody is.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Who is not.
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
/// The client that headers name.
const CLIENT: &str = "203.0.113.7:4711";

/// A header of version 1 that names this client.
pub(crate) fn v1(client: &str) -> Vec<u8> {
    let client: SocketAddr = client.parse().unwrap();
    let (kind, server) = if client.is_ipv4() {
        ("TCP4", "198.51.100.1")
    } else {
        ("TCP6", "2001:db8::1")
    };
    let (ip, port) = (client.ip(), client.port());
    format!("PROXY {kind} {ip} {server} {port} 22\r\n").into_bytes()
}

/// A header of version 2 that names this client.
fn v2(client: &str) -> Vec<u8> {
    let client: SocketAddr = client.parse().unwrap();
    let (family, addresses) = match client.ip() {
        IpAddr::V4(ip) => (0x11, [&ip.octets()[..], &[198, 51, 100, 1]].concat()),
        IpAddr::V6(ip) => (0x21, [&ip.octets()[..], &[0xff; 16]].concat()),
    };
    let ports = [client.port().to_be_bytes(), 22_u16.to_be_bytes()].concat();
    second(0x21, family, &[addresses, ports].concat())
}

/// A header of version 2 of these parts.
fn second(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let fixed = [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, family], &length];
    [&fixed.concat(), body].concat()
}

/// What a proxy says of itself, as for a health check.
fn local() -> Vec<u8> {
    second(0x20, 0, &[])
}

async fn server(mode: u8, allowed: &[IpAddr]) -> TestServer {
    let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    let server = TestServer::builder()
        .set("sftpd.proxy_protocol", mode)
        .set("sftpd.proxy_allowed", allowed)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    server
}

/// A connection from `peer` on which this was sent.
async fn sent(server: SocketAddr, peer: IpAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = connect_from(peer, server).await;
    stream.write_all(bytes).await.unwrap();
    stream
}

/// The address that the server sees of alice, who comes with a header; `None` if she does not get in.
async fn seen(server: &TestServer, peer: IpAddr, header: &[u8]) -> Option<SocketAddr> {
    let registry = server.core().registry();
    until("the end of those before", async || {
        registry.connections().is_empty()
    })
    .await;
    let stream = sent(server.ssh_address(), peer, header).await;
    let key = TestServer::host_key();
    let mut client = SshClient::over(stream, Some(&key)).await?;
    assert!(client.key("alice", &Account::key("alice")).await);
    let _channel = client.subsystem("sftp").await.unwrap();
    until("the session", async || !registry.connections().is_empty()).await;
    registry.connections().first().map(|open| open.info.peer)
}

/// How a connection ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The client is whom the header names.
    Header,
    /// The client is the other end of the socket.
    Socket,
    Rejected,
}

async fn outcome(server: &TestServer, peer: IpAddr, header: &[u8]) -> Outcome {
    match seen(server, peer, header).await {
        Some(address) if address.to_string() == CLIENT => Outcome::Header,
        Some(address) => {
            assert_eq!(address.ip(), peer);
            Outcome::Socket
        }
        None => Outcome::Rejected,
    }
}

/// The table of 2.11, with "required" meaning required.
#[tokio::test]
async fn a_header_counts_as_mode_and_list_say() {
    use Outcome::{Header, Rejected, Socket};
    let listed = [PROXY];
    for (mode, list, peer, with_header, without) in [
        (0, &[][..], OTHER, Rejected, Socket),
        (0, &listed[..], PROXY, Rejected, Socket),
        (1, &[], OTHER, Header, Socket),
        (1, &listed, PROXY, Header, Socket),
        (1, &listed, OTHER, Socket, Socket),
        (2, &[], OTHER, Header, Rejected),
        (2, &listed, PROXY, Header, Rejected),
        (2, &listed, OTHER, Rejected, Rejected),
    ] {
        let server = server(mode, list).await;
        let row = format!("mode {mode}, list {list:?}, peer {peer}");
        for header in [v1(CLIENT), v2(CLIENT)] {
            let found = outcome(&server, peer, &header).await;
            assert_eq!(found, with_header, "{row}, with a header");
        }
        let found = outcome(&server, peer, b"").await;
        assert_eq!(found, without, "{row}, without a header");
    }
}

#[tokio::test]
async fn a_header_that_names_nobody_leaves_the_address_of_the_socket() {
    for mode in [1, 2] {
        let server = server(mode, &[PROXY]).await;
        let unix = second(0x21, 0x31, &[b'/'; 216]);
        let unspecified = second(0x21, 0x00, &[]);
        let unknown = b"PROXY UNKNOWN whatever follows\r\n".to_vec();
        for header in [local(), unix, unspecified, unknown] {
            let found = outcome(&server, PROXY, &header).await;
            assert_eq!(found, Outcome::Socket, "{header:?}");
        }
    }
}

#[tokio::test]
async fn an_address_in_a_header_is_canonical_and_what_is_added_behind_it_is_skipped() {
    let server = server(2, &[]).await;
    let mapped = "[::ffff:203.0.113.7]:4711";
    for header in [v1(mapped), v2(mapped)] {
        assert_eq!(outcome(&server, OTHER, &header).await, Outcome::Header);
    }
    let client = "[2001:db8::7]:4711";
    for header in [v1(client), v2(client)] {
        let found = seen(&server, OTHER, &header).await.unwrap();
        assert_eq!(found, client.parse().unwrap());
    }
    let mut header = v2(CLIENT);
    let name = [&[0x02, 0, 11][..], b"example.org"].concat();
    header[15] += u8::try_from(name.len()).unwrap();
    header.extend(name);
    assert_eq!(outcome(&server, OTHER, &header).await, Outcome::Header);
}

#[tokio::test]
async fn a_malformed_header_ends_the_connection_without_a_byte() {
    for mode in [1, 2] {
        let server = server(mode, &[PROXY]).await;
        for header in [
            &b"PROXY TCP4 203.0.113.7\r\nSSH-2.0-x\r\n"[..],
            b"PROXY TCP4 203.0.113.700 198.51.100.1 1 22\r\n",
            b"PROXY TCP4 203.0.113.7 198.51.100.1 1 22\n",
            &[b'P'; 200],
            &second(0x31, 0x11, &[0; 12]),
            &second(0x21, 0x11, &[0; 11]),
            &second(0x21, 0x11, &vec![0; 4000]),
            b"\r\n\r\nSSH-2.0-x\r\n",
        ] {
            // One that is ignored must be a header, too, or nobody could say where it ends.
            for peer in [PROXY, OTHER] {
                let mut stream = sent(server.ssh_address(), peer, header).await;
                assert!(!is_greeted(&mut stream).await, "{header:?} from {peer}");
            }
        }
    }
}

#[tokio::test]
async fn filters_of_accounts_see_the_address_of_the_header() {
    let server = server(1, &[PROXY]).await;
    let filters = json!({ "allowed_ip": ["203.0.113.0/24"], "denied_ip": ["203.0.113.9/32"] });
    server
        .add(Account::new("bob").with("filters", filters))
        .await;
    for (header, works) in [
        (v1(CLIENT), true),
        (v2(CLIENT), true),
        (v1("203.0.113.9:1"), false),
        (v1("198.51.100.7:1"), false),
        (Vec::new(), false),
        (local(), false),
    ] {
        let stream = sent(server.ssh_address(), PROXY, &header).await;
        let mut client = SshClient::over(stream, None).await.unwrap();
        assert_eq!(client.password("bob", PASSWORD).await, works, "{header:?}");
    }
}

#[tokio::test]
async fn limits_count_the_address_of_the_header_and_not_that_of_the_proxy() {
    let server = TestServer::builder()
        .set("sftpd.proxy_protocol", 2)
        .set("sftpd.proxy_allowed", vec![PROXY.to_string()])
        .set(
            "sftpd.limits",
            json!({ "max_unauthenticated_per_address": 2 }),
        )
        .start()
        .await;
    let mut open = Vec::new();
    for client in 1..=4 {
        for port in [1, 2, 3] {
            let header = v1(&format!("203.0.113.{client}:{port}"));
            let mut stream = sent(server.ssh_address(), PROXY, &header).await;
            assert_eq!(is_greeted(&mut stream).await, port < 3, "{client}, {port}");
            open.push(stream);
        }
    }
    drop(open);
    until("a free place", async || {
        let mut stream = sent(server.ssh_address(), PROXY, &v1("203.0.113.1:9")).await;
        is_greeted(&mut stream).await
    })
    .await;
}

/// What is not known to be a proxy counts itself, whatever it says in a header that is ignored.
#[tokio::test]
async fn an_ignored_header_gets_nobody_past_a_limit() {
    let server = TestServer::builder()
        .set("sftpd.proxy_protocol", 1)
        .set("sftpd.proxy_allowed", vec![PROXY.to_string()])
        .set(
            "sftpd.limits",
            json!({ "max_unauthenticated_per_address": 1 }),
        )
        .start()
        .await;
    let mut first = sent(server.ssh_address(), OTHER, &v1("203.0.113.1:1")).await;
    assert!(is_greeted(&mut first).await);
    let mut second = sent(server.ssh_address(), OTHER, &v1("203.0.113.2:1")).await;
    assert!(!is_greeted(&mut second).await);
}

#[tokio::test]
async fn the_time_to_log_in_includes_that_for_the_header() {
    let limit = Duration::from_secs(4);
    let server = TestServer::builder()
        .set("sftpd.proxy_protocol", 2)
        .login_deadline(limit)
        .start()
        .await;
    // No header at all.
    let mut silent = sent(server.ssh_address(), OTHER, b"PROXY TCP4").await;
    let begun = tokio::time::Instant::now();
    let mut slow = sent(server.ssh_address(), OTHER, b"PROXY ").await;
    // Three quarters of the time are over when it comes.
    tokio::time::sleep_until(begun + limit * 3 / 4).await;
    slow.write_all(b"UNKNOWN\r\n").await.unwrap();
    assert!(is_greeted(&mut slow).await);
    let greeted = begun.elapsed();
    let mut rest = Vec::new();
    let end = slow.read_to_end(&mut rest);
    // The rest of the time, and not all of it again.
    let ended = tokio::time::timeout(limit + limit - greeted, end).await;
    assert!(ended.is_ok(), "a header begins the time anew");
    assert!(!is_greeted(&mut silent).await);
}

#[tokio::test]
async fn where_headers_are_optional_a_client_may_wait_for_the_servers_first_word() {
    let server = TestServer::builder()
        .set("sftpd.proxy_protocol", 1)
        .login_deadline(Duration::from_secs(6))
        .start()
        .await;
    let mut stream = sent(server.ssh_address(), OTHER, b"").await;
    assert!(is_greeted(&mut stream).await);
}

#[tokio::test]
async fn health_checks_of_a_balancer_do_no_harm() {
    let server = TestServer::builder()
        .set("sftpd.proxy_protocol", 2)
        .set("sftpd.proxy_allowed", vec![PROXY.to_string()])
        .set(
            "sftpd.limits",
            json!({
                "exempt": [], "penalty_no_login": 100, "penalty_least": 1, "start_burst": 1000,
            }),
        )
        .set("defender.enabled", true)
        .set("defender.score_no_auth", 15)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    for _ in 0..20 {
        // By TCP alone; with a header of their own; and up to the server's greeting.
        drop(sent(server.ssh_address(), PROXY, b"").await);
        drop(sent(server.ssh_address(), PROXY, &local()).await);
        let mut stream = sent(server.ssh_address(), PROXY, &local()).await;
        assert!(is_greeted(&mut stream).await);
    }
    let probes = &server.core().metrics().probes;
    until("the count of the checks", async || probes.value() == 60).await;
    assert_eq!(outcome(&server, PROXY, &local()).await, Outcome::Socket);
    assert_eq!(outcome(&server, PROXY, &v2(CLIENT)).await, Outcome::Header);
}

#[tokio::test]
async fn the_list_of_connections_shows_the_address_of_the_header() {
    let server = server(2, &[]).await;
    let stream = sent(server.ssh_address(), OTHER, &v2(CLIENT)).await;
    let mut client = SshClient::over(stream, None).await.unwrap();
    assert!(client.password("alice", PASSWORD).await);
    let _channel = client.subsystem("sftp").await.unwrap();
    let http = server.http_address();
    until("the session in the list", async || {
        let list = request(http, "GET", "/api/v1/connection", &Value::Null).await;
        list.json()[0]["remote_address"] == CLIENT
    })
    .await;
}

#[tokio::test]
async fn the_log_names_the_address_of_the_header_and_tells_of_rejected_headers() {
    let directory = configured(&json!({ "sftpd": {
        "proxy_protocol": 2, "proxy_allowed": ["127.0.0.2"],
    } }));
    add_user(directory.path(), "alice");
    let mut serve = Serve::start_logging(directory.path());
    let line = r#""sender":"connection_failed""#;

    let stream = sent(serve.ssh, PROXY, &v2(CLIENT)).await;
    let mut client = SshClient::over(stream, None).await.unwrap();
    assert!(!client.password("alice", "wrong").await);
    let failed = serve.line_with(line).unwrap();
    let fields = r#""client_ip":"203.0.113.7","username":"alice","login_type":"password","error":"#;
    assert!(failed.contains(fields), "{failed}");
    assert!(client.key("alice", &Account::key("alice")).await);
    let logged_in = serve.line_with("logged in with").unwrap();
    assert!(logged_in.contains(CLIENT), "{logged_in}");

    for (peer, bytes, reason) in [
        (PROXY, &b"SSH-2.0-x\r\n"[..], "no PROXY header"),
        (PROXY, b"PROXY TCP4\r\n", "malformed"),
        (OTHER, b"", "not in proxy_allowed"),
    ] {
        let mut stream = connect_from(peer, serve.ssh).await;
        // It may be closed already.
        let _ = stream.write_all(bytes).await;
        assert!(!is_greeted(&mut stream).await);
        let failed = serve.line_with(line).unwrap();
        let fields =
            format!(r#""client_ip":"{peer}","username":"","login_type":"no_auth_tryed","error":"#);
        assert!(
            failed.contains(&fields) && failed.contains(reason),
            "{failed}"
        );
    }
}
