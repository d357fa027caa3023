//! [`Trust`]: which certificates of servers are believed.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// Which certificates are believed.
#[derive(Debug, Clone, Default)]
pub struct Trust(Kind);

#[derive(Debug, Clone, Default)]
pub(crate) enum Kind {
    /// Those of the authorities that this machine trusts, or else Mozilla.
    #[default]
    Machine,
    /// Those of these authorities, and these themselves. Never empty.
    These(Vec<CertificateDer<'static>>),
    /// This very one, by whatever name the server is called.
    Exactly(CertificateDer<'static>),
}

/// Why certificates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// There is none.
    #[error("there is no certificate in it (-----BEGIN CERTIFICATE-----)")]
    Empty,
    /// One of them is none.
    #[error("a certificate in it cannot be used: {0}")]
    Broken(String),
}

impl Trust {
    /// Certificates in PEM: of authorities, or of the server itself. No others are believed.
    ///
    /// # Errors
    /// There is none, or one that cannot be read.
    pub fn these(pem: &[u8]) -> Result<Self, TrustError> {
        let certificates = read(pem)?;
        Ok(Self(Kind::These(certificates)))
    }

    /// The first certificate of a PEM file, whatever name is in it: for a server that is asked on its own machine, whose
    /// certificate file is at hand. It has to prove that it has the key, as any other.
    ///
    /// # Errors
    /// There is none, or one that cannot be read.
    pub fn exactly(pem: &[u8]) -> Result<Self, TrustError> {
        let first = read(pem)?.into_iter().next();
        first
            .map(|certificate| Self(Kind::Exactly(certificate)))
            .ok_or(TrustError::Empty)
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0
    }

    /// Reads files of the machine if it is its authorities that are trusted.
    pub(crate) fn tls(&self) -> Result<ClientConfig, TrustError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(broken)?;
        let (known, any_name) = match &self.0 {
            Kind::Machine => {
                let config = builder.with_root_certificates(of_machine());
                return Ok(config.with_no_client_auth());
            }
            Kind::These(certificates) => (certificates.clone(), false),
            Kind::Exactly(certificate) => (vec![certificate.clone()], true),
        };
        let mut roots = RootCertStore::empty();
        for certificate in &known {
            roots.add(certificate.clone()).map_err(broken)?;
        }
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = Verifier {
            known,
            any_name,
            authorities: authorities.build().map_err(broken)?,
        };
        let config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        Ok(config.with_no_client_auth())
    }
}

fn read(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(broken)?;
    if certificates.is_empty() {
        return Err(TrustError::Empty);
    }
    Ok(certificates)
}

fn of_machine() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        // A container without certificates.
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

fn broken(error: impl std::fmt::Display) -> TrustError {
    TrustError::Broken(error.to_string())
}

/// Believes certificates that were given themselves, and those of authorities. The first are for servers that signed
/// their certificate themselves, which a verifier of authorities refuses: an authority's certificate is no server's to it.
#[derive(Debug)]
struct Verifier {
    known: Vec<CertificateDer<'static>>,
    any_name: bool,
    authorities: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.known.iter().any(|known| known == end_entity) {
            if !self.any_name {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        self.authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for pem in [&b""[..], b"text", key] {
            assert_eq!(Trust::these(pem).unwrap_err(), TrustError::Empty);
            assert_eq!(Trust::exactly(pem).unwrap_err(), TrustError::Empty);
        }
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let trust = Trust::these(broken).unwrap();
        assert!(matches!(trust.tls(), Err(TrustError::Broken(_))));
    }
}
