//! The HTTP front end: REST API, web admin, health check and metrics.
//!
//! One request: [`server`] accepts and limits, `connection` speaks HTTP/1, `front` names, guards, counts and logs the
//! request, the route in `api` (programs) or `admin` (people) translates it for `sftpgo_core::admin`, and `problem` turns
//! refusals into replies.

pub mod config;
pub mod server;

mod admin;
mod api;
mod body;
mod connection;
mod front;
mod guard;
mod health;
mod metrics;
mod pace;
mod problem;
mod reply;
mod request_id;

pub use admin::{ListenerInfo, StatusInfo};
pub use server::{HttpError, HttpFrontEnd, HttpLimits, VersionInfo, serve};
