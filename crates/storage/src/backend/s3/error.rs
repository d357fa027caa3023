//! What the errors of the protocol mean: by code, then by status of HTTP; never by text (reference 16.3).

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use super::super::object::{ObjectError, ObjectErrorKind};
use super::super::rest::kind_of_status;

/// Classifies a call that failed.
pub(super) fn classify<E>(context: &'static str, error: SdkError<E, HttpResponse>) -> ObjectError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let kind = match &error {
        SdkError::ConstructionFailure(_) => ObjectErrorKind::InvalidRequest,
        SdkError::TimeoutError(_) => ObjectErrorKind::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => ObjectErrorKind::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_user() => ObjectErrorKind::InvalidRequest,
        // A broken connection, a name that does not resolve, a certificate that is not believed, credentials that cannot be
        // had.
        SdkError::DispatchFailure(_) => ObjectErrorKind::Unavailable,
        // An answer that is none.
        SdkError::ResponseError(_) => ObjectErrorKind::Unavailable,
        SdkError::ServiceError(failure) => {
            let status = failure.raw().status().as_u16();
            kind_of(failure.err().code(), status)
        }
        // The list of the library may grow.
        _ => ObjectErrorKind::Internal,
    };
    let text = if let SdkError::ServiceError(failure) = &error {
        let (code, message) = (failure.err().code(), failure.err().message());
        format!(
            "HTTP {}, {}: {}",
            failure.raw().status().as_u16(),
            code.unwrap_or("no code"),
            message.unwrap_or("no message")
        )
    } else {
        DisplayErrorContext(&error).to_string()
    };
    ObjectError::with_source(kind, context, text)
}

/// What a store has sent with a success that the library does not understand.
pub(super) fn not_understood<E>(error: &SdkError<E, HttpResponse>) -> Option<&[u8]> {
    let SdkError::ServiceError(failure) = error else {
        return None;
    };
    let answer = failure.raw();
    answer
        .status()
        .is_success()
        .then(|| answer.body().bytes())?
}

/// An error document's code and the status that came with it. HEAD has no document.
pub(super) fn kind_of(code: Option<&str>, status: u16) -> ObjectErrorKind {
    match code {
        Some("NoSuchKey" | "NoSuchBucket" | "NotFound" | "NoSuchVersion") => {
            ObjectErrorKind::NotFound
        }
        Some("NoSuchUpload") => ObjectErrorKind::NoSuchUpload,
        Some(
            "AccessDenied"
            | "AllAccessDisabled"
            | "AccountProblem"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "InvalidToken"
            | "TokenRefreshRequired"
            | "RequestTimeTooSkewed"
            | "InvalidObjectState",
        ) => ObjectErrorKind::PermissionDenied,
        Some("PreconditionFailed" | "ConditionalRequestConflict") => ObjectErrorKind::Precondition,
        Some(
            "SlowDown"
            | "Throttling"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "TooManyRequests"
            | "RequestThrottled",
        ) => ObjectErrorKind::Throttled,
        Some("RequestTimeout" | "InternalError" | "ServiceUnavailable" | "OperationAborted") => {
            ObjectErrorKind::Unavailable
        }
        // The last is for the copy of a part, taken for a part by a store that does not know it: what has a body tells its length.
        Some("NotImplemented" | "MethodNotAllowed" | "MissingContentLength") => {
            ObjectErrorKind::Unsupported
        }
        Some("QuotaExceeded" | "XMinioStorageFull" | "InsufficientStorage") => {
            ObjectErrorKind::Full
        }
        // The answer to a HEAD, and what is asked there is in order: the token of the key has expired, or the signature is for
        // another region.
        None if status == 400 => ObjectErrorKind::PermissionDenied,
        // Half an answer.
        Some(_) | None if (200..300).contains(&status) => ObjectErrorKind::Unavailable,
        Some(_) | None => kind_of_status(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_known_by_code_and_else_by_status() {
        for (code, status, kind) in [
            (Some("NoSuchKey"), 404, ObjectErrorKind::NotFound),
            (None, 404, ObjectErrorKind::NotFound),
            (Some("NoSuchUpload"), 404, ObjectErrorKind::NoSuchUpload),
            (Some("AccessDenied"), 403, ObjectErrorKind::PermissionDenied),
            (Some("ExpiredToken"), 400, ObjectErrorKind::PermissionDenied),
            (None, 403, ObjectErrorKind::PermissionDenied),
            (None, 400, ObjectErrorKind::PermissionDenied),
            (None, 200, ObjectErrorKind::Unavailable),
            (Some("SlowDown"), 503, ObjectErrorKind::Throttled),
            (Some("InternalError"), 200, ObjectErrorKind::Unavailable),
            (None, 502, ObjectErrorKind::Unavailable),
            (None, 412, ObjectErrorKind::Precondition),
            (Some("NotImplemented"), 501, ObjectErrorKind::Unsupported),
            (
                Some("PermanentRedirect"),
                301,
                ObjectErrorKind::InvalidRequest,
            ),
            (
                Some("InvalidArgument"),
                400,
                ObjectErrorKind::InvalidRequest,
            ),
        ] {
            assert_eq!(kind_of(code, status), kind, "{code:?} {status}");
        }
        // A text that looks like a code is none.
        assert_eq!(kind_of(Some("404"), 500), ObjectErrorKind::Unavailable);
    }
}
