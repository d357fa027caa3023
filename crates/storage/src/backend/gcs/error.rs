//! What refusals mean: by the reason of the document that comes with them, then by status of HTTP; never by text (reference
//! 16.3).

use http::StatusCode;
use serde::Deserialize;

use super::super::object::{ObjectError, ObjectErrorKind};
use super::super::rest::{Answer, kind_of_status};

/// Letters of a message that go into the log.
const MESSAGE: usize = 500;

/// <https://cloud.google.com/storage/docs/json_api/v1/status-codes>
#[derive(Debug, Default, Deserialize)]
struct Document {
    #[serde(default)]
    error: Refusal,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: String,
    errors: Vec<Reason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reason {
    reason: String,
}

/// Reads why a call was refused.
pub(super) async fn refused(context: &'static str, answer: Answer) -> ObjectError {
    let status = answer.status();
    // One without a document is a refusal as well: downloads have none, and what stands before the store has its own.
    let body = answer.document().await.unwrap_or_default();
    let Document { error } = serde_json::from_slice(&body).unwrap_or_default();
    let reason = error.errors.first().map(|first| first.reason.as_str());
    let message: String = error.message.chars().take(MESSAGE).collect();
    let text = format!(
        "HTTP {}, {}: {}",
        status.as_u16(),
        reason.unwrap_or("no reason"),
        if message.is_empty() {
            "no message"
        } else {
            &message
        }
    );
    ObjectError::with_source(kind_of(reason, status), context, text)
}

/// The same for a call to the session of an upload, which may have ended.
pub(super) async fn refused_by_session(context: &'static str, answer: Answer) -> ObjectError {
    match answer.status().as_u16() {
        // 499 says that it was given up.
        404 | 410 | 499 => ObjectError::new(ObjectErrorKind::NoSuchUpload, context),
        _ => refused(context, answer).await,
    }
}

fn kind_of(reason: Option<&str>, status: StatusCode) -> ObjectErrorKind {
    match reason {
        Some("notFound") => ObjectErrorKind::NotFound,
        Some("conditionNotMet") => ObjectErrorKind::Precondition,
        // These come with 403 as well.
        Some("rateLimitExceeded" | "userRateLimitExceeded") => ObjectErrorKind::Throttled,
        Some("backendError" | "internalError") => ObjectErrorKind::Unavailable,
        Some("authError" | "forbidden" | "insufficientPermissions" | "accountDisabled") => {
            ObjectErrorKind::PermissionDenied
        }
        Some("notImplemented") => ObjectErrorKind::Unsupported,
        Some(_) | None => kind_of_status(status.as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_known_by_reason_and_else_by_status() {
        for (reason, status, kind) in [
            (Some("notFound"), 404, ObjectErrorKind::NotFound),
            (None, 404, ObjectErrorKind::NotFound),
            (Some("conditionNotMet"), 412, ObjectErrorKind::Precondition),
            (None, 304, ObjectErrorKind::Precondition),
            (Some("rateLimitExceeded"), 403, ObjectErrorKind::Throttled),
            (Some("rateLimitExceeded"), 429, ObjectErrorKind::Throttled),
            (None, 429, ObjectErrorKind::Throttled),
            (Some("forbidden"), 403, ObjectErrorKind::PermissionDenied),
            (
                Some("accountDisabled"),
                403,
                ObjectErrorKind::PermissionDenied,
            ),
            (Some("required"), 401, ObjectErrorKind::PermissionDenied),
            (Some("backendError"), 503, ObjectErrorKind::Unavailable),
            (Some("internalError"), 500, ObjectErrorKind::Unavailable),
            (None, 502, ObjectErrorKind::Unavailable),
            (None, 504, ObjectErrorKind::Unavailable),
            (None, 408, ObjectErrorKind::TimedOut),
            (Some("invalid"), 400, ObjectErrorKind::InvalidRequest),
            (None, 501, ObjectErrorKind::Unsupported),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(kind_of(reason, status), kind, "{reason:?} {status}");
        }
    }
}
