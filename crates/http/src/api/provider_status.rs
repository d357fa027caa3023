//! `GET /api/v1/providerstatus`.

use std::sync::Arc;

use axum::extract::State;

use super::Api;
use crate::problem::{ApiResult, acknowledged};

/// Whether the data provider answers.
pub(crate) async fn show(State(api): State<Arc<Api>>) -> ApiResult {
    api.core.check_provider().await?;
    Ok(acknowledged("Alive"))
}
