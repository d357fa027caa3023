//! What the errors of Azure mean: by code, then by status of HTTP; never by text (reference 16.3).
//! <https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes>

use http::StatusCode;

use super::super::object::{ObjectError, ObjectErrorKind};
use super::super::rest::{Answer, kind_of_status};
use super::document::Fault;

/// Classifies an answer that is none of those that were hoped for. Its text has no more of what was sent than Azure's own
/// sentence: errors quote headers elsewhere, and those may hold a signature.
pub(super) async fn refused(context: &'static str, answer: Answer) -> ObjectError {
    let status = answer.status();
    let code = answer.header("x-ms-error-code").map(str::to_owned);
    let request = answer.header("x-ms-request-id").map(str::to_owned);
    let fault = match answer.document().await {
        Ok(document) => Fault::parse(&document),
        // The head has said enough.
        Err(_) => Fault::default(),
    };
    let code = code.or(fault.code);
    let kind = kind_of(code.as_deref(), status);
    let text = format!(
        "HTTP {}, {}: {} (request {})",
        status.as_u16(),
        code.as_deref().unwrap_or("no code"),
        explained(code.as_deref())
            .or(fault.message.as_deref())
            .unwrap_or("no message"),
        request.as_deref().unwrap_or("unknown")
    );
    ObjectError::with_source(kind, context, text)
}

/// The code of an error and the status that came with it.
fn kind_of(code: Option<&str>, status: StatusCode) -> ObjectErrorKind {
    match code {
        Some(
            "BlobNotFound" | "ContainerNotFound" | "ResourceNotFound" | "ContainerBeingDeleted",
        ) => ObjectErrorKind::NotFound,
        // Staged blocks are gone: somebody else ended an upload of the same name.
        Some("InvalidBlockList") => ObjectErrorKind::NoSuchUpload,
        Some(
            "AuthenticationFailed"
            | "AuthorizationFailure"
            | "AuthorizationPermissionMismatch"
            | "AuthorizationProtocolMismatch"
            | "AuthorizationResourceTypeMismatch"
            | "AuthorizationServiceMismatch"
            | "AuthorizationSourceIPMismatch"
            | "InsufficientAccountPermissions"
            | "InvalidAuthenticationInfo"
            | "NoAuthenticationInformation"
            | "KeyBasedAuthenticationNotPermitted"
            | "PublicAccessNotPermitted"
            | "UnauthorizedBlobOverwrite"
            | "AccountIsDisabled"
            | "ContainerDisabled"
            | "LeaseIdMissing"
            | "LeaseIdMismatchWithBlobOperation"
            | "LeaseLost"
            | "LeaseNotPresentWithBlobOperation"
            | "BlobArchived"
            | "BlobBeingRehydrated"
            | "CannotChangeToLowerTier"
            | "BlobImmutableDueToPolicy"
            | "BlobImmutableDueToLegalHold"
            | "SnapshotsPresent",
        ) => ObjectErrorKind::PermissionDenied,
        Some(
            "ConditionNotMet"
            | "SourceConditionNotMet"
            | "TargetConditionNotMet"
            | "BlobAlreadyExists"
            | "ResourceAlreadyExists"
            | "BlobModifiedWhileReading"
            | "InvalidBlobOrBlock",
        ) => ObjectErrorKind::Precondition,
        Some("ServerBusy" | "TooManyRequests") => ObjectErrorKind::Throttled,
        Some("OperationTimedOut") => ObjectErrorKind::TimedOut,
        Some("InternalError" | "AccountBeingCreated" | "PendingCopyOperation") => {
            ObjectErrorKind::Unavailable
        }
        Some(
            "FeatureNotSupported"
            | "FeatureNotYetSupportedForHierarchicalNamespaceAccounts"
            | "BlobTypeNotSupported"
            | "InvalidBlobType"
            | "UnsupportedHeader"
            | "UnsupportedHttpVerb"
            | "UnsupportedQueryParameter"
            | "APINotImplemented",
        ) => ObjectErrorKind::Unsupported,
        Some("BlockCountExceedsLimit" | "InsufficientStorage" | "AccountQuotaExceeded") => {
            ObjectErrorKind::Full
        }
        Some(_) | None => kind_of_status(status.as_u16()),
    }
}

/// What an operator has to know where Azure's own sentence does not say it.
fn explained(code: Option<&str>) -> Option<&'static str> {
    match code {
        Some("BlobArchived") => {
            Some("the blob is archived: give it an online access tier before it is read")
        }
        Some("BlobBeingRehydrated") => Some("the blob is on its way out of the archive"),
        Some("LeaseIdMissing") => Some("another program holds a lease of the blob"),
        Some("InvalidBlobOrBlock") => Some(
            "another program has left blocks of an upload with this name, which Azure drops after a week",
        ),
        Some("InvalidBlobType") => Some("there is an append blob or a page blob of this name"),
        Some("AccountIsDisabled") => Some("the storage account is disabled"),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_azure_are_known_by_code_and_else_by_status() {
        for (code, status, kind) in [
            (Some("BlobNotFound"), 404, ObjectErrorKind::NotFound),
            (None, 404, ObjectErrorKind::NotFound),
            (Some("InvalidBlockList"), 400, ObjectErrorKind::NoSuchUpload),
            (
                Some("AuthenticationFailed"),
                403,
                ObjectErrorKind::PermissionDenied,
            ),
            (None, 403, ObjectErrorKind::PermissionDenied),
            (Some("BlobArchived"), 409, ObjectErrorKind::PermissionDenied),
            (
                Some("LeaseIdMissing"),
                412,
                ObjectErrorKind::PermissionDenied,
            ),
            (
                Some("BlobAlreadyExists"),
                409,
                ObjectErrorKind::Precondition,
            ),
            (Some("ConditionNotMet"), 412, ObjectErrorKind::Precondition),
            (Some("ServerBusy"), 503, ObjectErrorKind::Throttled),
            (Some("OperationTimedOut"), 500, ObjectErrorKind::TimedOut),
            (Some("InternalError"), 500, ObjectErrorKind::Unavailable),
            (None, 502, ObjectErrorKind::Unavailable),
            (
                Some("CannotVerifyCopySource"),
                403,
                ObjectErrorKind::PermissionDenied,
            ),
            (None, 501, ObjectErrorKind::Unsupported),
            (
                Some("OutOfRangeInput"),
                400,
                ObjectErrorKind::InvalidRequest,
            ),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(kind_of(code, status), kind, "{code:?} {status}");
        }
    }
}
