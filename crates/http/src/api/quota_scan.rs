//! `/api/v1/quota_scan`: the scans that are under way, and starting one (reference 11.10).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use sftpgo_core::admin::{AdminErrorKind, Started};
use sftpgo_core::model::UserRecord;

use super::Api;
use crate::body;
use crate::problem::{ApiResult, Problem, acknowledged_as};
use crate::reply;

/// A scan that is under way.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QuotaScan", deny_unknown_fields)]
pub(crate) struct ScanView {
    /// Whose files are counted.
    username: String,
    /// Milliseconds since 1970.
    start_time: i64,
}

/// The scans that are not done, by user.
pub(crate) async fn list(State(api): State<Arc<Api>>) -> Response {
    let scans = api.core.quota_scans().into_iter();
    let views: Vec<_> = scans
        .map(|scan| ScanView {
            username: scan.username,
            start_time: scan.started.0,
        })
        .collect();
    reply::json(StatusCode::OK, &views)
}

/// Starts one and does not wait for it. The body is a user of which only the name counts.
pub(crate) async fn start(State(api): State<Arc<Api>>, request: Request) -> ApiResult {
    let json = body::read(request, &api.limits).await?;
    let user = UserRecord::from_json(&json)
        .map_err(|error| Problem::bad_request(format!("invalid JSON: {error}")))?;
    let started = api.core.start_quota_scan(&user.username).await;
    match started.map_err(refusal)? {
        Started::Now => Ok(acknowledged_as(StatusCode::CREATED, "Scan started")),
        Started::Before => {
            let message = "Another scan is already in progress";
            Err(Problem::message(StatusCode::CONFLICT, message))
        }
    }
}

/// In the reference, and so here, everything that keeps the user from being found is 404.
fn refusal(error: sftpgo_core::admin::AdminError) -> Problem {
    match error.kind() {
        AdminErrorKind::MethodDisabled => Problem::from(error),
        AdminErrorKind::Unavailable
        | AdminErrorKind::Internal
        | AdminErrorKind::NotFound
        | AdminErrorKind::Validation
        | AdminErrorKind::IdMismatch
        | AdminErrorKind::BadRequest
        | AdminErrorKind::TooLarge
        | AdminErrorKind::Duplicate => Problem::error(StatusCode::NOT_FOUND, error.to_string()),
    }
}
