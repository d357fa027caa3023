//! What every protocol goes through: logins, sessions, permissions, transfers, quotas.
//!
//! Front ends translate bytes into calls of [`session::Session`] and [`admin`]; they reach a storage or the data
//! provider in no other way. No protocol is known here beyond its label.

pub mod access;
pub mod action;
pub mod admin;
pub mod auth;
pub mod defender;
pub mod digest;
pub mod engine;
pub mod error;
pub mod hook;
pub mod metrics;
pub mod mounts;
pub mod program;
pub mod quota;
pub mod registry;
pub mod secret;
pub mod session;
pub mod throughput;
pub mod transfer;

mod credential_file;
mod sessions;

pub use engine::{Core, CoreParts, CoreSettings, UploadMode};
pub use error::{OpError, OpErrorKind, OpResult};
pub use metrics::Metrics;
pub use registry::{Connection, ConnectionInfo, Registry};
pub use session::Session;

// The nouns of the rules below us, so that front ends need not depend on the crates that define them.
pub use sftpgo_data as data;
pub use sftpgo_model as model;
pub use sftpgo_storage::counters as storage_counters;
pub use sftpgo_storage::{Chunk, Entry, FileKind, FileTime, Metadata, SetAttributes, Space};
