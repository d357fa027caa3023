//! The HTTP front end: REST API and metrics.

pub mod config;
