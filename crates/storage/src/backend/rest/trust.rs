//! Which certificates of stores are believed.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// TLS with the authorities of the account (PEM), else those of the machine, else Mozilla's. Reads files of the machine.
pub(super) fn tls(pem: Option<&str>) -> StorageResult<ClientConfig> {
    let roots = match pem {
        Some(pem) => authorities(pem)?,
        None => of_machine(),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// The authorities of an account, which are to be some.
pub(crate) fn authorities(pem: &str) -> StorageResult<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(unusable)?;
        roots.add(certificate).map_err(unusable)?;
    }
    if roots.is_empty() {
        return Err(unusable("there is none"));
    }
    Ok(roots)
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

pub(crate) fn unusable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StorageError {
    let context = "the certificate authorities of the account cannot be used";
    StorageError::with_source(StorageErrorKind::Internal, context, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_that_are_none_are_refused() {
        for pem in [
            "",
            "-----BEGIN CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert!(authorities(pem).is_err(), "{pem}");
        }
    }
}
