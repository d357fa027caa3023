//! The back ends.

pub mod local;
pub mod memory;
