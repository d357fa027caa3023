//! `GET /api/v1/version`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::Api;
use crate::reply;

/// Which build answers.
pub(crate) async fn show(State(api): State<Arc<Api>>) -> Response {
    reply::json(StatusCode::OK, &api.version)
}
