//! TLS of listeners: a certificate and its key from files, which can be read again while connections come.
//!
//! TLS 1.2 and 1.3 with the suites of rustls. Who waits for a handshake has a deadline of its own.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

/// Longest file that is read.
const MOST: u64 = 1024 * 1024;

/// A connection over TLS.
pub type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM certificate chain, that of the server first.
    pub certificate: PathBuf,
    /// PEM private key, without a passphrase.
    pub key: PathBuf,
}

/// Why certificate and key cannot be used. Names the file, and shows nothing of what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsError {
    /// The certificate cannot.
    #[error("{0}")]
    Certificate(String),
    /// The key cannot, or it is the key of another certificate.
    #[error("{0}")]
    Key(String),
}

/// A certificate and its key in use.
pub struct Tls {
    files: TlsFiles,
    protocols: Vec<Vec<u8>>,
    /// Whole, so that a connection has certificate and key of one moment, and so that nobody resumes a session that was
    /// begun with another certificate.
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads the files. `protocols` is what is spoken over TLS, by the names of ALPN (RFC 7301). Blocks.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn load(files: TlsFiles, protocols: &[&str]) -> Result<Self, TlsError> {
        let protocols: Vec<_> = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let config = read(&files, &protocols)?;
        Ok(Self {
            files,
            protocols,
            config: ArcSwap::from_pointee(config),
        })
    }

    /// Reads the files again, for connections that come from now on. Blocks.
    ///
    /// # Errors
    /// They cannot be used; then nothing changed.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = read(&self.files, &self.protocols)?;
        self.config.store(Arc::new(config));
        Ok(())
    }

    /// Shakes hands with a client.
    ///
    /// # Errors
    /// The client does not speak TLS, or not ours, or is gone.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream> {
        let acceptor = TlsAcceptor::from(self.config.load_full());
        acceptor.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

fn read(files: &TlsFiles, protocols: &[Vec<u8>]) -> Result<ServerConfig, TlsError> {
    let certificate = |reason: String| TlsError::Certificate(of_file(&files.certificate, &reason));
    let key = |reason: String| TlsError::Key(of_file(&files.key, &reason));

    let (pem, _) = content(&files.certificate).map_err(certificate)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| certificate(format!("it is no PEM file: {error}")))?;
    if chain.is_empty() {
        return Err(certificate("there is no PEM certificate in it".to_owned()));
    }
    let (pem, metadata) = content(&files.key).map_err(key)?;
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        if matches!(error, pem::Error::NoItemsFound) {
            return key("there is no PEM private key in it that needs no passphrase".to_owned());
        }
        key(format!("it is no PEM file: {error}"))
    })?;
    if is_open_to_all(&metadata) {
        tracing::warn!(
            "everybody on this machine can read the private key {} (chmod o= takes that away)",
            files.key.display()
        );
    }

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = provider.key_provider.load_private_key(private);
    let private = private.map_err(|error| key(format!("it cannot be used: {error}")))?;
    let pair = CertifiedKey::new(chain, private);
    match pair.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            let other = files.certificate.display();
            return Err(key(format!("it is not the key of the certificate {other}")));
        }
        Err(error) => return Err(certificate(format!("it cannot be used: {error}"))),
    }
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| certificate(format!("TLS cannot be spoken: {error}")))?;
    let mut config = config
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = protocols.to_vec();
    Ok(config)
}

fn of_file(path: &Path, reason: &str) -> String {
    format!("{}: {reason}", path.display())
}

/// What is in a file; wiped when it is done with, since it may be a key.
fn content(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Metadata), String> {
    let text = |error: io::Error| error.to_string();
    // Opening what is no file, a pipe say, may wait for ever.
    if !std::fs::metadata(path).map_err(text)?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let file = File::open(path).map_err(text)?;
    let metadata = file.metadata().map_err(text)?;
    let mut content = Zeroizing::default();
    let read = file.take(MOST + 1).read_to_end(&mut content);
    let length = read.map_err(text)?;
    if u64::try_from(length).is_ok_and(|length| length > MOST) {
        return Err(format!("it is longer than {MOST} bytes"));
    }
    Ok((content, metadata))
}

#[cfg(unix)]
fn is_open_to_all(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
fn is_open_to_all(_: &Metadata) -> bool {
    false
}
