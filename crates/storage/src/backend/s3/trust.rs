//! TLS to stores: rustls with aws-lc, and the authorities of the system or of the account.

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// Connections for all accounts that believe the same authorities.
pub(super) fn http_client(authorities: Option<&str>) -> StorageResult<SharedHttpClient> {
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let Some(pem) = authorities else {
        return Ok(builder.build_https());
    };
    check(pem)?;
    let store = TrustStore::empty().with_pem_certificate(pem.as_bytes());
    let context = TlsContext::builder().with_trust_store(store).build();
    let context = context.map_err(unusable)?;
    Ok(builder.tls_context(context).build_https())
}

/// The library takes it for granted that they are in order, and ends the task if not.
fn check(pem: &str) -> StorageResult<()> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots
            .add(certificate.map_err(unusable)?)
            .map_err(unusable)?;
    }
    if roots.is_empty() {
        return Err(unusable("there is none"));
    }
    Ok(())
}

fn unusable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StorageError {
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
            assert!(http_client(Some(pem)).is_err(), "{pem}");
        }
    }
}
