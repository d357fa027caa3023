//! The back ends, a folder each. [`registry`](crate::registry) lists them.

pub mod azblob;
pub mod gcs;
#[cfg(target_os = "linux")]
pub mod local;
pub mod memory;
pub mod object;
mod rest;
pub mod s3;
