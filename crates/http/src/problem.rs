//! The generic reply (reference 11.1): every refusal, and every acknowledgement.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use sftpgo_core::admin::{AdminError, AdminErrorKind};

use crate::reply;
use crate::server::HttpLimits;

/// What a handler gives back.
pub(crate) type ApiResult = Result<Response, Problem>;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    error: String,
    message: String,
}

/// What refusals and acknowledgements look like.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Reply", deny_unknown_fields)]
pub(crate) struct GenericReply<'a> {
    /// What is wrong, in most cases.
    error: &'a str,
    /// What was done, or what is wrong in some cases.
    message: &'a str,
    /// The status of the response.
    status: u16,
}

impl Problem {
    /// A refusal whose reason is in `error`.
    pub(crate) fn error(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            error: error.into(),
            message: String::new(),
        }
    }

    /// A refusal whose reason is in `message`, where the reference puts it there.
    pub(crate) fn message(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            error: String::new(),
            message: message.into(),
        }
    }

    /// A value of the request that makes no sense.
    pub(crate) fn bad_request(error: impl Into<String>) -> Self {
        Self::error(StatusCode::BAD_REQUEST, error)
    }

    /// The status code.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason, wherever the generic reply has it.
    pub(crate) fn text(&self) -> &str {
        if self.error.is_empty() {
            &self.message
        } else {
            &self.error
        }
    }

    /// Something inside went wrong; what, is in the log.
    pub(crate) fn internal() -> Self {
        Self::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self {
            status,
            error,
            message,
        } = &self;
        reply::json(
            *status,
            &GenericReply {
                error,
                message,
                status: status.as_u16(),
            },
        )
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        let status = status_of(error.kind());
        if status.is_server_error() {
            tracing::error!(sender = "httpd", "{error}");
        }
        match error.kind() {
            AdminErrorKind::IdMismatch | AdminErrorKind::TooLarge => {
                Self::message(status, error.to_string())
            }
            AdminErrorKind::Validation
            | AdminErrorKind::BadRequest
            | AdminErrorKind::MethodDisabled
            | AdminErrorKind::NotFound
            | AdminErrorKind::Duplicate
            | AdminErrorKind::Unavailable
            | AdminErrorKind::Internal => Self::error(status, error.to_string()),
        }
    }
}

/// The table of reference 11.1. A name that is taken, and a data provider that does not answer, are 500 there, and clients
/// test for it.
pub(crate) fn status_of(kind: AdminErrorKind) -> StatusCode {
    match kind {
        AdminErrorKind::Validation
        | AdminErrorKind::IdMismatch
        | AdminErrorKind::BadRequest
        | AdminErrorKind::TooLarge => StatusCode::BAD_REQUEST,
        AdminErrorKind::MethodDisabled => StatusCode::FORBIDDEN,
        AdminErrorKind::NotFound => StatusCode::NOT_FOUND,
        AdminErrorKind::Duplicate | AdminErrorKind::Unavailable | AdminErrorKind::Internal => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// Waits for work that goes on by itself, but not so long that the request is given up: its client then reads why.
pub(crate) async fn in_time<T>(
    limits: &HttpLimits,
    work: impl Future<Output = Result<T, AdminError>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(limits.handling / 10 * 9, work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Problem::error(
            StatusCode::SERVICE_UNAVAILABLE,
            "this takes longer than a request may: it goes on, and the log tells how it ends",
        )),
    }
}

/// "Done", in words.
pub(crate) fn acknowledged(message: &str) -> Response {
    acknowledged_as(StatusCode::OK, message)
}

/// The same with another status.
pub(crate) fn acknowledged_as(status: StatusCode, message: &str) -> Response {
    reply::json(
        status,
        &GenericReply {
            error: "",
            message,
            status: status.as_u16(),
        },
    )
}

/// The reply to a path that has no route.
pub(crate) async fn not_found() -> Problem {
    Problem::message(StatusCode::NOT_FOUND, "Not Found")
}

/// The reply to a method that the route has not.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::message(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
}
