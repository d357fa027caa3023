//! The routes, one file a resource. A new resource is a file, rows in [`ROUTES`] and an operation in
//! [`openapi`](crate::openapi).

mod connection;
mod defender;
mod dumpdata;
mod loaddata;
pub(crate) mod parameters;
mod provider_status;
mod quota_scan;
mod user;
mod version;

pub(crate) use connection::ConnectionView;
pub(crate) use defender::{BanTimeView, HostView, ScoreView};
pub(crate) use quota_scan::ScanView;

use std::path::PathBuf;
use std::sync::Arc;

use axum::routing::on;
use sftpgo_core::Core;
use sftpgo_core::admin::UserAdmin;

use crate::metrics::{self, HttpMetrics};
use crate::routes::Access::{Free, Password};
use crate::routes::Route;
use crate::routes::Verb::{Delete, Get, Post, Put};
use crate::server::{HttpLimits, VersionInfo};
use crate::{health, openapi};

/// What handlers work with.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) core: Arc<Core>,
    pub(crate) users: UserAdmin,
    /// Where dumps may be written.
    pub(crate) backups_path: PathBuf,
    pub(crate) version: VersionInfo,
    pub(crate) metrics: Arc<HttpMetrics>,
    pub(crate) limits: HttpLimits,
}

/// The path that answers whatever name the server is called by.
pub(crate) const HEALTH: &str = "/healthz";

const DUMPDATA: &str = "/api/v1/dumpdata";
const LOADDATA: &str = "/api/v1/loaddata";

/// The paths whose GET changes something (reference 11.8, 11.9). The router knows each by this spelling and by no other.
pub(crate) const CHANGED_BY_GET: [&str; 2] = [DUMPDATA, LOADDATA];

/// The routes of the API, the metrics and the health check.
pub(crate) const ROUTES: &[Route<Api>] = &[
    Route::new(Get, "/api/v1/version", Password, |m| on(m, version::show)),
    Route::new(Get, "/api/v1/providerstatus", Password, |m| {
        on(m, provider_status::show)
    }),
    Route::new(Get, "/api/v1/connection", Password, |m| {
        on(m, connection::list)
    }),
    Route::new(Delete, "/api/v1/connection/", Password, |m| {
        on(m, connection::without_id)
    }),
    Route::new(Delete, "/api/v1/connection/{id}", Password, |m| {
        on(m, connection::close)
    }),
    Route::new(Get, "/api/v1/quota_scan", Password, |m| {
        on(m, quota_scan::list)
    }),
    Route::new(Post, "/api/v1/quota_scan", Password, |m| {
        on(m, quota_scan::start)
    }),
    Route::new(Get, "/api/v1/defender/hosts", Password, |m| {
        on(m, defender::list)
    }),
    Route::new(Get, "/api/v1/defender/hosts/{id}", Password, |m| {
        on(m, defender::show)
    }),
    Route::new(Delete, "/api/v1/defender/hosts/{id}", Password, |m| {
        on(m, defender::forgive)
    }),
    Route::new(Get, "/api/v1/defender/bantime", Password, |m| {
        on(m, defender::ban_time)
    }),
    Route::new(Get, "/api/v1/defender/score", Password, |m| {
        on(m, defender::score)
    }),
    Route::new(Get, DUMPDATA, Password, |m| on(m, dumpdata::write)),
    Route::new(Get, LOADDATA, Password, |m| on(m, loaddata::restore)),
    Route::new(Get, "/api/v1/user", Password, |m| on(m, user::list)),
    Route::new(Post, "/api/v1/user", Password, |m| on(m, user::add)),
    Route::new(Get, "/api/v1/user/{id}", Password, |m| on(m, user::show)),
    Route::new(Put, "/api/v1/user/{id}", Password, |m| on(m, user::update)),
    Route::new(Delete, "/api/v1/user/{id}", Password, |m| {
        on(m, user::remove)
    }),
    Route::new(Get, "/metrics", Password, |m| on(m, metrics::show)),
    Route::new(Get, "/openapi.json", Password, |m| on(m, openapi::show)),
    // Load balancers have no password, and learn nothing but whether to send clients here.
    Route::new(Get, HEALTH, Free, |m| on(m, health::show)),
];
