//! What a Prometheus client library counts of its own page: the names are those of the Go library, which the reference has.

use axum::http::StatusCode;
use sftpgo_core::metrics::{Counter, Gauge};

use super::text::Page;

/// Scrapes by their end.
#[derive(Debug, Default)]
pub(crate) struct Scrapes {
    in_flight: Gauge,
    ok: Counter,
    failed: Counter,
    /// Given up: the request took too long, or its client left.
    unavailable: Counter,
}

impl Scrapes {
    /// Begins one.
    pub(super) fn begin(&self) -> Scrape<'_> {
        self.in_flight.add(1);
        Scrape {
            scrapes: self,
            status: StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The one that asks is in flight and not counted yet.
    pub(super) fn write(&self, page: &mut Page) {
        page.gauge(
            "promhttp_metric_handler_requests_in_flight",
            "Current number of scrapes being served.",
            self.in_flight.value(),
        );
        page.counters(
            "promhttp_metric_handler_requests_total",
            "Total number of scrapes by HTTP status code.",
            [
                (&[("code", "200")][..], self.ok.value()),
                (&[("code", "500")][..], self.failed.value()),
                (&[("code", "503")][..], self.unavailable.value()),
            ],
        );
    }
}

/// A scrape under way; counted when it is dropped.
#[derive(Debug)]
pub(super) struct Scrape<'a> {
    scrapes: &'a Scrapes,
    status: StatusCode,
}

impl Scrape<'_> {
    /// Notes how it ends.
    pub(super) fn ended(&mut self, status: StatusCode) {
        self.status = status;
    }
}

impl Drop for Scrape<'_> {
    fn drop(&mut self) {
        self.scrapes.in_flight.add(-1);
        let counter = match self.status {
            StatusCode::OK => &self.scrapes.ok,
            StatusCode::SERVICE_UNAVAILABLE => &self.scrapes.unavailable,
            _ => &self.scrapes.failed,
        };
        counter.increment();
    }
}
