//! Answers and refusals.

use hyper::Response;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};

use super::xml::escape;
use crate::serve::{Body, Fault, full};

/// Why a request is not done.
pub(super) enum Failure {
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
    Refused {
        status: u16,
        code: &'static str,
        message: String,
    },
    /// The client has not sent all of it.
    Broken(Fault),
}

pub(super) type Outcome = Result<Response<Body>, Failure>;

impl Failure {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self::Refused {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn no_bucket() -> Self {
        Self::new(404, "NoSuchBucket", "The bucket does not exist.")
    }

    pub(super) fn no_key() -> Self {
        Self::new(404, "NoSuchKey", "The key does not exist.")
    }

    pub(super) fn no_upload() -> Self {
        Self::new(404, "NoSuchUpload", "The upload does not exist.")
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidArgument", message)
    }

    pub(super) fn precondition() -> Self {
        Self::new(412, "PreconditionFailed", "A precondition does not hold.")
    }

    /// What this store cannot do because it keeps little.
    pub(super) fn not_kept() -> Self {
        Self::new(
            501,
            "NotImplemented",
            "The bytes of this object were not kept.",
        )
    }
}

/// The answer to a request that is not done.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Response<Body> {
    let body = format!(
        "<Error><Code>{code}</Code><Message>{}</Message><RequestId>fake</RequestId></Error>",
        escape(message)
    );
    answer(status, document(&body))
}

/// An answer with a document, which has all but its first line.
pub(super) fn with_document(text: &str) -> Response<Body> {
    answer(200, document(text))
}

/// An answer without a body.
pub(super) fn empty(status: u16) -> Response<Body> {
    let mut response = Response::builder().status(status);
    if status != 204 {
        response = response.header(CONTENT_LENGTH, 0);
    }
    response.body(full("")).unwrap()
}

fn document(text: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}")
}

fn answer(status: u16, body: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/xml")
        .header(CONTENT_LENGTH, body.len())
        .body(full(body))
        .unwrap()
}
