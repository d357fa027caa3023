//! The HTTP front end: REST API, web admin, health check and metrics.
//!
//! One request: [`server`] accepts and limits, `connection` speaks TLS and HTTP/1, `front` names, guards, counts and logs
//! the request, `routes` finds its route, where `auth` asks for a password, the route in `api` (programs) or `admin` (people)
//! translates it for `sftpgo_core::admin`, and `problem` turns refusals into replies. `openapi` describes what `api` does.

pub mod config;
pub mod server;

mod admin;
mod api;
mod auth;
mod body;
mod connection;
mod front;
mod guard;
mod handshake;
mod health;
mod logged_query;
mod metrics;
mod openapi;
mod pace;
mod panics;
mod problem;
mod reply;
mod request_id;
mod routes;

pub use admin::{ListenerInfo, StatusInfo, shown};
pub use openapi::{document as openapi_document, sorted};
pub use panics::keep_stacks_of_panics;
pub use routes::{RouteInfo, routes};
pub use server::{HttpError, HttpFrontEnd, HttpLimits, VersionInfo, serve};
