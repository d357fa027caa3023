//! `GET /metrics` in the Prometheus text format.
//!
//! Written by hand: the names are those of the reference, of which some are counters without `_total`, and the libraries
//! insist on that ending.

mod page;
#[cfg(target_os = "linux")]
mod process;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use sftpgo_core::metrics::Counter;

use crate::api::Api;
use crate::problem::{ApiResult, Problem};
use crate::reply;
use page::Page;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// What this front end counts of itself.
#[derive(Debug, Default)]
pub(crate) struct HttpMetrics {
    pub(crate) requests: Counter,
    pub(crate) ok: Counter,
    pub(crate) client_errors: Counter,
    pub(crate) server_errors: Counter,
}

impl HttpMetrics {
    /// Counts an answered request.
    pub(crate) fn record(&self, status: StatusCode) {
        self.requests.increment();
        if status.is_success() {
            self.ok.increment();
        } else if status.is_client_error() {
            self.client_errors.increment();
        } else if status.is_server_error() {
            self.server_errors.increment();
        }
    }
}

/// Every number there is.
pub(crate) async fn show(State(api): State<Arc<Api>>) -> ApiResult {
    // Counting open descriptors reads a directory of them.
    let page = tokio::task::spawn_blocking(move || whole_page(&api));
    let text = page.await.map_err(|_| Problem::internal())?;
    Ok(reply::typed(StatusCode::OK, TEXT, text))
}

fn whole_page(api: &Api) -> String {
    let mut page = Page::default();
    page::write_core(&mut page, api.core.metrics());
    let defender = api.core.defender();
    page.gauge(
        "sftpgo_defender_banned_hosts",
        "Addresses that the defender has banned.",
        defender.map_or(0, |defender| defender.banned()),
    );
    page::write_http(&mut page, &api.metrics);
    #[cfg(target_os = "linux")]
    process::write(&mut page);
    page.into_text()
}
