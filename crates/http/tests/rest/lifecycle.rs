//! Starting and stopping.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sftpgo_data::UserStore;
use sftpgo_http::config::HttpdConfig;
use sftpgo_http::{HttpFrontEnd, HttpLimits, VersionInfo};
use sftpgo_testdb::Certificates;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{PATIENCE, Reply, TestServer, rest_of, settings_from};

#[tokio::test]
async fn a_protection_that_cannot_be_had_stops_the_start_and_names_its_setting() {
    let server = TestServer::start();
    let at = |name: &str| server.homes.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("text"), "alice\n").unwrap();
    let users = |name: &str| HttpdConfig {
        auth_user_file: at(name),
        ..HttpdConfig::default()
    };
    let tls = |certificate: &str, key: &str| HttpdConfig {
        certificate_file: at(certificate),
        certificate_key_file: at(key),
        ..HttpdConfig::default()
    };
    let certificates = Certificates::make(server.homes.path());
    let other = server.homes.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::copy(Certificates::make(&other).key(), at("other.key")).unwrap();
    let chain = fs::read_to_string(certificates.server()).unwrap();
    fs::write(at("damaged.pem"), chain.replace('M', "A")).unwrap();
    for (config, expected) in [
        (users("missing"), "httpd.auth_user_file: "),
        (users("."), "httpd.auth_user_file: "),
        (users("text"), "httpd.auth_user_file: "),
        (tls("missing", "server.key"), "httpd.certificate_file: "),
        (tls("text", "server.key"), "httpd.certificate_file: "),
        (tls("server.key", "server.key"), "httpd.certificate_file: "),
        (tls("damaged.pem", "server.key"), "httpd.certificate_file: "),
        (tls("server.pem", "missing"), "httpd.certificate_key_file: "),
        (tls("server.pem", "text"), "httpd.certificate_key_file: "),
        (
            tls("server.pem", "server.pem"),
            "httpd.certificate_key_file: ",
        ),
        (
            tls("server.pem", "other.key"),
            "httpd.certificate_key_file: ",
        ),
    ] {
        let settings = settings_from(config);
        let core = Arc::clone(&server.core);
        let error = HttpFrontEnd::new(core, &settings, VersionInfo::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(expected), "{text}");
        assert!(
            text.contains(server.homes.path().to_str().unwrap()),
            "{text}"
        );
    }
}

/// Sends a request that keeps the connection, and reads its reply.
async fn kept_connection(server: &TestServer) -> tokio::net::TcpStream {
    let mut stream = server.connect().await;
    let request = format!(
        "GET /api/v1/user HTTP/1.1\r\nHost: {}\r\n\r\n",
        server.address()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    while !reply.ends_with(b"[]\n") {
        assert_ne!(stream.read_buf(&mut reply).await.unwrap(), 0);
    }
    stream
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = TestServer::start();
    let mut stream = kept_connection(&server).await;
    let request = "GET /api/v1/version HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let last = "GET /api/v1/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream
        .write_all(format!("{request}{request}{last}").as_bytes())
        .await
        .unwrap();
    let replies = String::from_utf8(rest_of(&mut stream).await).unwrap();
    assert_eq!(replies.matches("HTTP/1.1 200 OK").count(), 3);
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_stop() {
    let server = TestServer::start();
    let mut used = kept_connection(&server).await;
    let mut fresh = server.connect().await;
    let begun = Instant::now();
    server.server.drain(PATIENCE).await;
    assert!(begun.elapsed() < PATIENCE / 2);
    assert_eq!(rest_of(&mut used).await, b"");
    assert_eq!(rest_of(&mut fresh).await, b"");
    assert_eq!(server.server.open(), 0);
}

#[tokio::test]
async fn a_request_that_is_being_answered_is_answered_before_the_stop() {
    let server = TestServer::start();
    let (address, body) = (server.address(), server.user("u").to_string());
    let (first, second) = body.split_at(10);
    let mut stream = server.connect().await;
    let length = body.len();
    let head = format!(
        "POST /api/v1/user HTTP/1.1\r\nHost: {address}\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    // Now a handler has the request.
    stream.read_exact(&mut go_on).await.unwrap();
    stream.write_all(first.as_bytes()).await.unwrap();
    let drain = server.server.drain(PATIENCE);
    let rest = async {
        stream.write_all(second.as_bytes()).await.unwrap();
        Reply::parse(&rest_of(&mut stream).await)
    };
    let ((), reply) = tokio::join!(drain, rest);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("connection"), Some("close"));
}

#[tokio::test]
async fn a_stop_waits_no_longer_than_it_is_told() {
    let server = TestServer::with_limits(HttpLimits::default());
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /api/v1/version HTTP/1.1\r\n")
        .await
        .unwrap();
    server.server.drain(Duration::from_millis(50)).await;
    assert_eq!(server.server.open(), 0);
    assert_eq!(rest_of(&mut stream).await, b"");
}

#[tokio::test]
async fn a_request_is_carried_out_though_its_client_is_gone() {
    let server = TestServer::start();
    let (address, body) = (server.address(), server.user("u").to_string());
    let mut stream = server.connect().await;
    let length = body.len();
    let request = format!(
        "POST /api/v1/user HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    drop(stream);
    let stored = async {
        while server.provider.user_by_name("u").await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, stored)
        .await
        .expect("the account was not added");
}
