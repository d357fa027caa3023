//! The sftpgo program: command line, settings, composition.

pub mod app;
pub mod cli;
pub mod config;
pub mod telemetry;
pub mod version;
