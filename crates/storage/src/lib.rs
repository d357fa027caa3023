//! The [`Storage`] trait, its capabilities and the back ends that implement it.
//!
//! A storage is a directory tree addressed by [`StoragePath`](sftpgo_model::StoragePath). It knows no users, permissions,
//! quotas or protocols: `core` decides, a storage does. One conformance suite runs against every back end.

pub mod backend;
pub mod capability;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod counters;
pub mod error;
pub mod metadata;
pub mod registry;
mod reserved;
pub mod storage;

pub use capability::Capabilities;
pub use error::{StorageError, StorageErrorKind, StorageResult};
pub use metadata::{Entry, FileId, FileKind, FileTime, Metadata, SetAttributes, Space};
#[cfg(unix)]
pub use storage::Native;
pub use storage::{
    Chunk, Ended, Ending, Expected, FileEnd, Guard, Links, Listing, OpenExisting, Pinned,
    ReadHandle, Removed, RenameMode, Storage, Target, Usage, WriteHandle, WriteOptions,
    WriteVisibility,
};
