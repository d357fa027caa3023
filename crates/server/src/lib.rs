//! The sftpgo program: command line, settings, composition.

pub mod config;
