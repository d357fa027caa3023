//! [`Client`]: calls, signed and sent, and their answers.

use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request};
use reqsign_core::Signer;
use reqsign_google::Credential;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::object::{ObjectError, ObjectErrorKind, ObjectResult};
use super::super::rest::{Answer, Http, unsigned};
use super::error::refused;
use super::place::Url;

/// What makes calls. A clone is the same, and has the same token.
#[derive(Clone)]
pub(super) struct Client {
    http: Http,
    /// `None`: nobody asks.
    signer: Option<Signer<Credential>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("signs", &self.signer.is_some())
            .finish_non_exhaustive()
    }
}

/// A call that was not sent yet.
pub(super) struct Call {
    request: http::request::Builder,
    body: Vec<Bytes>,
}

impl Call {
    pub(super) fn new(method: Method, url: &Url) -> Self {
        Self::to(method, url.text())
    }

    /// A call to an address that the store gave.
    pub(super) fn to(method: Method, address: &str) -> Self {
        Self {
            request: Request::builder().method(method).uri(address),
            body: Vec::new(),
        }
    }

    pub(super) fn header(self, name: HeaderName, value: &str) -> Self {
        Self {
            request: self.request.header(name, value),
            ..self
        }
    }

    /// With a body in pieces.
    pub(super) fn body(self, body: Vec<Bytes>) -> Self {
        Self { body, ..self }
    }

    /// With a document.
    pub(super) fn json(self, document: &impl Serialize) -> ObjectResult<Self> {
        let body = serde_json::to_vec(document).map_err(|error| {
            let context = "write a document";
            ObjectError::with_source(ObjectErrorKind::Internal, context, error)
        })?;
        Ok(self
            .header(CONTENT_TYPE, "application/json; charset=UTF-8")
            .body(vec![body.into()]))
    }

    fn build(self) -> ObjectResult<Request<Vec<Bytes>>> {
        let length: usize = self.body.iter().map(Bytes::len).sum();
        let request = self.request.body(self.body);
        let mut request = request.map_err(|error| {
            let context = "the settings make no address of a store";
            ObjectError::with_source(ObjectErrorKind::InvalidRequest, context, error)
        })?;
        if matches!(
            *request.method(),
            Method::POST | Method::PUT | Method::PATCH
        ) {
            // Google asks for it also where there is nothing.
            let length = HeaderValue::from(length);
            request.headers_mut().insert(CONTENT_LENGTH, length);
        }
        Ok(request)
    }
}

impl Client {
    pub(super) fn new(http: Http, signer: Option<Signer<Credential>>) -> Self {
        Self { http, signer }
    }

    /// Makes a call, and gives its answer if it was done.
    pub(super) async fn send(&self, context: &'static str, call: Call) -> ObjectResult<Answer> {
        let mut request = call.build()?;
        if let Some(signer) = &self.signer {
            let (mut head, body) = request.into_parts();
            signer.sign(&mut head, None).await.map_err(unsigned)?;
            request = Request::from_parts(head, body);
        }
        let answer = self.http.send_pieces(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(refused(context, answer).await)
    }

    /// Makes a call that needs no signature: its address is the secret. The answer may be of any status.
    pub(super) async fn send_unsigned(&self, call: Call) -> ObjectResult<Answer> {
        self.http.send_pieces(call.build()?).await
    }

    /// Makes a call that is answered with a document.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        context: &'static str,
        call: Call,
    ) -> ObjectResult<T> {
        let answer = self.send(context, call).await?;
        let body = answer.document().await?;
        // What stands before a store answers in its place.
        serde_json::from_slice(&body)
            .map_err(|error| ObjectError::with_source(ObjectErrorKind::Unavailable, context, error))
    }

    /// Makes a call of whose answer only the status counts.
    pub(super) async fn tell(&self, context: &'static str, call: Call) -> ObjectResult<()> {
        let answer = self.send(context, call).await?;
        // It is done, whatever comes; read to the end, the connection is good for the next call.
        drop(answer.document().await);
        Ok(())
    }
}
