//! HTTPS (reference 11.3, TestHTTPSConnection).

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use sftpgo_http::HttpLimits;
use sftpgo_net::TlsFiles;
use sftpgo_testdb::Certificates;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{PATIENCE, Reply, TestServer, rest_of};

static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
static ONLY_13: [&SupportedProtocolVersion; 1] = [&TLS13];
static ONLY_12: [&SupportedProtocolVersion; 1] = [&TLS12];

const REQUEST: &str =
    "GET /api/v1/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn files(certificates: &Certificates) -> TlsFiles {
    TlsFiles {
        certificate: certificates.server(),
        key: certificates.key(),
    }
}

fn start(certificates: &Certificates) -> TestServer {
    TestServer::with_tls(&files(certificates), HttpLimits::default())
}

/// What a client believes and speaks.
struct Client {
    roots: RootCertStore,
    versions: &'static [&'static SupportedProtocolVersion],
    protocols: &'static [&'static str],
}

impl Client {
    fn trusting(certificates: &Certificates) -> Self {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(certificates.authority()).unwrap();
        roots.add(authority).unwrap();
        Self {
            roots,
            versions: &BOTH,
            protocols: &[],
        }
    }

    async fn connect(self, server: &TestServer) -> std::io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.versions)
            .unwrap()
            .with_root_certificates(self.roots)
            .with_no_client_auth();
        let protocols = self.protocols.iter().map(|name| name.as_bytes().to_vec());
        config.alpn_protocols = protocols.collect();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, server.connect().await).await
    }
}

async fn asked(stream: TlsStream<TcpStream>) -> Reply {
    answer(stream, REQUEST).await
}

async fn answer(mut stream: TlsStream<TcpStream>, request: &str) -> Reply {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // To the end of TLS, not only of the connection.
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes));
    read.await.unwrap().unwrap();
    Reply::parse(&bytes)
}

#[tokio::test]
async fn https_is_served_with_both_versions_of_tls_and_sends_browsers_back_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(directory.path());
    let server = start(&certificates);
    for versions in [&ONLY_13, &ONLY_12] {
        let client = Client {
            versions,
            protocols: &["h2", "http/1.1"],
            ..Client::trusting(&certificates)
        };
        let stream = client.connect(&server).await.unwrap();
        let chosen = stream.get_ref().1.alpn_protocol();
        assert_eq!(chosen, Some(&b"http/1.1"[..]));
        let reply = asked(stream).await;
        assert_eq!(reply.status, 200);
        let hsts = reply.header("strict-transport-security");
        assert_eq!(hsts, Some("max-age=2592000"));
    }
    let plain = TestServer::start().get("/api/v1/version").await;
    assert_eq!(plain.header("strict-transport-security"), None);
}

#[tokio::test]
async fn cookies_of_pages_are_for_https_only_where_https_is_spoken() {
    let directory = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(directory.path());
    let server = start(&certificates);
    let stream = Client::trusting(&certificates).connect(&server).await;
    let request = REQUEST.replace("/api/v1/version", "/web/users");
    let reply = answer(stream.unwrap(), &request).await;
    let cookie = reply.header("set-cookie").unwrap();
    assert!(
        cookie.ends_with("; HttpOnly; Path=/web; SameSite=Strict; Secure"),
        "{cookie}"
    );
    let plain = TestServer::start().get("/web/users").await;
    let cookie = plain.header("set-cookie").unwrap();
    assert!(
        cookie.ends_with("; HttpOnly; Path=/web; SameSite=Strict"),
        "{cookie}"
    );
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_certificate_leaves() {
    let directory = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(directory.path());
    let server = start(&certificates);
    let stranger = Client {
        roots: RootCertStore::empty(),
        ..Client::trusting(&certificates)
    };
    let error = stranger.connect(&server).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    let trusting = Client::trusting(&certificates).connect(&server).await;
    assert_eq!(asked(trusting.unwrap()).await.status, 200);
}

#[tokio::test]
async fn a_client_that_speaks_another_protocol_over_tls_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(directory.path());
    let server = start(&certificates);
    let client = Client {
        protocols: &["h2"],
        ..Client::trusting(&certificates)
    };
    assert!(client.connect(&server).await.is_err());
}

#[tokio::test]
async fn plain_http_on_the_port_of_https_is_told_so_and_closed() {
    let directory = tempfile::tempdir().unwrap();
    let server = start(&Certificates::make(directory.path()));
    let reply = server.raw(REQUEST.as_bytes()).await;
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("https://"), "{}", reply.body);
    // A body that is not waited for, too.
    let post = server
        .call("POST", "/api/v1/user", &"x".repeat(32 * 1024))
        .await;
    assert_eq!(post.status, 400);
    let mut stream = server.connect().await;
    stream
        .write_all(b"\x00\x01\x02 neither\r\n\r\n")
        .await
        .unwrap();
    let rest = rest_of(&mut stream).await;
    // An alert at most (RFC 8446 6).
    assert!(rest.is_empty() || rest[0] == 21, "{rest:?}");
}

#[tokio::test]
async fn a_handshake_that_does_not_come_or_does_not_end_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(directory.path());
    let limits = HttpLimits {
        read: Duration::from_millis(50),
        ..HttpLimits::default()
    };
    let server = TestServer::with_tls(&files(&certificates), limits);
    for start in [
        &b""[..],
        b"\x16",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(start).await.unwrap();
        assert_eq!(rest_of(&mut stream).await, b"");
    }
}

#[tokio::test]
async fn a_handshake_counts_against_the_limit_and_holds_up_no_stop() {
    let directory = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(directory.path());
    let limits = HttpLimits {
        connections: 1,
        ..HttpLimits::default()
    };
    let server = TestServer::with_tls(&files(&certificates), limits);
    let mut waits = server.connect().await;
    waits.write_all(b"\x16").await.unwrap();
    let mut second = server.connect().await;
    assert_eq!(rest_of(&mut second).await, b"");
    server.server.drain(PATIENCE).await;
    assert_eq!(rest_of(&mut waits).await, b"");
}

fn replace(from: &Certificates, at: &Path) {
    fs::copy(from.server(), at.join("server.pem")).unwrap();
    fs::copy(from.key(), at.join("server.key")).unwrap();
}

#[tokio::test]
async fn a_renewed_certificate_is_for_new_connections_and_a_bad_one_changes_nothing() {
    let (directory, renewal) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (old, new) = (
        Certificates::make(directory.path()),
        Certificates::make(renewal.path()),
    );
    let server = start(&old);
    let tls = server.tls.clone().unwrap();
    let open = Client::trusting(&old).connect(&server).await.unwrap();

    fs::copy(new.server(), old.server()).unwrap();
    let error = tls.reload().unwrap_err().to_string();
    assert!(error.contains("server.key"), "{error}");
    fs::write(old.server(), "no certificate").unwrap();
    let error = tls.reload().unwrap_err().to_string();
    assert!(error.contains("server.pem"), "{error}");
    let still = Client::trusting(&old).connect(&server).await.unwrap();
    assert_eq!(asked(still).await.status, 200);

    replace(&new, directory.path());
    tls.reload().unwrap();
    assert_eq!(asked(open).await.status, 200, "it goes on as it began");
    let renewed = Client::trusting(&new).connect(&server).await.unwrap();
    assert_eq!(asked(renewed).await.status, 200);
    assert!(Client::trusting(&old).connect(&server).await.is_err());
}
