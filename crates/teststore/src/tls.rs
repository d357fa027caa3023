//! TLS before a store that speaks none.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::DropGuard;

use crate::serve;

/// A port that speaks TLS, with a certificate for 127.0.0.1 and `localhost` of an authority of its own, and passes everything
/// on to a store, or to a [`Proxy`](crate::Proxy). Dropped, it ends with all connections.
#[derive(Debug)]
pub struct TlsFront {
    address: SocketAddr,
    directory: TempDir,
    _end: DropGuard,
}

impl TlsFront {
    /// Starts one before `store`.
    pub async fn before(store: SocketAddr) -> Self {
        let directory = tempfile::tempdir().unwrap();
        make_certificates(directory.path());
        let acceptor = TlsAcceptor::from(Arc::new(config(directory.path())));
        let (listener, address) = serve::listen().await;
        let end = serve::each(listener, move |client| {
            pass(client, acceptor.clone(), store)
        });
        Self {
            address,
            directory,
            _end: end,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority, as a PEM file.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }
}

/// One client, to its end. How it ended is the client's to judge.
async fn pass(client: TcpStream, acceptor: TlsAcceptor, store: SocketAddr) {
    let Ok(mut client) = acceptor.accept(client).await else {
        return;
    };
    if let Ok(mut store) = TcpStream::connect(store).await {
        let _ = store.set_nodelay(true);
        let _ = copy_bidirectional(&mut client, &mut store).await;
    }
}

fn config(directory: &Path) -> ServerConfig {
    let certificate = CertificateDer::from_pem_file(directory.join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(directory.join("server.key")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

/// An authority, and a certificate of it.
fn make_certificates(directory: &Path) {
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
    std::fs::write(directory.join("names"), names).unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let authority = "-keyout authority.key -out authority.pem -subj /CN=authority -days 2";
    openssl(directory, &format!("req -x509 {key} {authority}"));
    let request = "-keyout server.key -out request -subj /CN=localhost";
    openssl(directory, &format!("req {key} {request}"));
    let signed = "-in request -CA authority.pem -CAkey authority.key -CAcreateserial -days 2";
    openssl(
        directory,
        &format!("x509 -req {signed} -extfile names -out server.pem"),
    );
}

fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(directory)
        .output()
        .unwrap_or_else(|error| panic!("openssl: {error}: run scripts/test"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl: {text}");
}
