//! [`Client`]: sends calls to one container, signed.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request, request};

use super::super::object::ObjectResult;
use super::super::rest::{Answer, Http, is_open, plain};
use super::credential::{Shared, Signatures, unsendable};
use super::error::refused;
use super::header::{Headers, check};
use super::key::in_url;
use super::settings::{AzureCredentials, AzureSettings};
use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// The version of the interface that is spoken.
const VERSION: HeaderValue = HeaderValue::from_static("2024-11-04");

/// A call that was not made yet.
#[derive(Debug)]
pub(super) struct Call {
    /// What it is made for, in the log.
    context: &'static str,
    request: request::Builder,
    body: Bytes,
}

impl Call {
    /// With a header. What HTTP cannot carry is found when it is sent.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// With all of these.
    pub(super) fn headers(self, headers: &Headers) -> Self {
        let all = headers.iter();
        all.fold(self, |call, (name, value)| call.header(name, value))
    }

    /// With a header, if there is a value.
    pub(super) fn header_if(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// With a body.
    pub(super) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

/// One container.
#[derive(Debug)]
pub(super) struct Client {
    http: Http,
    signatures: Signatures,
    /// Its URL, without a slash at the end, and without secrets.
    container: String,
}

impl Client {
    /// Makes no call.
    ///
    /// # Errors
    /// `Internal` if the settings are none that can be used; names the one that is wrong, without its value.
    pub(super) fn new(
        http: Http,
        signatures: Signatures,
        settings: &AzureSettings,
    ) -> StorageResult<Self> {
        let endpoint = settings.endpoint.trim_end_matches('/');
        let Some(url) = plain(endpoint) else {
            let context =
                "`azblobconfig.endpoint` is no URL, or has more than a host and a path in it";
            return Err(StorageError::new(StorageErrorKind::Internal, context));
        };
        if is_open(&url) && settings.credentials == AzureCredentials::Chain {
            let context =
                "`azblobconfig.endpoint` must be https: a token would be sent in the open";
            return Err(StorageError::new(StorageErrorKind::Internal, context));
        }
        if settings.container.is_empty() {
            let context = "`azblobconfig.container` is missing";
            return Err(StorageError::new(StorageErrorKind::Internal, context));
        }
        Ok(Self {
            http,
            signatures,
            container: format!("{endpoint}/{}", in_url(&settings.container)),
        })
    }

    /// Names the container.
    pub(super) fn identity(&self) -> &str {
        &self.container
    }

    /// A call about the container. Values of the query that are empty are left out: they would be signed in another way than
    /// they are sent.
    pub(super) fn of_container(&self, context: &'static str, query: &[(&str, &str)]) -> Call {
        let query = query.iter().filter(|(_, value)| !value.is_empty());
        let query: Vec<_> = query
            .map(|(name, value)| format!("{name}={}", in_url(value)))
            .collect();
        let url = format!("{}?restype=container&{}", self.container, query.join("&"));
        call(Method::GET, context, &url)
    }

    /// A call about a blob; `query` is empty, or as URLs write it.
    pub(super) fn of_blob(
        &self,
        method: Method,
        context: &'static str,
        key: &str,
        query: &str,
    ) -> Call {
        let mut url = self.url(key);
        if !query.is_empty() {
            url.push('?');
            url.push_str(query);
        }
        call(method, context, &url)
    }

    fn url(&self, key: &str) -> String {
        format!("{}/{}", self.container, in_url(key))
    }

    /// A blob, for Azure to read.
    pub(super) async fn share(&self, key: &str) -> ObjectResult<Shared> {
        self.signatures.share(key, &self.url(key)).await
    }

    /// Makes a call.
    ///
    /// # Errors
    /// What the store says, unless it is done; `PermissionDenied` without credentials.
    pub(super) async fn send(&self, call: Call) -> ObjectResult<Answer> {
        let mut request = call.request;
        if request.method_ref() == Some(&Method::PUT) {
            // It is signed.
            request = request.header(CONTENT_LENGTH, call.body.len());
        }
        let request = request.body(call.body).map_err(unsendable)?;
        let (mut head, body) = request.into_parts();
        check(&head.headers)?;
        self.signatures.sign(&mut head).await?;
        let answer = self.http.send(Request::from_parts(head, body)).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(refused(call.context, answer).await)
    }
}

fn call(method: Method, context: &'static str, url: &str) -> Call {
    Call {
        context,
        request: Request::builder()
            .method(method)
            .uri(url)
            .header("x-ms-version", VERSION),
        body: Bytes::new(),
    }
}
