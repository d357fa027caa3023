//! The HTTP front end: REST API, health check and metrics.
//!
//! One request: [`server`] accepts and limits, `connection` speaks HTTP/1, `front` names, guards, counts and logs the
//! request, the route in `api` translates it for `sftpgo_core::admin`, and `problem` turns refusals into replies.

pub mod config;
pub mod server;

mod api;
mod body;
mod connection;
mod front;
mod guard;
mod health;
mod logged_query;
mod metrics;
mod pace;
mod panics;
mod problem;
mod reply;
mod request_id;

pub use panics::keep_stacks_of_panics;
pub use server::{HttpError, HttpFrontEnd, HttpLimits, VersionInfo, serve};
