//! [`Http`]: connections to stores, kept for the next call.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::super::object::{ObjectError, ObjectErrorKind, ObjectResult};
use super::answer::Answer;
use super::pieces::Pieces;
use super::trust::tls;
use crate::error::StorageResult;

const CONNECT: Duration = Duration::from_secs(10);
/// Shorter than stores keep connections that nobody uses.
const IDLE: Duration = Duration::from_secs(50);
const IDLE_CONNECTIONS: usize = 64;
const OURSELVES: HeaderValue =
    HeaderValue::from_static(concat!("sftpgo/", env!("CARGO_PKG_VERSION")));

/// A client for all stores that believe the same authorities. A clone is the same.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Pieces>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl Http {
    /// With the certificate authorities of an account (PEM), or those of the machine.
    ///
    /// # Errors
    /// `Internal` if the authorities of the account are none.
    pub(crate) fn new(authorities: Option<&str>) -> StorageResult<Self> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(authorities)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        Ok(Self { client })
    }

    /// Sends a request as it is. The answer may be of any status; redirects are not followed.
    ///
    /// # Errors
    /// `Unavailable` if there is no answer.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> ObjectResult<Answer> {
        self.send_pieces(request.map(|body| vec![body])).await
    }

    /// The same with a body in pieces, none of which is copied.
    ///
    /// # Errors
    /// `Unavailable` if there is no answer.
    pub(crate) async fn send_pieces(&self, request: Request<Vec<Bytes>>) -> ObjectResult<Answer> {
        let mut request = request.map(Pieces::new);
        request
            .headers_mut()
            .entry(header::USER_AGENT)
            .or_insert(OURSELVES);
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| {
            let context = "the store gave no answer";
            ObjectError::with_source(ObjectErrorKind::Unavailable, context, with_causes(&error))
        })?;
        Ok(Answer::new(answer))
    }
}

/// An error's text says little without what is below it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
