//! The web admin at `/web`: pages made on the server, one file a page. A new page is a file and a row in [`ROUTES`] and
//! [`router`].
//!
//! Every page works without scripts: what changes something is a form of its own page, and links lead there. The script
//! (`web/static/app.js`) only fetches these pages and shows them in place. Forms carry a token ([`csrf`]); who may come here
//! at all is decided before (`guard`).

mod asset;
mod backup;
mod connections;
mod csrf;
mod form;
mod page;
mod restore;
mod site;
mod status;
mod template;
mod text;
mod user;
mod user_form;
mod user_mistake;
mod user_record;
mod users;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::api::Api;
use crate::problem;

pub(crate) use site::Site;
pub use status::{ListenerInfo, StatusInfo};

/// What the pages work with.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) api: Arc<Api>,
    pub(crate) site: Site,
    pub(crate) status: StatusInfo,
}

/// Method and path of every route, for whoever has to look at all of them.
#[allow(
    dead_code,
    reason = "the list for whoever protects routes, and for tests"
)]
pub(crate) const ROUTES: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/web"),
    ("GET", "/web/users"),
    ("GET", "/web/user"),
    ("POST", "/web/user"),
    ("GET", "/web/user/{id}"),
    ("POST", "/web/user/{id}"),
    ("GET", "/web/user/{id}/delete"),
    ("POST", "/web/user/{id}/delete"),
    ("GET", "/web/user/{id}/scan"),
    ("POST", "/web/user/{id}/scan"),
    ("GET", "/web/connections"),
    ("GET", "/web/connection/{id}/disconnect"),
    ("POST", "/web/connection/{id}/disconnect"),
    ("GET", "/web/status"),
    ("GET", "/web/status/forgive"),
    ("POST", "/web/status/forgive"),
    ("GET", "/web/backup"),
    ("POST", "/web/backup"),
    ("POST", "/web/restore"),
    ("GET", "/static"),
    ("GET", "/static/{*path}"),
];

/// The paths that need no login: they tell nothing (reference 11.2).
#[allow(dead_code, reason = "for whoever protects routes, and for tests")]
pub(crate) fn is_public(path: &str) -> bool {
    path == "/" || path == "/static" || path.starts_with("/static/")
}

/// Every route of [`ROUTES`].
pub(crate) fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/", get(page::to_users))
        .route("/web", get(page::to_users))
        .route("/web/users", get(users::list))
        .route("/web/user", get(user::empty).post(user::add))
        .route("/web/user/{id}", get(user::show).post(user::update))
        .route(
            "/web/user/{id}/delete",
            get(user::ask_to_delete).post(user::delete),
        )
        .route(
            "/web/user/{id}/scan",
            get(user::ask_to_scan).post(user::scan),
        )
        .route("/web/connections", get(connections::list))
        .route(
            "/web/connection/{id}/disconnect",
            get(connections::ask).post(connections::disconnect),
        )
        .route("/web/status", get(status::show))
        .route(
            "/web/status/forgive",
            get(status::ask_to_forgive).post(status::forgive),
        )
        .route("/web/backup", get(backup::show).post(backup::save))
        .route("/web/restore", axum::routing::post(restore::restore))
        .route("/static", get(asset::to_directory))
        .route("/static/{*path}", get(asset::serve))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .with_state(admin)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use sftpgo_core::auth::KeyTrust;
    use sftpgo_core::data::{DataProvider, MemoryProvider};
    use sftpgo_core::{Core, CoreParts, CoreSettings};
    use sftpgo_storage::registry::Backends;
    use tower::ServiceExt as _;

    use super::*;
    use crate::config::HttpdConfig;
    use crate::server::{HttpLimits, VersionInfo};

    fn admin() -> Arc<Admin> {
        let provider = Arc::new(MemoryProvider::with_users(Vec::new()).unwrap());
        let core = Core::start(CoreParts {
            provider: provider as Arc<dyn DataProvider>,
            backends: Backends::new(),
            settings: CoreSettings::default(),
            keys: KeyTrust::default(),
        });
        let nowhere = std::path::Path::new("/nowhere");
        let (settings, _) = HttpdConfig::default().resolve(nowhere).unwrap();
        Arc::new(Admin {
            site: Site::load(&settings).unwrap(),
            status: StatusInfo::default(),
            api: Arc::new(Api {
                users: core.user_admin(),
                core,
                backups_path: settings.backups_path,
                version: VersionInfo::default(),
                metrics: Arc::default(),
                limits: HttpLimits::default(),
            }),
        })
    }

    #[tokio::test]
    async fn every_route_of_the_list_is_served() {
        let router = router(admin());
        for (method, path) in ROUTES {
            let path = path.replace("{id}", "1").replace("{*path}", "app.css");
            let request = Request::builder().method(*method).uri(&path);
            let request = request.body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            let status = response.status();
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert_ne!(status, 405, "{method} {path}");
            // The router's own 404 says nothing.
            assert!(status != 404 || !body.is_empty(), "{method} {path}");
        }
    }

    #[test]
    fn only_the_redirect_and_static_files_are_public() {
        let public: Vec<_> = ROUTES.iter().filter(|(_, path)| is_public(path)).collect();
        let expected = [("GET", "/"), ("GET", "/static"), ("GET", "/static/{*path}")];
        assert_eq!(public, expected.iter().collect::<Vec<_>>());
        assert!(!is_public("/staticx") && !is_public("/web/static/"));
    }
}
