//! `GET /healthz`: whether this server can do its work. Tells nothing else, so that it needs no login.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::api::Api;
use crate::reply;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// 200 `ok` while the data provider answers, else 503.
pub(crate) async fn show(State(api): State<Arc<Api>>) -> Response {
    let check = tokio::time::timeout(api.limits.health, api.core.check_provider());
    match check.await {
        Ok(Ok(())) => reply::typed(StatusCode::OK, TEXT, "ok\n".to_owned()),
        Ok(Err(_)) | Err(_) => {
            let body = "the data provider does not answer\n";
            reply::typed(StatusCode::SERVICE_UNAVAILABLE, TEXT, body.to_owned())
        }
    }
}
