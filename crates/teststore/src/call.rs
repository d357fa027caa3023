//! A request that a test sends itself, on a connection of its own.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::HOST;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::net::TcpStream;

use crate::within;

/// What need not be encoded in a path: RFC 3986 2.3, and what stands between names.
const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// A key as it stands in the path of a URL, `/` left as it is.
#[must_use]
pub fn encode_key(key: &str) -> String {
    utf8_percent_encode(key, IN_PATHS).to_string()
}

/// A request.
#[derive(Debug, Clone)]
pub struct Call {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// What came back, whole.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// A request with a path, and query, that is encoded already.
    #[must_use]
    pub fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it, and fails the test if no whole answer comes.
    pub async fn send(self, address: SocketAddr) -> Reply {
        let line = format!("{} {}", self.method, self.target);
        self.try_send(address)
            .await
            .unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// Sends it.
    ///
    /// # Errors
    ///
    /// If no answer came, or not all of it.
    pub async fn try_send(self, address: SocketAddr) -> Result<Reply, hyper::Error> {
        let line = format!("the answer to {} {}", self.method, self.target);
        within(&line, self.exchange(address)).await
    }

    async fn exchange(self, address: SocketAddr) -> Result<Reply, hyper::Error> {
        let stream = TcpStream::connect(address).await.unwrap();
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        let mut request = Request::builder().method(self.method).uri(self.target);
        if !self.headers.iter().any(|(name, _)| name == HOST.as_str()) {
            request = request.header(HOST, address.to_string());
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(self.body)).unwrap();
        let answer = async move {
            let (head, body) = sender.send_request(request).await?.into_parts();
            Ok(Reply {
                status: head.status.as_u16(),
                headers: head.headers,
                body: body.collect().await?.to_bytes(),
            })
        };
        // Side by side: the connection ends by itself, and its error is the answer's as well.
        let (reply, _) = tokio::join!(answer, connection);
        reply
    }
}

impl Reply {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, if it is there.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Itself, if the status is one of 200 to 299; else the test fails.
    pub fn succeeded(self) -> Self {
        let success = (200..300).contains(&self.status);
        assert!(success, "{}: {}", self.status, self.text());
        self
    }
}
