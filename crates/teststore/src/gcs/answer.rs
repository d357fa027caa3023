//! Answers and refusals.

use hyper::Response;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::serve::{Body, Fault, full};

/// Why a request is not done: <https://cloud.google.com/storage/docs/json_api/v1/status-codes>.
pub(super) enum Failure {
    Refused {
        status: u16,
        reason: &'static str,
        message: String,
    },
    /// The client has not sent all of it.
    Broken(Fault),
}

pub(super) type Outcome = Result<Response<Body>, Failure>;

impl Failure {
    pub(super) fn new(status: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self::Refused {
            status,
            reason,
            message: message.into(),
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "notFound", "No such object, bucket or upload.")
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid", message)
    }

    pub(super) fn condition() -> Self {
        Self::new(412, "conditionNotMet", "A precondition does not hold.")
    }

    /// What this store cannot do because it keeps little.
    pub(super) fn not_kept() -> Self {
        Self::new(501, "notImplemented", "The bytes were not kept.")
    }
}

pub(super) fn refusal(status: u16, reason: &str, message: &str) -> Response<Body> {
    let error = json!({ "reason": reason, "message": message, "domain": "global" });
    let body = json!({ "error": { "code": status, "message": message, "errors": [error] } });
    answer(status, &body)
}

pub(super) fn with_json(body: &Value) -> Response<Body> {
    answer(200, body)
}

pub(super) fn empty(status: u16) -> Response<Body> {
    let mut response = Response::builder().status(status);
    if status != 204 {
        response = response.header(CONTENT_LENGTH, 0);
    }
    response.body(full("")).unwrap()
}

fn answer(status: u16, body: &Value) -> Response<Body> {
    let body = body.to_string();
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json; charset=UTF-8")
        .header(CONTENT_LENGTH, body.len())
        .body(full(body))
        .unwrap()
}
