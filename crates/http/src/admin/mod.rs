//! The web admin at `/web`: pages made on the server, one file a page. A new page is a file and rows in [`ROUTES`].
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
mod storage_form;
mod template;
mod text;
mod user;
mod user_form;
mod user_mistake;
mod user_record;
mod users;
mod visit;

/// Figures and times as the pages show them.
pub mod shown {
    pub use super::text::{lasting, local_time, size};
}

use std::sync::Arc;

use axum::routing::on;

use crate::api::Api;
use crate::routes::Access::{Free, Password};
use crate::routes::Route;
use crate::routes::Verb::{Get, Post};

pub(crate) use site::Site;
pub use status::{ListenerInfo, StatusInfo};

/// What the pages work with.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) api: Arc<Api>,
    pub(crate) site: Site,
    pub(crate) status: StatusInfo,
}

/// The routes of the pages and of the files that they load. The files and the way to the first page tell nothing, and so need
/// no password (reference 11.2).
pub(crate) const ROUTES: &[Route<Admin>] = &[
    Route::new(Get, "/", Free, |m| on(m, page::to_users)),
    Route::new(Get, "/web", Password, |m| on(m, page::to_users)),
    Route::new(Get, "/web/users", Password, |m| on(m, users::list)),
    Route::new(Get, "/web/user", Password, |m| on(m, user::empty)),
    Route::new(Post, "/web/user", Password, |m| on(m, user::add)),
    Route::new(Get, "/web/user/{id}", Password, |m| on(m, user::show)),
    Route::new(Post, "/web/user/{id}", Password, |m| on(m, user::update)),
    Route::new(Get, "/web/user/{id}/delete", Password, |m| {
        on(m, user::ask_to_delete)
    }),
    Route::new(Post, "/web/user/{id}/delete", Password, |m| {
        on(m, user::delete)
    }),
    Route::new(Get, "/web/user/{id}/scan", Password, |m| {
        on(m, user::ask_to_scan)
    }),
    Route::new(Post, "/web/user/{id}/scan", Password, |m| on(m, user::scan)),
    Route::new(Get, "/web/connections", Password, |m| {
        on(m, connections::list)
    }),
    Route::new(Get, "/web/connection/{id}/disconnect", Password, |m| {
        on(m, connections::ask)
    }),
    Route::new(Post, "/web/connection/{id}/disconnect", Password, |m| {
        on(m, connections::disconnect)
    }),
    Route::new(Get, "/web/status", Password, |m| on(m, status::show)),
    Route::new(Get, "/web/status/forgive", Password, |m| {
        on(m, status::ask_to_forgive)
    }),
    Route::new(Post, "/web/status/forgive", Password, |m| {
        on(m, status::forgive)
    }),
    Route::new(Get, "/web/backup", Password, |m| on(m, backup::show)),
    Route::new(Post, "/web/backup", Password, |m| on(m, backup::save)),
    Route::new(Post, "/web/restore", Password, |m| on(m, restore::restore)),
    Route::new(Get, "/static", Free, |m| on(m, asset::to_directory)),
    Route::new(Get, "/static/{*path}", Free, |m| on(m, asset::serve)),
];
