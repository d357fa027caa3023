//! haproxy in front, which sends PROXY headers of version 1 and 2, or none, from an address that is in `proxy_allowed` and
//! from one that is not (reference 2.11).

use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::Server;

/// How long a balancer may take to listen, and checks to be made.
const PATIENCE: Duration = Duration::from_secs(60);
/// The address of the balancer that is in the list, where there is one.
const LISTED: &str = "127.0.0.2";
/// And of the one that is not.
const OTHER: &str = "127.0.0.3";
/// What a `server` line of haproxy says of headers.
const HEADERS: [&str; 3] = ["", "send-proxy", "send-proxy-v2"];

/// A running balancer; it ends when this is dropped.
struct Haproxy {
    process: Child,
    /// Where it listens for each of its services.
    ports: Vec<u16>,
}

impl Haproxy {
    /// One with these services: what is behind `server NAME ADDRESS`, and lines before it.
    fn start(server: &Server, services: &[(String, &str)]) -> Self {
        // Somebody may take a port that was free: then there are others.
        for _ in 0..10 {
            if let Some(haproxy) = Self::try_start(server, services) {
                return haproxy;
            }
        }
        panic!("haproxy does not start");
    }

    fn try_start(server: &Server, services: &[(String, &str)]) -> Option<Self> {
        let listeners = services
            .iter()
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let listeners: Vec<_> = listeners.collect();
        let ports: Vec<u16> = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap().port())
            .collect();
        drop(listeners);
        let mut text = String::from(
            "defaults\n mode tcp\n timeout connect 20s\n timeout client 60s\n timeout server 60s\n",
        );
        for (port, (options, lines)) in ports.iter().zip(services) {
            writeln!(text, "listen on-{port}\n bind 127.0.0.1:{port}\n{lines}").unwrap();
            writeln!(text, " server s 127.0.0.1:{} {options}", server.port()).unwrap();
        }
        let file = server.work().join("haproxy.cfg");
        fs::write(&file, text).unwrap();
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
        let process = Command::new("haproxy")
            .arg("-db")
            .arg("-f")
            .arg(&file)
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("haproxy: {error} (scripts/test installs it)"));
        let mut haproxy = Self { process, ports };
        let begun = Instant::now();
        while haproxy.process.try_wait().unwrap().is_none() {
            let listens = |port: &u16| TcpStream::connect(("127.0.0.1", *port)).is_ok();
            if haproxy.ports.iter().all(listens) {
                return Some(haproxy);
            }
            assert!(begun.elapsed() < PATIENCE, "haproxy does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether `user` logs in through the balancer at this port.
fn logs_in(server: &Server, port: u16, user: &str) -> bool {
    let alias = format!("HostKeyAlias=[127.0.0.1]:{}", server.port());
    let run = server
        .openssh("sftp")
        .args(["-o", &format!("Port={port}"), "-o", &alias])
        .args(["-o", &format!("User={user}"), "-b", "-", "server"])
        .input("pwd\n")
        .finish();
    run.code() == Some(0)
}

/// How a connection ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The client is whom the header names.
    Header,
    /// The client is the balancer.
    Socket,
    Rejected,
}

/// Each of two users may come from one of the addresses only.
fn outcome(server: &Server, port: u16) -> Outcome {
    if logs_in(server, port, "alice") {
        assert!(!logs_in(server, port, "reader"));
        Outcome::Header
    } else if logs_in(server, port, "reader") {
        Outcome::Socket
    } else {
        Outcome::Rejected
    }
}

fn server(settings: Value) -> Server {
    let server = Server::with(settings);
    // The client's own address, which the header names.
    server.set_user("alice", &["--allow-ip", "127.0.0.1/32"]);
    // The balancer's.
    let balancers = ["--allow-ip", "127.0.0.2/32", "--allow-ip", "127.0.0.3/32"];
    server.set_user("reader", &balancers);
    server
}

#[test]
fn headers_of_a_balancer_count_as_mode_and_list_say() {
    use Outcome::{Header, Rejected, Socket};
    let list = json!([LISTED]);
    for (mode, allowed, balancer, with_header, without) in [
        (0, json!([]), OTHER, Rejected, Socket),
        (1, json!([]), OTHER, Header, Socket),
        (1, list.clone(), LISTED, Header, Socket),
        (1, list.clone(), OTHER, Socket, Socket),
        (2, json!([]), OTHER, Header, Rejected),
        (2, list.clone(), LISTED, Header, Rejected),
        (2, list, OTHER, Rejected, Rejected),
    ] {
        let row = format!("mode {mode}, list {allowed}, balancer {balancer}");
        let server = server(json!({ "proxy_protocol": mode, "proxy_allowed": allowed }));
        let services = HEADERS.map(|header| (format!("source {balancer} {header}"), ""));
        let haproxy = Haproxy::start(&server, &services);
        let expected = [without, with_header, with_header];
        for ((port, header), expected) in haproxy.ports.iter().zip(HEADERS).zip(expected) {
            assert_eq!(outcome(&server, *port), expected, "{row}: {header:?}");
        }
    }
}

#[test]
fn health_checks_of_a_balancer_leave_its_clients_alone() {
    let server = server(json!({
        "proxy_protocol": 2,
        "proxy_allowed": [LISTED],
        "limits": { "exempt": [], "penalty_no_login": 100, "start_burst": 10_000 },
    }));
    let greeting = " option tcp-check\n tcp-check expect rstring ^SSH-2.0-";
    let check = format!("source {LISTED} check inter 20ms send-proxy-v2");
    let port = server.port();
    let services = [
        // Connects and closes, without a header: what is checked is named for itself.
        (format!("{check} addr 127.0.0.1 port {port}"), ""),
        // With one, as LOCAL.
        (format!("{check} check-send-proxy"), ""),
        // And waits for the greeting.
        (format!("{check} check-send-proxy"), greeting),
    ];
    let haproxy = Haproxy::start(&server, &services);
    let begun = Instant::now();
    let checks = || server.logged(r#""login_type":"no_auth_tryed""#);
    while checks() < 200 {
        assert!(begun.elapsed() < PATIENCE, "{} checks", checks());
        std::thread::sleep(Duration::from_millis(10));
    }
    for port in &haproxy.ports {
        assert_eq!(outcome(&server, *port), Outcome::Header);
    }
}
