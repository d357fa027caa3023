//! Starting and stopping.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sftpgo_data::UserStore;
use sftpgo_http::config::HttpdConfig;
use sftpgo_http::{HttpFrontEnd, HttpLimits, VersionInfo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{PATIENCE, Reply, TestServer, rest_of, settings_from};

#[tokio::test]
async fn a_protection_that_is_asked_for_and_missing_stops_the_start() {
    let server = TestServer::start();
    let with_password_file = HttpdConfig {
        auth_user_file: "users".into(),
        ..HttpdConfig::default()
    };
    let with_tls = HttpdConfig {
        certificate_file: "c.pem".into(),
        certificate_key_file: "k.pem".into(),
        ..HttpdConfig::default()
    };
    for (config, setting) in [
        (with_password_file, "httpd.auth_user_file"),
        (with_tls, "httpd.certificate_file"),
    ] {
        let settings = settings_from(config);
        let error = HttpFrontEnd::new(Arc::clone(&server.core), &settings, VersionInfo::default())
            .unwrap_err();
        assert!(error.to_string().starts_with(setting), "{error}");
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
