//! The SSH front end: transport seam and SFTP engine.

pub mod config;
