//! TLS to stores: rustls with aws-lc, and the authorities of the system or of the account.

use super::super::rest::{authorities, unusable};
use crate::error::StorageResult;
use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

/// Connections for all accounts that believe the same authorities.
pub(super) fn http_client(pem: Option<&str>) -> StorageResult<SharedHttpClient> {
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let Some(pem) = pem else {
        return Ok(builder.build_https());
    };
    // The library takes it for granted that they are in order, and ends the task if not.
    authorities(pem)?;
    let store = TrustStore::empty().with_pem_certificate(pem.as_bytes());
    let context = TlsContext::builder().with_trust_store(store).build();
    let context = context.map_err(unusable)?;
    Ok(builder.tls_context(context).build_https())
}
