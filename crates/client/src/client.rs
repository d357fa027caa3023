//! [`Client`]: sends requests, each within its time, and reads answers, each within its size.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;

use crate::base::BaseUrl;
use crate::call::{Call, Pace};
use crate::credentials::Credentials;
use crate::error::{ClientError, ClientErrorKind, told};
use crate::problem::Problems;
use crate::trust::{Trust, TrustError};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OURSELVES: HeaderValue =
    HeaderValue::from_static(concat!("sftpgo/", env!("CARGO_PKG_VERSION")));

/// Whom to ask, and how.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Where the server is.
    pub base: BaseUrl,
    /// Who asks, if the server wants to know.
    pub credentials: Option<Credentials>,
    /// Which certificates are believed.
    pub trust: Trust,
    /// Times and sizes.
    pub limits: Limits,
}

/// Times and sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a connection to come about.
    pub connect: Duration,
    /// For a request, from connecting to the last byte of the answer.
    pub request: Duration,
    /// The same for one that reads or writes all accounts. A server gives up such a request after a minute, and says so.
    pub slow_request: Duration,
    /// The longest answer, in bytes.
    pub answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
            slow_request: Duration::from_secs(90),
            // A page of five hundred accounts with a hundred kilobytes of keys each.
            answer: 64 << 20,
        }
    }
}

/// A client of one server. A connection for each request: one that was kept may be closed just when the next request
/// goes out, which must not be sent twice.
pub struct Client {
    http: HyperClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: BaseUrl,
    credentials: Option<Credentials>,
    limits: Limits,
    problems: Problems,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Asks nobody yet. May read the certificate authorities of the machine.
    ///
    /// # Errors
    /// The certificates to believe cannot be used.
    pub fn new(settings: ClientSettings) -> Result<Self, TrustError> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(settings.limits.connect));
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(settings.trust.tls()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let http = HyperClient::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build(connector);
        let problems = Problems::new(&settings);
        Ok(Self {
            http,
            base: settings.base,
            credentials: settings.credentials,
            limits: settings.limits,
            problems,
        })
    }

    /// Where the server is.
    #[must_use]
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Asks for a JSON value.
    pub(crate) async fn value<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
    ) -> Result<T, ClientError> {
        let text = self.text(call).await?;
        serde_json::from_slice(&text).map_err(|error| self.not_understood(&error))
    }

    /// Asks for something to be done, which is acknowledged.
    pub(crate) async fn done(&self, call: Call<'_>) -> Result<(), ClientError> {
        let _: serde_json::Map<String, serde_json::Value> = self.value(call).await?;
        Ok(())
    }

    /// Sends a request; gives the body of an answer that is a success.
    pub(crate) async fn text(&self, call: Call<'_>) -> Result<Bytes, ClientError> {
        let time = match call.pace {
            Pace::Usual => self.limits.request,
            Pace::Slow => self.limits.slow_request,
        };
        let asked = self.ask(call);
        let answered = tokio::time::timeout(time, asked).await;
        answered.unwrap_or_else(|_| Err(self.problems.late(time)))
    }

    async fn ask(&self, call: Call<'_>) -> Result<Bytes, ClientError> {
        let subject = call.subject.clone();
        let sent = self.http.request(self.request(call)?).await;
        let answer = sent.map_err(|error| self.problems.of_connection(&error))?;
        let status = answer.status();
        let headers = answer.headers().clone();
        let body = self.body(answer).await?;
        if status.is_success() {
            return Ok(body);
        }
        Err(self
            .problems
            .of_answer(status, &headers, &body, subject.as_deref()))
    }

    fn request(&self, call: Call<'_>) -> Result<Request<Full<Bytes>>, ClientError> {
        let url = self.base.below(&call.segments, &call.query);
        let mut request = Request::builder()
            .method(call.method)
            .uri(url.as_str())
            .header(ACCEPT, JSON)
            .header(USER_AGENT, OURSELVES);
        if let Some(credentials) = &self.credentials {
            request = request.header(AUTHORIZATION, credentials.authorization());
        }
        let body = match call.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, JSON);
                Full::new(body.0.to_string().into())
            }
            None => Full::default(),
        };
        request.body(body).map_err(|error| {
            let message = format!("{} cannot be asked: {error}", self.base);
            ClientError::new(ClientErrorKind::Unusable, message)
        })
    }

    async fn body(&self, answer: Response<Incoming>) -> Result<Bytes, ClientError> {
        let collected = Limited::new(answer.into_body(), self.limits.answer).collect();
        let collected = collected.await.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                let message = format!(
                    "{} sends more than an answer may have ({} bytes): is it an SFTPGo server?",
                    self.base, self.limits.answer
                );
                return ClientError::new(ClientErrorKind::NotUnderstood, message);
            }
            let message = format!("the answer of {} broke off: {error}", self.base);
            ClientError::new(ClientErrorKind::Unreachable, message)
        })?;
        Ok(collected.to_bytes())
    }

    pub(crate) fn not_understood(&self, error: &dyn fmt::Display) -> ClientError {
        let message = format!(
            "the answer of {} is not that of an SFTPGo server of this version ({}): check the URL",
            self.base,
            told(&error.to_string())
        );
        ClientError::new(ClientErrorKind::NotUnderstood, message)
    }
}
