//! TLS before a store.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sftpgo_teststore::{FakeS3, TlsFront};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

fn connector(roots: RootCertStore) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn a_store_behind_tls_is_reached_by_those_who_trust_its_authority() {
    let fake = FakeS3::start().await;
    fake.make_bucket("bucket");
    fake.put_pattern("bucket", "key", 10);
    let front = TlsFront::before(fake.address()).await;
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(front.authority()).unwrap();
    roots.add(authority).unwrap();
    let connect = |roots| async {
        let stream = TcpStream::connect(front.address()).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        connector(roots).connect(name, stream).await
    };
    let mut stream = connect(roots).await.unwrap();
    let request = "GET /bucket/key HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // It may end without the farewell of TLS.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(connect(RootCertStore::empty()).await.is_err());
}
