//! Clients that are slow, large, or not who they seem.

use std::time::Duration;

use serde_json::json;
use sftpgo_http::HttpLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{PATIENCE, Reply, TestServer, rest_of};

const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_body_over_the_limit_is_a_400_that_the_client_gets_to_read() {
    let server = TestServer::start();
    let padding = "x".repeat(1024 * 1024);
    let mut user = server.user("u");
    user["padding"] = padding.clone().into();
    let declared = server.send("POST", "/api/v1/user", &user).await;
    assert_eq!(declared.status, 400);
    assert!(declared.error().contains("larger than 1048576 bytes"));

    let address = server.address();
    let head = format!(
        "POST /api/v1/user HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    let body = user.to_string();
    let chunked = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    assert_eq!(server.raw(chunked.as_bytes()).await.status, 400);
    assert_eq!(server.get("/api/v1/user").await.body, "[]\n");
}

#[tokio::test]
async fn a_body_at_the_limit_is_read() {
    let server = TestServer::start();
    let mut user = server.user("u");
    user["padding"] = "".into();
    let room = 1024 * 1024 - user.to_string().len();
    user["padding"] = "x".repeat(room).into();
    assert_eq!(user.to_string().len(), 1024 * 1024);
    assert_eq!(server.send("POST", "/api/v1/user", &user).await.status, 200);
}

#[tokio::test]
async fn a_client_that_asks_before_sending_is_refused_before_it_sends() {
    let server = TestServer::start();
    let address = server.address();
    let request = format!(
        "POST /api/v1/user HTTP/1.1\r\nHost: {address}\r\nExpect: 100-continue\r\n\
         Content-Length: 99999999\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(server.raw(request.as_bytes()).await.status, 400);
}

#[tokio::test]
async fn a_client_that_asks_before_sending_is_told_to_send() {
    let server = TestServer::start();
    let (address, body) = (server.address(), server.user("u").to_string());
    let length = body.len();
    let mut stream = server.connect().await;
    let head = format!(
        "POST /api/v1/user HTTP/1.1\r\nHost: {address}\r\nExpect: 100-continue\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut go_on).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(Reply::parse(&rest_of(&mut stream).await).status, 200);
}

#[tokio::test]
async fn headers_are_bounded_in_size_and_number() {
    let server = TestServer::start();
    let address = server.address();
    let start = format!("GET /api/v1/version HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    let large = format!("{start}X: {}\r\n\r\n", "x".repeat(40 * 1024));
    assert_eq!(
        server.raw(large.as_bytes()).await.status,
        200,
        "below 64 KiB"
    );
    let too_large = format!("{start}X: {}\r\n\r\n", "x".repeat(80 * 1024));
    assert_eq!(server.raw(too_large.as_bytes()).await.status, 431);
    let too_many = format!("{start}{}\r\n", "A: b\r\n".repeat(5000));
    assert_eq!(server.raw(too_many.as_bytes()).await.status, 431);
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let server = TestServer::start();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_8.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/v1/user HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /api/v1/user HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    ] {
        assert_eq!(server.raw(bytes).await.status, 400, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_header_that_does_not_end_closes_the_connection() {
    let server = TestServer::with_limits(HttpLimits {
        read: SHORT,
        ..HttpLimits::default()
    });
    for start in ["", "GET /api/v1/version HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut stream = server.connect().await;
        stream.write_all(start.as_bytes()).await.unwrap();
        assert_eq!(rest_of(&mut stream).await, b"");
    }
}

#[tokio::test]
async fn a_header_that_trickles_does_not_move_its_deadline() {
    let server = TestServer::with_limits(HttpLimits {
        read: SHORT,
        ..HttpLimits::default()
    });
    let (mut reader, mut writer) = server.connect().await.into_split();
    let trickle = async {
        writer
            .write_all(b"GET /api/v1/version HTTP/1.1\r\n")
            .await?;
        loop {
            writer.write_all(b"A: b\r\n").await?;
            tokio::task::yield_now().await;
            tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>())
                .await
                .ok();
        }
    };
    let closed = async {
        let mut bytes = Vec::new();
        let _ = reader.read_to_end(&mut bytes).await;
    };
    let ended = async {
        tokio::select! {
            result = trickle => drop::<std::io::Result<()>>(result),
            () = closed => {}
        }
    };
    tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("the connection was kept");
}

#[tokio::test]
async fn a_body_that_does_not_end_is_a_400() {
    let server = TestServer::with_limits(HttpLimits {
        read: SHORT,
        ..HttpLimits::default()
    });
    let address = server.address();
    let request = format!(
        "POST /api/v1/user HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100\r\n\r\n{{\"user"
    );
    let reply = server.raw(request.as_bytes()).await;
    assert_eq!(reply.status, 400);
    assert!(reply.error().contains("in time"));
}

#[tokio::test]
async fn a_connection_without_a_next_request_is_closed() {
    let server = TestServer::with_limits(HttpLimits {
        idle: SHORT,
        ..HttpLimits::default()
    });
    let address = server.address();
    let mut stream = server.connect().await;
    let request = format!("GET /api/v1/version HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(Reply::parse(&rest_of(&mut stream).await).status, 200);
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_let_go() {
    let server = TestServer::with_limits(HttpLimits {
        write: SHORT,
        ..HttpLimits::default()
    });
    for index in 0..50 {
        let mut user = server.user(&format!("u{index}"));
        user["filters"] = json!({"allowed_ip": vec!["192.0.2.0/24"; 10_000]});
        server.added(&user).await;
    }
    // Some ten megabytes: more than the sockets hold.
    let address = server.address();
    let mut stream = server.connect().await;
    let request = format!("GET /api/v1/user HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_u8().await.unwrap();
    let ended = async {
        while server.server.open() > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("the connection was kept");
    let taken = rest_of(&mut stream).await.len();
    assert!(
        taken < 50 * 10_000 * "192.0.2.0/24".len(),
        "{taken} bytes were sent"
    );
}

#[tokio::test]
async fn a_web_page_elsewhere_can_neither_read_nor_change_accounts() {
    let server = TestServer::start();
    let address = server.address();
    let body = server.user("u").to_string();
    let post = |fields: &str| {
        let length = body.len();
        format!(
            "POST /api/v1/user HTTP/1.1\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    };
    for request in [
        post(&format!(
            "Host: {address}\r\nOrigin: http://evil.example\r\n"
        )),
        post(&format!(
            "Host: {address}\r\nSec-Fetch-Site: cross-site\r\n"
        )),
        post(
            "Host: evil.example\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\n",
        ),
        "GET /api/v1/user HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".into(),
        "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".into(),
    ] {
        let reply = server.raw(request.as_bytes()).await;
        assert_eq!(reply.status, 403, "{request}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    assert_eq!(server.get("/api/v1/user").await.body, "[]\n");
    let own_page = post(&format!("Host: {address}\r\nOrigin: http://{address}\r\n"));
    assert_eq!(server.raw(own_page.as_bytes()).await.status, 200);
}
