//! What every object store shares: a directory tree over a flat set of keys.
//!
//! A store brings an [`ObjectStore`], a dozen calls; everything else is here: which key a path is, folders that only keys
//! imply, uploads in parts, reading ahead, renames by copying. Nothing here knows which store it is, and no call is made but
//! through `Caller`, which repeats, ends and counts it.

mod budget;
mod call;
mod content;
mod copy;
mod folder;
mod identity;
mod key;
mod list;
mod look;
mod modified;
mod pin;
mod read;
mod rename;
mod settings;
mod sharing;
mod storage;
mod store;
mod sweep;
mod tasks;
mod times;
mod upload;
mod usage;

#[cfg(any(test, feature = "conformance"))]
pub mod fake;

pub use budget::Budget;
pub use call::Patience;
pub use content::Content;
pub use modified::{MTIME, format_mtime, parse_mtime};
pub use settings::{ObjectEngine, ObjectSettings};
pub use sharing::Fingerprint;
pub(crate) use sharing::InUse;
pub(crate) use storage::CAPABILITIES;
pub use storage::ObjectStorage;
pub use store::{
    AppendRequest, Attributes, Condition, CopyRequest, KeyRule, Limits, ListPage, ListRequest,
    Listed, NextPart, ObjectError, ObjectErrorKind, ObjectInfo, ObjectResult, ObjectStore,
    OpenUpload, PartTag, PutOptions, UploadRef, Uploads, UploadsPage,
};
