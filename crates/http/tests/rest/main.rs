//! The HTTP front end, asked through real sockets on free ports, in the order of reference 18.2.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helpers of tests assert is part of the test"
)]

mod abuse;
mod auth;
mod connections;
mod dump;
mod https;
mod lifecycle;
mod log;
mod metrics;
mod openapi;
mod quota_scan;
mod rest_cli;
mod restore;
mod routes;
mod support;
mod user_rules;
mod users;
mod web;
