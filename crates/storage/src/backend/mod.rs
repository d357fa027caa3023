//! The back ends, a folder each. [`registry`](crate::registry) lists them.

#[cfg(target_os = "linux")]
pub mod local;
pub mod memory;
pub mod object;
pub mod s3;
