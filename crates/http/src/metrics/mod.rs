//! `GET /metrics` in the Prometheus text format. `docs/metrics.md` lists what there is.
//!
//! Written by hand: the names are those of the reference, of which some are counters without `_total`, and the libraries
//! insist on that ending.

mod page;
#[cfg(target_os = "linux")]
mod process;
mod scrapes;
mod store;
mod text;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use sftpgo_core::metrics::Counter;
use sftpgo_core::metrics::histogram::{Histogram, RequestTime};

use crate::api::Api;
use crate::problem::{ApiResult, Problem};
use crate::reply;
use scrapes::Scrapes;
use text::Page;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// What this front end counts of itself.
#[derive(Debug)]
pub(crate) struct HttpMetrics {
    pub(crate) requests: Counter,
    pub(crate) ok: Counter,
    pub(crate) client_errors: Counter,
    pub(crate) server_errors: Counter,
    /// How long answers took, by the class of their status.
    times: [(&'static str, Histogram<RequestTime>); 4],
    scrapes: Scrapes,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self {
            requests: Counter::default(),
            ok: Counter::default(),
            client_errors: Counter::default(),
            server_errors: Counter::default(),
            times: ["2xx", "3xx", "4xx", "5xx"].map(|class| (class, Histogram::default())),
            scrapes: Scrapes::default(),
        }
    }
}

impl HttpMetrics {
    /// Counts an answered request.
    pub(crate) fn record(&self, status: StatusCode, time: Duration) {
        self.requests.increment();
        if status.is_success() {
            self.ok.increment();
        } else if status.is_client_error() {
            self.client_errors.increment();
        } else if status.is_server_error() {
            self.server_errors.increment();
        }
        // Nothing answers with 1xx.
        let class = usize::from(status.as_u16() / 100).saturating_sub(2);
        if let Some((_, times)) = self.times.get(class) {
            times.observe_time(time);
        }
    }
}

/// Every number there is.
pub(crate) async fn show(State(api): State<Arc<Api>>) -> ApiResult {
    let metrics = Arc::clone(&api.metrics);
    let mut scrape = metrics.scrapes.begin();
    // Counting open descriptors reads a directory of them.
    let page = tokio::task::spawn_blocking(move || whole_page(&api)).await;
    let status = match page {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    scrape.ended(status);
    let text = page.map_err(|_| Problem::internal())?;
    Ok(reply::typed(StatusCode::OK, TEXT, text))
}

fn whole_page(api: &Api) -> String {
    let mut page = Page::default();
    page::write_build(&mut page, &api.version);
    page::write_core(&mut page, api.core.metrics());
    let defender = api.core.defender();
    page.gauge(
        "sftpgo_defender_banned_hosts",
        "Addresses that the defender has banned.",
        defender.map_or(0, |defender| defender.banned()),
    );
    page::write_login_times(&mut page, api.core.metrics());
    store::write(&mut page, api.core.store_counters());
    page::write_http(&mut page, &api.metrics);
    api.metrics.scrapes.write(&mut page);
    #[cfg(target_os = "linux")]
    process::write(&mut page);
    page.into_text()
}
