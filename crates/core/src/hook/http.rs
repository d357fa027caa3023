//! A URL that is asked. Redirects are not followed: what is asked may hold passwords.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use sftpgo_model::HookUrl;
use zeroize::Zeroizing;

use super::MOST_ANSWERED;
use super::error::HookError;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OURSELVES: HeaderValue =
    HeaderValue::from_static(concat!("sftpgo/", env!("CARGO_PKG_VERSION")));

type Inner = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Asks URLs, a connection each. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct HttpClient {
    /// Made when first needed: reading the certificates of the machine takes a while.
    inner: Arc<OnceLock<Result<Inner, String>>>,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

impl HttpClient {
    /// Posts JSON and gives what comes back with 200; nothing for 204. The caller has a deadline.
    pub(super) async fn post(
        &self,
        url: &HookUrl,
        query: &[(&str, &str)],
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, HookError> {
        let answer = self.request(url, url.with_query(query), Some(body)).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NO_CONTENT => return Ok(Zeroizing::default()),
            status if status.is_client_error() => {
                return Err(HookError::refused(format!("it answered {status}")));
            }
            status => return Err(HookError::broken(format!("it answered {status}"))),
        }
        let collected = Limited::new(answer.into_body(), MOST_ANSWERED).collect();
        let collected = collected
            .await
            .map_err(|error| HookError::broken(format!("its answer cannot be read: {error}")))?;
        Ok(Zeroizing::new(collected.to_bytes().into()))
    }

    /// Tells something: `GET`, or `POST` if there is a body. Only the status of the answer is looked at. The caller has a
    /// deadline.
    ///
    /// # Errors
    /// `Refused` if the status is not one of 200 to 299; `Broken` if there is no answer.
    pub(crate) async fn tell(
        &self,
        url: &HookUrl,
        query: &[(&'static str, Vec<u8>)],
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<(), HookError> {
        let answer = self.request(url, url.with_query(query), body).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(HookError::refused(format!("it answered {status}")))
    }

    async fn request(
        &self,
        url: &HookUrl,
        uri: String,
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Response<Incoming>, HookError> {
        let mut request = Request::builder()
            .uri(uri)
            .header(ACCEPT, JSON)
            .header(USER_AGENT, OURSELVES);
        if let Some(authorization) = url.authorization() {
            request = request.header(AUTHORIZATION, sensitive(authorization)?);
        }
        let body = match body {
            Some(mut body) => {
                request = request.method(Method::POST).header(CONTENT_TYPE, JSON);
                Full::new(Bytes::from(std::mem::take(&mut *body)))
            }
            None => Full::default(),
        };
        let request = request
            .body(body)
            .map_err(|error| HookError::broken(format!("it cannot be asked: {error}")))?;
        let answer = self.client().await?.request(request).await;
        answer.map_err(|error| HookError::broken(format!("no answer: {}", with_causes(&error))))
    }

    async fn client(&self) -> Result<Inner, HookError> {
        let inner = Arc::clone(&self.inner);
        if inner.get().is_none() {
            let making = Arc::clone(&inner);
            let made = tokio::task::spawn_blocking(move || {
                making.get_or_init(make);
            });
            made.await
                .map_err(|error| HookError::broken(error.to_string()))?;
        }
        match inner.get() {
            Some(Ok(client)) => Ok(client.clone()),
            Some(Err(reason)) => Err(HookError::broken(reason.clone())),
            None => Err(HookError::broken("no HTTP client")),
        }
    }
}

fn sensitive(authorization: &str) -> Result<HeaderValue, HookError> {
    let value = HeaderValue::from_str(authorization);
    let mut value = value.map_err(|error| HookError::broken(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn make() -> Result<Inner, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?
        .with_root_certificates(authorities())
        .with_no_client_auth();
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    // A connection that was kept may be closed just when the next question goes out, which must not be put twice.
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .retry_canceled_requests(false)
        .build(connector);
    Ok(client)
}

/// Those that Mozilla trusts, and those that this machine trusts (`SSL_CERT_FILE` included).
fn authorities() -> RootCertStore {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(sender = "core", %error, "a certificate authority of this machine is not used");
    }
    let (_, ignored) = roots.add_parsable_certificates(found.certs);
    if ignored > 0 {
        tracing::debug!(
            sender = "core",
            ignored,
            "certificate authorities that cannot be used"
        );
    }
    roots
}

/// The library says "client error" and leaves what it was to the sources.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
