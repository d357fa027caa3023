//! The table of routes: every method and path that answers, and who may use it. A module with routes has a `ROUTES` of its
//! own, which [`routes`] and [`router`] take; the router is built of nothing else, so that no route is without its access.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter};

use crate::admin::{self, Admin};
use crate::api::{self, Api};
use crate::auth::{self, Lock};
use crate::problem;

/// What a route is asked with. HEAD goes where GET goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

impl Verb {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Who is named in `httpd.auth_user_file`, if that is set.
    Password,
    /// Everybody: nothing here tells or changes anything.
    Free,
}

/// One method of one path, whose handler works with an `S`.
pub(crate) struct Route<S> {
    verb: Verb,
    path: &'static str,
    access: Access,
    /// Makes the handler for the method that it is given.
    handler: fn(MethodFilter) -> MethodRouter<Arc<S>>,
}

impl<S> Route<S> {
    /// A row; `handler` is `|method| on(method, function)`.
    pub(crate) const fn new(
        verb: Verb,
        path: &'static str,
        access: Access,
        handler: fn(MethodFilter) -> MethodRouter<Arc<S>>,
    ) -> Self {
        Self {
            verb,
            path,
            access,
            handler,
        }
    }

    fn info(&self) -> RouteInfo {
        RouteInfo {
            path: self.path,
            method: self.verb.as_str(),
            needs_password: match self.access {
                Access::Password => true,
                Access::Free => false,
            },
        }
    }
}

/// What others may know of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteInfo {
    /// As in `/api/v1/user/{id}`.
    pub path: &'static str,
    /// `GET`, which answers HEAD as well, or another one.
    pub method: &'static str,
    /// Whether it answers 401 to who does not log in, if there is a password file.
    pub needs_password: bool,
}

/// Every route there is.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    let (api, admin) = (api::ROUTES.iter(), admin::ROUTES.iter());
    api.map(Route::info).chain(admin.map(Route::info)).collect()
}

/// The router of all routes; with a lock, those that need a password ask for it. What is not in the tables is 404 or 405,
/// and asks for nothing.
pub(crate) fn router(api: Arc<Api>, admin: Arc<Admin>, lock: Option<Arc<Lock>>) -> Router {
    let lock = lock.as_ref();
    table(api::ROUTES, api, lock)
        .merge(table(admin::ROUTES, admin, lock))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
}

fn table<S: Send + Sync + 'static>(
    rows: &[Route<S>],
    state: Arc<S>,
    lock: Option<&Arc<Lock>>,
) -> Router {
    let mut router = Router::new();
    for route in rows {
        let mut handler = (route.handler)(route.verb.filter());
        if let (Access::Password, Some(lock)) = (route.access, lock) {
            // On the handler and not on the path: a wrong method asks for no password.
            handler = handler.route_layer(from_fn_with_state(Arc::clone(lock), auth::check));
        }
        router = router.route(route.path, handler);
    }
    router.with_state(state)
}
