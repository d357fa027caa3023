//! Nouns and rules of the server: paths, permissions, filters, accounts. No I/O, no async.
//!
//! Everything here is a value with listed invariants or a pure function over such values, so that each rule can be
//! tested by itself and no front end can hold a different opinion of it.

pub mod action;
pub mod address_set;
pub mod filesystem;
pub mod filter;
pub mod folder;
pub mod hook;
pub mod login;
pub mod path;
pub mod permission;
pub mod public_key;
pub mod restore;
pub mod secret;
pub mod setting;
pub mod source;
pub mod source_map;
pub mod terminal;
pub mod time;
pub mod user;

pub use action::{Actions, FileEvent, UserEvent};
pub use address_set::AddressSet;
pub use filesystem::{FilesystemConfig, FilesystemProvider};
pub use filter::{ExtensionFilter, Filters, IpRules};
pub use folder::VirtualFolder;
pub use hook::{HookTarget, HookText, HookUrl};
pub use login::{LoginMethod, LoginSequence, Progress, Protocol, RequiredMethods};
pub use path::{PathError, StoragePath, VirtualPath};
pub use permission::{DirectoryPermissions, Permission, PermissionSet};
pub use public_key::{Certificate, PublicKey, StoredKey};
pub use restore::{OfExisting, RestoreOptions, ScanAfter};
pub use secret::Secret;
pub use setting::SettingIssue;
pub use source::Source;
pub use source_map::SourceMap;
pub use time::UnixMillis;
pub use user::{User, UserRecord, ValidationError};
