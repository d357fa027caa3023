//! The routes, one file a resource. A new resource is a file and a row in [`router`].

mod connection;
mod defender;
mod dumpdata;
mod loaddata;
pub(crate) mod parameters;
mod provider_status;
mod quota_scan;
mod user;
mod version;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get};
use sftpgo_core::Core;
use sftpgo_core::admin::UserAdmin;

use crate::metrics::{self, HttpMetrics};
use crate::server::{HttpLimits, VersionInfo};
use crate::{health, problem};

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

/// Every route.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let one_user = get(user::show).put(user::update).delete(user::remove);
    Router::new()
        .route("/api/v1/version", get(version::show))
        .route("/api/v1/providerstatus", get(provider_status::show))
        .route("/api/v1/connection", get(connection::list))
        .route("/api/v1/connection/", delete(connection::without_id))
        .route("/api/v1/connection/{id}", delete(connection::close))
        .route(
            "/api/v1/quota_scan",
            get(quota_scan::list).post(quota_scan::start),
        )
        .route("/api/v1/defender/hosts", get(defender::list))
        .route(
            "/api/v1/defender/hosts/{id}",
            get(defender::show).delete(defender::forgive),
        )
        .route("/api/v1/defender/bantime", get(defender::ban_time))
        .route("/api/v1/defender/score", get(defender::score))
        .route(DUMPDATA, get(dumpdata::write))
        .route(LOADDATA, get(loaddata::restore))
        .route("/api/v1/user", get(user::list).post(user::add))
        .route("/api/v1/user/{id}", one_user)
        .route("/metrics", get(metrics::show))
        .route(HEALTH, get(health::show))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .with_state(api)
}
