//! [`Answer`]: what a store said.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::super::object::{Content, ObjectError, ObjectErrorKind, ObjectResult};

/// The longest document that is read: a listing of a thousand keys of 1,024 characters, each of them escaped.
const DOCUMENT: usize = 16 << 20;

/// An answer whose body has not been read. Dropped, its connection may be closed.
#[derive(Debug)]
pub(crate) struct Answer {
    response: Response<Incoming>,
}

impl Answer {
    pub(super) fn new(response: Response<Incoming>) -> Self {
        Self { response }
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Its headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// A header, if it is there and text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Reads a document, a listing or an error, whole.
    ///
    /// # Errors
    /// `Unavailable` if it breaks off, `Internal` if it is too long to be one.
    pub(crate) async fn document(self) -> ObjectResult<Bytes> {
        let content = self.body(DOCUMENT, ObjectErrorKind::Internal).await?;
        Ok(content.whole().into())
    }

    /// Reads what was asked for of an object: `len` bytes. Fewer are for the caller to notice.
    ///
    /// # Errors
    /// `Unavailable` if it breaks off, `Unsupported` if there are more, as from a store that knows no ranges.
    pub(crate) async fn object(self, len: usize) -> ObjectResult<Content> {
        self.body(len, ObjectErrorKind::Unsupported).await
    }

    async fn body(self, most: usize, too_long: ObjectErrorKind) -> ObjectResult<Content> {
        let mut body = self.response.into_body();
        let mut content = Content::default();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                let context = "the answer of the store broke off";
                ObjectError::with_source(ObjectErrorKind::Unavailable, context, error)
            })?;
            let Ok(piece) = frame.into_data() else {
                // Headers behind the body.
                continue;
            };
            if piece.len() > most.saturating_sub(content.len()) {
                // It would fill the memory.
                let context = "the store sent more than it was asked for";
                return Err(ObjectError::new(too_long, context));
            }
            content.push(piece);
        }
        Ok(content)
    }
}

/// What a status means where no code says more.
pub(crate) fn kind_of_status(status: u16) -> ObjectErrorKind {
    match status {
        404 => ObjectErrorKind::NotFound,
        401 | 403 => ObjectErrorKind::PermissionDenied,
        304 | 409 | 412 => ObjectErrorKind::Precondition,
        408 => ObjectErrorKind::TimedOut,
        429 => ObjectErrorKind::Throttled,
        405 | 501 => ObjectErrorKind::Unsupported,
        507 => ObjectErrorKind::Full,
        // A redirect says that it is to be asked elsewhere, such as in another region.
        300..=499 => ObjectErrorKind::InvalidRequest,
        500..=599 => ObjectErrorKind::Unavailable,
        _ => ObjectErrorKind::Internal,
    }
}
